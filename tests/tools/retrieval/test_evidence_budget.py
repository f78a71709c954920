"""Which captions are shown: edges always, the rest by relevance, within the budget."""

import numpy as np

from tools.ranking import Ranking, Window
from tools.retrieval.retrieval import caption_tokens, choose_evidence
from tools.text import estimate_tokens
from tools.timeline import Caption, Interval, Track

TRACK = Track("m", "", "frame")
CAPTIONS = [
    Caption("v", Interval(float(i), i + 1.0), "word " * 30, "vision", TRACK) for i in range(100)
]
RELEVANCE = np.linspace(1, 0, 100)
WINDOW = Window(Interval(60, 80), 1.0, 0.5)
RANKING = Ranking("found", (WINDOW,), (WINDOW,), RELEVANCE, "")
EDGES = [58, 59, 60, 61, 78, 79, 80, 81]


def test_everything_is_shown_where_it_fits() -> None:
    chosen = choose_evidence(CAPTIONS, RANKING, limit=100, limit_tokens=100_000)
    assert chosen == list(range(100))


def test_the_least_relevant_captions_are_dropped_first() -> None:
    each = caption_tokens(CAPTIONS[0])
    chosen = choose_evidence(CAPTIONS, RANKING, limit=100, limit_tokens=each * 30)
    assert chosen == [*range(6), *range(58, 82)]


def test_the_edges_of_windows_are_shown_whatever_the_budget() -> None:
    assert choose_evidence(CAPTIONS, RANKING, limit=100, limit_tokens=1) == EDGES


def test_evenly_chosen_captions_are_spread_out_whatever_they_say() -> None:
    each = caption_tokens(CAPTIONS[0])
    chosen = choose_evidence(
        CAPTIONS, RANKING, limit=100, limit_tokens=each * (len(EDGES) + 10), evenly=True
    )
    assert np.diff(chosen).max() <= 16


def test_captions_that_make_an_edge_are_shown_though_others_stand_between() -> None:
    long = Caption("v", Interval(60.0, 80.0), "one long look", "vision", TRACK)
    captions = sorted([*CAPTIONS, long], key=lambda one: one.span)
    ranking = Ranking("found", (WINDOW,), (WINDOW,), np.zeros(101), "")
    chosen = choose_evidence(captions, ranking, limit=10, limit_tokens=1)
    assert captions.index(long) in chosen


def test_tokens_are_estimated_on_the_high_side() -> None:
    assert estimate_tokens("a man opens the door") == 7
    assert estimate_tokens("男が戸を開ける") == 7
    assert estimate_tokens("") == 0
