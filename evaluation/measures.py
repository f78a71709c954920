"""The figures of a run, each with a 95% interval.

Two things of a result are scored, and no figure mixes them:

- **The answer**: ``intervals``, what a user is told. It is empty where the verdict is not "found",
  and then counts as a miss. ``mIoU``, ``R@1 IoU=…``, the edge errors and the risk are about it.
- **The ranked list**: ``candidates``, which a benchmark of ranked windows asks for whatever the
  verdict is. The figures whose names begin with ``QVHighlights`` are that benchmark's own.

So ``R@1 IoU=0.5`` asks whether the answer is right, and ``QVHighlights R1@0.5`` whether the head of
the list is: a grounder that says "not there" of something that it ranks rightly loses the first and
keeps the second. ``R@5 IoU=…`` asks whether one of the five best windows is right: the answer, then
the head of the list.

Intervals are percentile bootstraps that resample queries: a query drawn twice brings all that was
asked with it twice, of its own video and of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evaluation.metrics import IOU_THRESHOLDS, pairwise_iou, score_queries
from evaluation.resampling import (
    interval_95,
    ratio,
    resampled,
    weighted_auroc,
    weighted_calibration_error,
    weighted_median,
)
from evaluation.results import Result, ScoredSpan, Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

BARS = (0.3, 0.5, 0.7)
"""The temporal IoU that counts as right, in the field's tables."""

RIGHT_IOU = 0.5
"""Where a single bar is needed: for risk and for calibration."""

MEANINGS = {
    "mIoU": "mean temporal IoU, in percent, of the answer's first interval with the true window it "
    "fits best; 0 where the answer is not 'found'",
    **{
        f"R@1 IoU={bar}": "share of queries whose answer's first interval has a temporal IoU of "
        f"{bar} or more with a true window"
        for bar in BARS
    },
    **{
        f"R@5 IoU={bar}": "share of queries where one of the five best windows (the answer, then "
        f"the ranked list) has a temporal IoU of {bar} or more with a true window"
        for bar in BARS
    },
    "QVHighlights R1@0.5": "the benchmark's recall: head of the ranked list, whatever the verdict",
    "QVHighlights R1@0.7": "the benchmark's recall: head of the ranked list, whatever the verdict",
    "QVHighlights mAP@0.5": "the benchmark's average precision of the ranked list at IoU 0.5",
    "QVHighlights mAP@0.75": "the benchmark's average precision of the ranked list at IoU 0.75",
    "QVHighlights mAP": "the benchmark's average precision, mean over IoU 0.5 to 0.95",
    "start error (s)": "median distance of the answer's start from the true one, over first "
    "intervals that overlap a true window",
    "end error (s)": "median distance of the answer's end from the true one, likewise",
    "answered": "share of all questions that were answered 'found'",
    "wrong answers": "share of the answers 'found' that are wrong: IoU below 0.5, or not there",
    "null precision": "share of the answers 'not found' or 'cannot tell' where it is not there",
    "null recall": "share of what is not there that was answered 'not found' or 'cannot tell'",
    "null recall (random)": "the same, asked of random other videos",
    "null recall (hard)": "the same, asked of other segments of the same video; a few do show it",
    "null F1": "harmonic mean of null precision and null recall",
    "presence AUROC (random)": "probability that the presence estimate is higher where it is "
    "there than in a random other video, 0 to 1",
    "presence AUROC (hard)": "the same against other segments of the same video",
    "presence calibration error": "mean gap between presence estimate and truth, 0 to 1, over own "
    "and random other videos",
    "confidence calibration error": "mean gap between the best window's confidence and whether its "
    "IoU is 0.5 or more, 0 to 1, over own and random other videos",
}
"""Every figure's name, in the order of a table, with what it says; shares are in percent."""


LOWER_IS_BETTER = frozenset(
    {
        "start error (s)",
        "end error (s)",
        "wrong answers",
        "presence calibration error",
        "confidence calibration error",
    }
)

NEITHER_IS_BETTER = frozenset({"answered"})
"""More answers are better only if they are right, which the other figures say."""


OF_ONE = frozenset(
    {
        "presence AUROC (random)",
        "presence AUROC (hard)",
        "presence calibration error",
        "confidence calibration error",
    }
)
"""Figures from 0 to 1, which want a third digit; all others are in percent or in seconds."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95% interval.

    Attributes:
        value: Over all results; in the unit that ``MEANINGS`` gives.
        low: 2.5th percentile of the bootstrap.
        high: 97.5th percentile.
        count: How many results it is over.
    """

    value: float
    low: float
    high: float
    count: int


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


def top_iou(results: Sequence[Result]) -> Floats:
    """IoU of the first answered interval with its best true window; 0 where nothing was answered.

    Returns:
        One value for each result of kind ``own``, in their order.
    """
    return np.array([_best_iou(one.intervals[:1], one) for one in results if one.kind == "own"])


