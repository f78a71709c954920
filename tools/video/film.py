"""Pictures and sound into a file: H.264 and AAC, each picture shown as long as it says."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import av
import numpy as np

from tools.video.pixels import assumed_matrix

if TYPE_CHECKING:
    from av import AudioStream, Packet, VideoStream
    from av.container import OutputContainer
    from numpy.typing import NDArray

    from tools.timeline import Image

    ClipPacket: TypeAlias = Packet[VideoStream] | Packet[AudioStream]

FORMATS = {".mp4": "mp4", ".mkv": "matroska"}
"""Containers that are written, by suffix."""

SAMPLE_RATE_HZ = 48_000

_VIDEO_TIME_BASE = Fraction(1, 90_000)
_AAC_SAMPLES = 1024

# Near the limit of what can be seen, at a speed that does not make one wait for a short clip. With
# B-frames, mp4 would count the length from the order of decoding and miss the end by a frame.
_X264_OPTIONS = {"crf": "20", "preset": "veryfast", "bf": "0"}


class ShownImage(NamedTuple):
    """An upright RGB image and when the file shows it."""

    image: Image
    from_s: float
    until_s: float


def encode(
    part: Path, suffix: str, pictures: Iterator[ShownImage], sound: Iterator[NDArray[np.float32]]
) -> None:
    """Write a file in one pass, with what both bring at the time.

    Args:
        part: Where to.
        suffix: That of the final name; one of ``FORMATS``.
        pictures: At least one, in order and without gaps from 0 on; the first one sets the size.
        sound: Samples without a gap from 0 on, shape ``(channels, n)``: 1 or 2; nothing: no sound.

    Raises:
        FFmpegError: If it cannot be encoded or written.
    """
    container_format = FORMATS[suffix.lower()]
    options = {"movflags": "+faststart"} if container_format == "mp4" else {}
    first_sound = next(sound, None)
    with av.open(f"file:{part}", "w", format=container_format, options=options) as container:
        packets = [_video_packets(container, pictures)]
        if first_sound is not None:
            packets.append(_audio_packets(container, chain([first_sound], sound)))
        # Both streams have to be there before the first packet is written.
        started = [chain([next(stream)], stream) for stream in packets]
        for packet in heapq.merge(*started, key=_dts_s):
            container.mux(packet)


def _video_packets(
    container: OutputContainer, pictures: Iterator[ShownImage]
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


def _audio_packets(
    container: OutputContainer, sound: Iterator[NDArray[np.float32]]
) -> Iterator[ClipPacket]:
    first = next(sound)
    layout = _layout(first.shape[0])
    stream = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout=layout)
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
            frame.sample_rate = SAMPLE_RATE_HZ
            frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
            frame.pts = done
            done += piece.shape[1]
            yield from stream.encode(frame)
    yield from stream.encode(None)


def _layout(channels: int) -> str:
    # One channel stays one: spread over two, each would be made quieter.
    return "mono" if channels == 1 else "stereo"


def _dts_s(packet: ClipPacket) -> float:
    return float((packet.dts or 0) * packet.time_base)
