"""How far an index has come, how fast it goes, and what it has cost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_S = 30.0
"""Speed is measured over this many last seconds: a resumed index first passes what is there."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an index has come.

    Attributes:
        path: The video being indexed.
        model: Who captions it.
        seen_s: Seconds of video looked at.
        total_s: Its length as far as is known; None where the header does not say.
        captions: Captions written to the store by this run.
        resumed: Whether an earlier run had begun.
        frames: Frames sampled by this run so far.
        skipped: Those of them that looked like the one before and were not shown to the captioner.
        captions_per_s: Captions written a second, of late; None at the beginning.
        left_s: Seconds of work left at the latest speed; None where it cannot be told.
        tokens: What the captioner used for this run, in and out; 0 for one that uses none.
        usd: What that costs; None where the price is not known.
    """

    path: str
    model: str
    seen_s: float
    total_s: float | None
    captions: int
    resumed: bool
    frames: int = 0
    skipped: int = 0
    captions_per_s: float | None = None
    left_s: float | None = None
    tokens: int = 0
    usd: float | None = 0.0


Report = Callable[[Progress], None]


class Pace:
    """Speed of an index over the last seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks: deque[tuple[float, float, int]] = deque()

    def mark(self, *, seen_s: float, captions: int) -> None:
        """Note how far it has come."""
        now = self._clock()
        self._marks.append((now, seen_s, captions))
        # The last mark before the window stays: it is where the window begins.
        while len(self._marks) > 2 and self._marks[1][0] <= now - WINDOW_S:
            self._marks.popleft()

    def captions_per_s(self) -> float | None:
        """Captions a second; None before there are two marks."""
        first, last = self._ends()
        return (last[2] - first[2]) / (last[0] - first[0]) if last[0] > first[0] else None

    def left_s(self, total_s: float | None) -> float | None:
        """Seconds until ``total_s`` of video are seen; None where that cannot be told."""
        first, last = self._ends()
        if total_s is None or not (last[0] > first[0] and last[1] > first[1]):
            return None
        return max(0.0, total_s - last[1]) * (last[0] - first[0]) / (last[1] - first[1])

    def _ends(self) -> tuple[tuple[float, float, int], tuple[float, float, int]]:
        return (self._marks[0], self._marks[-1]) if self._marks else ((0, 0, 0), (0, 0, 0))
