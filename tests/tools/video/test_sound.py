"""The sound of a video: in pieces, each at its own time on the video's clock."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tools.video.sound
from tests.drawing import draw_video, even_times
from tools.errors import VideoError
from tools.video.reader import probe
from tools.video.sound import SAMPLE_RATE_HZ, SoundPiece, read_sound

Pieces = list[SoundPiece]


def loud_from_s(pieces: Pieces) -> float:
    """When the tone of ``draw_video``, which begins in the middle of its sound, is first heard."""
    for piece in pieces:
        loud = np.flatnonzero(np.abs(piece.samples) > 0.1)
        if loud.size:
            return piece.start_s + float(loud[0]) / SAMPLE_RATE_HZ
    raise AssertionError("all is quiet")


def test_sound_is_on_the_clock_of_the_picture(tmp_path: Path) -> None:
    together = draw_video(tmp_path / "a.mp4", even_times(50, 25), sound_s=2.0)
    pieces = list(read_sound(probe(together)))
    assert loud_from_s(pieces) == pytest.approx(1.0, abs=0.05)
    assert pieces[-1].end_s == pytest.approx(2.0, abs=0.05)
    # The picture comes later: what is heard at 1 s of the file is heard 0.6 s after it.
    late = draw_video(tmp_path / "b.mkv", even_times(50, 25), offset_s=0.4, sound_s=2.0)
    assert loud_from_s(list(read_sound(probe(late)))) == pytest.approx(0.6, abs=0.05)


def test_long_sound_comes_in_pieces_that_leave_nothing_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = probe(draw_video(tmp_path / "a.mp4", even_times(25, 5), sound_s=5.0))
    (whole,) = read_sound(video)
    monkeypatch.setattr(tools.video.sound, "PIECE_S", 1.5)
    monkeypatch.setattr(tools.video.sound, "CUT_WITHIN_S", 1.0)
    pieces = list(read_sound(video))
    assert len(pieces) > 3
    for before, after in itertools.pairwise(pieces):
        assert after.start_s == pytest.approx(before.end_s, abs=1e-6)
    np.testing.assert_array_equal(np.concatenate([one.samples for one in pieces]), whole.samples)


def test_a_piece_is_cut_where_it_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.full(10 * SAMPLE_RATE_HZ, 0.5, np.float32)
    samples[round(7.9 * SAMPLE_RATE_HZ) : round(8.4 * SAMPLE_RATE_HZ)] = 0
    cut_s = tools.video.sound._quietest(samples) / SAMPLE_RATE_HZ
    assert 7.9 < cut_s < 8.4


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    video = probe(draw_video(tmp_path / "a.mp4", even_times(5, 5)))
    with pytest.raises(VideoError, match="has no audio stream; nothing to transcribe"):
        next(read_sound(video))


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "starts_s", "end_s"),
    [
        ("exo_sample.flv", [0.068], 1.09),
        ("mpy_fire2_rot180.mp4", [0.0, 0.176], 2.416),
        # A step of 83 ms in its timestamps is followed.
        ("exo_bbb_2500ms.ts", [-0.011], 2.502),
        # Its sound is damaged after a while: what comes before is kept.
        ("mpy_video_with_failing_audio.mp4", [0.0], 11.234),
        ("tc_nasa_13013.mp4", [0.0], 13.056),
    ],
)
def test_sound_of_odd_files_stands_where_their_clocks_say(
    shared_data: Path, name: str, starts_s: list[float], end_s: float
) -> None:
    pieces: Iterator[SoundPiece] = read_sound(probe(shared_data / "odd_videos" / name))
    heard = list(pieces)
    assert [one.start_s for one in heard] == pytest.approx(starts_s, abs=0.002)
    assert heard[-1].end_s == pytest.approx(end_s, abs=0.002)
