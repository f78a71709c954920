"""Presence and confidence: probabilities that mean the same in a short video and in a long one."""

import numpy as np
import pytest

from tests.fakes import WordEmbedder
from tools.grounding.background import (
    BACKGROUND,
    Usual,
    background_of,
    likeness_of_track,
    measure_usual,
)
from tools.grounding.presence import (
    MINILM,
    presence_log_odds,
    presence_odds,
    presence_probability,
    share_of_best,
    window_probability,
)
from tools.grounding.similarity import best_similarity


def test_the_best_six_seconds_decide_whatever_their_cut() -> None:
    seconds = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.1, 0.1])
    whole = best_similarity(seconds, np.ones(7))
    halves = best_similarity(np.repeat(seconds, 2), np.full(14, 0.5))
    assert whole == pytest.approx(0.8)
    assert halves == pytest.approx(0.8)
    assert best_similarity(np.array([0.4, 0.2]), np.array([30.0, 30.0])) == pytest.approx(0.4)
    assert best_similarity(np.array([0.4]), np.array([0.1])) == pytest.approx(0.4)


def test_the_same_similarity_means_more_for_a_query_that_is_like_nothing_else() -> None:
    plain, special = (
        float(presence_log_odds(np.array(0.38), Usual(mean, 0.1, 0.24, 0.12), MINILM))
        for mean in (0.15, 0.0)
    )
    assert plain < 0 < special


def test_captions_that_are_close_to_nothing_need_to_be_less_close_to_the_query() -> None:
    long, short = (
        float(presence_log_odds(np.array(0.33), Usual(0.05, 0.1, mean, 0.1), MINILM))
        for mean in (0.12, 0.24)
    )
    assert short < 0 < long


def test_what_is_usual_is_measured_on_the_query_and_on_the_track() -> None:
    background = np.eye(4, dtype=np.float32)
    vectors = np.repeat(np.eye(4, dtype=np.float32)[:2], 5, axis=0)
    usual = measure_usual(
        background[0] * 3, background, likeness_of_track(background, [(vectors, np.ones(10))])
    )
    assert usual == pytest.approx(Usual(0.25, np.sqrt(3) / 4, 0.5, 0.5))
    assert float(usual.deviations(np.array(1.0))) == pytest.approx(np.sqrt(3) + 1)


def test_embeddings_that_hardly_differ_make_no_step_mean_much() -> None:
    alike = np.ones((5, 4), dtype=np.float32) / 2
    usual = measure_usual(alike[0], alike, likeness_of_track(alike, [(alike, np.ones(5))]))
    assert abs(float(usual.deviations(np.array(1.001)))) < 0.1


def test_an_embedder_is_asked_for_the_background_once() -> None:
    embedder = WordEmbedder()
    assert background_of(embedder) is background_of(embedder)
    assert len(background_of(embedder)) == len(BACKGROUND)


def present(*log_odds: float) -> float:
    return presence_probability(presence_odds(np.array(log_odds)), np.ones(len(log_odds)))


def test_the_best_of_many_stretches_has_to_fit_better() -> None:
    assert present(0.0) == pytest.approx(0.5)
    assert present(1.0) > 0.5 > present(1.0, *9 * [-4.0])


def test_what_is_known_not_to_fit_counts_without_being_given() -> None:
    odds = presence_odds(np.array([1.0, -4.0]))
    given = presence_probability(np.append(odds, [0.0, 0.0]), np.ones(4))
    assert presence_probability(odds, np.ones(2), share=0.5) == pytest.approx(given)


def test_two_stretches_that_may_be_it_speak_for_more_than_one() -> None:
    assert present(1.0, 1.0, -4.0) > present(1.0, -4.0, -4.0)


def test_in_hundreds_of_stretches_one_that_looks_like_it_proves_little() -> None:
    assert present(20.0) > 0.99
    assert present(20.0, *999 * [-9.0]) == pytest.approx(0.25, abs=0.01)


def test_the_best_stretch_shares_with_others_as_good() -> None:
    def share(*log_odds: float) -> float:
        odds = presence_odds(np.array(log_odds))
        return share_of_best(odds, np.ones(len(odds)), stretches=len(odds))

    assert share(2.0) == 1.0
    assert share(2.0, 2.0, -50.0) == pytest.approx(0.5)
    assert share(2.0, -50.0, -50.0) == pytest.approx(1.0)


def test_extreme_odds_stay_probabilities() -> None:
    assert 0 < present(-1e9) < 1e-9
    assert 0.99 < present(1e9) < 1
    assert window_probability(np.array([-1e9, 1e9]), MINILM) == pytest.approx([0, 1])
