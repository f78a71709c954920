"""The frames behind an answer's evidence, as pictures in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import VideoError
from agent.grounding import Evidence, Grounding
from tools.captioners.looks import encode_jpeg
from tools.output_files import check_place, write_whole
from tools.video.reader import FrameReader, Video, probe

if TYPE_CHECKING:
    from tools.timeline import Image

MOST_BYTES = 512_000
"""Largest picture."""

_WHAT, _OPTION = "a thumbnail", "--thumbnails"


def frame_at(video: Video, time_s: float, *, long_side_px: int = 640) -> Image | None:
    """The first frame of a video shown at or after a time; None where it has none any more.

    Raises:
        VideoError: If it cannot be opened or decoded.
    """
    rate_hz = video.frame_rate_hz or 1 / video.nominal_interval_s
    reader = FrameReader(
        video,
        rate_hz=rate_hz,
        long_side_px=long_side_px,
        # Half a millisecond: a frame's own time, rounded, is still that frame.
        start_s=max(0.0, time_s - 0.0005),
        earlier=False,
    )
    return next((frame.image for frame in reader), None)


def jpeg_at(video: Video, time_s: float) -> bytes | None:
    """The same as a JPEG picture of at most ``MOST_BYTES``."""
    image = frame_at(video, time_s)
    return None if image is None else encode_jpeg(image, max_bytes=MOST_BYTES)


def write_thumbnails(
    answers: Sequence[Grounding], folder: Path, *, overwrite: bool = False
) -> list[Path]:
    """Write a picture for each caption that proves an edge.

    Args:
        answers: Of any videos.
        folder: Made if it is not there.
        overwrite: Whether pictures that are there are replaced.

    Returns:
        The files, in the order of the answers.

    Raises:
        VideoError: If a video or the folder cannot be used, or a file is there already.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VideoError(
            f"cannot make the folder {folder}: {error.strerror}; name one in another folder"
        ) from error
    wanted = list(_named(answers))
    for name, _, _ in wanted:
        check_place(folder / name, what=_WHAT, option=_OPTION, overwrite=overwrite)
    videos = {path: probe(Path(path)) for path in {path for _, path, _ in wanted}}
    written = []
    for name, path, evidence in wanted:
        jpeg = jpeg_at(videos[path], evidence.start_s)
        if jpeg is None:
            continue
        out = folder / name
        fill = partial(_fill, jpeg)
        write_whole(out, fill, what=_WHAT, option=_OPTION, overwrite=overwrite)
        written.append(out)
    return written


def _fill(jpeg: bytes, part: Path) -> None:
    part.write_bytes(jpeg)


def _named(answers: Sequence[Grounding]) -> Iterator[tuple[str, str, Evidence]]:
    """Name of the picture, path of the video, and what it proves."""
    for answer in answers:
        stem = Path(answer.video.path).stem[:60]
        for rank, interval in enumerate(answer.intervals, start=1):
            for number, one in enumerate(interval.evidence, start=1):
                name = f"{stem}-{answer.video.id[:6]}-{rank}-{number}-{one.role}-{one.start_s:.3f}s"
                yield f"{name}.jpg", answer.video.path, one
