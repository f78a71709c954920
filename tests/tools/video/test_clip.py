"""A clip holds what the span holds, from edge to edge, and is written whole or not at all."""

import os
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.drawing import draw_video, even_times, halves, index_of
from tools.errors import VideoError
from tools.timeline import Frame, Interval
from tools.video import clip
from tools.video.clip import write_clip
from tools.video.film import encode
from tools.video.reader import FrameReader, probe


def every_frame(path: Path) -> tuple[list[Frame], float]:
    reader = FrameReader(probe(path), rate_hz=50)
    return list(reader), reader.decoded_until_s


def loudness_by_tenth(path: Path) -> list[float]:
    """Root mean square of the sound in each tenth of a second."""
    with av.open(str(path)) as container:
        source: Any = container.streams.audio[0]
        frames = [np.asarray(frame.to_ndarray()[0]) for frame in container.decode(source)]
    samples = np.concatenate(frames)
    tenths = samples[: samples.size // 4800 * 4800].reshape(-1, 4800)
    return [float(level) for level in np.sqrt((tenths**2).mean(axis=1))]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".MP4"])
def test_a_clip_shows_the_span_from_edge_to_edge(tmp_path: Path, suffix: str) -> None:
    path = draw_video(tmp_path / "a.mp4", even_times(50, 10), offset_s=7)
    out = tmp_path / f"out{suffix}"
    write_clip(probe(path), Interval(1.25, 3.05), out)
    frames, until_s = every_frame(out)
    # The picture on screen at 1.25 s came at 1.2 s; the one that came at 3.0 s stays to 3.05 s.
    assert [index_of(frame) for frame in frames] == list(range(12, 31))
    assert [frame.time_s for frame in frames] == pytest.approx(
        [0.0, *(i / 10 + 0.05 for i in range(18))], abs=1e-3
    )
    assert until_s == pytest.approx(1.8, abs=0.06 if suffix == ".mkv" else 1e-3)


def test_a_variable_rate_stays_as_it_is(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "a.mp4", [0.0, 0.5, 2.5, 2.6, 4.0, 4.4])
    write_clip(probe(path), Interval(1.0, 4.2), tmp_path / "out.mp4")
    frames, until_s = every_frame(tmp_path / "out.mp4")
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 1.5, 1.6, 3.0], abs=1e-3)
    assert [index_of(frame) for frame in frames] == [1, 2, 3, 4]
    assert until_s == pytest.approx(3.2, abs=1e-3)


def test_the_sound_is_cut_at_the_same_edges(tmp_path: Path) -> None:
    # Two seconds of silence, then a tone.
    path = draw_video(tmp_path / "a.mp4", even_times(40, 10), sound_s=4.0)
    write_clip(probe(path), Interval(1.5, 3.0), tmp_path / "out.mp4")
    levels = loudness_by_tenth(tmp_path / "out.mp4")
    assert len(levels) == 15
    assert max(levels[:4]) < 0.02
    assert min(levels[6:14]) > 0.3


def test_a_turned_video_with_odd_sides_becomes_an_upright_clip(tmp_path: Path) -> None:
    odd = halves((220, 30, 30), (30, 30, 220))[:, :34]
    path = draw_video(tmp_path / "a.mp4", even_times(5, 5), picture=lambda _: odd, rotation=90)
    video = probe(path)
    write_clip(video, Interval(0.0, 1.0), tmp_path / "out.mp4")
    (before, *_), (after, *_) = every_frame(path)[0], every_frame(tmp_path / "out.mp4")[0]
    assert before.image.shape == after.image.shape == (34, 48, 3)
    assert np.abs(before.image.astype(int) - after.image).mean() < 6


def test_a_file_already_there_is_kept_until_somebody_says_so(tmp_path: Path) -> None:
    video = probe(draw_video(tmp_path / "a.mp4", even_times(20, 10)))
    out = tmp_path / "out.mp4"
    out.write_text("old")
    with pytest.raises(VideoError, match=r"is there already; .*--overwrite"):
        write_clip(video, Interval(0.5, 1.0), out)
    assert out.read_text() == "old"
    write_clip(video, Interval(0.5, 1.0), out, overwrite=True)
    assert probe(out).codec == "h264"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.mp4", "out.mp4"]
    assert out.stat().st_mode & 0o777 == video.path.stat().st_mode & 0o777


def test_a_clip_that_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "a.mp4", even_times(20, 10))
    video, content = probe(path), path.read_bytes()
    (tmp_path / "folder.mp4").mkdir()
    os.link(path, tmp_path / "same.mp4")
    before = sorted(tmp_path.rglob("*"))
    for out, span, reason in [
        (tmp_path / "out.gif", Interval(0, 1), r"ends in \.mp4 or \.mkv"),
        (tmp_path / "folder.mp4", Interval(0, 1), "is a directory"),
        (tmp_path / "same.mp4", Interval(0, 1), "the video itself"),
        (tmp_path / "none" / "out.mp4", Interval(0, 1), "there is no directory"),
        (tmp_path / "out.mp4", Interval(5, 6), "shows nothing from 5.0 s to 6.0 s"),
    ]:
        with pytest.raises(VideoError, match=reason):
            write_clip(video, span, out)
    assert sorted(tmp_path.rglob("*")) == before
    assert path.read_bytes() == content


def test_a_failure_half_way_keeps_the_file_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = probe(draw_video(tmp_path / "a.mp4", even_times(20, 10)))
    out = tmp_path / "out.mp4"
    out.write_text("old")

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_space)
    with pytest.raises(VideoError, match="No space left on device"):
        write_clip(video, Interval(0, 1), out, overwrite=True)
    assert out.read_text() == "old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.mp4", "out.mp4"]


def test_a_file_that_appears_while_the_clip_is_made_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = probe(draw_video(tmp_path / "a.mp4", even_times(20, 10)))
    out = tmp_path / "out.mp4"

    def slowly(*given: Any) -> None:
        encode(*given)
        out.write_text("another's")

    monkeypatch.setattr(clip, "encode", slowly)
    with pytest.raises(VideoError, match="is there already"):
        write_clip(video, Interval(0, 1), out)
    assert out.read_text() == "another's"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.mp4", "out.mp4"]


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    video = probe(draw_video(tmp_path / "a.mp4", even_times(20, 10)))
    out = tmp_path / "out.mp4"
    out.symlink_to(tmp_path / "gone.mp4")
    with pytest.raises(VideoError, match="is there already"):
        write_clip(video, Interval(0, 1), out)
