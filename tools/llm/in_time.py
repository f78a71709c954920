"""A call that nobody can interrupt, waited for no longer than there is time."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

Result = TypeVar("Result")


class LateError(Exception):
    """There was no result in time; the call goes on by itself, and nobody hears of its end."""


def call_in_time(work: Callable[[], Result], timeout_s: float) -> Result:
    """Call something in a thread of its own, in the caller's context; raise what it raises.

    Raises:
        LateError: If it takes longer.
    """
    ended: SimpleQueue[tuple[Result] | BaseException] = SimpleQueue()

    def run() -> None:
        try:
            ended.put((work(),))
        except BaseException as exc:  # noqa: BLE001  # raised again, in the caller's thread
            ended.put(exc)

    context = contextvars.copy_context()
    # A daemon: a program that ends does not wait for it.
    threading.Thread(target=context.run, args=(run,), name="model", daemon=True).start()
    try:
        outcome = ended.get(timeout=min(max(timeout_s, 0.0), threading.TIMEOUT_MAX))
    except Empty:
        raise LateError from None
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome[0]
