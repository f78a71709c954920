"""Many slow calls at once: results come as they arrive, and none is wasted."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

TICK_S = 0.1


def run_in_flight(
    work: Callable[[Item, threading.Event], Result], items: Iterable[Item], *, limit: int
) -> Iterator[Result | None]:
    """Call ``work`` on every item, ``limit`` at a time, each in a thread.

    The caller's thread does nothing but hand results on, so that none waits because an item takes
    long to come. A thread begins its next call only once its last result was dealt with, that is,
    once the caller asks for what follows. A caller that writes results down as they come, and is
    then killed, has lost no more than the ``limit`` calls under way at that moment.

    Items are taken only as fast as there is room: at most ``3 * limit`` are under way or ready to
    go, so that no thread waits for the next one.

    When anything raises (``work``, ``items``, or Ctrl-C while waiting here), no new call is begun,
    the results of those under way are still yielded, and then it is raised. A second Ctrl-C gives
    those up too. To stop iterating loses what is under way: end ``items`` instead.

    Args:
        work: Gets an item, and an event that is set once results are no longer wanted except for
            those already paid for: a call that waits before it tries again should give up.
        items: Iterated in a thread of its own.
        limit: Calls at a time.

    Yields:
        Results in the order of their arrival; None after every ``TICK_S`` without one. A Ctrl-C
        between two of them may make the first come twice, and never makes one get lost.
    """
    crew = _Crew(work, items, limit)
    try:
        while crew.is_busy:
            arrival = crew.first_arrival()
            if arrival is not None:
                arrival.raise_error()
                yield from arrival.results
                crew.receive(arrival)
            elif crew.is_busy:
                yield None
    except GeneratorExit:
        raise
    except BaseException:
        crew.stopping.set()
        while crew.under_way:
            arrival = crew.first_arrival()
            if arrival is not None:
                yield from arrival.results
                crew.receive(arrival)
        raise
    finally:
        crew.dismiss()


@dataclass(frozen=True, slots=True, eq=False)
class _Arrival(Generic[Result]):
    """How a call ended: with one result; with an error; or, never begun, with neither."""

    results: tuple[Result, ...] = ()
    error: BaseException | None = None
    of_call: bool = True
    received: threading.Event = field(default_factory=threading.Event)

    def raise_error(self) -> None:
        if self.error is not None:
            raise self.error


class _NoMore:
    """What comes after the last item."""


_NO_MORE = _NoMore()


class _Crew(Generic[Item, Result]):
    """A thread that takes items, and threads that call ``work``, started as they are needed.

    They are daemons, unlike those of ``concurrent.futures``: a program that is told twice to stop
    does not wait for a slow server.
    """

    def __init__(
        self,
        work: Callable[[Item, threading.Event], Result],
        items: Iterable[Item],
        limit: int,
    ) -> None:
        self.stopping = threading.Event()
        self._dismissed = False
        self._work = work
        self._limit = limit
        self._room = threading.Semaphore(3 * limit)
        self._begun = 0
        self._received = 0
        self._threads = 0
        self._todo: SimpleQueue[tuple[Item] | None] = SimpleQueue()
        # Not a queue: an arrival stays here until it is dealt with, whatever interrupts that.
        self._arrived: deque[_Arrival[Result]] = deque()
        self._news = threading.Event()
        self._fed = False
        threading.Thread(target=self._feed, args=(items,), daemon=True).start()

    @property
    def under_way(self) -> int:
        """Calls begun, or about to be, whose end has not been received."""
        return self._begun - self._received

    @property
    def is_busy(self) -> bool:
        # In this order: what was begun before the last item was taken must be counted.
        return not self._fed or bool(self.under_way) or bool(self._arrived)

    def first_arrival(self) -> _Arrival[Result] | None:
        """The first that was not received yet; None if none came for a while, or none will."""
        until = time.monotonic() + TICK_S
        while not self._arrived and self.is_busy and (left_s := until - time.monotonic()) > 0:
            self._news.wait(left_s)
            self._news.clear()
        return self._arrived[0] if self._arrived else None

    def receive(self, arrival: _Arrival[Result]) -> None:
        """The caller has dealt with the first arrival."""
        self._arrived.popleft()
        self._received += arrival.of_call
        arrival.received.set()
        self._room.release()

    def dismiss(self) -> None:
        self.stopping.set()
        self._dismissed = True
        for arrival in list(self._arrived):
            arrival.received.set()
        for _ in range(self._limit):
            self._todo.put(None)
        self._room.release()

    def _feed(self, items: Iterable[Item]) -> None:
        try:
            coming = iter(items)
            while self._room.acquire():
                item = next(coming, _NO_MORE)
                if isinstance(item, _NoMore) or self.stopping.is_set():
                    break
                # Before the item counts as begun: there may be no room for a thread.
                self._add_thread()
                self._begun += 1
                self._todo.put((item,))
        except BaseException as exc:  # noqa: BLE001 - raised again in the caller's thread
            self._arrive(_Arrival(error=exc, of_call=False))
        self._fed = True
        self._news.set()

    def _add_thread(self) -> None:
        if self._threads == self._limit:
            return
        try:
            threading.Thread(target=self._labour, daemon=True).start()
        except RuntimeError:
            if not self._threads:
                raise
            self._limit = self._threads
        else:
            self._threads += 1

    def _labour(self) -> None:
        while (box := self._todo.get()) is not None:
            if self.stopping.is_set():
                self._arrive(_Arrival())
                continue
            try:
                arrival = _Arrival((self._work(box[0], self.stopping),))
            except Exception as exc:  # noqa: BLE001 - raised again in the caller's thread
                # In this order: calls that give up because of it must not come before it.
                self._arrive(_Arrival(error=exc))
                self.stopping.set()
                continue
            self._arrive(arrival)
            if not self._dismissed:
                arrival.received.wait()

    def _arrive(self, arrival: _Arrival[Result]) -> None:
        self._arrived.append(arrival)
        self._news.set()
