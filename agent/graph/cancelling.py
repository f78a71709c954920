"""Work in a thread of its own: what happens is told in the caller's, which is free to leave.

A request to a model cannot be interrupted. Whoever waits for it in the thread that makes it cannot
be interrupted either, and Ctrl-C would do nothing until the reply is there.
"""

import contextvars
import queue
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

THREAD: Final = "whenabouts-background"
"""Name of the threads; one that was left may still wait for a model's reply."""

_E = TypeVar("_E")
_R = TypeVar("_R")


class LeftError(Exception):
    """Ends work that nobody waits for any more."""


class Background(Generic[_E, _R]):
    """Begins the work at once, with the caller's context: an open trace is the parent of its own.

    Args:
        work: Is given this, for ``tell`` and ``go_on``.
    """

    def __init__(self, work: "Callable[[Background[_E, _R]], _R]") -> None:
        self._happened: queue.SimpleQueue[_Told[_E] | _Ended[_R] | _Failed] = queue.SimpleQueue()
        self._left = threading.Event()

        def run() -> None:
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
        """For the work: something happened. Raises ``LeftError`` where nobody waits any more."""
        self.go_on()
        self._happened.put(_Told(event))

    def go_on(self) -> None:
        """For the work: raises ``LeftError`` where nobody waits any more."""
        if self._left.is_set():
            raise LeftError

    def events(self) -> Generator[_E, None, _R]:
        """What the work tells, as it happens; returns its result, or raises what ended it.

        Whoever stops iterating leaves: the work ends with the next thing that it tells or asks.
        """
        try:
            while True:
                match self._happened.get():
                    case _Told(event):
                        yield event
                    case _Ended(result):
                        return result
                    case _Failed(error):
                        raise error
        finally:
            self._left.set()

    def listen(self, receive: Callable[[_E], None]) -> _R:
        """``events``, each handed over in this thread; what is raised meanwhile leaves."""
        events = self.events()
        try:
            while True:
                receive(next(events))
        except StopIteration as end:
            result: _R = end.value
            return result
        finally:
            events.close()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the thread's end."""
        self._thread.join(timeout_s)


@dataclass(frozen=True, slots=True)
class _Told(Generic[_E]):
    event: _E


@dataclass(frozen=True, slots=True)
class _Ended(Generic[_R]):
    result: _R


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException
