"""Draws small videos for tests: every frame is one grey level, or a picture one hands in."""

import hashlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from tools.timeline import Frame

TIME_BASE = Fraction(1, 90_000)
WIDTH_PX, HEIGHT_PX = 64, 48

Picture = NDArray[np.uint8]


def even_times(count: int, rate_hz: float) -> list[float]:
    """Times of ``count`` frames at a constant rate from 0 on."""
    return [index / rate_hz for index in range(count)]


def gray(index: int) -> Picture:
    """A frame whose brightness tells its index, up to 50, apart by more than coding blurs."""
    return np.full((HEIGHT_PX, WIDTH_PX, 3), index * 5, np.uint8)


def index_of(frame: Frame) -> int:
    """Which frame of ``gray`` this is."""
    return round(float(frame.image.mean()) / 5)


def halves(top: tuple[int, int, int], bottom: tuple[int, int, int]) -> Picture:
    """A picture of two colours, one above the other."""
    picture = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    picture[: HEIGHT_PX // 2], picture[HEIGHT_PX // 2 :] = top, bottom
    return picture


def draw_video(
    path: Path,
    times_s: Sequence[float],
    *,
    picture: Callable[[int], Picture] = gray,
    offset_s: float = 0.0,
    rotation: int = 0,
    pixel_aspect: Fraction | None = None,
    codec: str = "libx264",
    sound_s: float = 0.0,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a video with a frame at each of ``times_s``; B-frames and all, as encoders do.

    What was drawn before is not encoded again.
    """
    pictures = [picture(index) for index in range(len(times_s))]
    seen = hashlib.sha256(b"".join(one.tobytes() for one in pictures)).digest()
    form = _Form(tuple(times_s), offset_s, rotation, pixel_aspect, codec, sound_s)
    key = (seen, pictures[0].shape, form, repr(options), path.suffix)
    if key in _DRAWN:
        path.write_bytes(_DRAWN[key])
    else:
        _encode(path, pictures, form, options or {})
        _DRAWN[key] = path.read_bytes()
    return path


class _Form(NamedTuple):
    times_s: tuple[float, ...]
    offset_s: float
    rotation: int
    pixel_aspect: Fraction | None
    codec: str
    sound_s: float


_DRAWN: dict[Any, bytes] = {}


def _encode(path: Path, pictures: list[Picture], form: _Form, options: dict[str, str]) -> None:
    times_s, offset_s, rotation, pixel_aspect, codec, sound_s = form
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options=options)
        height_px, width_px = pictures[0].shape[:2]
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        # Other encoders want the time base to be the frame rate.
        time_base = TIME_BASE if codec == "libx264" else Fraction(1, 25)
        stream.codec_context.time_base = time_base
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if rotation:
            stream.set_display_rotation(rotation)
        sound: Any = container.add_stream("aac", rate=48_000, layout="mono") if sound_s else None
        shown_for: dict[int | None, int] = {}
        for index, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(pictures[index], format="rgb24")
            frame.time_base = time_base
            frame.pts = round((time_s + offset_s) / time_base)
            # The last one is shown as long as the one before; encoders take it for a 25th.
            before, after = times_s[max(0, index - 1)], times_s[min(index + 1, len(times_s) - 1)]
            if index + 1 < len(times_s):
                before = time_s
            shown_for[frame.pts] = round((after - before) / time_base)
            container.mux(_lasting(stream.encode(frame), shown_for))
        container.mux(_lasting(stream.encode(None), shown_for))
        if sound is not None:
            samples = np.arange(round(sound_s * 48_000))
            # Silence in the first half, a tone in the second: it tells where a cut was made.
            tone = (
                0.5 * np.sin(samples * (2 * np.pi * 440 / 48_000)) * (samples >= samples.size / 2)
            )
            for start in range(0, tone.size, 1024):
                piece: Any = tone[None, start : start + 1024].astype(np.float32)
                heard = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
                heard.sample_rate, heard.pts = 48_000, start
                heard.time_base = Fraction(1, 48_000)
                container.mux(sound.encode(heard))
            container.mux(sound.encode(None))


def _lasting(packets: list[Any], shown_for: dict[int | None, int]) -> list[Any]:
    for packet in packets:
        packet.duration = shown_for.get(packet.pts) or packet.duration
    return packets


def draw_sound(path: Path, *, cover: bool = False) -> Path:
    """Write a sound file, with cover art (a picture in it that is no video) if wanted."""
    with av.open(str(path), "w") as container:
        sound: Any = container.add_stream("aac", rate=48_000, layout="mono")
        art: Any = container.add_stream("mjpeg", rate=1) if cover else None
        if art is not None:
            art.width, art.height, art.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuvj420p"
            art.disposition = av.stream.Disposition.attached_pic
            container.mux(art.encode(av.VideoFrame.from_ndarray(gray(20), format="rgb24")))
            container.mux(art.encode(None))
        silence = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        silence.sample_rate = 48_000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    return path
