"""Whether an answer is right: the one place where an answer meets the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evaluation.figures.metrics import pairwise_iou
from evaluation.results import Result, ScoredSpan, Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RIGHT_IOU = 0.5
"""Where a single bar is needed: for risk and for calibration."""


def top_iou(results: Sequence[Result]) -> Floats:
    """IoU of the first answered interval with its best true window; 0 where nothing was answered.

    Returns:
        One value for each result of kind ``own``, in their order.
    """
    return np.array([best_iou(one.intervals[:1], one) for one in results if one.kind == "own"])


def is_right(result: Result, *, bar: float = RIGHT_IOU) -> bool:
    """Whether the answer is right: its first interval at the bar, or not "found" where it is not.

    An error is never right.
    """
    if result.kind == "own":
        return best_iou(result.intervals[:1], result) >= bar
    return result.verdict in {"not_found", "cannot_tell"}


def five_best(result: Result) -> list[ScoredSpan]:
    """The answer, then the head of the ranked list, no window twice."""
    windows: dict[Span, ScoredSpan] = {}
    for one in (*result.intervals, *result.candidates):
        windows.setdefault(one[:2], one)
    return list(windows.values())[:5]


def best_iou(windows: Sequence[ScoredSpan], result: Result) -> float:
    """Best IoU of any of these windows with any true one; 0 where there are none of either."""
    if not (windows and result.truth):
        return 0.0
    these = np.array(windows, dtype=np.float64)[:, :2]
    return float(pairwise_iou(these, np.array(result.truth, dtype=np.float64)).max())
