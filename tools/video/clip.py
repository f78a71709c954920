"""Cutting a span out of a video into a file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from tools.errors import VideoError
from tools.output_files import check_place, write_whole
from tools.timeline import Interval
from tools.video.decoding import DecodePass, Shown
from tools.video.film import FORMATS, SAMPLE_RATE_HZ, ShownImage, encode
from tools.video.hearing import hear
from tools.video.pixels import ImageMaker
from tools.video.reader import Video

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WHAT, _OPTION = "a clip", "--clip"


def check_clip_path(out: Path, *, option: str = _OPTION, overwrite: bool = False) -> None:
    """Refuse a place where no clip can be written, before any work is done for it.

    Args:
        out: Where to.
        option: The one that ``--overwrite`` goes with, for the message; empty where none does.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        VideoError: If ``out`` is neither ``.mp4`` nor ``.mkv``, is a directory or no regular file,
            its folder is missing, or it is there and is not to be replaced.
    """
    if out.suffix.lower() not in FORMATS:
        raise VideoError(f"cannot write a clip to {out}: give a name that ends in .mp4 or .mkv")
    check_place(out, what=_WHAT, option=option, overwrite=overwrite)


def write_clip(video: Video, span: Interval, out: Path, *, overwrite: bool = False) -> None:
    """Cut ``span`` out of a video, with its sound, and write it to ``out``.

    It is encoded again (H.264 and AAC), so that it begins and ends exactly at the edges and not at
    the keyframes around them: it starts with the picture on screen at ``span.start_s``, and its
    last picture stays until ``span.end_s``. Rotation and pixel aspect are applied. Sound that
    cannot be decoded is left out. The file appears whole or not at all.

    Args:
        video: What it is cut out of.
        span: What of it.
        out: Where to.
        overwrite: Whether a file that is there is replaced.

    Raises:
        VideoError: As ``check_clip_path``; also if ``out`` is the video itself, cannot be written,
            or has appeared meanwhile, or if the video shows nothing in the span.
    """
    if out.exists() and out.samefile(video.path):
        raise VideoError(f"cannot write a clip to {out}: it is the video itself; give another name")
    check_clip_path(out, overwrite=overwrite)

    def fill(part: Path) -> None:
        try:
            encode(part, out.suffix, pictures_of(video, span), sound_of(video, span))
        except av.FFmpegError as error:
            raise VideoError(f"cannot write a clip to {out}: {error.strerror}") from error

    write_whole(out, fill, what=_WHAT, option=_OPTION, overwrite=overwrite)


def pictures_of(video: Video, span: Interval) -> Iterator[ShownImage]:
    """The pictures of a span, from its edge to its edge, counted from its start.

    Raises:
        VideoError: At the first one, if there is none.
    """
    pictures = _shown_in(video, span)
    first = next(pictures, None)
    if first is None:
        raise VideoError(
            f"{video.path} shows nothing from {span.start_s:.1f} s to {span.end_s:.1f} s; "
            "ask for a span before its end"
        )
    yield first
    yield from pictures


def _shown_in(video: Video, span: Interval) -> Iterator[ShownImage]:
    frames = DecodePass(
        video.path,
        video.stream_index,
        first_pts=video.first_pts,
        nominal_interval_s=video.nominal_interval_s,
        header_end_s=video.header_end_s,
        from_s=span.start_s,
    )
    maker = ImageMaker(pixel_aspect=video.pixel_aspect, long_side_px=None)

    def shown(frame: Shown, until_s: float) -> ShownImage:
        from_s = max(frame.time_s, span.start_s)
        until_s = min(until_s, span.end_s)
        return ShownImage(maker.image(frame.frame), from_s - span.start_s, until_s - span.start_s)

    last: Shown | None = None
    for frame in frames:
        if last is not None and frame.time_s > span.start_s:
            yield shown(last, frame.time_s)
        last = frame
        if frame.time_s >= span.end_s:
            return
    if last is not None and frames.until_s > span.start_s:
        yield shown(last, frames.until_s)


def sound_of(video: Video, span: Interval) -> Iterator[NDArray[np.float32]]:
    """Samples of the span without a gap from its start on, shape ``(channels, n)``: 1 or 2."""
    total = round(span.length_s * SAMPLE_RATE_HZ)
    done = 0
    for heard in hear(video, rate_hz=SAMPLE_RATE_HZ, from_s=span.start_s):
        at = round((heard.start_s - span.start_s) * SAMPLE_RATE_HZ)
        if at >= total:
            return
        if at > done:
            yield np.zeros((heard.samples.shape[0], at - done), np.float32)
            done = at
        fresh = heard.samples[:, max(0, done - at) : total - at]
        if fresh.shape[1]:
            yield fresh
            done += fresh.shape[1]
