"""Who hears that a service is asked again: somebody may be waiting for its reply."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Retry:
    """A service gave no reply, and is asked again.

    Attributes:
        message: What it did, such as ``no answer from http://localhost:8000/v1 (…)``.
        attempt: Which try comes now; the first had number 1.
        attempts: How many there are at most.
        wait_s: How long is waited before it.
    """

    message: str
    attempt: int
    attempts: int
    wait_s: float

    @property
    def line(self) -> str:
        """For people."""
        return f"{self.message}; trying again ({self.attempt} of {self.attempts})"


_HEARD_BY: ContextVar[Callable[[Retry], None] | None] = ContextVar("heard_by", default=None)


@contextmanager
def retries_heard_by(receive: Callable[[Retry], None]) -> Iterator[None]:
    """Hand over each retry in this block, in the thread that asks; what it raises ends the asking.

    A thread that is begun in the block hears of them too if it has the block's context.
    """
    token = _HEARD_BY.set(receive)
    try:
        yield
    finally:
        _HEARD_BY.reset(token)


def tell_retry(retry: Retry) -> None:
    """Tell the one that hears of retries here, if anybody does."""
    if receive := _HEARD_BY.get():
        receive(retry)
