"""What a run scores: its figures with 95% intervals, and its risk at every coverage.

``evaluation.figures.figures`` says what each figure means, and how those about the answer differ
from those about the ranked list. Intervals are percentile bootstraps that resample queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evaluation.figures.answers import is_right, top_iou
from evaluation.figures.figures import MEANINGS, Figure
from evaluation.figures.resampling import interval_95, ratio, resampled
from evaluation.figures.weighing import Statistics, number_queries
from evaluation.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "MEANINGS",
    "Figure",
    "is_right",
    "measure",
    "risk_coverage",
    "risk_interval",
    "top_iou",
]


def measure(results: Sequence[Result], *, draws: int = 2000, seed: int = 0) -> dict[str, Figure]:
    """All figures that are defined over these results, in the order of ``MEANINGS``.

    Null figures need null queries, AUROC an estimate of presence; without them they are left out.
    """
    if not results:
        return {}
    statistics = Statistics(results)
    values = statistics.at(np.ones((1, len(statistics.queries))))
    drawn = [
        statistics.at(weights)
        for weights in resampled(len(statistics.queries), draws=draws, seed=seed)
    ]
    figures = {}
    for name, value in values.items():
        low, high = interval_95(np.concatenate([block[name] for block in drawn]))
        figures[name] = Figure(float(value[0]), low, high, statistics.counts[name])
    return figures


def risk_coverage(results: Sequence[Result]) -> tuple[Floats, Floats]:
    """Share of wrong answers against share of questions answered, over all bars on confidence.

    Answers "found" are taken in descending order of confidence, those of equal confidence at once;
    other verdicts are not answers, so coverage ends below 1 where there are any.

    Returns:
        coverage: Shape ``(k,)``, rising: answers so far, of all questions.
        risk: Shape ``(k,)``: share of those that is wrong at IoU 0.5; a null query answered "found"
            is wrong.
    """
    curve = _RiskCurve(results)
    coverage, risk = curve.at(np.ones((1, len(results))))
    return coverage[0], risk[0]


def risk_interval(
    results: Sequence[Result], *, draws: int = 1000, seed: int = 0
) -> tuple[Floats, Floats]:
    """The 95% interval of the risk at each point of ``risk_coverage``, queries resampled.

    Returns:
        low, high: Shape ``(k,)`` each; the confidence that makes the point stays the same.
    """
    curve = _RiskCurve(results)
    if not curve.ends.size:
        return np.zeros(0), np.zeros(0)
    queries, of_result = number_queries(results)
    blocks = [
        curve.at(weights[:, of_result])[1].astype(np.float32)
        for weights in resampled(len(queries), draws=draws, seed=seed)
    ]
    low, high = np.nanpercentile(np.concatenate(blocks), [2.5, 97.5], axis=0)
    return np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)


class _RiskCurve:
    """Answers in descending confidence, cut where confidence falls.

    Attributes:
        ends: Index of the last answer of each confidence, in that order.
    """

    def __init__(self, results: Sequence[Result]) -> None:
        answers = [(row, one) for row, one in enumerate(results) if one.verdict == "found"]
        answers.sort(key=lambda answer: -answer[1].confidence)
        confidence = np.array([one.confidence for _, one in answers])
        self._rows = np.array([row for row, _ in answers], dtype=np.intp)
        self._wrong = np.array([float(not is_right(one)) for _, one in answers])
        last = np.r_[confidence[1:] < confidence[:-1], True] if answers else np.zeros(0, bool)
        self.ends = np.flatnonzero(last)

    def at(self, weights: Floats) -> tuple[Floats, Floats]:
        """Coverage and risk, shape ``(b, k)`` each, for weights of shape ``(b, len(results))``."""
        ordered = weights[:, self._rows]
        answers = np.cumsum(ordered, axis=1)[:, self.ends]
        wrong = np.cumsum(ordered * self._wrong, axis=1)[:, self.ends]
        return answers / weights.sum(axis=1, keepdims=True), ratio(wrong, answers)
