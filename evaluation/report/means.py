"""Means with 95% intervals, of several columns at once, for plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evaluation.figures.resampling import ratio, resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Means:
    """Means with their 95% intervals; shape ``(k,)`` each."""

    value: Floats
    low: Floats
    high: Floats

    @property
    def whiskers(self) -> Floats:
        """Shape ``(2, k)``: how far each interval reaches below and above its mean."""
        return np.maximum(np.stack([self.value - self.low, self.high - self.value]), 0)


def means(values: Floats, queries: Sequence[str]) -> Means:
    """Means of columns with percentile bootstrap intervals, seeded, queries resampled.

    Args:
        values: Shape ``(n, k)``, ``n >= 1``.
        queries: The query that each row is about; rows of one query are drawn together.
    """
    numbers = {query: number for number, query in enumerate(dict.fromkeys(queries))}
    of_row = np.array([numbers[query] for query in queries])
    sums = np.zeros((len(numbers), values.shape[1] + 1))
    np.add.at(sums, of_row, np.c_[values, np.ones(len(values))])
    drawn = []
    for weights in resampled(len(numbers), draws=DRAWS, seed=0):
        totals = weights @ sums
        drawn.append(ratio(totals[:, :-1], np.broadcast_to(totals[:, -1:], totals[:, :-1].shape)))
    low, high = np.percentile(np.concatenate(drawn), [2.5, 97.5], axis=0)
    return Means(values.mean(axis=0), low, high)
