"""The LLM-free grounder on drawn captions: the same answer on the same content, and clear errors.

Embeddings are made up: one direction a topic, with a little noise that depends on the text alone.
"""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.errors import CaptionError, EmbedderError
from tools.grounding.background import BACKGROUND
from tools.grounding.grounder import Found, claim_events, ground, merge
from tools.ranking import Ranking, Window
from tools.timeline import Caption, Interval, Source, Track

TRACK = Track("scripted", "", "frame@0.5/s")
TOPICS = ("dog", "kitchen", "street", "beach", "desk")
WIDTH = 64

Script = Sequence[tuple[float, float, str]]


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    rows = []
    for text in texts:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
        row = 0.05 * np.random.default_rng(seed).standard_normal(WIDTH)
        for column, topic in enumerate(TOPICS):
            row[column] += topic in text
        rows.append(row / np.linalg.norm(row))
    return np.array(rows, dtype=np.float32).reshape(len(texts), WIDTH)


def captions_of(script: Script, source: Source = "vision") -> list[Caption]:
    return [
        Caption("video", Interval(start_s, end_s), text, source, TRACK)
        for start_s, end_s, text in script
    ]


def ask(script: Script, query: str = "a dog runs", limit: int = 10) -> Ranking:
    captions = captions_of(script)
    return ground(
        query,
        embed([query])[0],
        captions,
        embed([caption.text for caption in captions]),
        duration_s=max((caption.end_s for caption in captions), default=1.0),
        background=embed(BACKGROUND),
        limit=limit,
    )


