"""Where a caption is held over frames that were not described."""

import pytest

from tools.indexing.held_spans import held_span
from tools.timeline import Caption, Interval, Track


def caption(mode: str, start_s: float, end_s: float) -> Caption:
    track = Track("openai:tiny", "v1", mode)
    return Caption("video", Interval(start_s, end_s), "a room", "vision", track)


def test_a_caption_is_held_from_the_frame_after_the_one_it_describes() -> None:
    assert held_span(caption("frame@1/s distinct3", 12, 15)) == Interval(13, 15)
    assert held_span(caption("frame@2/s distinct3", 12, 14.5)) == Interval(12.5, 14.5)


def test_a_frame_that_came_late_is_not_held() -> None:
    assert held_span(caption("frame@1/s distinct3", 12, 13.04)) is None


@pytest.mark.parametrize(
    "mode", ["frame@1/s", "frame@1/s distinct1", "grid4@1/s distinct3", "file"]
)
def test_where_it_cannot_be_told_nothing_is_claimed(mode: str) -> None:
    assert held_span(caption(mode, 12, 15)) is None
