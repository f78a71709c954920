"""How a process ends that is told to: by Ctrl-C, by a request to end, by a terminal that closes.

The first time, an interrupt is raised, so that what is paid for is stored; the second time, the
process ends at once. Its exit code is 128 and the number of the first signal, as shells have it.

Little is imported here: until the handlers are in place, Ctrl-C ends in a traceback.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType

SIGNALLED = 128
"""The number of the signal that ended the command is added to this."""

SHOW_CURSOR = b"\x1b[?25h"
"""A progress bar hides it."""

ECHO_S = 0.5
"""A signal that comes this soon after the first is the same: ``timeout`` and others send two."""

_ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]

_asked: list[tuple[int, float]] = []
"""The first signal that asked for the end, and when it came, on the monotonic clock in seconds."""


def take_signals(*, chats: bool = False) -> None:
    """Handle what asks this process to end, except what it was started to ignore (``nohup``).

    Args:
        chats: Whether Ctrl-C is left as it is: in a chat, it cancels only the question.
    """
    sys.unraisablehook = _pass_over
    # The first to be registered is the last to be called.
    atexit.register(_ignore_all)
    for number in _ENDING:
        if signal.getsignal(number) != signal.SIG_IGN and not (chats and number == signal.SIGINT):
            signal.signal(number, _interrupt)


def was_asked_to_end() -> bool:
    """Whether such a signal came; what it raised may have been lost on the way, in a library."""
    return bool(_asked)


def exit_code() -> int:
    """Of a process that was interrupted."""
    return SIGNALLED + (_asked[0][0] if _asked else signal.SIGINT)


def end_at_once_with(code: int) -> None:
    """The command is over: a signal that comes now changes nothing but the waiting."""
    for number in _ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(code))


def _interrupt(number: int, frame: FrameType | None) -> None:
    _asked.append((number, time.monotonic()))
    others = signal.getsignal(signal.SIGTERM)
    if number not in {signal.SIGINT, signal.SIGTERM} and callable(others) and others != _interrupt:
        # A server ends in its own way, and then sends itself what it was sent.
        others(signal.SIGTERM, frame)
        return
    for one in _ENDING:
        if signal.getsignal(one) != signal.SIG_IGN:
            signal.signal(one, _leave)
    signal.default_int_handler(number, frame)


def _leave(_: int, __: FrameType | None) -> None:
    if time.monotonic() - _asked[0][1] < ECHO_S:
        return
    if os.isatty(2):
        os.write(2, SHOW_CURSOR)
    os.write(2, b"whenabouts: stopped at once; what was stored so far is kept\n")
    os._exit(exit_code())


def _pass_over(lost: UnraisableHookArgs) -> None:
    """An interrupt where Python cannot raise one is no fault; see ``was_asked_to_end``."""
    if not (lost.exc_type is KeyboardInterrupt and _asked):
        sys.__unraisablehook__(lost)


def _ignore_all() -> None:
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
