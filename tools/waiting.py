"""What is being done, told once it takes a while: nobody should wait and not know for what."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Final

from tools.terminal import OutputError

QUIET_S = 1.0
"""Shorter work goes unmentioned."""

Doing = Callable[[str], AbstractContextManager[None]]
"""``waiting_for``, with all but its first argument given."""


SAID_EVERY_S: Final = 10.0
"""Where no bar can be drawn, a line of progress comes this often."""


class NowAndThen:
    """Passes on a line of progress every while, and drops those in between.

    Args:
        tell: Receives a line.
        every_s: How long there is none after one, or after the start.
    """

    def __init__(self, tell: Callable[[str], None], *, every_s: float = SAID_EVERY_S) -> None:
        self._tell = tell
        self._every_s = every_s
        self._last_s = time.monotonic()

    def __call__(self, line: Callable[[], str]) -> None:
        """Pass on what ``line`` returns, if it is time."""
        if time.monotonic() - self._last_s >= self._every_s:
            self._last_s = time.monotonic()
            self._tell(line())


@contextmanager
def waiting_for(
    what: str,
    tell: Callable[[str], None],
    *,
    quiet_s: float | None = None,
    is_told: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Tell what is done inside, if it takes a while.

    Args:
        what: In a few words, such as ``cutting dog.mp4``.
        tell: Receives the line, in a thread of its own, while the work goes on.
        quiet_s: How long nobody wonders; None for ``QUIET_S``.
        is_told: Whether the user has been told meanwhile, so that nothing more need be said.
    """

    def speak() -> None:
        # Where it cannot be written, the command itself finds out.
        with suppress(OutputError, BrokenPipeError):
            if not is_told():
                tell(f"{what} …")

    waiting = threading.Timer(QUIET_S if quiet_s is None else quiet_s, speak)
    waiting.daemon = True
    waiting.start()
    try:
        yield
    finally:
        waiting.cancel()
        # A line that is being written is written to its end, and none comes after the work.
        waiting.join()
