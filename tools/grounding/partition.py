"""The times that something goes on: exactly the best set of runs, by dynamic programming."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.going_on import otsu_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.grounding.segments import Cells

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

GOING_ON = 0.5
"""Relevance, in standard deviations over its mean, below which no cell speaks for the event; and it
has to be nearer to the upper of the two classes that a curve falls into. The rest is dropped, at no
cost."""

TIME_COST = 2.0
"""What another time has to be worth: four seconds, one deviation above that. Two times are one
where the seconds between them cost less."""

REPEAT_COST = 3.0
"""How much worse two times may be than one where it is known that there are several: a clear event
is not cut in two (that costs more), and nothing is a time that does not speak for it."""

REPEATED = (GOING_ON, 0.0)
"""Where it is known that there are several times and only one is seen, less and less relevance is
enough, down to its mean: what fits no better than the rest of the video is no time."""

MOST_TIMES = 40
"""In one stretch of 150 s."""


def part_times(curve: Floats, cells: Cells, *, is_repeated: bool = False) -> Mask:
    """Where the event goes on, shape ``(n,)``: of all sets of runs, the one with the greatest gain.

    The gain of a run is its relevance above the least that speaks for it, over its duration, less
    ``TIME_COST``. As in Drop-DTW (Dvornik et al., 2021), what fits nothing is dropped by the same
    programme that aligns the rest.

    Args:
        curve: Shape ``(n,)``, relevance, standardised.
        cells: The time axis.
        is_repeated: Whether it is known to happen more than once, as of "the second time".
    """
    least = _least_relevance(curve, cells.weight)
    once_or_more, _ = _best_runs((curve - least) * cells.weight, least=1)
    if not is_repeated or _count(once_or_more) > 1:
        return once_or_more
    for enough in (least, *REPEATED):
        gain = (curve - enough) * cells.weight
        _, best = _best_runs(gain, least=1)
        repeated, gained = _best_runs(gain, least=2)
        is_real = _count(repeated) > 1 and all(gain[run].sum() > 0 for run in _slices(repeated))
        if is_real and gained >= best - REPEAT_COST:
            return repeated
    return once_or_more


def _least_relevance(curve: Floats, weight: Floats) -> float:
    upper = otsu_split(curve, weight)
    if upper.all():
        return GOING_ON
    means = [float(np.average(curve[one], weights=weight[one])) for one in (upper, ~upper)]
    return max(GOING_ON, sum(means) / 2)


def _best_runs(gain: Floats, *, least: int) -> tuple[Mask, float]:
    """The best set of at least this many runs, and its gain.

    Two states, inside and outside, for each number of runs begun: exact in linear time.
    """
    count = len(gain)
    outside, inside = np.full((2, MOST_TIMES + 1), -np.inf)
    outside[0] = 0.0
    went_on = np.zeros((count, MOST_TIMES + 1), dtype=bool)
    ended = np.zeros((count, MOST_TIMES + 1), dtype=bool)
    begun = np.full(MOST_TIMES + 1, -np.inf)
    for cell, value in enumerate(gain.tolist()):
        begun[1:] = outside[:-1] - TIME_COST
        np.greater_equal(inside, begun, out=went_on[cell])
        np.greater(inside, outside, out=ended[cell])
        outside = np.maximum(inside, outside)
        inside = np.maximum(inside, begun) + value
    final = np.maximum(inside, outside)
    number = least + int(np.argmax(final[least:]))
    best = float(final[number])
    mask = np.zeros(count, dtype=bool)
    if not np.isfinite(best):
        return mask, best
    is_inside = bool(inside[number] > outside[number])
    for cell in range(count - 1, -1, -1):
        mask[cell] = is_inside
        if not is_inside:
            is_inside = bool(ended[cell, number])
        elif not went_on[cell, number]:
            is_inside, number = False, number - 1
    return mask, best


def _slices(mask: Mask) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [slice(*pair) for pair in edges.reshape(-1, 2).tolist()]


def _count(mask: Mask) -> int:
    return len(_slices(mask))