def day(step_s: float = 2.0) -> list[tuple[float, float, str]]:
    """150 s: street, kitchen, a dog at 60 to 80 s, beach; each caption a little different."""
    script = []
    for number in range(int(150 / step_s)):
        start_s = number * step_s
        topic = "dog" if 60 <= start_s < 80 else ("street", "kitchen", "beach")[int(start_s // 50)]
        variant = f"picture {number % 7} of a {topic}"
        script.append((start_s, start_s + step_s, variant))
    return script


def spans(ranking: Ranking) -> list[tuple[float, float]]:
    return [(window.span.start_s, window.span.end_s) for window in ranking.windows]


def test_the_event_is_found_with_its_own_edges() -> None:
    ranking = ask(day())
    assert ranking.verdict == "found"
    assert spans(ranking)[0] == (60.0, 80.0)
    assert ranking.events == ranking.windows[:1]


def test_scores_fall_and_confidences_are_probabilities() -> None:
    windows = ask(day()).windows
    scores = [window.score for window in windows]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= window.confidence <= 1 for window in windows)
    assert 1 <= len(windows) <= 10


@pytest.mark.parametrize("step_s", [0.25, 0.5, 1.0, 2.5, 4.0])
def test_the_rate_of_captions_does_not_move_the_answer(step_s: float) -> None:
    (start_s, end_s), *_ = spans(ask(day(step_s)))
    assert start_s == pytest.approx(60, abs=step_s)
    assert end_s == pytest.approx(80, abs=step_s)


def test_saying_it_again_changes_nothing() -> None:
    once = day()
    halves = [
        part
        for start_s, end_s, text in once
        for part in ((start_s, start_s + 0.5, text), (start_s + 0.5, end_s, text))
    ]
    assert spans(ask(halves)) == spans(ask(once))
    assert [w.score for w in ask(halves).windows] == [w.score for w in ask(once).windows]


def test_one_long_caption_weighs_as_much_as_many_short_ones() -> None:
    def script(step_s: float) -> Script:
        return [
            (30.0 * part + step * step_s, 30.0 * part + (step + 1) * step_s, f"a {topic}")
            for part, topic in enumerate(("street", "kitchen", "dog", "beach", "desk"))
            for step in range(int(30 / step_s))
        ]

    merged, split = ask(script(30.0)), ask(script(2.0))
    assert spans(merged) == spans(split)
    assert spans(merged)[0] == (60.0, 90.0)


def test_windows_have_edges_of_captions_alone() -> None:
    uneven = np.cumsum([0, *np.random.default_rng(3).uniform(0.2, 9.0, 60)])
    script = [
        (float(start_s), float(end_s), f"a {TOPICS[index // 9 % 5]} {index % 4}")
        for index, (start_s, end_s) in enumerate(pairwise(uneven))
    ]
    for window in ask(script).windows:
        assert window.span.start_s in uneven[:-1]
        assert window.span.end_s in uneven[1:]


def test_a_long_gap_without_captions_ends_a_window_and_a_short_one_does_not() -> None:
    def script(gap_s: float) -> Script:
        rows = day()
        return [
            (start_s + gap_s * (start_s >= 70), end_s + gap_s * (start_s >= 70), text)
            for start_s, end_s, text in rows
        ]

    assert spans(ask(script(3.0)))[0] == (60.0, 83.0)
    assert (60.0, 110.0) not in spans(ask(script(30.0)))
    assert {(60.0, 70.0), (100.0, 110.0)} <= set(spans(ask(script(30.0))))


def test_two_events_apart_are_both_claimed() -> None:
    script = [
        (start_s, end_s, text.replace("beach", "dog") if 120 <= start_s < 140 else text)
        for start_s, end_s, text in day()
    ]
    events = {(event.span.start_s, event.span.end_s) for event in ask(script).events}
    assert events == {(60.0, 80.0), (120.0, 140.0)}


def test_events_are_apart_and_nearly_as_good_as_the_best() -> None:
    def window(start_s: float, end_s: float, score: float) -> Window:
        return Window(Interval(start_s, end_s), score, score)

    best, inside, good, weak = (
        window(10, 20, 0.8),
        window(12, 18, 0.7),
        window(30, 40, 0.65),
        window(50, 60, 0.6),
    )
    assert claim_events((best, inside, good, weak)) == (best, good)


def test_what_no_caption_speaks_of_is_not_found_but_the_closest_is_kept() -> None:
    ranking = ask(day(), query="a desk with a lamp")
    assert ranking.verdict == "not_found"
    assert ranking.events == ()
    assert ranking.windows
    assert "close enough" in ranking.reasoning


def test_the_best_window_by_plain_cosine_takes_the_last_place_if_it_has_none() -> None:
    def found(spans_s: list[list[float]], plain_s: list[float], log_odds: float) -> Found:
        return Found(
            curve=np.zeros(3),
            spans=np.array(spans_s),
            probability=np.linspace(0.9, 0.5, len(spans_s)),
            plain=np.array([plain_s]),
            log_odds=log_odds,
        )

    likely = found([[0, 10], [20, 30], [40, 50]], [60, 70], 2.0)
    spans_s, scores = merge([likely, found([[200, 210]], [220, 230], -3.0)], limit=3)
    assert spans_s.tolist() == [[0, 10], [20, 30], [60, 70]]
    assert scores.tolist() == pytest.approx([0.9, 0.7, 0.7])
    there_already = found([[0, 10], [20, 30]], [0, 11], 2.0)
    assert merge([there_already], limit=3)[0].tolist() == [[0, 10], [20, 30]]


@pytest.mark.parametrize("texts", [["a dog"], ["a dog", "a street"], ["a dog"] * 40, ["Ein Hund"]])
@pytest.mark.parametrize("query", ["a dog", "zebra", "the of and", "一只狗在跑", "Что это?"])
def test_few_equal_or_foreign_captions_give_finite_numbers(texts: list[str], query: str) -> None:
    script = [(3.0 * number, 3.0 * number + 3, text) for number, text in enumerate(texts)]
    ranking = ask(script, query=query)
    assert ranking.windows
    assert np.isfinite(ranking.relevance).all()
    assert len(ranking.relevance) == len(texts)
    for window in ranking.windows:
        assert np.isfinite(window.score)
        assert 0 <= window.confidence <= 1


def test_without_captions_nothing_can_be_told() -> None:
    ranking = ask([])
    assert (ranking.verdict, ranking.windows, ranking.events) == ("cannot_tell", (), ())


def test_zero_embeddings_are_unrelated_to_everything() -> None:
    captions = captions_of(day())
    ranking = ground(
        "zebra",
        np.ones(8),
        captions,
        np.zeros((len(captions), 8)),
        duration_s=150.0,
        background=np.eye(8),
    )
    assert ranking.verdict == "not_found"


def test_relevance_stands_in_the_order_of_the_captions() -> None:
    ranking = ask(day())
    assert 60 <= 2 * int(np.argmax(ranking.relevance)) < 80


def test_captions_of_several_sources_may_share_a_span() -> None:
    captions = [
        caption
        for row in day()
        for caption in (
            *captions_of([row]),
            *captions_of([(row[0], row[1], f"a sign says {int(row[0])}")], source="screen"),
        )
    ]
    vectors = embed([caption.text for caption in captions])
    ranking = ground(
        "a dog runs",
        embed(["a dog runs"])[0],
        captions,
        vectors,
        duration_s=150.0,
        background=embed(BACKGROUND),
    )
    assert spans(ranking)[0] == (60.0, 80.0)
    assert len(ranking.relevance) == len(captions)


def hours(count: int, event: range) -> list[tuple[float, float, str]]:
    return [
        (2.0 * n, 2.0 * n + 2, f"{'dog' if n in event else TOPICS[1 + n // 40 % 4]} {n % 50}")
        for n in range(count)
    ]


@pytest.mark.slow
def test_an_event_in_ten_hours_is_found() -> None:
    ranking = ask(hours(18_000, range(9_000, 9_008)))
    assert spans(ranking)[0] == (18_000.0, 18_016.0)
    assert int(np.argmax(ranking.relevance)) in range(9_000, 9_008)


def test_events_far_apart_in_a_long_video_are_all_claimed() -> None:
    script = hours(3_000, range(300, 310))
    again = [(s, e, "dog again" if 2_000 <= n < 2_010 else t) for n, (s, e, t) in enumerate(script)]
    events = [(event.span.start_s, event.span.end_s) for event in ask(again).events]
    assert sorted(events) == [(600.0, 620.0), (4000.0, 4020.0)]


@pytest.mark.slow
def test_captions_of_every_video_frame_stay_within_bounds() -> None:
    script = [
        (n / 30, (n + 1) / 30, f"{'dog' if n > 5_000 else 'street'} {n}") for n in range(6000)
    ]
    ranking = ask(script)
    assert ranking.windows[0].span.start_s > 150


def test_one_caption_over_ten_hours_is_one_window() -> None:
    assert spans(ask([(0.0, 36_000.0, "a dog")])) == [(0.0, 36_000.0)]


def test_nothing_stands_out_where_all_captions_say_the_same() -> None:
    alone = ask([(0.0, 30.0, "a dog runs")])
    assert alone.verdict == "found"
    assert "stand out" not in alone.reasoning
    assert "stand out" in ask(day()).reasoning


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([(2, 4, "a"), (0, 2, "b")], r"#2 at 0\.000–2\.000 s starts before the one before it"),
        ([(0, 4, "a"), (2, 6, "b")], r"#2 at 2\.000–6\.000 s overlaps .*#1 at 0\.000–4\.000 s"),
        ([(0, 4, "a"), (0, 4, "b")], "#2 at 0.000–4.000 s overlaps"),
    ],
)
def test_captions_out_of_order_or_overlapping_are_named(script: Script, message: str) -> None:
    with pytest.raises(CaptionError, match=message):
        ask(script)


