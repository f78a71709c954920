"""Each step from captions to a curve and from a curve to windows."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.grounding.relevance import (
    feed_back,
    level,
    similarity,
    smooth,
    spread,
    standardise,
    ties,
)
from tools.grounding.segments import Cells
from tools.grounding.windows import (
    find_candidates,
    score_windows,
    select,
    select_apart,
    spans_of,
    votes_of,
)


def axis(count: int, step_s: float = 2.0) -> Cells:
    edges = np.arange(count + 1, dtype=np.float64) * step_s
    return Cells(edges[:-1], edges[1:], np.arange(count))


def vote(curve: NDArray[np.float64], cells: Cells) -> NDArray[np.intp]:
    return votes_of([curve], [cells])[0]


def bump(first: int, after: int, count: int = 75) -> NDArray[np.float64]:
    curve = np.zeros(count)
    curve[first:after] = 1
    return standardise(curve, np.ones(count))


def test_a_standardised_curve_has_mean_0_and_deviation_1_over_time() -> None:
    weight = np.array([1.0, 3.0, 2.0])
    curve = standardise(np.array([5.0, 1.0, 2.0]), weight)
    assert np.average(curve, weights=weight) == pytest.approx(0)
    assert np.average(curve**2, weights=weight) == pytest.approx(1)
    assert standardise(np.full(3, 7.0), weight).tolist() == [0, 0, 0]


def test_smoothing_is_a_gaussian_in_seconds_renormalised_at_borders() -> None:
    def kernel(clips: int) -> float:
        return float(np.exp(-0.5 * clips**2)) if abs(clips) <= 3 else 0.0

    spike = np.eye(9)[4]
    smoothed = smooth(spike, axis(9), 2.0)
    expected = [kernel(i - 4) / sum(kernel(i - j) for j in range(9)) for i in range(9)]
    assert smoothed == pytest.approx(expected)
    assert smoothed[0] == smoothed[8] == 0
    assert smooth(np.ones(9), axis(9), 2.0) == pytest.approx(np.ones(9))


def test_smoothing_does_not_reach_over_a_long_gap() -> None:
    cells = Cells(np.array([0.0, 60.0]), np.array([2.0, 62.0]), np.array([0, 1]))
    assert smooth(np.array([1.0, 0.0]), cells, 2.0).tolist() == [1.0, 0.0]


def test_feedback_raises_what_is_like_the_best_moments() -> None:
    vectors = np.eye(3, dtype=np.float32)[np.repeat([0, 1, 2, 1, 2], 15)]
    cells = axis(75)
    guess = standardise(np.where(np.arange(75) // 15 == 1, 1.0, 0.0), cells.weight)
    fed = feed_back(guess, similarity(vectors, cells.weight), cells)
    assert fed[52] > guess[52] + 0.5
    assert fed[66] < fed[52]


def test_captions_that_are_all_equal_are_not_told_apart_by_rounding() -> None:
    # Equal texts differ by this much where they were embedded in different batches.
    rounding = 1e-7 * np.random.default_rng(2).standard_normal((75, 384))
    vectors = (np.full((75, 384), 384**-0.5) + rounding).astype(np.float32)
    assert not similarity(vectors, np.ones(75)).any()


def test_spreading_fills_a_hole_in_a_scene_and_not_the_next_scene() -> None:
    vectors = np.eye(2, dtype=np.float32)[np.repeat([0, 1], [40, 35])]
    cells = axis(75)
    curve = bump(30, 40)
    curve[34] = 0
    spread_curve = spread(curve, ties(similarity(vectors, cells.weight), cells), cells)
    assert spread_curve[34] > 0.9
    assert spread_curve[40] < 0


def test_relevance_spreads_by_time_and_not_by_number_of_captions() -> None:
    vectors = np.random.default_rng(4).standard_normal((75, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    parts = np.where(np.arange(75) < 40, 1, 4)
    whole = axis(75)
    edges = np.concatenate([np.arange(40) * 2.0, 80 + np.arange(141) * 0.5])
    fine = Cells(edges[:-1], edges[1:], np.repeat(np.arange(75), parts))
    curve = bump(38, 44)
    by_clip = spread(curve, ties(similarity(vectors, whole.weight), whole), whole)
    finely = similarity(np.repeat(vectors, parts, axis=0), fine.weight)
    by_part = spread(np.repeat(curve, parts), ties(finely, fine), fine)
    assert level(by_part, fine) == pytest.approx(np.repeat(by_clip, parts), abs=0.03)


def test_levelling_gives_a_moment_its_mean_over_time() -> None:
    cells = Cells(np.array([0.0, 1.0, 4.0]), np.array([1.0, 4.0, 5.0]), np.array([0, 0, 1]))
    assert level(np.array([4.0, 0.0, 9.0]), cells).tolist() == [1.0, 1.0, 9.0]


def test_candidates_are_runs_above_each_height() -> None:
    curve = np.array([0.0, 0.5, 1.0, 0.5, 0.0, 0.3, 0.0])
    assert find_candidates(curve, axis(7)).tolist() == [[1, 4], [2, 3], [5, 6]]
    assert find_candidates(np.zeros(7), axis(7)).tolist() == [[0, 7]]


def test_the_votes_are_for_the_event_itself() -> None:
    rng = np.random.default_rng(0)
    curve = standardise(bump(30, 40) + 0.3 * rng.standard_normal(75), np.ones(75))
    assert vote(curve, axis(75)).tolist() == [[30, 40], [30, 40]]


def test_one_doubtful_caption_does_not_break_a_vote() -> None:
    curve = bump(30, 40) + 0.5 * np.random.default_rng(0).standard_normal(75)
    curve[35] = 0.8
    assert [30, 40] in vote(curve, axis(75)).tolist()


def test_the_vote_counts_time_and_not_captions() -> None:
    curve = bump(30, 40) + 0.2 * np.sin(np.arange(75))
    fine = spans_of(vote(np.repeat(curve, 4), axis(300, 0.5)), axis(300, 0.5))
    assert fine.tolist() == spans_of(vote(curve, axis(75)), axis(75)).tolist()


def test_the_score_is_the_correlation_of_window_and_curve() -> None:
    curve = standardise(np.random.default_rng(1).standard_normal(75), np.ones(75))
    runs = np.array([[10, 20], [0, 60]])
    inside = np.zeros((2, 75))
    inside[0, 10:20] = inside[1, :60] = 1
    expected = [np.corrcoef(row, curve)[0, 1] for row in inside]
    assert score_windows(runs, runs[:0], curve, axis(75)) == pytest.approx(expected)


def test_a_perfect_window_scores_the_same_in_any_length_of_video() -> None:
    for count in (20, 75, 1000):
        (score,) = score_windows(
            np.array([[5, 10]]), np.zeros((0, 2), dtype=np.intp), bump(5, 10, count), axis(count)
        )
        assert score == pytest.approx(1)


def test_agreement_with_the_votes_raises_a_score() -> None:
    runs = np.array([[10, 20], [40, 50]])
    scores = score_windows(runs, runs[:1], np.zeros(75), axis(75))
    assert scores[0] > scores[1] == 0


def test_of_two_windows_alike_the_better_one_stays() -> None:
    spans_s = np.array([[0.0, 10.0], [0.0, 9.0], [0.0, 5.0], [20.0, 30.0]])
    assert select(spans_s, np.array([0.5, 0.9, 0.4, 0.1]), limit=10) == [1, 2, 3]
    assert select(spans_s, np.array([0.5, 0.9, 0.4, 0.1]), limit=2) == [1, 2]


def test_an_event_that_goes_on_at_another_time_too_is_not_held_against_itself() -> None:
    curve = standardise(bump(10, 20) + bump(40, 50), np.ones(75))
    runs = np.array([[10, 20], [40, 50]])
    alone = score_windows(runs, runs[:0], curve, axis(75))
    beside = score_windows(runs, runs[:0], curve, axis(75), known=slice(10, 20))
    assert beside[1] > alone[1] == pytest.approx(alone[0])
    assert beside[0] == pytest.approx(alone[0])


def test_a_window_is_scored_if_all_other_time_is_known() -> None:
    runs = np.array([[0, 10]])
    (score,) = score_windows(runs, runs[:0], bump(0, 10), axis(75), known=slice(10, 75))
    assert np.isfinite(score)


def test_what_overlaps_a_better_window_comes_after_one_apart_that_is_nearly_as_good() -> None:
    spans_s = np.array([[0.0, 10.0], [0.0, 6.0], [20.0, 30.0], [0.0, 9.0]])
    scores = np.array([0.9, 0.8, 0.75, 0.85])
    kept, left = select_apart(spans_s, scores, scores, limit=10)
    assert kept == [0, 2, 1]
    assert left == pytest.approx([0.9, 0.75, 0.8 - 0.4 * 0.6**2])


def test_after_the_best_window_others_are_scored_beside_it_and_never_above_it() -> None:
    spans_s = np.array([[0.0, 10.0], [20.0, 30.0], [40.0, 50.0]])
    scores, beside = np.array([0.5, 0.4, 0.3]), np.array([0.5, 0.4, 0.6])
    kept, left = select_apart(spans_s, scores, beside, limit=10)
    assert kept == [0, 2, 1]
    assert left.tolist() == [0.5, 0.5, 0.4]


def test_of_two_windows_that_score_nearly_the_same_the_core_is_meant() -> None:
    spans_s = np.array([[0.0, 48.0], [0.0, 10.0], [0.0, 40.0]])
    scores = np.array([0.80, 0.79, 0.795])
    kept, left = select_apart(spans_s, scores, scores, limit=10)
    # The third one is nearly as long as the first, and the same window.
    assert kept == [1, 0]
    assert left[0] == 0.79
    assert left[1] < left[0]


@pytest.mark.parametrize(
    ("inner_s", "score"), [((0.0, 10.0), 0.7), ((0.0, 30.0), 0.79), ((44.0, 54.0), 0.79)], ids=str
)
def test_a_window_stays_where_no_core_of_it_is_nearly_as_good(
    inner_s: tuple[float, float], score: float
) -> None:
    spans_s = np.array([[0.0, 48.0], inner_s])
    scores = np.array([0.80, score])
    kept, _ = select_apart(spans_s, scores, scores, limit=10)
    assert kept[0] == 0
