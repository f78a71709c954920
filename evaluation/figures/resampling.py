"""The bootstrap over queries: seeded weights, and statistics that take weights.

To draw ``n`` queries out of ``n`` with replacement is to give each a weight, how often it was
drawn. Statistics of all draws are then a few matrix operations rather than a loop. Two runs that
are given the same weights are compared in pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_BLOCK_WEIGHTS = 1_000_000
"""Weights made at a time: 8 MB, however many queries there are."""


def resampled(n: int, *, draws: int, seed: int) -> Iterator[Floats]:
    """Yield the weights of ``draws`` resamples of ``n`` things, in blocks of shape ``(b, n)``.

    Each row sums to ``n``. The same ``n``, ``draws`` and ``seed`` give the same weights.
    """
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK_WEIGHTS // n)
    for first in range(0, draws, block):
        rows = min(block, draws - first)
        drawn = rng.integers(0, n, size=(rows, n)) + n * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def interval_95(values: Floats) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile; draws in which a statistic had no value are left out."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def ratio(above: Floats, below: Floats) -> Floats:
    """Element by element, NaN where there is nothing to divide by."""
    return np.asarray(np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0))


def weighted_median(values: Floats, weights: Floats) -> Floats:
    """The median of ``values`` in each row of ``weights``; of two in the middle, their mean.

    Args:
        values: Shape ``(k,)``, ``k >= 1``.
        weights: Shape ``(b, k)``, whole numbers: how often each value is there.

    Returns:
        Shape ``(b,)``; NaN in rows without any weight.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    reached = np.cumsum(weights[:, order], axis=1)
    total = reached[:, -1:]
    # The k-th smallest is the first value at which as many have been reached.
    lower = np.argmax(reached >= np.floor((total + 1) / 2), axis=1)
    upper = np.argmax(reached >= np.floor(total / 2) + 1, axis=1)
    return np.where(total[:, 0] > 0, (ordered[lower] + ordered[upper]) / 2, np.nan)


def weighted_auroc(
    positive: Floats, negative: Floats, positive_weights: Floats, negative_weights: Floats
) -> Floats:
    """Probability that a positive scores higher than a negative, ties counting half.

    Args:
        positive: Shape ``(p,)``, ``p >= 1``.
        negative: Shape ``(n,)``, ``n >= 1``.
        positive_weights: Shape ``(b, p)``.
        negative_weights: Shape ``(b, n)``.

    Returns:
        Shape ``(b,)``; NaN in rows without positives or without negatives.
    """
    values = np.concatenate([positive, negative])
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    groups = np.flatnonzero(np.r_[True, ordered[1:] > ordered[:-1]])
    nothing = np.zeros_like
    above = np.concatenate([positive_weights, nothing(negative_weights)], axis=1)[:, order]
    below = np.concatenate([nothing(positive_weights), negative_weights], axis=1)[:, order]
    above = np.add.reduceat(above, groups, axis=1)
    below = np.add.reduceat(below, groups, axis=1)
    wins = (above * (np.cumsum(below, axis=1) - below / 2)).sum(axis=1)
    return ratio(wins, above.sum(axis=1) * below.sum(axis=1))


def weighted_calibration_error(confidence: Floats, right: Floats, weights: Floats) -> Floats:
    """Mean gap between confidence and accuracy over ten equally wide bins, weighted by their size.

    Args:
        confidence: Shape ``(n,)`` in [0, 1].
        right: Shape ``(n,)``: 1 where what was claimed with that confidence is so, else 0.
        weights: Shape ``(b, n)``.

    Returns:
        Shape ``(b,)``, the expected calibration error; NaN in rows without any weight.
    """
    bins = np.minimum((confidence * 10).astype(np.intp), 9)
    gaps = np.zeros((len(confidence), 10))
    gaps[np.arange(len(confidence)), bins] = confidence - right
    return ratio(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))
