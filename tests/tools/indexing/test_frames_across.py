"""Frames of a stretch that are shown together: even, at both ends, and within the video."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.drawing import draw_video, even_times, index_of
from tools.errors import CaptionerError, VideoError
from tools.indexing.closer_look import FRAMES_TOGETHER, frames_across
from tools.store.store import VideoRecord
from tools.timeline import Interval, Track
from tools.video.reader import probe

RATE_HZ = 4.0


def record_of(path: Path) -> VideoRecord:
    return VideoRecord(
        video_id=probe(path).id,
        path=str(path),
        duration_s=12.0,
        track=Track("counter", "v0", "frame@1/s"),
        rate_hz=1.0,
        complete=True,
        warning="",
        indexed_at="2026-01-01T00:00:00+00:00",
        captions=4,
    )


@pytest.fixture
def record(tmp_path: Path) -> VideoRecord:
    return record_of(draw_video(tmp_path / "counting.mp4", even_times(48, RATE_HZ)))


@pytest.mark.parametrize("span", [Interval(2, 4), Interval(0, 10), Interval(0.1, 11.75)])
def test_frames_lie_evenly_from_the_start_to_the_end(record: VideoRecord, span: Interval) -> None:
    frames = frames_across(record, span)
    times_s = [frame.time_s for frame in frames]
    assert len(times_s) == FRAMES_TOGETHER
    assert times_s == sorted(set(times_s))
    step_s = span.length_s / (FRAMES_TOGETHER - 1)
    for place, time_s in enumerate(times_s):
        assert abs(time_s - (span.start_s + place * step_s)) <= 1 / RATE_HZ
    assert [index_of(frame) / RATE_HZ for frame in frames] == times_s, "its own picture"


def test_a_short_stretch_has_each_of_its_frames_once(record: VideoRecord) -> None:
    frames = frames_across(record, Interval(2, 2.5))
    assert [frame.time_s for frame in frames] == [2.0, 2.25, 2.5]


def test_a_stretch_that_reaches_past_the_end_is_shown_until_the_end(record: VideoRecord) -> None:
    times_s = [frame.time_s for frame in frames_across(record, Interval(10, 40))]
    assert (times_s[0], times_s[-1]) == (10.0, 11.75)


def test_frames_of_a_video_with_uneven_times_keep_their_own(tmp_path: Path) -> None:
    uneven = [0.0, 0.1, 0.2, 1.5, 1.6, 3.0, 5.0, 5.1, 7.0, 9.0, 11.0]
    record = record_of(draw_video(tmp_path / "uneven.mp4", uneven))
    times_s = [frame.time_s for frame in frames_across(record, Interval(0, 9))]
    assert set(times_s) <= set(uneven)
    assert times_s == sorted(set(times_s))


def test_what_cannot_be_shown_is_said(record: VideoRecord, tmp_path: Path) -> None:
    with pytest.raises(CaptionerError, match="ends at 12"):
        frames_across(record, Interval(12, 14))
    other = draw_video(tmp_path / "other.mp4", even_times(24, RATE_HZ))
    with pytest.raises(CaptionerError, match="another video"):
        frames_across(replace(record, path=str(other)), Interval(2, 4))
    with pytest.raises((VideoError, CaptionerError)):
        frames_across(replace(record, path=str(tmp_path / "gone.mp4")), Interval(2, 4))
