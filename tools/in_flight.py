"""Many slow calls under way at once, their results as they arrive, and none of them wasted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

TICK_S = 0.1


def run_in_flight(
    work: Callable[[Item, threading.Event], Result], items: Iterable[Item], *, limit: int
) -> Iterator[Result | None]:
    """Call ``work`` on every item, ``limit`` at a time, each in a thread.

    Items are taken only as fast as there is room: at most ``3 * limit`` are under way or ready to
    go, so that no thread waits while the caller is busy with a result.

    When anything raises (``work``, ``items``, or Ctrl-C while waiting here), no new call is begun,
    the results of those under way are still yielded, and then it is raised. A second Ctrl-C gives
    those up too. Whoever stops iterating loses what is under way: end ``items`` instead.

    Args:
        work: Gets an item, and an event that is set once results are no longer wanted except for
            those already paid for: a call that waits before it tries again should give up.
        items: Iterated in the caller's thread.
        limit: Calls at a time.

    Yields:
        Results in the order of their arrival; None after every ``TICK_S`` without one.
    """
    crew = _Crew(work, limit)
    try:
        for item in items:
            crew.begin(item)
            while crew.under_way >= 3 * limit or crew.has_result():
                yield crew.next_result()
        while crew.under_way:
            yield crew.next_result()
    except GeneratorExit:
        raise
    except BaseException:
        crew.stopping.set()
        while crew.under_way:
            result = crew.next_result(ignore_errors=True)
            if result is not None:
                yield result
        raise
    finally:
        crew.dismiss()


@dataclass(frozen=True, slots=True)
class _Failed:
    """A call that raised, or one that was never begun."""

    error: Exception | None


class _Crew(Generic[Item, Result]):
    """Threads that call ``work``, started as they are needed.

    They are daemons, unlike those of ``concurrent.futures``: a program that is told twice to stop
    does not wait for a slow server.
    """

    def __init__(self, work: Callable[[Item, threading.Event], Result], limit: int) -> None:
        self.stopping = threading.Event()
        self.under_way = 0
        self._work = work
        self._limit = limit
        self._threads = 0
        self._todo: SimpleQueue[tuple[Item] | None] = SimpleQueue()
        self._done: SimpleQueue[Result | _Failed] = SimpleQueue()

    def begin(self, item: Item) -> None:
        self.under_way += 1
        self._todo.put((item,))
        if self._threads < self._limit:
            self._threads += 1
            threading.Thread(target=self._labour, daemon=True).start()

    def has_result(self) -> bool:
        return not self._done.empty()

    def next_result(self, *, ignore_errors: bool = False) -> Result | None:
        """Wait for a result; None if none came for a while, or if its error is to be ignored."""
        try:
            result = self._done.get(timeout=TICK_S)
        except Empty:
            return None
        self.under_way -= 1
        if not isinstance(result, _Failed):
            return result
        if result.error is None or ignore_errors:
            return None
        raise result.error

    def dismiss(self) -> None:
        self.stopping.set()
        for _ in range(self._threads):
            self._todo.put(None)

    def _labour(self) -> None:
        while (box := self._todo.get()) is not None:
            if self.stopping.is_set():
                self._done.put(_Failed(None))
                continue
            try:
                self._done.put(self._work(box[0], self.stopping))
            except Exception as exc:  # noqa: BLE001 - raised again in the caller's thread
                # In this order: calls that give up because of it must not come before it.
                self._done.put(_Failed(exc))
                self.stopping.set()
