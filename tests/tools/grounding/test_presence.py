"""Presence and confidence: probabilities that mean the same in a short video and in a long one."""

import numpy as np
import pytest

from tools.grounding.presence import (
    EVERYDAY_WORDS,
    MINILM,
    best_similarity,
    presence_log_odds,
    presence_odds,
    presence_probability,
    rarity,
    share_of_best,
    window_probability,
)


def test_the_best_ten_seconds_decide_whatever_their_cut() -> None:
    seconds = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.1, 0.1])
    whole = best_similarity(seconds, np.ones(7))
    halves = best_similarity(np.repeat(seconds, 2), np.full(14, 0.5))
    assert whole == pytest.approx(0.7)
    assert halves == pytest.approx(0.7)
    assert best_similarity(np.array([0.4, 0.2]), np.array([30.0, 30.0])) == pytest.approx(0.4)
    assert best_similarity(np.array([0.4]), np.array([0.1])) == pytest.approx(0.4)


def test_everyday_words_are_less_rare_than_others() -> None:
    plain, middling, special = map(
        rarity,
        (
            "a man in a white shirt",
            "a clown feeds a parrot by the window",
            "a shearer and an alpaca",
        ),
    )
    assert plain < middling < special == 1.0
    assert rarity("of the") == 1.0
    assert len(EVERYDAY_WORDS.split()) == 100


def test_the_same_similarity_means_more_for_a_rarer_query() -> None:
    plain, special = (
        presence_log_odds(np.array([0.4]), rarity_, MINILM)[0] for rarity_ in (0.6, 1.0)
    )
    assert plain < 0 < special


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