def test_edges_may_differ_by_a_rounding_error() -> None:
    assert ask([(0, 2.0004, "a dog"), (2.0, 4, "a street")]).windows


def test_a_caption_past_the_end_of_the_video_is_named() -> None:
    captions = captions_of([(0, 2, "a"), (2, 9, "b")])
    with pytest.raises(CaptionError, match=r"#2 at 2\.000–9\.000 s ends after the video"):
        ground("dog", np.ones(3), captions, np.ones((2, 3)), duration_s=4.0, background=np.eye(3))


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((1, 3)), "#2 at 2.000–4.000 s has no embedding"),
        (np.ones((3, 3)), "3 embeddings"),
        (np.array([[1, 1, 1], [1, np.nan, 1]]), "#2 at 2.000–4.000 s is not finite"),
        (np.ones(2), "one row a caption"),
    ],
)
def test_embeddings_that_do_not_fit_are_named(vectors: NDArray[np.float64], message: str) -> None:
    with pytest.raises(CaptionError, match=message):
        ground(
            "dog",
            np.ones(3),
            captions_of([(0, 2, "a"), (2, 4, "b")]),
            vectors,
            duration_s=4.0,
            background=np.eye(3),
        )


@pytest.mark.parametrize("vector", [np.ones(4), np.array([1, np.inf, 0])])
def test_a_query_embedding_that_does_not_fit_is_an_error(vector: NDArray[np.float64]) -> None:
    with pytest.raises(EmbedderError, match="query's embedding"):
        ground(
            "dog",
            vector,
            captions_of([(0, 2, "a")]),
            np.ones((1, 3)),
            duration_s=2.0,
            background=np.eye(3),
        )


def test_an_empty_query_is_an_error() -> None:
    with pytest.raises(ValueError, match="query is empty"):
        ask(day(), query="  ")


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_no_more_windows_than_wanted(limit: int) -> None:
    assert len(ask(day(), limit=limit).windows) <= limit
    with pytest.raises(ValueError, match="limit must be at least 1"):
        ask(day(), limit=0)


def test_a_short_event_stands_out_of_footage_whose_captions_are_all_the_same() -> None:
    still = [(second, second + 1.0, "an empty street") for second in map(float, range(60))]
    still[45:49] = [(start_s, end_s, "a dog in a street") for start_s, end_s, _ in still[45:49]]
    ranking = ask(still, query="a dog")
    assert spans(ranking)[0] == (45.0, 49.0)


def test_a_single_short_caption_is_a_window_of_its_own() -> None:
    ranking = ask([(1.0, 2.0, "a dog runs")])
    assert [window.span for window in ranking.windows] == [Interval(1.0, 2.0)]
    assert (ranking.verdict, ranking.windows[0].confidence) == ("found", ranking.presence)