def is_right(result: Result, *, bar: float = RIGHT_IOU) -> bool:
    """Whether the answer is right: its first interval at the bar, or not "found" where it is not.

    An error is never right.
    """
    if result.kind == "own":
        return _best_iou(result.intervals[:1], result) >= bar
    return result.verdict in {"not_found", "cannot_tell"}


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
    queries, of_result = _queries_of(results)
    blocks = [
        curve.at(weights[:, of_result])[1].astype(np.float32)
        for weights in resampled(len(queries), draws=draws, seed=seed)
    ]
    low, high = np.nanpercentile(np.concatenate(blocks), [2.5, 97.5], axis=0)
    return np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)


class Statistics:
    """Every figure of some results as a function of how often each query counts.

    Attributes:
        queries: Names of the queries, in the order of their weights.
        counts: By figure: how many results it is over.
    """

    def __init__(self, results: Sequence[Result]) -> None:
        self.queries, self._of_result = _queries_of(results)
        self._shares = _shares(results)
        self._medians = _edge_errors(results)
        self._aurocs = _aurocs(results)
        self._gaps = _calibrations(results)
        # Sums over the results of each query; a share is then one such sum over another.
        self._above = self._by_query([part.above for part in self._shares.values()])
        self._below = self._by_query([part.below for part in self._shares.values()])
        self.counts = {
            **{name: int(np.count_nonzero(part.members)) for name, part in self._shares.items()},
            **{name: len(rows) for name, (rows, _) in self._medians.items()},
            **{name: len(own) + len(null) for name, (own, _, null, _) in self._aurocs.items()},
            **{name: len(rows) for name, (rows, _, _) in self._gaps.items()},
        }

    def at(self, weights: Floats) -> dict[str, Floats]:
        """Figures for each row of weights.

        Args:
            weights: Shape ``(b, len(queries))``.

        Returns:
            By name, shape ``(b,)``; NaN where a row leaves nothing to take the figure over.
        """
        shares = 100 * ratio(weights @ self._above, weights @ self._below)
        figures = dict(zip(self._shares, shares.T, strict=True))
        if self._medians or self._aurocs or self._gaps:
            each = weights[:, self._of_result]
            for name, (rows, values) in self._medians.items():
                figures[name] = weighted_median(values, each[:, rows])
            for name, (own, high, null, low) in self._aurocs.items():
                figures[name] = weighted_auroc(high, low, each[:, own], each[:, null])
            for name, (rows, confidence, right) in self._gaps.items():
                figures[name] = weighted_calibration_error(confidence, right, each[:, rows])
        return {name: figures[name] for name in MEANINGS if name in figures}

    def _by_query(self, columns: Sequence[Floats]) -> Floats:
        sums = np.zeros((len(self.queries), len(columns)))
        if columns:
            np.add.at(sums, self._of_result, np.stack(columns, axis=1))
        return sums


@dataclass(frozen=True, slots=True)
class _Share:
    """The sum of ``above`` as a share of that of ``below``, over the results in ``members``."""

    above: Floats
    below: Floats
    members: Mask


def _shares(results: Sequence[Result]) -> dict[str, _Share]:
    own = np.array([one.kind == "own" for one in results])
    found = np.array([one.verdict == "found" for one in results])
    shares = {}

    def share(name: str, above: Floats | Mask, below: Floats | Mask, members: Mask) -> None:
        if np.any(below):
            part = _Share(np.asarray(above, np.float64), np.asarray(below, np.float64), members)
            shares[name] = part

    if own.any():
        for name, values in _own_scores([one for one in results if one.kind == "own"]).items():
            every = np.zeros(len(results))
            every[own] = values
            share(name, every, own, own)
    wrong = found & ~np.array([is_right(one) for one in results])
    share("answered", found, np.ones(len(results)), np.ones(len(results), dtype=bool))
    share("wrong answers", wrong, found, found)
    if not own.all():
        absent = np.array([one.verdict in {"not_found", "cannot_tell"} for one in results])
        share("null precision", absent & ~own, absent, absent)
        share("null recall", absent & ~own, ~own, ~own)
        for kind in ("random", "hard"):
            of_kind = np.array([one.kind == kind for one in results])
            share(f"null recall ({kind})", absent & of_kind, of_kind, of_kind)
        # 2 TP / (2 TP + FP + FN): what was said to be absent, and what is.
        both = absent.astype(np.float64) + ~own
        share("null F1", 2.0 * (absent & ~own), both, np.ones(len(results), dtype=bool))
    return shares


