"""From a relevance curve to ranked windows: candidates, their score, and the choice among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.going_on import going_on

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.grounding.segments import Cells

    Curve = NDArray[np.float64]
    Runs = NDArray[np.intp]
    """Shape ``(k, 2)``: first cell and one past the last."""

THRESHOLDS = np.arange(0.20, 0.851, 0.05)
"""Heights, between a curve's lowest and highest value, at which it is cut into candidates."""

VOTE_SHARE = 0.12
"""What full agreement with a run of the hidden Markov model adds to a score."""

DUPLICATE_IOU = 0.75
"""Two windows more alike than this are one candidate."""

OVERLAP_COST = 0.4
"""What a window's score loses, times the square of its IoU with a better one: if that one is wrong,
what overlaps it is likely to be wrong as well. Half and twice as much serve nearly as well."""

NEARLY_AS_GOOD, MUCH_SHORTER = 0.98, 0.6
"""A window gives way to one inside it with at least the first share of its score, and at most the
second of its length. Scores prefer the longer of two; so small a difference is within what other
words for the same thing would change, and the inner one fits better where it is."""

BRIDGE_S = 5.0
"""A gap without captions ends a window if it is longer."""

NOTHING = slice(0)
"""No cells."""


def find_candidates(curve: Curve, cells: Cells) -> Runs:
    """Every run of cells above each of the thresholds."""
    lowest, highest = curve.min(), curve.max()
    if highest - lowest < 1e-9:
        return np.array([[0, len(curve)]], dtype=np.intp)
    height = (curve - lowest) / (highest - lowest)
    return distinct(runs_of(height >= THRESHOLDS[:, None], cells))


def votes_of(curves: Sequence[Curve], cells: Sequence[Cells]) -> list[Runs]:
    """Of each curve, runs in which a hidden Markov model believes the query's event is going on."""
    believed = going_on(curves, [one.weight for one in cells])
    return [
        np.concatenate([runs_of(inside, axis) for inside in both])
        for both, axis in zip(believed, cells, strict=True)
    ]


def runs_of(inside: NDArray[np.bool_], cells: Cells) -> Runs:
    """The runs of cells that are inside, none of them across a gap that ends a window.

    Args:
        inside: Shape ``(n,)``, or ``(k, n)`` for the runs of each row, one row after the other.
        cells: The time axis.
    """
    bridged = cells.start_s[1:] - cells.end_s[:-1] <= BRIDGE_S
    joined = inside[..., 1:] & inside[..., :-1] & bridged
    first, last = inside.copy(), inside.copy()
    first[..., 1:] &= ~joined
    last[..., :-1] &= ~joined
    return np.stack([np.nonzero(first)[-1], np.nonzero(last)[-1] + 1], axis=1)


def distinct(runs: Runs) -> Runs:
    """Each run once, in order."""
    last = int(runs.max(initial=0)) + 1
    return np.stack(np.divmod(np.unique(runs @ (last, 1)), last), axis=1)


def score_windows(
    runs: Runs, votes: Runs, curve: Curve, cells: Cells, *, known: slice = NOTHING
) -> NDArray[np.float64]:
    """How much each window stands out, plus how far the votes agree with it.

    A window stands out by the correlation of the curve with being inside: (mean inside - mean
    outside) * sqrt(n (T - n)) / T for durations n of the window and T in all, as the curve has
    deviation 1. It prefers the longer of two windows with the same contrast, and does not grow with
    the length of the video.

    Args:
        runs: Windows, shape ``(k, 2)``.
        votes: Other windows, shape ``(l, 2)``; ``l`` may be 0.
        curve: Shape ``(n,)``, standardised.
        cells: The time axis.
        known: Cells in which the event is taken to go on, so that no window has to stand out from
            them: an event that happens twice is not held against itself.
    """
    weight = cells.weight
    total = float(weight.sum())
    inside, inside_mass = _sums(runs, weight), _sums(runs, curve * weight)
    others = weight.copy()
    others[known] = 0.0
    # Half a cell: a window that leaves nothing outside must not look infinitely certain.
    outside = np.maximum(total - inside, 0.5)
    compared = np.maximum(others.sum() - _sums(runs, others), 0.5)
    compared_mass = curve @ others - _sums(runs, curve * others)
    contrast = inside_mass / inside - compared_mass / compared
    agreement = (pairwise_iou(spans_of(runs, cells), spans_of(votes, cells)) ** 2).sum(axis=1)
    scores: NDArray[np.float64] = (
        contrast * np.sqrt(inside * outside) / total + VOTE_SHARE * agreement
    )
    return scores


