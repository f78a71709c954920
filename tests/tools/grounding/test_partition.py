"""The times of an event on drawn curves: the best set of runs, exactly."""

from itertools import combinations

import numpy as np
import pytest

from tools.grounding.partition import GOING_ON, TIME_COST, part_times
from tools.grounding.segments import Cells


def axis(count: int, step_s: float = 2.0) -> Cells:
    edges = np.arange(count + 1, dtype=np.float64) * step_s
    return Cells(edges[:-1], edges[1:], np.arange(count))


def runs(curve: list[float], *, is_repeated: bool = False) -> list[tuple[int, int]]:
    mask = part_times(np.array(curve), axis(len(curve)), is_repeated=is_repeated)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def test_two_times_far_apart_are_two_and_a_short_dip_parts_nothing() -> None:
    assert runs([3, 3, -1, -1, -1, 3, 3]) == [(0, 2), (5, 7)]
    assert runs([3, 3, 1, 3, 3, -5, -5]) == [(0, 5)]


@pytest.mark.parametrize("seed", range(5))
def test_no_other_set_of_runs_gains_more(seed: int) -> None:
    # Half of it far below: what is nearer to the upper class is then above the least as well.
    curve = np.random.default_rng(seed).normal(0.5, 1.0, 9)
    curve[:3] -= 10

    def gain(mask: np.ndarray) -> float:
        begun = np.count_nonzero(np.diff(np.concatenate([[0], mask.astype(int)])) == 1)
        return float((curve - GOING_ON)[mask].sum() - TIME_COST * begun)

    best = gain(part_times(curve, axis(9)))
    masks = [
        np.isin(np.arange(9), kept)
        for size in range(1, 10)
        for kept in combinations(range(9), size)
    ]
    assert best == pytest.approx(max(map(gain, masks)))


def test_where_several_times_are_known_a_deep_enough_dip_parts_them() -> None:
    curve = [-1.0, 2, 2, -0.6, 2, 2, -1, -1]
    assert runs(curve) == [(1, 6)]
    assert runs(curve, is_repeated=True) == [(1, 3), (4, 6)]


def test_where_several_times_are_known_a_weaker_one_is_seen_above_the_mean_and_none_below() -> None:
    curve = [-1.0] * 30
    curve[4:8] = [3.0] * 4
    curve[20:24] = [0.4] * 4
    assert runs(curve) == [(4, 8)]
    assert runs(curve, is_repeated=True) == [(4, 8), (20, 24)]
    curve[20:24] = [-0.1] * 4
    assert runs(curve, is_repeated=True) == [(4, 8)]


def test_a_clear_single_event_stays_one_though_several_are_said() -> None:
    curve = [-0.4] * 20
    curve[8:13] = [3.5, 3.5, 3.2, 3.5, 3.5]
    assert runs(curve, is_repeated=True) == [(8, 13)]


def test_it_counts_time_and_not_cells() -> None:
    curve = np.array([3.0, 3, -1, -1, -1, 3, 3])
    fine = part_times(np.repeat(curve, 2), axis(14, step_s=1.0))
    assert fine.tolist() == np.repeat(part_times(curve, axis(7)), 2).tolist()
