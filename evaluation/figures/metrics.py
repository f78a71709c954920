"""Scores of moment retrieval, detection of absent moments, and calibration.

Window scores follow the QVHighlights evaluation (Lei et al., "Detecting Moments and Highlights in
Videos via Natural Language Queries", 2021): R1 compares the first predicted window with the true
window of best IoU; average precision is ActivityNet's, over all predicted windows in the order of
their scores. All functions are pure; the bootstrap is seeded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evaluation.figures.resampling import resampled, weighted_auroc, weighted_calibration_error
from evaluation.results import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Exact two-digit values: an IoU of 12 s / 16 s must reach 0.75, which np.arange would miss.
IOU_THRESHOLDS: tuple[float, ...] = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)

LENGTHS_S: dict[str, tuple[float, float]] = {
    "short": (0.0, 10.0),
    "middle": (10.0, 30.0),
    "long": (30.0, 150.0),
}
"""The benchmark's ranges of true windows, each without its lower and with its upper bound."""


@dataclass(frozen=True, slots=True)
class QueryScores:
    """Scores of each query, in the order given.

    Attributes:
        top_iou: Shape ``(n,)``: IoU of the first window with the best-matching true window; 0 where
            no window was predicted.
        average_precision: Shape ``(n, 10)``, at each of ``IOU_THRESHOLDS``.
    """

    top_iou: Floats
    average_precision: Floats


def score_queries(predicted: Sequence[Floats], truth: Sequence[Floats]) -> QueryScores:
    """Score predicted windows, query by query.

    Args:
        predicted: Per query, shape ``(k, 3)``: start, end and score of each window, the answer
            first; ``k`` may be 0.
        truth: Per query, shape ``(m, 2)``: start and end of each true window, ``m >= 1``.

    Raises:
        ValueError: If the two differ in number, or a query has no true window.
    """
    if len(predicted) != len(truth):
        raise ValueError(f"{len(predicted)} predictions for {len(truth)} queries")
    top_iou = np.zeros(len(truth))
    precision = np.zeros((len(truth), len(IOU_THRESHOLDS)))
    for index, (windows, true_windows) in enumerate(zip(predicted, truth, strict=True)):
        if not len(true_windows):
            raise ValueError(f"query {index} has no true window")
        if len(windows):
            iou = pairwise_iou(windows[:, :2], true_windows)
            top_iou[index] = iou[0].max()
            by_score = np.argsort(-windows[:, 2], kind="stable")
            precision[index] = average_precision(iou[by_score])
    return QueryScores(top_iou, precision)


def score_by_length(predicted: Sequence[Floats], truth: Sequence[Floats]) -> dict[str, QueryScores]:
    """Score short, middle and long true windows apart.

    A query counts in each range that one of its true windows is in, with those windows alone; its
    predicted windows stay as they are.
    """
    scores = {}
    for name, (low_s, high_s) in LENGTHS_S.items():
        kept_truth, kept_predicted = [], []
        for windows, true_windows in zip(predicted, truth, strict=True):
            length_s = true_windows[:, 1] - true_windows[:, 0]
            in_range = (low_s < length_s) & (length_s <= high_s)
            if in_range.any():
                kept_truth.append(true_windows[in_range])
                kept_predicted.append(windows)
        scores[name] = score_queries(kept_predicted, kept_truth)
    return scores


def average_precision(iou: Floats) -> Floats:
    """Average precision of one query at each of ``IOU_THRESHOLDS``, as ActivityNet computes it.

    A prediction is right if the best true window that no earlier prediction has taken reaches the
    threshold; precision is interpolated from the right.

    Args:
        iou: Shape ``(k, m)``: predicted windows in descending order of score against true windows.
    """
    thresholds = np.array(IOU_THRESHOLDS)
    n_predicted, n_true = iou.shape
    right = np.zeros((len(thresholds), n_predicted), dtype=bool)
    taken = np.zeros((len(thresholds), n_true), dtype=bool)
    for rank, row in enumerate(iou):
        for column in np.argsort(-row, kind="stable"):
            if row[column] < thresholds[0]:
                break
            match = (row[column] >= thresholds) & ~taken[:, column] & ~right[:, rank]
            taken[match, column] = True
            right[match, rank] = True
    precision = np.cumsum(right, axis=1) / np.arange(1, n_predicted + 1)
    interpolated = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # Every right prediction raises recall by one true window.
    averages: Floats = (interpolated * right).sum(axis=1) / n_true
    return averages


