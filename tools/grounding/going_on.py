"""Where a hidden Markov model believes that an event goes on, for many curves at the same time.

Python takes as long for a step of one curve as numpy for that of all of them: a question about an
hour asks for two dozen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Curve = NDArray[np.float64]

STAYS = (0.8, 0.95)
"""Probabilities to stay in the same state for one cell of full length: brisk and calm videos."""

_EM_ROUNDS = 5
_LEAST_DEVIATION = 0.15
_MOST_LOG_ODDS = 50.0


def going_on(curves: Sequence[Curve], weights: Sequence[Curve]) -> list[list[NDArray[np.bool_]]]:
    """Where each event is believed to go on, for each of ``STAYS``.

    Args:
        curves: Shape ``(n,)`` each, standardised; their lengths may differ.
        weights: Of each curve, how long its cells last, shape ``(n,)``.
    """
    lengths = [len(curve) for curve in curves for _ in STAYS]
    stay = np.tile(STAYS, len(curves))
    posterior = _posterior(
        _beside(curves), _beside(weights), stay, _beside(list(map(otsu_split, curves, weights)))
    )
    believed = [row[:length] > 0.5 for row, length in zip(posterior.T, lengths, strict=True)]
    return [believed[first : first + len(STAYS)] for first in range(0, len(lengths), len(STAYS))]


def _beside(rows: Sequence[NDArray[np.generic]]) -> Curve:
    """Each of the rows once for each of ``STAYS``, as columns; behind its end, one is 0."""
    columns = np.zeros((max(map(len, rows)), len(rows) * len(STAYS)))
    for at, row in enumerate(rows):
        columns[: len(row), at * len(STAYS) : (at + 1) * len(STAYS)] = row[:, None]
    return columns


def _posterior(curve: Curve, weight: Curve, stay: Curve, posterior: Curve) -> Curve:
    """P(event) per cell of two-state Gaussian hidden Markov models, shape ``(n, k)``.

    The states share one deviation; five rounds of EM fit it and the means, starting at the given
    posterior. A cell's evidence counts by its duration, and the chain forgets by the time passed:
    cells of no duration, behind the end of a curve, change nothing.
    """
    # The eigenvalue of a symmetric two-state chain, raised to the time between cell middles.
    kept = (2 * stay - 1) ** ((weight[1:] + weight[:-1]) / 2)
    mixing = (1 - kept) / (1 + kept)
    total = weight.sum(axis=0)
    for _ in range(_EM_ROUNDS + 1):
        high, low = weight * posterior, weight * (1 - posterior)
        mean_high = (curve * high).sum(axis=0) / np.maximum(high.sum(axis=0), 1e-9)
        mean_low = (curve * low).sum(axis=0) / np.maximum(low.sum(axis=0), 1e-9)
        spread = high * (curve - mean_high) ** 2 + low * (curve - mean_low) ** 2
        variance = np.maximum(spread.sum(axis=0) / total, _LEAST_DEVIATION**2)
        apart = (mean_high - mean_low) / variance
        log_odds = weight * apart * (2 * curve - mean_high - mean_low) / 2
        posterior = _smooth_odds(np.exp(log_odds.clip(-_MOST_LOG_ODDS, _MOST_LOG_ODDS)), mixing)
    return posterior


def _smooth_odds(evidence: Curve, mixing: Curve) -> Curve:
    """Forward-backward in odds form: P(high) per cell from likelihood ratios, shape ``(n, k)``.

    One step of a symmetric chain that keeps ``kept`` of the difference makes of odds ``o``
    ``(mix + o) / (1 + mix o)``, where ``mix`` is ``(1 - kept) / (1 + kept)``. Both directions take
    their steps together: each multiplies the evidence of the cell that it leaves, and mixes.
    """
    count = evidence.shape[1]
    both = np.concatenate([evidence, evidence[::-1]], axis=1)
    mixed = np.concatenate([mixing, mixing[::-1]], axis=1)
    before = np.ones_like(both)
    odds, divisor = np.empty((2, 2 * count))
    for ratio, mix, known, made in zip(both, mixed, before, before[1:], strict=False):
        np.multiply(ratio, known, out=odds)
        np.multiply(mix, odds, out=divisor)
        np.add(divisor, 1.0, out=divisor)
        np.add(odds, mix, out=odds)
        np.divide(odds, divisor, out=made)
    odds_of = before[:, :count] * evidence * before[::-1, count:]
    return np.asarray(odds_of / (1 + odds_of))


def otsu_split(curve: Curve, weight: Curve) -> NDArray[np.bool_]:
    """The upper of the two classes that differ most in mean (Otsu, 1979); all of a single value."""
    if len(curve) < 2:
        return np.ones(len(curve), dtype=bool)
    order = np.argsort(curve, kind="stable")
    below = np.cumsum(weight[order])[:-1]
    mass = np.cumsum((curve * weight)[order])
    above = weight.sum() - below
    between = below * above * (mass[:-1] / below - (mass[-1] - mass[:-1]) / above) ** 2
    upper = np.zeros(len(curve), dtype=bool)
    upper[order[int(np.argmax(between)) + 1 :]] = True
    return upper
