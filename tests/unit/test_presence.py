"""Presence and confidence: probabilities that mean the same in a short video and in a long one."""

import numpy as np
import pytest

from tools.presence import (
    EVERYDAY_WORDS,
    LITERAL_PRESENCE,
    MINILM,
    best_similarity,
    presence_log_odds,
    presence_probability,
    rarity,
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
    plain, special = (presence_log_odds(0.4, rarity_, MINILM) for rarity_ in (0.6, 1.0))
    assert plain < 0 < special


def test_the_best_of_many_stretches_has_to_fit_better() -> None:
    alone, among_ten = (
        presence_probability(1.0, stretches=count, literal=False) for count in (1, 10)
    )
    assert alone > 0.5 > among_ten


def test_a_caption_that_says_every_word_settles_it() -> None:
    assert presence_probability(-5.0, stretches=1, literal=True) == LITERAL_PRESENCE
    assert presence_probability(5.0, stretches=1, literal=True) > LITERAL_PRESENCE


def test_extreme_odds_stay_probabilities() -> None:
    assert 0 < presence_probability(-1e9, stretches=1, literal=False) < 1e-9
    assert window_probability(np.array([-1e9, 1e9]), MINILM) == pytest.approx([0, 1])
