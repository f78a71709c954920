"""Which services are down in a run, so that nobody waits for one again and again.

A run is what is done together: all videos of a folder, all questions of a list. What is asked in a
run finds out at most once that a service is down, and everything after that ends at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from tools.errors import FailureKind, ServiceError

LASTS_S: Final = 300.0
"""How long a service that is down is left alone: runs that watch a folder last for days."""

AT_ONCE: Final = frozenset({"key", "credit", "model", "unreachable"})
"""Failures that the next request meets too; they came after all retries."""

AT_LAST: Final = frozenset({"timeout", "busy", "broken"})
"""Failures that another request need not meet: the second in a row counts."""


@dataclass(slots=True)
class _Failed:
    kind: FailureKind
    told: str
    at_s: float
    in_a_row: int = 1
    is_down: bool = False


class Outages:
    """Notes how requests of one run ended. Many threads may do so at the same time.

    Who is asked is named by anything hashable: an address, one model of it, or what it is asked
    for.

    Args:
        clock: Tells seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: dict[Hashable, _Failed] = {}

    def check(self, who: Hashable) -> None:
        """Make sure that somebody may be asked.

        Raises:
            ServiceError: The one that was noted, and ``known``, if it is down.
        """
        with self._lock:
            failed = self._failed.get(who)
            is_down = failed and failed.is_down and self._clock() < failed.at_s + LASTS_S
        if failed and is_down:
            raise ServiceError(failed.kind, failed.told, known=True)

    def note_failure(self, who: Hashable, exc: ServiceError, *, times: int = 1) -> None:
        """A request had no reply after all retries; it is down if the next one would have none.

        Args:
            who: Was asked.
            exc: How the last of them failed.
            times: Requests that failed, one after another.
        """
        if exc.known or exc.of_run or not times:
            return
        with self._lock:
            before = self._failed.get(who)
            in_a_row = before.in_a_row if before and before.kind in AT_LAST else 0
            failed = _Failed(exc.kind, str(exc), self._clock(), in_a_row + times)
            failed.is_down = exc.kind in AT_ONCE or (exc.kind in AT_LAST and failed.in_a_row > 1)
            self._failed[who] = failed

    def give_up(self, who: Hashable, exc: ServiceError) -> None:
        """It is down, in the view of the one who asked."""
        if exc.known or exc.of_run or exc.kind == "stopped":
            return
        with self._lock:
            self._failed[who] = _Failed(exc.kind, str(exc), self._clock(), is_down=True)

    def note_reply(self, who: Hashable) -> None:
        """A request had a reply."""
        with self._lock:
            self._failed.pop(who, None)


_OF_RUN: ContextVar[Outages | None] = ContextVar("outages_of_run", default=None)


@contextmanager
def outages_noted() -> Iterator[None]:
    """What is asked in this block belongs to one run, in threads that have the block's context."""
    token = _OF_RUN.set(Outages())
    try:
        yield
    finally:
        _OF_RUN.reset(token)


def outages_of_run() -> Outages:
    """Those of the run under way here; where there is none, nothing is known, nor remembered."""
    return _OF_RUN.get() or Outages()
