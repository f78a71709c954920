"""A video ends where its last picture does, and starts where a player's clock says it does."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.beeps import draw_beeps
from tests.drawing import HEIGHT_PX, WIDTH_PX, draw_video, even_times, gray
from tools.errors import VideoError
from tools.video.reader import FrameReader, measure_duration_s, probe


def read_to_end(path: Path, *, rate_hz: float = 2.0) -> FrameReader:
    reader = FrameReader(probe(path), rate_hz=rate_hz)
    for _ in reader:
        pass
    return reader


def lengths_s(path: Path) -> tuple[float, float]:
    """By decoding and by packets."""
    return read_to_end(path).decoded_until_s, measure_duration_s(probe(path))


def draw_bare(path: Path, codec: str, container: str, rate_hz: int, **options: str) -> Path:
    """A stream of 40 pictures with no container around it."""
    with av.open(str(path), "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=rate_hz, options=options)
        stream.width, stream.height = WIDTH_PX, HEIGHT_PX
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for index in range(40):
            frame = av.VideoFrame.from_ndarray(gray(index), format="rgb24")
            frame.pts = index
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".ts"])
def test_a_sparse_video_does_not_end_after_its_last_picture_is_gone(
    tmp_path: Path, suffix: str
) -> None:
    # The last picture is shown for a second, as the one before.
    times_s = [0.0, 30.0, 60.0, 90.0, 120.0, 121.0]
    for until_s in lengths_s(draw_video(tmp_path / f"a{suffix}", times_s)):
        assert 121.0 < until_s < 122.01


@pytest.mark.parametrize(
    ("codec", "container", "rate_hz"),
    [("libx264", "h264", 10), ("libx265", "hevc", 10), ("mpeg4", "m4v", 15)],
)
def test_a_bare_stream_is_shown_at_the_rate_that_its_pictures_tell(
    tmp_path: Path, codec: str, container: str, rate_hz: int
) -> None:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = draw_bare(tmp_path / f"a.{container}", codec, container, rate_hz, **options)
    reader = read_to_end(path)
    assert reader.decoded_until_s == pytest.approx(40 / rate_hz)
    assert reader.warning() is None


def test_a_bare_stream_that_tells_no_rate_is_said_to_be_timed_by_assumption(tmp_path: Path) -> None:
    path = draw_bare(tmp_path / "a.mjpeg", "mjpeg", "mjpeg", 10)
    warning = read_to_end(path).warning()
    assert warning is not None
    assert "does not say when its pictures are shown: times assume 25 a second" in warning


def test_a_picture_later_than_the_file_is_told_with_what_a_player_shows(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "a.mkv", even_times(30, 10), offset_s=1.5, sound_s=4.5)
    assert probe(path).file_start_s == pytest.approx(1.5, abs=0.03)
    warning = read_to_end(path).warning()
    assert warning is not None
    assert "in a player, add 1.5 s" in warning
    together = draw_video(tmp_path / "b.mkv", even_times(30, 10), sound_s=3.0)
    assert read_to_end(together).warning() is None


@pytest.mark.parametrize("suffix", [".mkv", ".flv"])
def test_sound_that_goes_on_does_not_mean_that_the_file_ends_early(
    tmp_path: Path, suffix: str
) -> None:
    path = draw_video(tmp_path / f"a{suffix}", even_times(30, 10), sound_s=6.0)
    assert read_to_end(path).warning() is None
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3])
    assert "ends early" in (read_to_end(path).warning() or "")


@pytest.mark.parametrize(
    ("suffix", "codecs"), [(".flv", ("libx264", "aac")), (".wmv", ("wmv2", "wmav2"))]
)
def test_pictures_that_come_late_do_not_mean_that_the_file_ends_early(
    tmp_path: Path, suffix: str, codecs: tuple[str, str]
) -> None:
    path = draw_beeps(
        tmp_path / f"a{suffix}",
        range(3),
        pictures_from_s=1.2,
        video_codec=codecs[0],
        sound_codec=codecs[1],
    )
    assert probe(path).header_duration_s == pytest.approx(1.8, abs=0.01)
    assert "ends early" not in (read_to_end(path).warning() or "")


@pytest.mark.parametrize("suffix", [".ts", ".webm"])
def test_a_gap_in_the_middle_does_not_make_the_last_picture_longer(
    tmp_path: Path, suffix: str
) -> None:
    times_s = [*even_times(20, 10), *(22 + time_s for time_s in even_times(20, 10))]
    codec = "libx264" if suffix == ".ts" else "libvpx"
    path = tmp_path / f"a{suffix}"
    # Neither has a header that tells the end.
    with av.open(str(path), "w", options={"live": "1"} if suffix == ".webm" else {}) as out:
        stream: Any = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(gray(index), format="rgb24")
            frame.pts, frame.time_base = round(1000 * time_s), Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    for until_s in lengths_s(path):
        assert until_s == pytest.approx(24.0, abs=0.01)


def test_a_bare_stream_is_read_from_its_middle_without_a_clock_to_seek_by(tmp_path: Path) -> None:
    path = draw_bare(tmp_path / "a.m1v", "mpeg1video", "mpeg1video", 25)
    whole = [one.time_s for one in FrameReader(probe(path), rate_hz=100)]
    later = [one.time_s for one in FrameReader(probe(path), rate_hz=100, start_s=0.8)]
    assert later == [one for one in whole if one >= 0.8]


@pytest.mark.parametrize(("suffix", "codec"), [(".png", "png"), (".jpg", "mjpeg"), (".bmp", "bmp")])
def test_a_picture_is_no_video(tmp_path: Path, suffix: str, codec: str) -> None:
    path = tmp_path / f"a{suffix}"
    pixels = "yuvj420p" if codec == "mjpeg" else "bgr24" if codec == "bmp" else "rgb24"
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as out:
        stream: Any = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, pixels
        out.mux(stream.encode(av.VideoFrame.from_ndarray(gray(20), format="rgb24")))
        out.mux(stream.encode(None))
    with pytest.raises(VideoError, match="is a picture, not a video; give a video file"):
        probe(path)


def test_a_recording_that_was_not_finished_is_refused_for_what_it_is(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "a.mp4", even_times(20, 10))
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"moov") - 4])
    with pytest.raises(VideoError, match="has no index \\(moov\\): its recording was not finished"):
        probe(path)


def test_a_recording_that_begins_between_keyframes_says_so_and_is_not_cut_short(
    tmp_path: Path,
) -> None:
    whole = draw_video(
        tmp_path / "whole.ts",
        even_times(60, 10),
        picture=lambda index: gray(index // 2),
        sound_s=6.0,
        options={"g": "20", "bf": "0", "sc_threshold": "0"},
    )
    # Cut as a recorder does: at some packet of 188 bytes, after the tables.
    content = whole.read_bytes()
    with av.open(str(whole)) as container:
        packets = container.demux(container.streams.video[0])
        at = next(one.pos or 0 for one in packets if (one.pts or 0) * one.time_base > 2.5)
    path = tmp_path / "piece.ts"
    path.write_bytes(content[: 3 * 188] + content[at // 188 * 188 :])
    reader = read_to_end(path)
    assert probe(path).file_start_s > 0.5
    warning = reader.warning()
    assert warning is not None
    assert "in a player, add" in warning
    assert "ends early" not in warning


def test_a_piece_of_a_presentation_does_not_end_early_but_a_broken_one_does(
    tmp_path: Path,
) -> None:
    options = {"movflags": "empty_moov+default_base_moof+frag_keyframe"}
    path = tmp_path / "whole.mp4"
    with av.open(str(path), "w", options=options) as out:
        stream: Any = out.add_stream("libx264", rate=10, options={"g": "20", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 10)
        for index in range(40):
            frame = av.VideoFrame.from_ndarray(gray(index), format="rgb24")
            frame.pts = index
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    content = path.read_bytes()
    content = content[: content.rindex(b"mfra") - 4] if b"mfra" in content else content
    starts = [at - 4 for at in range(len(content)) if content[at : at + 4] == b"moof"]
    assert len(starts) == 2
    piece = tmp_path / "piece.mp4"
    for first in (0, 1):
        piece.write_bytes(content[: starts[0]] + content[starts[first] :])
        assert "ends early" not in (read_to_end(piece).warning() or "")
    piece.write_bytes(content[: (starts[1] + len(content)) // 2])
    assert "ends early" in (read_to_end(piece).warning() or "")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_picture_track_does_not_stand_for_the_video(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with av.open(str(path), "w") as out:
        still: Any = out.add_stream("mjpeg", rate=25)
        still.width, still.height, still.pix_fmt = 2 * WIDTH_PX, 2 * HEIGHT_PX, "yuvj420p"
        still.disposition = av.stream.Disposition.default
        moving: Any = out.add_stream("libx264", rate=25)
        moving.width, moving.height, moving.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        moving.disposition = av.stream.Disposition(0)
        large = np.full((2 * HEIGHT_PX, 2 * WIDTH_PX, 3), 90, np.uint8)
        out.mux(still.encode(av.VideoFrame.from_ndarray(large, format="rgb24")))
        out.mux(still.encode(None))
        for index in range(50):
            out.mux(moving.encode(av.VideoFrame.from_ndarray(gray(index), format="rgb24")))
        out.mux(moving.encode(None))
    video = probe(path)
    assert video.codec == "h264"
    assert video.width_px == WIDTH_PX


def test_an_animated_webp_is_refused_for_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    frames = [av.VideoFrame.from_ndarray(gray(index), format="rgb24") for index in (10, 40)]
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libwebp_anim", rate=2)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for index, frame in enumerate(frames):
            frame.pts = index
            out.mux(stream.encode(frame.reformat(format="yuv420p")))
        out.mux(stream.encode(None))
    with pytest.raises(VideoError, match="an animated WebP, which the decoder here cannot read"):
        probe(path)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "end_s"),
    [("raw_10fps.h264", 30.0), ("vfr_end.mp4", 155.0), ("joined_clock_reset.ts", 9.0)],
)
def test_reported_files_end_where_they_end(shared_data: Path, name: str, end_s: float) -> None:
    for until_s in lengths_s(shared_data / "cases" / "media" / name):
        assert until_s == pytest.approx(end_s, abs=0.001)
