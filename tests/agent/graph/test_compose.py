"""In which span an event's true edges lie: between the looks on both sides of them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.graph.compose import edges_of, ground_event, unknown_script
from agent.reasoning.answer import Answer, NumberedEvent
from tools.timeline import Caption, Interval, Source, Track


def captions_of(mode: str, *edges_s: float) -> list[Caption]:
    track = Track("openai:tiny", "v1", mode)
    return [
        Caption("video", Interval(start_s, end_s), f"caption {start_s}", "vision", track)
        for start_s, end_s in itertools.pairwise(edges_s)
    ]


def test_every_caption_is_a_look_where_every_frame_is_described() -> None:
    captions = captions_of("frame@1/s", 0, 1, 2, 3, 4)
    start, end = edges_of(NumberedEvent(first=2, last=3), captions, duration_s=4.0)
    assert (start, end) == (Interval(0, 1), Interval(2, 3))


@pytest.mark.parametrize("mode", ["frame@2/s distinct2", "grid4@2/s distinct2", "file"])
def test_a_frame_that_a_caption_is_held_over_is_no_look(mode: str) -> None:
    captions = captions_of(mode, 0, 2.5, 3, 5.5)
    start, end = edges_of(NumberedEvent(first=2, last=2), captions, duration_s=30.0)
    assert (start, end) == (Interval(0, 3 - 0.5), Interval(2.5, 3))


def test_text_on_the_screen_is_looked_at_in_every_frame() -> None:
    track = Track("rapidocr", "", "frame@1/s")
    texts = [
        Caption("video", Interval(*span), f"On screen: “{span}”.", "screen", track)
        for span in ((0, 10), (10, 16), (16, 26))
    ]
    start, end = edges_of(NumberedEvent(first=2, last=2), texts, duration_s=30.0)
    assert (start, end) == (Interval(8.75, 10), Interval(14.75, 16))
    start, end = edges_of(NumberedEvent(first=1, last=3), texts, duration_s=26.0)
    assert (start, end) == (None, None)
    # Nothing was read before: the frames before it were looked at all the same.
    start, _ = edges_of(NumberedEvent(first=1, last=1), texts[1:], duration_s=30.0)
    assert start == Interval(8.75, 10)


def test_a_cut_is_as_fine_as_its_frames() -> None:
    track = Track("classical-3", "", "frame@1/s")
    said = [
        Caption("video", Interval(*span), text, "signal", track)
        for span, text in (
            ((2, 3), "The camera is still."),
            ((2.5, 2.54), "A new shot begins, cut at 2.50 s."),
            ((3, 4), "The screen is black."),
        )
    ]
    start, end = edges_of(NumberedEvent(first=2, last=2), said, duration_s=10.0)
    assert start is not None
    assert start.start_s == pytest.approx(2.46)
    assert start.end_s == 2.5
    assert end == Interval(2.5, 2.54)
    # It is no look at the frames around it.
    start, _ = edges_of(NumberedEvent(first=3, last=3), said, duration_s=10.0)
    assert start == Interval(2, 3)


def test_the_videos_own_edges_are_exact() -> None:
    captions = captions_of("frame@1/s", 0, 1, 2)
    assert edges_of(NumberedEvent(first=1, last=2), captions, duration_s=2.0) == (None, None)


def test_a_closer_look_within_a_caption_begins_after_a_look_of_that_caption() -> None:
    (long,) = captions_of("frame@1/s distinct2", 5, 8)
    (close,) = captions_of("frame@4/s closer", 6.5, 6.75)
    start, _ = edges_of(NumberedEvent(first=2, last=2), [long, close], duration_s=20.0)
    assert start == Interval(5, 6.5)


MODES = st.sampled_from(["frame@1/s", "frame@1/s distinct2", "frame@8/s closer", "grid4@1/s"])
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
    start, end = edges_of(NumberedEvent(first=first, last=last), captions, duration_s=15.0)
    assert start is None or start.end_s == captions[first - 1].start_s
    assert end is None or end.end_s == captions[last - 1].end_s


def test_an_edge_beside_what_was_not_looked_at_is_nobodys() -> None:
    captions = captions_of("frame@1/s", 10, 11, 12)
    edges = (Interval(0, 10), Interval(12, 30))
    found = Answer(found=True, events=(NumberedEvent(first=1, last=2),))
    interval = ground_event(
        found.events[0],
        found,
        captions,
        [],
        duration_s=30.0,
        tracks={captions[0].track.key},
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
