"""In which span an event's true edges lie: between the looks on both sides of them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.graph.compose import edges_of, ground_event, unknown_script
from agent.reasoning.answer import Answer, Event
from tools.timeline import Caption, Interval, Source, Track


def captions_of(mode: str, *edges_s: float) -> list[Caption]:
    track = Track("openai:tiny", "v1", mode)
    return [
        Caption("video", Interval(start_s, end_s), f"caption {start_s}", "vision", track)
        for start_s, end_s in itertools.pairwise(edges_s)
    ]


def test_every_caption_is_a_look_where_every_frame_is_described() -> None:
    captions = captions_of("frame@1/s", 0, 1, 2, 3, 4)
    start, end = edges_of(Event(first=2, last=3), captions, duration_s=4.0)
    assert (start, end) == (Interval(0, 1), Interval(2, 3))


def test_frames_that_look_alike_were_looked_at_though_one_of_them_is_described() -> None:
    captions = captions_of("frame@2/s distinct1", 0, 10, 16, 30)
    start, end = edges_of(Event(first=2, last=2), captions, duration_s=30.0)
    assert (start, end) == (Interval(10 - 0.625, 10), Interval(16 - 0.625, 16))


@pytest.mark.parametrize("mode", ["grid4@2/s distinct1", "file"])
def test_only_single_frames_say_so(mode: str) -> None:
    captions = captions_of(mode, 0, 10, 16, 30)
    start, _ = edges_of(Event(first=2, last=2), captions, duration_s=30.0)
    assert start == Interval(0, 10)


def test_the_videos_own_edges_are_exact() -> None:
    captions = captions_of("frame@1/s", 0, 1, 2)
    assert edges_of(Event(first=1, last=2), captions, duration_s=2.0) == (None, None)


def test_a_closer_look_within_a_caption_begins_after_a_look_of_that_caption() -> None:
    (long,) = captions_of("frame@1/s distinct1", 0, 10)
    (close,) = captions_of("frame@4/s closer", 6.5, 6.75)
    start, _ = edges_of(Event(first=2, last=2), [long, close], duration_s=20.0)
    assert start == Interval(6.5 - 1.25, 6.5)


MODES = st.sampled_from(["frame@1/s", "frame@1/s distinct1", "frame@8/s closer", "grid4@1/s"])
SOURCES: st.SearchStrategy[Source] = st.sampled_from(["vision", "subtitle", "screen"])
SPANS = st.tuples(st.integers(0, 80), st.integers(1, 40), MODES, SOURCES)


@given(st.lists(SPANS, min_size=1, max_size=12), st.data())
def test_however_captions_lie_an_edge_is_looked_for_before_it(
    spans: list[tuple[int, int, str, Source]], data: st.DataObject
) -> None:
    captions = [
        Caption(
            "v", Interval(at / 8, (at + long) / 8), "a dog", source, Track("openai:tiny", "", mode)
        )
        for at, long, mode, source in sorted(spans)
    ]
    first = data.draw(st.integers(1, len(captions)))
    last = data.draw(st.integers(first, len(captions)))
    start, end = edges_of(Event(first=first, last=last), captions, duration_s=15.0)
    assert start is None or start.end_s == captions[first - 1].start_s
    assert end is None or end.end_s == captions[last - 1].end_s


def test_an_edge_beside_what_was_not_looked_at_is_nobodys() -> None:
    captions = captions_of("frame@1/s", 10, 11, 12)
    edges = (Interval(0, 10), Interval(12, 30))
    found = Answer(found=True, events=(Event(first=1, last=2),))
    interval = ground_event(
        found.events[0],
        found,
        captions,
        [],
        duration_s=30.0,
        track=captions[0].track,
        unseen=edges,
    )
    assert (interval.start_by, interval.end_by) == ("unseen", "unseen")
    assert interval.start_precision_s == 10.0


@pytest.mark.parametrize(
    ("query", "texts", "embedder", "script"),
    [
        ("собака прыгает", ["a dog jumps"], "minilm", "CYRILLIC"),
        ("狗跳过栅栏", ["a dog jumps"], "minilm", "CJK"),
        ("der Hund springt", ["a dog jumps"], "minilm", ""),
        ("собака прыгает", ["a dog jumps", "собака прыгает"], "minilm", ""),
        ("собака прыгает", ["a dog jumps"], "intfloat/multilingual-e5-small", ""),
        ("12:30", ["a dog jumps"], "minilm", ""),
    ],
)
def test_a_question_in_letters_that_nothing_here_knows_is_noticed(
    query: str, texts: list[str], embedder: str, script: str
) -> None:
    assert unknown_script(query, texts, embedder=embedder) == script
