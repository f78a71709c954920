"""Work in a thread of its own: its events are told in the caller's, which is free to leave.

A request to a model cannot be interrupted. If one thread made it and waited for it, Ctrl-C would do
nothing until the reply is there.

What costs money is still finished properly: describing is done ``in_order``, and a caller that
leaves meanwhile waits until the replies under way are stored.
"""

import contextvars
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from agent.ending import was_asked_to_end

THREAD: Final = "whenabouts-background"
"""Name of the threads; one that was left may still wait for a model's reply."""

TICK_S: Final = 0.2
"""How soon Ctrl-C is noticed if the system handed it to another thread than the waiting one."""

_E = TypeVar("_E")
_R = TypeVar("_R")


def nobody(_: object) -> None:
    """Receives events that nobody wants to know about."""


class LeftError(Exception):
    """Ends work that nobody is waiting for any more."""


class Background(Generic[_E, _R]):
    """Begins the work at once, with the caller's context: an open trace is the parent of its own.

    Args:
        work: Is given this, for ``tell`` and ``go_on``.
    """

    def __init__(self, work: "Callable[[Background[_E, _R]], _R]") -> None:
        self._happened: queue.SimpleQueue[_Told[_E] | _Ended[_R] | _Failed] = queue.SimpleQueue()
        self._around = _UNDER_WAY.get()
        self._lock = threading.Lock()
        self._left = False
        self._in_order = 0

        def run() -> None:
            _UNDER_WAY.set(self)
            try:
                self._happened.put(_Ended(work(self)))
            except BaseException as exc:  # noqa: BLE001  # raised again, in the caller's thread
                self._happened.put(_Failed(exc))

        # A daemon: a program that ends does not wait for it.
        self._thread = threading.Thread(
            target=contextvars.copy_context().run, args=(run,), name=THREAD, daemon=True
        )
        self._thread.start()

    def tell(self, event: _E) -> None:
        """For the work: tell an event. Raises ``LeftError`` where nobody is waiting any more."""
        self.go_on()
        self._happened.put(_Told(event))

    def go_on(self) -> None:
        """For the work: raises ``LeftError`` where nobody is waiting for it any more.

        It also raises where nobody is waiting for the work that this one is a part of.
        """
        if self._left:
            raise LeftError
        if self._around:
            self._around.go_on()

    @contextmanager
    def in_order(self) -> Iterator[None]:
        """For the work: the caller does not leave while this block runs; see ``listen``.

        Raises:
            LeftError: If nobody is waiting any more; then it is not begun.
        """
        with self._lock:
            self.go_on()
            self._in_order += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_order -= 1

    def events(self) -> Generator[_E, None, _R]:
        """What the work tells, as it happens; returns its result, or raises what ended it.

        To stop iterating is to leave: the work ends with the next thing that it tells or asks.
        """
        try:
            while True:
                match self._next():
                    case _Told(event):
                        yield event
                    case _Ended(result):
                        return result
                    case _Failed(error):
                        raise error
        finally:
            self.leave()

    def listen(self, receive: Callable[[_E], None]) -> _R:
        """``events``, each handed over in this thread; an exception meanwhile leaves the work.

        If something is being done ``in_order`` just then, the work's end is waited for first.
        """
        events = self.events()
        try:
            while True:
                receive(next(events))
        except StopIteration as end:
            result: _R = end.value
            return result
        finally:
            events.close()
            if self._in_order:
                self.join()

    def result(self) -> _R:
        """Wait for the result; events are ignored."""
        return self.listen(nobody)

    def leave(self) -> None:
        """Stop waiting: the work ends with the next thing that it tells or asks."""
        with self._lock:
            self._left = True

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the thread's end."""
        if timeout_s is not None:
            self._thread.join(timeout_s)
            return
        while self._thread.is_alive():
            self._thread.join(TICK_S)

    def _next(self) -> "_Told[_E] | _Ended[_R] | _Failed":
        is_main = threading.current_thread() is threading.main_thread()
        while True:
            if is_main and was_asked_to_end():
                # What the signal raised was lost in a library, or this would not be waited for.
                raise KeyboardInterrupt
            with suppress(queue.Empty):
                return self._happened.get(timeout=TICK_S)


_UNDER_WAY: contextvars.ContextVar[Background[Any, Any] | None] = contextvars.ContextVar(
    "under_way", default=None
)
"""The work that this thread does a part of, if any."""


class Attended:
    """Work in its caller's own thread: the caller is waiting, and cannot leave."""

    def go_on(self) -> None:
        """Nothing to check: the caller is always waiting."""

    def in_order(self) -> AbstractContextManager[None]:
        """Nothing to do: the caller cannot leave."""
        return nullcontext()


def under_way() -> Background[Any, Any] | Attended:
    """The work that this thread does a part of; others may then ask it whether to go on."""
    return _UNDER_WAY.get() or Attended()


@dataclass(frozen=True, slots=True)
class _Told(Generic[_E]):
    event: _E


@dataclass(frozen=True, slots=True)
class _Ended(Generic[_R]):
    result: _R


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException
