"""Cutting a span out of a video into a file of its own."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import av
import numpy as np

from tools.errors import VideoError
from tools.output_files import check_place, write_whole
from tools.timeline import Interval
from tools.video.decoding import DecodePass, Shown
from tools.video.hearing import hear
from tools.video.pixels import ImageMaker, assumed_matrix
from tools.video.reader import Video

if TYPE_CHECKING:
    from av import AudioStream, Packet, VideoStream
    from av.container import OutputContainer
    from numpy.typing import NDArray

    from tools.timeline import Image

    ClipPacket: TypeAlias = Packet[VideoStream] | Packet[AudioStream]

_FORMATS = {".mp4": "mp4", ".mkv": "matroska"}

_WHAT, _OPTION = "a clip", "--clip"

_VIDEO_TIME_BASE = Fraction(1, 90_000)

_SAMPLE_RATE_HZ = 48_000
_AAC_SAMPLES = 1024

# Near the limit of what can be seen, at a speed that does not make one wait for a short clip. With
# B-frames, mp4 would count the length from the order of decoding and miss the end by a frame.
_X264_OPTIONS = {"crf": "20", "preset": "veryfast", "bf": "0"}


def check_clip_path(out: Path, *, overwrite: bool = False) -> None:
    """Refuse a place where no clip can be written, before any work is done for it.

    Args:
        out: Where to.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        VideoError: If ``out`` is neither ``.mp4`` nor ``.mkv``, is a directory or no regular file,
            its folder is missing, or it is there and is not to be replaced.
    """
    if out.suffix.lower() not in _FORMATS:
        raise VideoError(f"cannot write a clip to {out}: give a name that ends in .mp4 or .mkv")
    check_place(out, what=_WHAT, option=_OPTION, overwrite=overwrite)


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
    container_format = _FORMATS[out.suffix.lower()]

    def fill(part: Path) -> None:
        try:
            _encode(video, span, part, container_format)
        except av.FFmpegError as error:
            raise VideoError(f"cannot write a clip to {out}: {error.strerror}") from error

    write_whole(out, fill, what=_WHAT, option=_OPTION, overwrite=overwrite)


def _encode(video: Video, span: Interval, part: Path, container_format: str) -> None:
    options = {"movflags": "+faststart"} if container_format == "mp4" else {}
    pictures = _pictures(video, span)
    first = next(pictures, None)
    if first is None:
        raise VideoError(
            f"{video.path} shows nothing from {span.start_s:.1f} s to {span.end_s:.1f} s; "
            "ask for a span before its end"
        )
    sound = _sound(video, span)
    first_sound = next(sound, None)
    with av.open(f"file:{part}", "w", format=container_format, options=options) as container:
        packets = [_video_packets(container, chain([first], pictures))]
        if first_sound is not None:
            packets.append(_audio_packets(container, chain([first_sound], sound)))
        # Both streams have to be there before the first packet is written.
        started = [chain([next(stream)], stream) for stream in packets]
        for packet in heapq.merge(*started, key=_dts_s):
            container.mux(packet)


class _Picture(NamedTuple):
    """An upright RGB image and when the clip shows it."""

    image: Image
    from_s: float
    until_s: float


def _pictures(video: Video, span: Interval) -> Iterator[_Picture]:
    frames = DecodePass(
        video.path,
        video.stream_index,
        first_pts=video.first_pts,
        nominal_interval_s=video.nominal_interval_s,
        header_end_s=video.header_end_s,
        from_s=span.start_s,
    )
    maker = ImageMaker(pixel_aspect=video.pixel_aspect, long_side_px=None)

    def shown(frame: Shown, until_s: float) -> _Picture:
        from_s = max(frame.time_s, span.start_s)
        until_s = min(until_s, span.end_s)
        return _Picture(maker.image(frame.frame), from_s - span.start_s, until_s - span.start_s)

    last: Shown | None = None
    for frame in frames:
        if last is not None and frame.time_s > span.start_s:
            yield shown(last, frame.time_s)
        last = frame
        if frame.time_s >= span.end_s:
            return
    if last is not None and frames.until_s > span.start_s:
        yield shown(last, frames.until_s)


def _video_packets(
    container: OutputContainer, pictures: Iterator[_Picture]
) -> Iterator[ClipPacket]:
    stream: VideoStream | None = None
    ticks_shown: dict[int | None, int] = {}
    for picture in pictures:
        if stream is None:
            height_px, width_px = picture.image.shape[:2]
            stream = container.add_stream("libx264", options=_X264_OPTIONS)
            # Colour is stored for blocks of 2 × 2 pixels, so both sides must be even.
            stream.width, stream.height = width_px + width_px % 2, height_px + height_px % 2
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = _VIDEO_TIME_BASE
        frame = av.VideoFrame.from_ndarray(picture.image, format="rgb24").reformat(
            stream.width,
            stream.height,
            "yuv420p",
            dst_colorspace=assumed_matrix(stream.height),
            threads=1,
        )
        frame.pts = round(picture.from_s / _VIDEO_TIME_BASE)
        frame.time_base = _VIDEO_TIME_BASE
        ticks_shown[frame.pts] = round(picture.until_s / _VIDEO_TIME_BASE) - frame.pts
        yield from _with_durations(stream.encode(frame), ticks_shown)
    if stream is not None:
        yield from _with_durations(stream.encode(None), ticks_shown)


def _with_durations(
    packets: list[Packet[VideoStream]], ticks: dict[int | None, int]
) -> Iterator[ClipPacket]:
    for packet in packets:
        packet.duration = ticks.pop(packet.pts)
        yield packet


def _sound(video: Video, span: Interval) -> Iterator[NDArray[np.float32]]:
    """Samples of the span without a gap from its start on, shape ``(channels, n)``: 1 or 2."""
    total = round(span.length_s * _SAMPLE_RATE_HZ)
    done = 0
    for heard in hear(video, rate_hz=_SAMPLE_RATE_HZ, from_s=span.start_s):
        at = round((heard.start_s - span.start_s) * _SAMPLE_RATE_HZ)
        if at >= total:
            return
        if at > done:
            yield np.zeros((heard.samples.shape[0], at - done), np.float32)
            done = at
        fresh = heard.samples[:, max(0, done - at) : total - at]
        if fresh.shape[1]:
            yield fresh
            done += fresh.shape[1]


def _audio_packets(
    container: OutputContainer, sound: Iterator[NDArray[np.float32]]
) -> Iterator[ClipPacket]:
    first = next(sound)
    layout = _layout(first.shape[0])
    stream = container.add_stream("aac", rate=_SAMPLE_RATE_HZ, layout=layout)
    waiting = first[:, :0]
    done = 0
    for samples in chain([first], sound, [None]):
        if samples is not None:
            waiting = np.concatenate([waiting, samples], axis=1)
        while waiting.shape[1] >= _AAC_SAMPLES or (samples is None and waiting.shape[1]):
            piece, waiting = waiting[:, :_AAC_SAMPLES], waiting[:, _AAC_SAMPLES:]
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(piece), format="fltp", layout=layout
            )
            frame.sample_rate = _SAMPLE_RATE_HZ
            frame.time_base = Fraction(1, _SAMPLE_RATE_HZ)
            frame.pts = done
            done += piece.shape[1]
            yield from stream.encode(frame)
    yield from stream.encode(None)


def _layout(channels: int) -> str:
    # One channel stays one: spread over two, each would be made quieter.
    return "mono" if channels == 1 else "stereo"


def _dts_s(packet: ClipPacket) -> float:
    return float((packet.dts or 0) * packet.time_base)
