"""Frames come at the right times, from any file that decodes; the others get one clear error."""

import math
import os
import shutil
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.drawing import (
    HEIGHT_PX,
    WIDTH_PX,
    draw_sound,
    draw_video,
    even_times,
    gray,
    halves,
    index_of,
)
from tools.errors import VideoError
from tools.timeline import Frame
from tools.video.reader import FrameReader, Video, probe
from tools.video.streams import open_container

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (30, 30, 220)


def read(path: Path, rate_hz: float = 1.0) -> list[Frame]:
    return list(FrameReader(probe(path), rate_hz=rate_hz))


def first_of_each_step(frames: list[Frame], rate_hz: float) -> list[Frame]:
    chosen: dict[int, Frame] = {}
    for frame in frames:
        chosen.setdefault(math.floor(frame.time_s * rate_hz + 1e-6), frame)
    return list(chosen.values())


def test_each_tick_has_the_first_frame_at_or_after_it(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "a.mp4", even_times(40, 12))
    frames = read(path, rate_hz=2.5)
    assert [index_of(frame) for frame in frames] == [0, 5, 10, 15, 20, 24, 29, 34, 39]
    assert [frame.time_s for frame in frames] == pytest.approx(
        [index_of(frame) / 12 for frame in frames], abs=1e-4
    )


@pytest.mark.parametrize("pyramid", ["none", "normal"])
def test_frames_left_undecoded_change_no_sample(tmp_path: Path, pyramid: str) -> None:
    blocks = np.random.default_rng(3).integers(0, 255, (24, 32, 3), np.uint8)
    blocks = blocks.repeat(2, 0).repeat(2, 1)
    path = draw_video(
        tmp_path / "a.mp4",
        even_times(100, 25),
        picture=lambda index: np.roll(blocks, index, 1),
        options={"b-pyramid": pyramid},
    )
    every, some = read(path, rate_hz=25), FrameReader(probe(path), rate_hz=1.0)
    thinned, expected = list(some), first_of_each_step(every, 1.0)
    assert len(every) == 100
    assert sum(len(frame.luma) for frame in thinned) < 60
    assert [frame.time_s for frame in thinned] == [frame.time_s for frame in expected]
    assert all((a.image == b.image).all() for a, b in zip(thinned, expected, strict=True))
    assert [frame.earlier_s for frame in thinned] == [None, 0.88, 1.88, 2.88]
    assert some.decoded_until_s == pytest.approx(4.0)
    alone = list(FrameReader(probe(path), rate_hz=1.0, earlier=False))
    assert [frame.time_s for frame in alone] == [frame.time_s for frame in expected]
    assert all((a.image == b.image).all() for a, b in zip(alone, expected, strict=True))
    assert [frame.earlier for frame in alone] == [None] * 4
    assert sum(len(frame.luma) for frame in alone) <= sum(len(frame.luma) for frame in thinned)


def test_a_stream_where_no_frame_refers_to_another_still_has_a_frame_a_tick(
    tmp_path: Path,
) -> None:
    path = draw_video(
        tmp_path / "a.mp4", even_times(50, 10), options={"x264-params": "keyint=1:bframes=0"}
    )
    assert [index_of(frame) for frame in read(path)] == [0, 10, 20, 30, 40]


def test_a_variable_rate_keeps_true_times_and_leaves_empty_ticks_empty(tmp_path: Path) -> None:
    times_s = [0.0, 0.4, 1.7, 1.9, 5.2, 5.3, 6.0]
    frames = read(draw_video(tmp_path / "a.mp4", times_s))
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 1.7, 5.2, 6.0])
    assert [index_of(frame) for frame in frames] == [0, 2, 4, 6]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".flv"])
def test_time_starts_at_the_first_frame_whatever_its_timestamp(tmp_path: Path, suffix: str) -> None:
    path = draw_video(tmp_path / f"a{suffix}", even_times(30, 10), offset_s=40)
    video = probe(path)
    reader = FrameReader(video, rate_hz=1)
    assert [frame.time_s for frame in reader] == pytest.approx([0, 1, 2], abs=1e-3)
    assert reader.decoded_until_s == pytest.approx(3.0, abs=0.03)
    assert reader.warning() is None


def test_a_clock_set_anew_in_mid_file_goes_on_from_where_it_was(tmp_path: Path) -> None:
    # No frame from 2 to 3 s, so that time cannot be had by counting frames either.
    times_s = [time_s for time_s in even_times(50, 10) if not 2 <= time_s < 3]
    part = draw_video(tmp_path / "a.ts", times_s).read_bytes()
    both = tmp_path / "both.ts"
    both.write_bytes(part + part)
    reader = FrameReader(probe(both), rate_hz=1)
    frames = list(reader)
    assert [frame.time_s for frame in frames] == pytest.approx([0, 1, 3, 4, 5, 6, 8, 9], abs=0.05)
    assert [index_of(frame) for frame in frames] == [0, 10, 20, 30] * 2
    assert reader.decoded_until_s == pytest.approx(10.0, abs=0.1)
    window = FrameReader(probe(both), rate_hz=1, start_s=6.5, end_s=8.5)
    assert [index_of(frame) for frame in window] == [20]