def summarise(scores: QueryScores) -> dict[str, float]:
    """The figures of a results table, in percent and not rounded."""
    return dict(zip(_NAMES, (100 * _columns(scores).mean(axis=0)).tolist(), strict=True))


def bootstrap(
    scores: QueryScores, *, seed: int = 0, draws: int = 2000
) -> dict[str, tuple[float, float]]:
    """95% percentile intervals of the figures of ``summarise``, resampling queries."""
    columns = _columns(scores)
    means = np.concatenate(
        [
            weights @ columns / len(columns)
            for weights in resampled(len(columns), draws=draws, seed=seed)
        ]
    )
    low, high = 100 * np.percentile(means, [2.5, 97.5], axis=0)
    return dict(zip(_NAMES, zip(low.tolist(), high.tolist(), strict=True), strict=True))


def auroc(positive: Floats, negative: Floats) -> float:
    """Probability that a positive scores higher than a negative, ties counting half.

    Raises:
        ValueError: If either is empty.
    """
    if not (len(positive) and len(negative)):
        raise ValueError(f"AUROC of {len(positive)} positives and {len(negative)} negatives")
    once = weighted_auroc(
        positive, negative, np.ones((1, len(positive))), np.ones((1, len(negative)))
    )
    return float(once[0])


def expected_calibration_error(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Mean gap between confidence and accuracy over ten equally wide bins, weighted by their size.

    Args:
        confidence: Shape ``(n,)`` in [0, 1].
        right: Shape ``(n,)``: whether what was claimed with that confidence is so.
    """
    once = np.ones((1, len(confidence)))
    return float(weighted_calibration_error(confidence, right.astype(np.float64), once)[0])


def pairwise_iou(these: Floats, those: Floats) -> Floats:
    """Temporal IoU of windows ``(k, 2)`` with windows ``(m, 2)``, shape ``(k, m)``.

    Windows without length (published predictions hold some) have IoU 0 with everything.
    """
    start = np.maximum(these[:, None, 0], those[None, :, 0])
    end = np.minimum(these[:, None, 1], those[None, :, 1])
    overlap = np.maximum(end - start, 0)
    lengths = (these[:, 1] - these[:, 0])[:, None] + (those[:, 1] - those[:, 0])[None, :]
    union = lengths - overlap
    return np.asarray(np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0))


def union_iou_area(predicted: Sequence[Span], truth: Sequence[Span]) -> float:
    """VUE-TR's accuracy of one query: area under "IoU above the threshold", thresholds 0 to 1.

    The IoU is that of all predicted spans together with all true ones. As the benchmark's own
    evaluation does (Vidi Team, "Vidi: Large Multimodal Models for Video Understanding and Editing",
    2025): predicted spans are widened to whole seconds, touching ones are joined, reversed ones
    are left out; the area is taken by trapezoids over 101 thresholds.

    Args:
        predicted: Start and end of each, in any order; maybe none.
        truth: Start and end of each, disjoint.

    Returns:
        The area in [0, 1]; its mean over queries is the benchmark's figure.
    """
    joined: list[tuple[int, int]] = []
    for start_s, end_s in sorted((math.floor(start), math.ceil(end)) for start, end in predicted):
        if joined and start_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_s))
        else:
            joined.append((start_s, end_s))
    joined = [(start_s, end_s) for start_s, end_s in joined if start_s <= end_s]
    overlap_s = sum(
        max(0.0, min(end_s, true_end_s) - max(start_s, true_start_s))
        for start_s, end_s in joined
        for true_start_s, true_end_s in truth
    )
    union_s = sum(end_s - start_s for start_s, end_s in (*joined, *truth)) - overlap_s
    above = overlap_s / union_s > np.linspace(0, 1, 101)
    return float(np.trapezoid(above.astype(np.float64), dx=0.01))


_NAMES = ("R1@0.5", "R1@0.7", "mAP@0.5", "mAP@0.75", "mAP", "mIoU")


def _columns(scores: QueryScores) -> Floats:
    at = {threshold: index for index, threshold in enumerate(IOU_THRESHOLDS)}
    return np.stack(
        [
            scores.top_iou >= 0.5,
            scores.top_iou >= 0.7,
            scores.average_precision[:, at[0.5]],
            scores.average_precision[:, at[0.75]],
            scores.average_precision.mean(axis=1),
            scores.top_iou,
        ],
        axis=1,
    ).astype(np.float64)
