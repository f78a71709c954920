"""Which captions are shown for a query: the edges of windows, and the most relevant."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import WordEmbedder
from tools.ranking import PartFound, Ranking, Window
from tools.retrieval import retrieval
from tools.retrieval.retrieval import (
    EDGE_CAPTIONS,
    EVIDENCE_LIMIT,
    caption_tokens,
    choose_evidence,
    inside,
    retrieve,
)
from tools.signals.claims import Claim, write_claims, write_screen_text
from tools.timeline import Caption, Interval, Source, Track

TRACK = Track("test", "", "frame@1/s")


def caption(second: int, text: str = "a road", source: Source = "vision") -> Caption:
    return Caption("v", Interval(second, second + 1.0), text, source, TRACK)


def window(start: int, end: int) -> Window:
    return Window(Interval(start, end), score=1.0, confidence=0.5)


def ranking(relevance: Any, *windows: Window, events: tuple[Window, ...] = ()) -> Ranking:
    verdict: Any = "found" if events else "not_found"
    return Ranking(verdict, windows, events, np.asarray(relevance, np.float64), "")


def around(edge: int, count: int) -> set[int]:
    return set(range(max(0, edge - EDGE_CAPTIONS), min(count, edge + EDGE_CAPTIONS)))


def test_where_all_captions_fit_all_are_shown() -> None:
    captions = [caption(second) for second in range(EVIDENCE_LIMIT)]
    chosen = choose_evidence(captions, ranking(np.zeros(200)), limit=EVIDENCE_LIMIT)
    assert chosen == list(range(EVIDENCE_LIMIT))


def test_the_answer_is_shown_whole_before_other_windows_though_irrelevant() -> None:
    captions = [caption(second) for second in range(3000)]
    relevance = np.arange(3000.0)
    chosen = choose_evidence(
        captions,
        ranking(relevance, window(100, 700), window(0, 40), events=(window(300, 320),)),
        limit=60,
    )
    edges = set().union(*(around(edge, 3000) for edge in (300, 320)))
    # The answer whole, then the most relevant ones of the best window.
    assert edges | set(range(300, 320)) < set(chosen)
    assert set(range(690, 700)) < set(chosen)
    assert len(chosen) == 60
    assert len(chosen) == 60


@pytest.mark.slow
@given(
    edges=st.lists(st.tuples(st.integers(0, 2400), st.integers(1, 99)), max_size=10),
    seed=st.integers(0, 1000),
)
def test_the_limit_the_order_and_the_edges_of_the_best_window_are_kept(
    edges: list[tuple[int, int]], seed: int
) -> None:
    captions = [caption(second) for second in range(2500)]
    relevance = np.random.default_rng(seed).random(2500)
    windows = [window(start, start + length) for start, length in edges]
    chosen = choose_evidence(captions, ranking(relevance, *windows), limit=100)
    assert len(chosen) == 100
    assert chosen == sorted(set(chosen))
    for one in windows[:1]:
        start, end = int(one.span.start_s), int(one.span.end_s)
        assert around(start, 2500) | around(end, 2500) <= set(chosen)


def test_more_than_the_limit_only_where_edges_alone_are_more() -> None:
    captions = [caption(second) for second in range(1000)]
    windows = [window(second, second + 20) for second in range(100, 500, 100)]
    chosen = choose_evidence(captions, ranking(np.zeros(1000), *windows), limit=5)
    assert len(chosen) == 2 * 2 * EDGE_CAPTIONS


def test_windows_at_the_ends_of_the_video_have_neighbours_on_one_side() -> None:
    captions = [caption(second) for second in range(300)]
    chosen = choose_evidence(captions, ranking(np.zeros(300), window(0, 300)), limit=4)
    assert chosen == [0, 1, 298, 299]


def test_a_long_video_is_cut_to_the_limit_in_time_order_with_its_own_relevance() -> None:
    texts = ["an empty grey road"] * 2000
    texts[1500:1504] = ["a brown dog jumps over a fence"] * 4
    captions = [caption(second, text) for second, text in enumerate(texts)]
    embedder = WordEmbedder()
    found = retrieve(
        "a brown dog jumps",
        [(captions, embedder.embed(texts))],
        embedder=embedder,
        duration_s=2000.0,
    )
    assert len(found.captions) == len(found.relevance) == EVIDENCE_LIMIT
    assert list(found.captions) == sorted(found.captions, key=lambda one: one.start_s)
    assert set(captions[1498:1506]) <= set(found.captions)
    assert len(found.ranking.relevance) == 2000
    for one, relevance in zip(found.captions, found.relevance, strict=True):
        assert relevance == found.ranking.relevance[int(one.start_s)]


@pytest.mark.parametrize(
    ("sources", "by_signals"),
    [
        (["signal", "signal"], True),
        (["signal", "screen"], True),
        (["screen", "screen"], True),
        (["vision", "vision"], False),
        (["vision", "screen"], False),
        (["subtitle", "signal"], False),
    ],
)
def test_signals_are_asked_by_what_they_measure_and_all_else_by_meaning(
    sources: list[Source], by_signals: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def by(name: str) -> Any:
        def rank(*_: Any, **__: Any) -> Ranking:
            asked.append(name)
            return ranking(np.zeros(len(sources)))

        return rank

    monkeypatch.setattr(retrieval, "ground_signals", by("signals"))
    monkeypatch.setattr(retrieval, "ground", by("meaning"))
    captions = [caption(n, source=source) for n, source in enumerate(sources)]
    embedder = WordEmbedder()
    vectors = embedder.embed(["a road"] * len(captions))
    retrieve("a road", [(captions, vectors)], embedder=embedder, duration_s=2.0)
    assert asked == ["signals" if by_signals else "meaning"]


def test_without_captions_nothing_is_found_and_nothing_fails() -> None:
    empty = np.empty((0, 0), np.float32)
    found = retrieve("a road", [([], empty)], embedder=WordEmbedder(), duration_s=2.0)
    assert (found.captions, found.ranking.events) == ((), ())
    assert found.ranking.verdict != "found"


def measured(second: int, *claims: Claim) -> Caption:
    return caption(second, write_claims(claims), "signal")


def asked(query: str, captions: list[Caption]) -> Ranking:
    tracks = [(captions, np.zeros((len(captions), 1), np.float32))]
    embedder = WordEmbedder()
    return retrieve(query, tracks, embedder=embedder, duration_s=len(captions)).ranking


FILM = [measured(second, Claim("black" if second in {2, 6} else "white")) for second in range(8)]


@pytest.mark.parametrize(
    ("query", "start_s"),
    [
        ("the second time the screen goes black", 6),
        ("the screen goes black before the screen goes white", 2),
    ],
)
def test_measured_captions_are_asked_in_parts_too(query: str, start_s: int) -> None:
    ranking = asked(query, FILM)
    assert ranking.verdict == "found"
    assert ranking.events[0].span.start_s == start_s


def test_a_word_of_order_that_stands_on_the_screen_is_no_order() -> None:
    titles = {1: "DARK", 3: "DARK BEFORE DAWN", 5: "DAWN"}
    read = [caption(at, write_screen_text([text]), "screen") for at, text in titles.items()]
    captions = sorted([*FILM, *read], key=lambda one: one.span)
    ranking = asked("the text dark before dawn is on the screen", captions)
    assert [one.span for one in ranking.events] == [Interval(3, 4.0)]


def test_of_one_moment_the_caption_that_says_what_was_asked_comes_first() -> None:
    title = caption(2, write_screen_text(["THE END"]), "screen")
    for captions in ([*FILM[:2], title, *FILM[2:]], [*FILM[:3], title, *FILM[3:]]):
        tracks = [(captions, np.zeros((len(captions), 1), np.float32))]
        found = retrieve("a black screen", tracks, embedder=WordEmbedder(), duration_s=8.0)
        assert [one.source for one in found.captions if one.start_s == 2] == ["signal", "screen"]


def test_a_stretch_holds_the_captions_in_it_and_else_those_that_reach_into_it() -> None:
    captions = [
        Caption("v", Interval(start_s, end_s), f"{start_s}", "vision", Track("t", "", "file"))
        for start_s, end_s in ((0.0, 10.0), (10.0, 12.0), (12.0, 60.0))
    ]
    vectors = np.eye(3, dtype=np.float32)

    def kept(start_s: float, end_s: float) -> list[float]:
        some, their = inside(captions, vectors, Interval(start_s, end_s))
        assert [int(np.argmax(row)) for row in their] == [captions.index(one) for one in some]
        return [one.start_s for one in some]

    assert kept(0, 12) == [0, 10]
    assert kept(9, 13) == [10]
    assert kept(20, 30) == [12]
    assert kept(60, 70) == []
    assert inside(captions, vectors, None)[0] is captions


def test_times_of_parts_are_shown_surest_first_and_as_far_as_they_fit() -> None:
    captions = [
        Caption("v", Interval(2.0 * at, 2.0 * at + 2), f"{at}", "vision", Track("t", "", "file"))
        for at in range(400)
    ]
    best = Window(Interval(0, 2), 1.0, 0.9)
    times = tuple(
        Window(Interval(2.0 * at, 2.0 * at + 2), 0.1, at / 400) for at in range(10, 400, 3)
    )
    ranking = Ranking("found", (best,), (best,), np.zeros(400), "", parts=(PartFound("x", times),))
    tokens = caption_tokens(captions[100])
    chosen = choose_evidence(captions, ranking, limit=200, limit_tokens=50 * tokens)
    assert len(chosen) <= 50
    assert {0, 397, 394} <= set(chosen)
    assert 10 not in chosen
