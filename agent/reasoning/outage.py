"""Whether a service is down for the rest of a run, so that nobody waits for it again and again."""

from __future__ import annotations

import threading
import weakref
from typing import Final

from tools.llm.budget import Budget

AT_ONCE: Final = frozenset({"key", "credit", "model", "unreachable"})
"""Failures that another question meets too; they came after all retries."""

AT_LAST: Final = frozenset({"timeout", "busy", "broken"})
"""Failures that another question need not meet: the second in a row counts."""


class Outage:
    """Notes how each question of a run ended. Many threads may do so at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: weakref.WeakKeyDictionary[Budget, tuple[int, str, str]] = (
            weakref.WeakKeyDictionary()
        )

    def known(self, run: Budget | None) -> tuple[str, str] | None:
        """Kind and words of the failure that ends all further questions of a run, if there is one.

        Args:
            run: Its budget; None where nobody says what a run is.
        """
        if run is None:
            return None
        with self._lock:
            in_a_row, kind, told = self._failed.get(run, (0, "", ""))
        is_down = kind in AT_ONCE or (kind in AT_LAST and in_a_row > 1)
        return (kind, told) if is_down else None

    def note_failure(self, run: Budget | None, kind: str, told: str) -> None:
        """A question had no reply."""
        if run is not None:
            with self._lock:
                in_a_row = self._failed.get(run, (0, "", ""))[0] if kind in AT_LAST else 0
                self._failed[run] = (in_a_row + 1, kind, told)

    def note_reply(self, run: Budget | None) -> None:
        """A question had a reply."""
        if run is not None:
            with self._lock:
                self._failed.pop(run, None)
