"""Which of several videos is read, and files that are lists or pictures."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Disposition

from tests.drawing import draw_video, even_times, gray
from tools.errors import VideoError
from tools.video.identity import content_id, stamp_of
from tools.video.reader import FrameReader, look, notice

RATE_HZ = 10


def draw_several(
    path: Path,
    sides_px: Sequence[int],
    default: int | None = None,
    **how: Any,
) -> Path:
    """Two seconds of square videos in one file, in this order; one may be marked as default."""
    with av.open(str(path), "w", **how) as container:
        streams: list[Any] = []
        for index, side_px in enumerate(sides_px):
            stream: Any = container.add_stream("libx264", rate=RATE_HZ, options={"g": "10"})
            stream.width = stream.height = side_px
            stream.pix_fmt = "yuv420p"
            if default is not None:
                stream.disposition = Disposition.default if index == default else Disposition(0)
            streams.append(stream)
        for index in range(2 * RATE_HZ):
            for stream, side_px in zip(streams, sides_px, strict=True):
                picture = gray(index)[:1, :1].repeat(side_px, 0).repeat(side_px, 1)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, RATE_HZ)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "default", "read_px", "said"),
    [
        ("a.mkv", None, 96, "stream 1 (96 × 96) is read, not stream 0 (48 × 48)"),
        ("a.ts", None, 96, "stream 1 (96 × 96) is read, not stream 0 (48 × 48)"),
        ("a.mkv", 0, 48, "stream 0 (48 × 48), marked as the default, is read, not stream 1"),
        ("a.mp4", 0, 48, "stream 0 (48 × 48), marked as the default, is read, not stream 1"),
        ("a.mp4", 1, 96, "stream 1 (96 × 96), marked as the default, is read, not stream 0"),
    ],
)
def test_of_two_videos_the_default_then_the_larger_is_read_and_named(
    tmp_path: Path, name: str, default: int | None, read_px: int, said: str
) -> None:
    video = look(draw_several(tmp_path / name, (48, 96), default))
    assert video.width_px == read_px
    assert f"it holds 2 videos: {said}" in (notice(video) or "")
    assert notice(look(draw_several(tmp_path / f"one{name[1:]}", (48,)))) is None


def draw_playlist(folder: Path) -> Path:
    """A playlist of two seconds, in two pieces."""
    folder.mkdir()
    options = {"hls_time": "1", "hls_list_size": "0"}
    return draw_several(folder / "film.m3u8", (48,), format="hls", options=options)


def test_a_playlist_is_one_film_and_known_by_its_pieces(tmp_path: Path) -> None:
    first, second = draw_playlist(tmp_path / "a"), draw_playlist(tmp_path / "b")
    assert content_id(first) == content_id(second)
    frames = list(FrameReader(look(first), rate_hz=2))
    assert [round(frame.time_s, 2) for frame in frames] == [0.0, 0.5, 1.0, 1.5]
    stamp = stamp_of(second)
    piece = second.parent / "film1.ts"
    piece.write_bytes((second.parent / "film0.ts").read_bytes())
    assert stamp_of(second) != stamp
    assert content_id(second) != content_id(first), "its text is the same, its pictures are not"
    piece.unlink()
    assert "of the 2 files that it names, 1 cannot be found: film1.ts" in (
        notice(look(second)) or ""
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfilm0.ts\n", "does not say where it ends"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://a/b.ts\n", "on the network"),
        ("#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\ngone.ts\n#EXT-X-ENDLIST\n", "gone.ts is missing"),
        ("#EXTM3U\n#EXTINF:1,Film\nfilm0.ts\n", "is a list of other files"),
    ],
)
def test_a_playlist_that_cannot_be_read_to_its_end_is_refused_with_the_reason(
    tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "film0.ts").touch()
    path = tmp_path / "list.m3u8"
    path.write_text(content)
    with pytest.raises(VideoError, match=message):
        look(path)


def test_a_playlist_that_names_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlist.m3u8\n")
    assert stamp_of(path)
    with pytest.raises(VideoError, match="or itself"):
        look(path)


def test_a_list_for_joining_is_no_video(tmp_path: Path) -> None:
    draw_video(tmp_path / "a.mp4", even_times(4, 2))
    (tmp_path / "list.txt").write_text("ffconcat version 1.0\nfile a.mp4\n")
    with pytest.raises(VideoError, match="is a list of other files"):
        look(tmp_path / "list.txt")


def test_a_picture_in_an_mp4_is_a_picture_and_a_sequence_of_them_a_video(tmp_path: Path) -> None:
    brands = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"
    film = draw_video(tmp_path / "a.mp4", even_times(4, 2)).read_bytes()
    assert film.startswith(brands)
    still = tmp_path / "a.heic"
    still.write_bytes(film.replace(brands, b"\0\0\0\x20ftypheic\0\0\0\0mif1heicmiafMiHB", 1))
    with pytest.raises(VideoError, match="is a picture"):
        look(still)
    still.write_bytes(film.replace(brands, b"\0\0\0\x20ftypheic\0\0\0\0mif1msf1hevcMiHB", 1))
    assert len(list(FrameReader(look(still), rate_hz=2))) == 4
