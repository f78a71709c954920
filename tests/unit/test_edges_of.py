"""In which span an event's true edges lie: between the looks on both sides of them."""

import itertools

import pytest

from agent.answer import Event
from agent.compose import edges_of
from tools.timeline import Caption, Interval, Track


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
