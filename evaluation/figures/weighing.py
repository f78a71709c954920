"""Every figure of a run as a function of how often each query counts.

That is what a bootstrap needs: a query drawn twice brings all that was asked with it twice, of its
own video and of others. Most figures are a sum over results as a share of another one; medians,
AUROC and calibration have their own weighted forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evaluation.figures.answers import RIGHT_IOU, best_iou, five_best, is_right, top_iou
from evaluation.figures.figures import BARS, MEANINGS
from evaluation.figures.metrics import IOU_THRESHOLDS, LENGTHS_S, pairwise_iou, score_queries
from evaluation.figures.resampling import (
    ratio,
    weighted_auroc,
    weighted_calibration_error,
    weighted_median,
)
from evaluation.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]


class Statistics:
    """Every figure of some results as a function of how often each query counts.

    Attributes:
        queries: Names of the queries, in the order of their weights.
        counts: By figure: how many results it is over.
    """

    def __init__(self, results: Sequence[Result]) -> None:
        self.queries, self._of_result = number_queries(results)
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
        for name, (values, members) in _precision_by_length(results).items():
            share(name, values, members, members)
    wrong = found & ~np.array([is_right(one) for one in results])
    share("answered", found, np.ones(len(results)), np.ones(len(results), dtype=bool))
    unsure = np.array([one.verdict == "cannot_tell" for one in results])
    if unsure.any():
        share("cannot tell", unsure, np.ones(len(results)), np.ones(len(results), dtype=bool))
    share("wrong answers", wrong, found, found)
    if not own.all():
        absent = np.array([one.verdict in {"not_found", "cannot_tell"} for one in results])
        share("null precision", absent & ~own, absent, absent)
        share("null recall", absent & ~own, ~own, ~own)
        for kind in ("random", "labelled", "hard"):
            of_kind = np.array([one.kind == kind for one in results])
            share(f"null recall ({kind})", absent & of_kind, of_kind, of_kind)
        # 2 TP / (2 TP + FP + FN): what was said to be absent, and what is.
        both = absent.astype(np.float64) + ~own
        share("null F1", 2.0 * (absent & ~own), both, np.ones(len(results), dtype=bool))
    return shares


def _own_scores(own: Sequence[Result]) -> dict[str, Floats | Mask]:
    """One value a query, between 0 and 1, for each figure over own queries."""
    answer = top_iou(own)
    five = np.array([best_iou(five_best(one), one) for one in own])
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


def _precision_by_length(results: Sequence[Result]) -> dict[str, tuple[Floats, Mask]]:
    """Average precision for true windows of each length, and the own queries that have one."""
    figures = {}
    for name, (low_s, high_s) in LENGTHS_S.items():
        values, members = np.zeros(len(results)), np.zeros(len(results), dtype=bool)
        for row, one in enumerate(results):
            truth = np.array(one.truth, dtype=np.float64).reshape(-1, 2)
            length_s = truth[:, 1] - truth[:, 0]
            truth = truth[(low_s < length_s) & (length_s <= high_s)]
            if one.kind != "own" or not len(truth):
                continue
            ranked = np.array(one.candidates, dtype=np.float64).reshape(-1, 3)
            values[row] = score_queries([ranked], [truth]).average_precision.mean()
            members[row] = True
        figures[f"QVHighlights mAP ({name})"] = (values, members)
    return figures


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
    asked = [(row, one) for row, one in enumerate(results) if one.kind != "hard"]
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
                    float(best_iou(window, one) >= RIGHT_IOU)
                    for window, (_, one) in zip(best, ranked, strict=True)
                ]
            ),
        )
    return gaps


def number_queries(results: Sequence[Result]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The queries asked, and for each result the number of its query."""
    numbers: dict[str, int] = {}
    of_result = [numbers.setdefault(one.qid, len(numbers)) for one in results]
    return tuple(numbers), np.array(of_result, dtype=np.intp)