def _own_scores(own: Sequence[Result]) -> dict[str, Floats | Mask]:
    """One value a query, between 0 and 1, for each figure over own queries."""
    answer = top_iou(own)
    five = np.array([_best_iou(_five_best(one), one) for one in own])
    official = score_queries(
        [np.array(one.candidates, dtype=np.float64).reshape(-1, 3) for one in own],
        [np.array(one.truth, dtype=np.float64).reshape(-1, 2) for one in own],
    )
    precision = dict(zip(IOU_THRESHOLDS, official.average_precision.T, strict=True))
    return {
        "mIoU": answer,
        **{f"R@1 IoU={bar}": answer >= bar for bar in BARS},
        **{f"R@5 IoU={bar}": five >= bar for bar in BARS},
        "QVHighlights R1@0.5": official.top_iou >= 0.5,
        "QVHighlights R1@0.7": official.top_iou >= 0.7,
        "QVHighlights mAP@0.5": precision[0.5],
        "QVHighlights mAP@0.75": precision[0.75],
        "QVHighlights mAP": official.average_precision.mean(axis=1),
    }


def _edge_errors(results: Sequence[Result]) -> dict[str, tuple[NDArray[np.intp], Floats]]:
    """By edge: the results whose first interval overlaps a true window, and how far it is off."""
    rows, errors_s = [], []
    for row, one in enumerate(results):
        if one.kind != "own" or not one.intervals:
            continue
        first = np.array(one.intervals[:1])[:, :2]
        iou = pairwise_iou(first, np.array(one.truth))[0]
        if iou.max() > 0:
            rows.append(row)
            errors_s.append(np.abs(first[0] - np.array(one.truth[int(iou.argmax())])))
    if not rows:
        return {}
    start_s, end_s = np.array(errors_s).T
    return {
        "start error (s)": (np.array(rows), start_s),
        "end error (s)": (np.array(rows), end_s),
    }


def _aurocs(
    results: Sequence[Result],
) -> dict[str, tuple[NDArray[np.intp], Floats, NDArray[np.intp], Floats]]:
    """By kind of null query: rows and presence of own queries, rows and presence of those."""
    own = _presence(results, "own")
    aurocs = {}
    for kind in ("random", "hard"):
        null = _presence(results, kind)
        if len(own[0]) and len(null[0]):
            aurocs[f"presence AUROC ({kind})"] = (*own, *null)
    return aurocs


def _presence(results: Sequence[Result], kind: str) -> tuple[NDArray[np.intp], Floats]:
    known = [
        (row, one.presence)
        for row, one in enumerate(results)
        if one.kind == kind and one.presence is not None
    ]
    return (
        np.array([row for row, _ in known], dtype=np.intp),
        np.array([presence for _, presence in known], dtype=np.float64),
    )


def _calibrations(
    results: Sequence[Result],
) -> dict[str, tuple[NDArray[np.intp], Floats, Floats]]:
    """Rows, what was claimed, and whether it is so; hard nulls are not all truly null."""
    gaps = {}
    asked = [(row, one) for row, one in enumerate(results) if one.kind in {"own", "random"}]
    told = [(row, one, one.presence) for row, one in asked if one.presence is not None]
    if told:
        gaps["presence calibration error"] = (
            np.array([row for row, _, _ in told]),
            np.array([presence for _, _, presence in told]),
            np.array([float(one.kind == "own") for _, one, _ in told]),
        )
    ranked = [(row, one) for row, one in asked if one.verdict != "error"]
    if ranked:
        best = [(one.intervals or one.candidates)[:1] for _, one in ranked]
        gaps["confidence calibration error"] = (
            np.array([row for row, _ in ranked]),
            np.array([one.confidence for _, one in ranked]),
            np.array(
                [
                    float(_best_iou(window, one) >= RIGHT_IOU)
                    for window, (_, one) in zip(best, ranked, strict=True)
                ]
            ),
        )
    return gaps


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


def _five_best(result: Result) -> list[ScoredSpan]:
    """The answer, then the head of the ranked list, no window twice."""
    windows: dict[Span, ScoredSpan] = {}
    for one in (*result.intervals, *result.candidates):
        windows.setdefault(one[:2], one)
    return list(windows.values())[:5]


def _best_iou(windows: Sequence[ScoredSpan], result: Result) -> float:
    """Best IoU of any of these windows with any true one; 0 where there are none of either."""
    if not (windows and result.truth):
        return 0.0
    these = np.array(windows, dtype=np.float64)[:, :2]
    return float(pairwise_iou(these, np.array(result.truth, dtype=np.float64)).max())


def _queries_of(results: Sequence[Result]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The queries asked, and for each result the number of its query."""
    numbers: dict[str, int] = {}
    of_result = [numbers.setdefault(one.qid, len(numbers)) for one in results]
    return tuple(numbers), np.array(of_result, dtype=np.intp)