def test_times_are_those_of_increasing_frames_without_timestamps(tmp_path: Path) -> None:
    # AVI stores no presentation times; the encoder's reordering must not show.
    path = draw_video(tmp_path / "a.avi", even_times(50, 25), codec="mpeg4", options={"bf": "2"})
    frames = read(path, rate_hz=5)
    assert [frame.time_s for frame in frames] == pytest.approx(even_times(10, 5), abs=0.05)
    assert [index_of(frame) for frame in frames] == pytest.approx(list(range(0, 50, 5)), abs=1)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_is_applied_as_players_do(tmp_path: Path, rotation: int) -> None:
    path = draw_video(
        tmp_path / "a.mp4", [0.0], picture=lambda _: halves(RED, BLUE), rotation=rotation
    )
    (frame,), video = read(path), probe(path)
    _, shown = cv2.VideoCapture(str(path)).read()
    assert (video.height_px, video.width_px) == frame.image.shape[:2] == shown.shape[:2]
    assert np.abs(frame.image.astype(int) - shown[..., ::-1]).mean() < 6


def test_pixel_aspect_is_applied_and_the_long_side_limited_but_never_enlarged(
    tmp_path: Path,
) -> None:
    video = probe(draw_video(tmp_path / "a.mp4", [0.0], pixel_aspect=Fraction(3, 2)))
    assert (video.width_px, video.height_px) == (96, 48)
    (small,) = FrameReader(video, rate_hz=1, long_side_px=48)
    (whole,) = FrameReader(video, rate_hz=1, long_side_px=1000)
    assert small.image.shape == (24, 48, 3)
    assert whole.image.shape == (48, 96, 3)


@pytest.mark.parametrize(("start_s", "end_s"), [(0.0, 2.0), (1.0, 3.0), (2.3, 4.7), (3.99, 9.0)])
@pytest.mark.parametrize(("suffix", "gop"), [(".mp4", 12), (".mkv", 1), (".mkv", 12), (".ts", 12)])
def test_a_window_holds_the_frames_of_the_whole_that_are_in_it(
    tmp_path: Path, suffix: str, gop: int, start_s: float, end_s: float
) -> None:
    path = draw_video(tmp_path / f"a{suffix}", even_times(50, 10), options={"g": str(gop)})
    video = probe(path)
    whole = [f for f in FrameReader(video, rate_hz=2) if start_s <= f.time_s < end_s]
    window = list(FrameReader(video, rate_hz=2, start_s=start_s, end_s=end_s))
    assert [f.time_s for f in window] == [f.time_s for f in whole]
    assert [index_of(f) for f in window] == [index_of(f) for f in whole]
    assert [f.earlier_s for f in window] == [f.earlier_s for f in whole]


def test_a_window_past_the_end_is_empty(tmp_path: Path) -> None:
    video = probe(draw_video(tmp_path / "a.mp4", even_times(20, 10)))
    assert list(FrameReader(video, rate_hz=1, start_s=60)) == []


@pytest.mark.parametrize(
    ("rate_hz", "gap_s"), [(30, 0.1), (25, 0.12), (10, 0.1), (5, 0.2), (2, None)]
)
def test_the_earlier_frame_is_about_a_tenth_of_a_second_before(
    tmp_path: Path, rate_hz: int, gap_s: float | None
) -> None:
    path = draw_video(tmp_path / "a.mp4", even_times(50, rate_hz), options={"bf": "0"})
    first, second = read(path)[:2]
    assert first.earlier is None
    assert first.earlier_s is None
    if gap_s is None:
        assert second.earlier is None
    else:
        assert second.earlier_s == pytest.approx(1 - gap_s, abs=1e-4)
        assert second.earlier is not None
        assert round(second.earlier.mean() / 5) == round((1 - gap_s) * rate_hz)


def test_luma_has_every_decoded_frame_up_to_the_sample_once(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "a.mp4", even_times(35, 10))
    frames = read(path, rate_hz=5)
    assert [len(frame.luma) for frame in frames] == [1] + [2] * 17
    luma = np.concatenate([frame.luma for frame in frames])
    assert luma.shape == (35, 36, 64)
    assert luma.mean(axis=(1, 2)) == pytest.approx(np.arange(35) * 5, abs=2)
    assert np.concatenate([frame.luma_s for frame in frames]) == pytest.approx(np.arange(35) / 10)


