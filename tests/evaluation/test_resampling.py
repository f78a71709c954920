"""Statistics with weights say what they would say of each thing, that many times over."""

import numpy as np
import pytest

from evaluation.figures.resampling import (
    interval_95,
    resampled,
    weighted_auroc,
    weighted_calibration_error,
    weighted_median,
)

RNG = np.random.default_rng(3)
WEIGHTS = np.concatenate(list(resampled(21, draws=40, seed=2)))


def test_every_draw_has_as_many_queries_as_there_are() -> None:
    assert WEIGHTS.shape == (40, 21)
    assert set(WEIGHTS.sum(axis=1)) == {21.0}
    assert (WEIGHTS == 0).any()


def test_draws_are_the_same_however_they_are_cut_into_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("evaluation.figures.resampling._BLOCK_WEIGHTS", 50)
    blocks = list(resampled(21, draws=40, seed=2))
    assert len(blocks) == 20
    assert np.array_equal(np.concatenate(blocks), WEIGHTS)
    assert not np.array_equal(np.concatenate(list(resampled(21, draws=40, seed=3))), WEIGHTS)


def test_a_weighted_median_is_the_median_of_the_things_repeated() -> None:
    values = RNG.integers(0, 9, 21).astype(np.float64)
    for weights in (WEIGHTS, WEIGHTS[:, ::-1] * 2, np.maximum(WEIGHTS, 1)):
        repeated = [np.median(np.repeat(values, row.astype(int))) for row in weights]
        assert weighted_median(values, weights).tolist() == repeated


def test_a_weighted_auroc_is_that_of_the_things_repeated() -> None:
    positive = RNG.integers(0, 6, 9).astype(np.float64)
    negative = RNG.integers(0, 5, 12).astype(np.float64)
    for weights in WEIGHTS:
        highs = np.repeat(positive, weights[:9].astype(int))[:, None]
        lows = np.repeat(negative, weights[9:].astype(int))[None, :]
        pairs = (highs > lows) + (highs == lows) / 2
        auroc = weighted_auroc(positive, negative, weights[None, :9], weights[None, 9:])
        assert auroc[0] == pytest.approx(pairs.mean())


def test_a_weighted_calibration_error_is_that_of_the_things_repeated() -> None:
    confidence = RNG.random(21)
    right = RNG.integers(0, 2, 21).astype(np.float64)
    for weights in WEIGHTS:
        times = weights.astype(int)
        repeated = weighted_calibration_error(
            np.repeat(confidence, times), np.repeat(right, times), np.ones((1, 21))
        )
        error = weighted_calibration_error(confidence, right, weights[None])
        assert error[0] == pytest.approx(repeated[0])


def test_a_draw_that_leaves_nothing_has_no_value_and_is_left_out_of_the_interval() -> None:
    nothing, ones = np.zeros((1, 2)), np.ones((1, 2))
    values = np.array([1.0, 2.0])
    assert np.isnan(weighted_median(values, nothing)).all()
    assert np.isnan(weighted_auroc(values, values, nothing, ones)).all()
    assert interval_95(np.array([1.0, np.nan, 1.0])) == (1.0, 1.0)
    assert np.isnan(interval_95(np.array([np.nan]))).all()
