"""The edit list of an MP4 is kept exactly, in pictures and sound; a broken one is not believed."""

from pathlib import Path

import pytest

from tests.beeps import draw_beeps
from tests.edited import EMPTY, edit
from tests.sound_kinds import measure
from tools.video.reader import FrameReader, measure_duration_s, probe


def shown_s(path: Path) -> list[float]:
    """When each picture is shown, on the clock of the sound."""
    video = probe(path)
    return [
        round(video.first_frame_s + one.time_s, 3)
        for one in FrameReader(video, rate_hz=50, earlier=False)
    ]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds, a picture every 0.04 s, one of 15 whole."""
    return draw_beeps(tmp_path_factory.mktemp("source") / "whole.mp4", range(6))


def test_each_piece_begins_when_its_edit_list_says(tmp_path: Path, source: Path) -> None:
    path = edit(tmp_path / "a.mp4", source, [(0.1, 1.1), (2.05, 3.05), (4.07, 6.0)])
    times_s = shown_s(path)
    # Pictures at 0.12, 2.08 and 4.08 s are the first of the pieces.
    assert times_s[0] == 0.02
    assert next(one for one in times_s if one >= 1) == 1.03
    assert next(one for one in times_s if one >= 2) == 2.01
    assert measure_duration_s(probe(path)) == pytest.approx(3.93 - 0.02, abs=0.03)


def test_a_picture_in_the_middle_of_a_piece_is_found_by_seeking(
    tmp_path: Path, source: Path
) -> None:
    video = probe(edit(tmp_path / "a.mp4", source, [(2.97, 6.0), (0.0, 3.0)]))
    whole = [one.time_s for one in FrameReader(video, rate_hz=25)]
    later = [one.time_s for one in FrameReader(video, rate_hz=25, start_s=4.0)]
    assert later == [one for one in whole if one >= 4.0]


def test_a_list_for_another_speed_is_left_to_ffmpeg(tmp_path: Path, source: Path) -> None:
    path = edit(tmp_path / "a.mp4", source, [(0.1, 1.1), (2.05, 3.05)], rate=2)
    times_s = shown_s(path)
    assert times_s[0] == 0.0


def test_a_list_that_is_cut_short_is_left_to_ffmpeg(tmp_path: Path, source: Path) -> None:
    path = edit(tmp_path / "a.mp4", source, [(0.1, 1.1), (2.05, 3.05)])
    content = path.read_bytes()
    at = content.index(b"elst") + 8
    path.write_bytes(content[:at] + b"\xff\xff\xff\xff" + content[at + 4 :])
    assert shown_s(path)[0] == pytest.approx(0.0, abs=0.05)


@pytest.mark.slow
def test_nothing_is_shown_where_the_list_has_an_empty_piece(tmp_path: Path, source: Path) -> None:
    path = edit(tmp_path / "a.mp4", source, [(0.0, 2.0), EMPTY, (3.0, 6.0)])
    times_s = shown_s(path)
    assert [one for one in times_s if 1.98 < one < 2.98] == []
    assert len(times_s) == 125
    assert measure_duration_s(probe(path)) == pytest.approx(6.0, abs=0.01)
    apart = measure(path)
    assert apart.seconds == [0, 1, 3, 4, 5]
    assert max(apart.clip_s, apart.speech_s) < 0.02


def test_an_empty_piece_at_the_start_is_no_part_of_the_length(tmp_path: Path, source: Path) -> None:
    video = probe(edit(tmp_path / "a.mp4", source, [EMPTY, (1.0, 6.0)]))
    assert video.header_duration_s == pytest.approx(5.0)
    reader = FrameReader(video, rate_hz=2)
    assert len(list(reader)) == 10
    assert reader.warning() is None


def test_a_list_that_shows_more_than_there_is_ends_with_what_there_is(
    tmp_path: Path, source: Path
) -> None:
    video = probe(edit(tmp_path / "a.mp4", source, [(0.0, 30.0)]))
    assert video.header_duration_s == pytest.approx(6.0)