@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj420p", "yuv420p10le", "bgr0", "gray"])
def test_luma_is_upright_and_runs_from_black_to_white(tmp_path: Path, pixels: str) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1" if "j" not in pixels else "mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, pixels
        picture = halves((255, 255, 255), (0, 0, 0))
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    (frame,) = read(path)
    assert frame.luma[0, :16].min() >= 253
    assert frame.luma[0, 20:].max() <= 2


@pytest.mark.parametrize("height_px", [48, 720])
def test_colours_are_those_that_were_drawn(tmp_path: Path, height_px: int) -> None:
    def tall(_: int) -> np.ndarray:
        return cv2.resize(halves(RED, GREEN), (WIDTH_PX, height_px), interpolation=0)

    # Nothing in the file says which matrix: players tell it from the height, and so do encoders.
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "5"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, height_px, "yuv420p"
        matrix = "ITU709" if height_px >= 720 else "ITU601"
        frame = av.VideoFrame.from_ndarray(tall(0), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=matrix)
        frame.colorspace = 2
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    (frame_read,) = read(path)
    rows = frame_read.image.shape[0]
    assert frame_read.image[rows // 4, 20] == pytest.approx(RED, abs=6)
    assert frame_read.image[3 * rows // 4, 20] == pytest.approx(GREEN, abs=6)


def test_identity_is_the_content_not_the_name_or_date(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "a.mp4", even_times(10, 10))
    copy = tmp_path / "another name.mov"
    shutil.copy(path, copy)
    os.utime(copy, (1, 1))
    assert probe(copy).id == probe(path).id
    other = draw_video(tmp_path / "b.mp4", even_times(10, 10), picture=lambda i: gray(i + 1))
    assert probe(other).id != probe(path).id


def test_long_files_differ_by_size_head_and_tail(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "a.mp4", even_times(10, 10))
    ids = set()
    for tail in (b"", b"x", b"y"):
        grown = tmp_path / "grown.mp4"
        shutil.copy(path, grown)
        with grown.open("ab") as file:
            # An MP4 reader passes over bytes behind its boxes; a hole takes no space on disk.
            file.truncate(40 << 20)
            file.seek(0, os.SEEK_END)
            file.write(tail)
        ids.add(probe(grown).id)
    assert len(ids) == 3


def test_the_file_that_ends_early_is_read_to_its_end_and_says_so(tmp_path: Path) -> None:
    options = {"movflags": "+faststart"}
    path, cut = tmp_path / "a.mp4", tmp_path / "cut.mp4"
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for index in range(50):
            frame = av.VideoFrame.from_ndarray(gray(index), format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    cut.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    reader = FrameReader(probe(cut), rate_hz=1)
    frames = list(reader)
    assert 1.0 < reader.decoded_until_s < 4.0
    assert frames[-1].time_s < reader.decoded_until_s
    said = f"its header says 5.0 s, {reader.decoded_until_s:.1f} s decode"
    assert said in (reader.warning() or "")


def test_what_is_no_video_gets_one_error_that_names_it_and_says_what_to_do(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, content in {
        "empty.mp4": b"",
        "words.mp4": b"hello\n" * 50,
        "words.txt": b"a line of words\n" * 5000,
        "list.m3u8": b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "words.srt": b"1\n00:00:01,000 --> 00:00:02,000\nhello\n",
    }.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    draw_sound(tmp_path / "sound.m4a")
    draw_sound(tmp_path / "cover.mp4", cover=True)
    whole = draw_video(tmp_path / "a.mp4", even_times(10, 10)).read_bytes()
    (tmp_path / "a.mp4").write_bytes(whole[: whole.index(b"moov")])
    paths = [*tmp_path.iterdir(), tmp_path / "missing.mp4"]
    assert len(paths) == 11
    for path in paths:
        with pytest.raises(VideoError) as caught:
            probe(path)
        message = str(caught.value)
        assert str(path) in message
        assert "; " in message
        assert "\n" not in message
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_an_unreadable_file_says_so(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "a.mp4", [0.0])
    path.chmod(0)
    with pytest.raises(VideoError, match="Permission denied"):
        probe(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_hz": 0.0},
        {"rate_hz": math.nan},
        {"rate_hz": math.inf},
        {"long_side_px": 0},
        {"start_s": -1.0},
        {"start_s": 2.0, "end_s": 2.0},
    ],
)
def test_a_rate_size_or_window_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    video = Video(Path("a.mp4"), "0", 2, 2, "h264", None, None, Fraction(1), 0, 0)
    with pytest.raises(ValueError, match=next(reversed(wrong))):
        FrameReader(video, **{"rate_hz": 1.0, **wrong})  # type: ignore[arg-type]  # one table for all


def test_a_file_that_goes_while_it_is_worked_on_is_said_to_be_gone(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"a\.mp4 is gone: it was deleted or moved meanwhile"):
        open_container(tmp_path / "a.mp4")
