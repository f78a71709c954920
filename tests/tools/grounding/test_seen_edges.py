"""In which span an event's true edges lie, and where in it they are put."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.grounding.seen_edges import Edge, edges_of, window_span
from tools.timeline import Caption, Interval, Source, Track


def captions_of(mode: str, *edges_s: float) -> list[Caption]:
    track = Track("openai:tiny", "v1", mode)
    return [
        Caption("video", Interval(start_s, end_s), f"caption {start_s}", "vision", track)
        for start_s, end_s in itertools.pairwise(edges_s)
    ]


def edges(
    captions: Sequence[Caption], first: int, last: int, *, duration_s: float
) -> tuple[Edge, Edge]:
    return edges_of(captions[first - 1], captions[last - 1], captions, duration_s=duration_s)


def open_spans(
    captions: Sequence[Caption], first: int, last: int, *, duration_s: float
) -> tuple[Interval | None, Interval | None]:
    start, end = edges(captions, first, last, duration_s=duration_s)
    return start.open_span, end.open_span


@pytest.mark.parametrize("mode", ["frame@1/s", "frame@1/s distinct3", "file@1/s"])
def test_an_event_seen_in_single_frames_begins_and_ends_half_way_between_two(mode: str) -> None:
    start, end = edges(captions_of(mode, 0, 1, 2, 3, 4), 2, 3, duration_s=4.0)
    assert (start.at_s, start.precision_s) == (0.5, 0.5)
    assert (end.at_s, end.precision_s) == (2.5, 0.5)


@pytest.mark.parametrize("mode", ["file", "grid4@1/s", "clip4@1/s", "recorded@1/s distinct3"])
def test_captions_of_real_spans_keep_their_edges(mode: str) -> None:
    start, end = edges(captions_of(mode, 0, 2, 4, 6, 8), 2, 3, duration_s=9.0)
    assert (start.at_s, end.at_s) == (2, 6)


def test_of_frames_that_looked_alike_the_last_one_counts_and_all_of_them_are_open() -> None:
    captions = captions_of("frame@2/s distinct3", 0, 2, 3, 5, 6)
    start, end = edges(captions, 2, 3, duration_s=30.0)
    assert (start.at_s, start.precision_s) == (1.75, 1.75)
    assert (end.at_s, end.precision_s) == (4.75, 1.75)


def test_frames_that_lie_further_apart_than_asked_for_have_their_own_middle() -> None:
    start, end = edges(captions_of("frame@1/s", 0, 5, 10, 15), 2, 2, duration_s=30.0)
    assert (start.at_s, start.precision_s, end.at_s, end.precision_s) == (2.5, 2.5, 7.5, 2.5)


def test_a_window_has_the_edges_that_an_answer_would_have() -> None:
    captions = captions_of("frame@1/s", 0, 1, 2, 3, 4)
    track = captions[0].track
    assert window_span(Interval(1, 3), captions, track=track, duration_s=9) == Interval(0.5, 2.5)
    # Also where the captions at its edges are not at hand.
    assert window_span(Interval(1, 3), captions[:1], track=track, duration_s=9) == Interval(
        0.5, 2.5
    )
    assert window_span(Interval(0, 9), [], track=track, duration_s=9) == Interval(0, 9)


def test_every_caption_is_a_look_where_every_frame_is_described() -> None:
    captions = captions_of("frame@1/s", 0, 1, 2, 3, 4)
    start, end = open_spans(captions, 2, 3, duration_s=4.0)
    assert (start, end) == (Interval(0, 1), Interval(2, 3))


@pytest.mark.parametrize("mode", ["frame@2/s distinct3", "grid4@2/s distinct3", "file"])
def test_a_frame_that_a_caption_is_held_over_is_no_look(mode: str) -> None:
    captions = captions_of(mode, 0, 2.5, 3, 5.5)
    start, end = open_spans(captions, 2, 2, duration_s=30.0)
    assert (start, end) == (Interval(0, 3 - 0.5), Interval(2.5, 3))


def test_text_on_the_screen_is_looked_at_in_every_frame() -> None:
    track = Track("rapidocr", "", "frame@1/s")
    texts = [
        Caption("video", Interval(*span), f"On screen: “{span}”.", "screen", track)
        for span in ((0, 10), (10, 16), (16, 26))
    ]
    start, end = open_spans(texts, 2, 2, duration_s=30.0)
    assert (start, end) == (Interval(8.75, 10), Interval(14.75, 16))
    start, end = open_spans(texts, 1, 3, duration_s=26.0)
    assert (start, end) == (None, None)
    # Nothing was read before: the frames before it were looked at all the same.
    start, _ = open_spans(texts[1:], 1, 1, duration_s=30.0)
    assert start == Interval(8.75, 10)


def test_a_cut_is_as_fine_as_its_frames() -> None:
    track = Track("classical-2", "", "frame@1/s")
    said = [
        Caption("video", Interval(*span), text, "signal", track)
        for span, text in (
            ((2, 3), "The camera is still."),
            ((2.5, 2.54), "A new shot begins, cut at 2.50 s."),
            ((3, 4), "The screen is dark."),
        )
    ]
    start, end = open_spans(said, 2, 2, duration_s=10.0)
    assert start is not None
    assert start.start_s == pytest.approx(2.46)
    assert start.end_s == 2.5
    assert end == Interval(2.5, 2.54)
    # It is no look at the frames around it, but shows another picture.
    start, _ = open_spans(said, 3, 3, duration_s=10.0)
    assert start is not None
    assert start.start_s == pytest.approx(2.46)
    assert start.end_s == 3


def test_the_videos_own_edges_are_exact() -> None:
    captions = captions_of("frame@1/s", 0, 1, 2)
    assert open_spans(captions, 1, 2, duration_s=2.0) == (None, None)


def test_a_closer_look_within_a_caption_begins_after_a_look_of_that_caption() -> None:
    (long,) = captions_of("frame@1/s distinct3", 5, 8)
    (close,) = captions_of("frame@4/s closer", 6.5, 6.75)
    start, _ = open_spans([long, close], 2, 2, duration_s=20.0)
    assert start == Interval(5, 6.5)


MODES = st.sampled_from(["frame@1/s", "frame@1/s distinct3", "frame@8/s closer", "grid4@1/s"])
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
    start, end = edges(captions, first, last, duration_s=15.0)
    assert start.latest_s == captions[first - 1].start_s
    assert end.latest_s == captions[last - 1].end_s
    for edge in (start, end):
        assert 0 <= edge.earliest_s <= edge.at_s <= edge.latest_s
    assert start.at_s < end.at_s


def measured(*told: tuple[float, float, str]) -> list[Caption]:
    track = Track("classical-4", "", "frame@1/s")
    return [
        Caption("video", Interval(start_s, end_s), text, "signal", track)
        for start_s, end_s, text in told
    ]


RED = "There is a red area nearly everywhere, 92% of the picture."
CUT = "A new shot begins, cut at 1.48 s."


@pytest.mark.parametrize(
    ("text", "cuts_s", "start"),
    [
        (RED, [1.48], (1.48, 1.44, 1.48)),
        ("The screen is black.", [1.48], (1.48, 1.44, 1.48)),
        # With the second of two cuts, or with the first?
        (RED, [1.2, 1.48], (1.5, 1.0, 2.0)),
        (RED, [0.5], (1.5, 1.0, 2.0)),
        # What does not fill the picture may come a little later.
        ("There is a red area at the left, 9% of the picture.", [1.48], (1.48, 1.44, 2.0)),
    ],
)
def test_what_is_seen_begins_with_the_one_cut_before_it(
    text: str, cuts_s: list[float], start: tuple[float, float, float]
) -> None:
    captions = measured((0, 1, "Nothing moves."), (1, 2, "Nothing moves."), (2, 3, text))
    cuts = measured(*((cut_s, cut_s + 0.04, CUT) for cut_s in cuts_s))
    found, _ = edges_of(captions[2], captions[2], [*captions, *cuts], duration_s=9.0)
    assert (found.at_s, found.earliest_s, found.latest_s) == pytest.approx(start)


@pytest.mark.parametrize(
    ("text", "earliest_s"),
    [(RED, 0.44), ("There is a red area at the left, 9% of the picture.", 0)],
)
def test_what_is_seen_ends_with_the_one_cut_after_it(text: str, earliest_s: float) -> None:
    captions = measured((0, 1, text), (1, 2, "Nothing moves."), (0.48, 0.52, CUT))
    _, end = edges_of(captions[0], captions[0], captions, duration_s=9.0)
    assert (end.at_s, end.earliest_s, end.latest_s) == pytest.approx((0.48, earliest_s, 0.48))


def test_a_shot_begins_and_ends_at_its_cuts() -> None:
    captions = measured((0, 1, "Nothing moves."), (1, 2, "Nothing moves."), (2, 3, "It is dark."))
    cuts = measured((0.48, 0.52, CUT), (1.48, 1.52, CUT))
    start, end = edges_of(cuts[0], captions[1], [*captions, *cuts], duration_s=9.0)
    assert (start.at_s, end.at_s) == (0.48, 1.48)