def select(spans: NDArray[np.float64], scores: NDArray[np.float64], *, limit: int) -> list[int]:
    """Indices of the best windows, best first, no two of them alike (greedy suppression)."""
    kept: list[int] = []
    left = np.argsort(-scores, kind="stable")
    while len(left) and len(kept) < limit:
        kept.append(int(left[0]))
        overlap = pairwise_iou(spans[left], spans[left[:1]])[:, 0]
        left = left[(overlap <= DUPLICATE_IOU) & (np.arange(len(left)) > 0)]
    return kept


def select_apart(
    spans: NDArray[np.float64],
    scores: NDArray[np.float64],
    beside: NDArray[np.float64],
    *,
    limit: int,
) -> tuple[list[int], NDArray[np.float64]]:
    """As ``select``, but what overlaps a better window loses part of its score (soft suppression).

    After Bodla et al., "Soft-NMS" (2017). The first one is that of ``best_of``.

    Args:
        spans: Shape ``(k, 2)``.
        scores: Shape ``(k,)``; the best comes first.
        beside: Shape ``(k,)``, what each scores if the best one is known.
        limit: Most windows wanted.

    Returns:
        Indices, best first, and what is left of the score of each, which never rises.
    """
    kept: list[int] = []
    scores = scores.astype(np.float64)
    left: list[float] = []
    while len(kept) < limit and np.isfinite(scores).any():
        best = int(np.argmax(scores)) if kept else best_of(spans, scores)
        left.append(min([float(scores[best]), *left[-1:]]))
        scores = scores if kept else np.asarray(beside, np.float64)
        kept.append(best)
        overlap = pairwise_iou(spans, spans[[best]])[:, 0]
        scores = scores - OVERLAP_COST * overlap**2
        scores[(overlap > DUPLICATE_IOU) | (np.arange(len(scores)) == best)] = -np.inf
    return kept, np.array(left)


def best_of(spans: NDArray[np.float64], scores: NDArray[np.float64]) -> int:
    """The index of the best window, or of its core where that is nearly as good.

    The core is the best of the windows inside it that are much shorter; see ``NEARLY_AS_GOOD``.
    """
    best = int(np.argmax(scores))
    start_s, end_s = spans[best]
    lengths_s = spans[:, 1] - spans[:, 0]
    is_core = (
        (spans[:, 0] >= start_s)
        & (spans[:, 1] <= end_s)
        & (lengths_s <= MUCH_SHORTER * (end_s - start_s))
        & (scores >= NEARLY_AS_GOOD * scores[best])
        & (scores[best] > 0)
    )
    cores = np.flatnonzero(is_core)
    return int(cores[np.argmax(scores[cores])]) if len(cores) else best


def spans_of(runs: Runs, cells: Cells) -> NDArray[np.float64]:
    """Start and end of each run in seconds, shape ``(k, 2)``."""
    return np.stack([cells.start_s[runs[:, 0]], cells.end_s[runs[:, 1] - 1]], axis=1)


def pairwise_iou(these: NDArray[np.float64], those: NDArray[np.float64]) -> NDArray[np.float64]:
    """Temporal IoU of every one of ``these`` ``(k, 2)`` with every one of ``those`` ``(l, 2)``."""
    start = np.maximum(these[:, None, 0], those[None, :, 0])
    end = np.minimum(these[:, None, 1], those[None, :, 1])
    overlap = np.maximum(end - start, 0)
    lengths = (these[:, 1] - these[:, 0])[:, None] + (those[:, 1] - those[:, 0])[None, :]
    ious: NDArray[np.float64] = overlap / (lengths - overlap)
    return ious


def _sums(runs: Runs, values: Curve) -> Curve:
    until = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(until[runs[:, 1]] - until[runs[:, 0]])
