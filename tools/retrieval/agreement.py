"""Whether sources of evidence point to the same time, and how much surer that makes an answer.

Every source gives a curve in odds: how many times likelier it makes a moment than that was before
it was asked. Curves are of one scale whatever they come from, since they are made of calibrated
probabilities, and a source that is silent, or not at hand, has a curve of 1 throughout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.presence import LOOK_ALIKES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.ranking import EvidenceKind, Ranking, Window
    from tools.timeline import Interval

    Floats = NDArray[np.float64]

OTHERS_SHARE = 0.75
"""Power of another source's odds: what describes a picture, sees it or measures it is misled by the
same things, so that two sources are worth less than if they were independent. On drawn videos whose
captions are wrong about one thing in three, R@1 at IoU 0.5 is 0.54 by captions, 0.73 by frames, and
0.73 by both; where the frames are another video's, 0.40 (captions alone 0.54, frames 0.07). See
``tests/tools/sight/test_fused_sight.py``."""

SAME_SHARE = 0.5
"""Two windows mean the same time if they share this much of the shorter one."""

TELLS_ABSENCE = frozenset({"described", "seen"})
"""Kinds whose silence speaks against: what happens is seen, and not always said, or written."""


class OddsCurve:
    """How many times likelier a source makes each moment of a video.

    It says nothing with the probability that the event is not there; otherwise the event is at a
    moment as likely as in the surest window over it.

    Args:
        ranking: What the source says; its windows and presence are calibrated.
        duration_s: Length of what it was asked about.
    """

    def __init__(self, ranking: Ranking, *, duration_s: float) -> None:
        windows = ranking.windows
        best = max((one.confidence for one in windows), default=0.0)
        is_silent = ranking.verdict == "cannot_tell" and not windows
        known = best if ranking.presence is None else ranking.presence
        present = 0.0 if is_silent or not best else known
        edges = {0.0, duration_s, *(edge for one in windows for edge in _edges(one.span))}
        self._edges = np.array(sorted(edges))
        middles_s = (self._edges[:-1] + self._edges[1:]) / 2
        sure = np.zeros(len(middles_s))
        for one in windows:
            over = (middles_s >= one.span.start_s) & (middles_s < one.span.end_s)
            sure[over] = np.maximum(sure[over], one.confidence)
        usual = float(np.average(sure, weights=np.diff(self._edges))) if sure.any() else 1.0
        odds = present * sure / usual + (1 - present)
        # Something else may look, or sound, just like it.
        self._odds: Floats = odds / (1 - LOOK_ALIKES + LOOK_ALIKES * odds)

    def log_odds(self, span: Interval) -> float:
        """Log of the mean over a span; 0 where the source says nothing of it."""
        starts, ends = self._edges[:-1], self._edges[1:]
        shared_s = np.clip(np.minimum(ends, span.end_s) - np.maximum(starts, span.start_s), 0, None)
        if not shared_s.any():
            return 0.0
        return math.log(max(1e-9, float(np.average(self._odds, weights=shared_s))))


Asked = tuple["EvidenceKind", Sequence[OddsCurve]]
"""A source: its kind, and its curve, or several where captions that overlap were asked in parts."""


def weighed(window: Window, kind: EvidenceKind, others: Sequence[Asked]) -> Window:
    """A window with the confidence that it has beside what other sources say of its time.

    Only frames and what describes them can speak against each other: who says nothing of a thing
    may still stand before it.

    Args:
        window: Of one source.
        kind: Of that source.
        others: What else was asked.
    """
    more = 0.0
    for other, curves in others:
        log_odds = max(one.log_odds(window.span) for one in curves)
        contradicts = {kind, other} == TELLS_ABSENCE
        more += OTHERS_SHARE * (log_odds if contradicts else max(0.0, log_odds))
    if not more or not 0 < window.confidence < 1:
        return window
    odds = math.log(window.confidence / (1 - window.confidence)) + more
    return replace(window, confidence=1 / (1 + math.exp(-odds)))


def agrees(kind: EvidenceKind, ranking: Ranking, *, answer: Ranking) -> bool | None:
    """Whether a source says what the answer says; None where it says nothing about that.

    Args:
        kind: Of the source.
        ranking: Its own.
        answer: That of the answer; of several events, the surest counts.
    """
    if ranking.verdict == "cannot_tell" or answer.verdict == "cannot_tell":
        return None
    if not answer.events:
        return ranking.verdict == "not_found" or None
    if ranking.verdict == "not_found":
        return False if kind in TELLS_ABSENCE else None
    return any(_is_same(one.span, answer.events[0].span) for one in ranking.events)


def _is_same(one: Interval, other: Interval) -> bool:
    return one.overlap_s(other) >= SAME_SHARE * min(one.length_s, other.length_s)


def _edges(span: Interval) -> tuple[float, float]:
    return span.start_s, span.end_s
