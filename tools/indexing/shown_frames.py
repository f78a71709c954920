"""Frames of a video that a model is shown together with a question, each with its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools.captioners.image_model import ShownFrame
from tools.captioners.looks import encode_jpeg, fit_into, shrunk
from tools.errors import VideoError
from tools.timeline import Interval
from tools.video.reader import FrameReader, probe

if TYPE_CHECKING:
    from tools.timeline import Frame, Image

MAX_RATE_HZ = 10.0
LONG_SIDE_PX = 512
SMALLEST_SIDE_PX = 64


def frames_inside(
    path: Path,
    spans: Sequence[Interval],
    counts: Sequence[int],
    *,
    max_bytes: int,
    go_on: Callable[[], None] = lambda: None,
) -> list[list[ShownFrame]]:
    """A few frames of each span, at even distances from each other and from its edges.

    Where spans overlap, that part of the video is decoded once.

    Args:
        path: The video.
        spans: In any order.
        counts: Most frames of each span; a span with fewer frames gives those.
        max_bytes: Largest picture.
        go_on: Called before each frame; what it raises ends the reading.

    Returns:
        For each span its frames in time order; none where no frame lies in it.

    Raises:
        VideoError: If the file is gone or cannot be read.
    """
    nearest: list[dict[float, tuple[float, Frame]]] = [{} for _ in spans]
    video = probe(path)
    for stretch, places in _joined(spans):
        rate_hz = max(2 * counts[place] / spans[place].length_s for place in places)
        reader = FrameReader(
            video,
            rate_hz=min(MAX_RATE_HZ, rate_hz),
            long_side_px=LONG_SIDE_PX,
            start_s=stretch.start_s,
            end_s=stretch.end_s,
            earlier=False,
        )
        for frame in reader:
            go_on()
            for place in places:
                if not spans[place].start_s <= frame.time_s < spans[place].end_s:
                    continue
                for middle_s in _middles_s(spans[place], counts[place]):
                    off_s = abs(frame.time_s - middle_s)
                    best = nearest[place].get(middle_s)
                    if best is None or off_s < best[0]:
                        nearest[place][middle_s] = (off_s, frame)
    encoded: dict[float, ShownFrame] = {}
    for found in nearest:
        for _, frame in found.values():
            if frame.time_s not in encoded:
                jpeg = encode_jpeg(frame.image, max_bytes=max_bytes)
                encoded[frame.time_s] = ShownFrame(frame.time_s, jpeg)
    return [
        [encoded[time_s] for time_s in sorted({frame.time_s for _, frame in found.values()})]
        for found in nearest
    ]


def frames_of_stretches(
    path: Path,
    stretches: Sequence[Interval],
    *,
    most: int,
    max_rate_hz: float,
    max_bytes: int,
    go_on: Callable[[], None] = lambda: None,
) -> list[ShownFrame]:
    """Frames at one steady rate from a few stretches of a video, all of one size.

    Args:
        path: The video.
        stretches: Apart from each other, in time order.
        most: About how many frames; a stretch may give one more than its share.
        max_rate_hz: Frames a second, where that many are allowed.
        max_bytes: Largest picture.
        go_on: Called before each frame; what it raises ends the reading.

    Raises:
        VideoError: If the file is gone or cannot be read, or no frame lies in the stretches.
    """
    rate_hz = min(max_rate_hz, most / sum(stretch.length_s for stretch in stretches))
    video = probe(path)
    times_s: list[float] = []
    images: list[Image] = []
    for stretch in stretches:
        reader = FrameReader(
            video,
            rate_hz=rate_hz,
            long_side_px=LONG_SIDE_PX,
            start_s=stretch.start_s,
            end_s=stretch.end_s,
            earlier=False,
        )
        for frame in reader:
            go_on()
            times_s.append(frame.time_s)
            images.append(frame.image)
    if not images:
        raise VideoError(f"no frame of {path} lies in the part that should be shown")
    jpegs = _encoded_alike(images, max_bytes=max_bytes)
    return [ShownFrame(time_s, jpeg) for time_s, jpeg in zip(times_s, jpegs, strict=True)]


def _encoded_alike(images: Sequence[Image], *, max_bytes: int) -> list[bytes]:
    """JPEGs of one size in pixels: servers stack the frames of a video."""
    side_px = max(images[0].shape[:2])
    while True:
        first = shrunk(images[0], side_px)
        alike = [_sized_as(first, image) for image in images]
        jpegs = [encode_jpeg(image, max_bytes=max_bytes) for image in alike]
        if side_px <= SMALLEST_SIDE_PX or all(_size_px(jpeg) == first.shape[:2] for jpeg in jpegs):
            return jpegs
        side_px = round(0.75 * side_px)


def _sized_as(first: Image, image: Image) -> Image:
    if image.shape == first.shape:
        return image
    cell = np.zeros_like(first)
    fit_into(image, cell)
    return cell


def _size_px(jpeg: bytes) -> tuple[int, int]:
    """Height and width, from the header alone (ITU-T T.81, B.2.2)."""
    at = 2
    while jpeg[at + 1] not in {0xC0, 0xC1, 0xC2}:
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    height_px = int.from_bytes(jpeg[at + 5 : at + 7], "big")
    return height_px, int.from_bytes(jpeg[at + 7 : at + 9], "big")


def _middles_s(span: Interval, count: int) -> Iterator[float]:
    for part in range(count):
        yield span.start_s + (part + 0.5) * span.length_s / count


def _joined(spans: Sequence[Interval]) -> Iterator[tuple[Interval, list[int]]]:
    """Spans that overlap as one stretch, with their places in the order given."""
    stretch: Interval | None = None
    places: list[int] = []
    for place in sorted(range(len(spans)), key=lambda place: spans[place]):
        span = spans[place]
        if stretch is not None and span.start_s <= stretch.end_s:
            stretch = Interval(stretch.start_s, max(stretch.end_s, span.end_s))
            places.append(place)
            continue
        if stretch is not None:
            yield stretch, places
        stretch, places = span, [place]
    if stretch is not None:
        yield stretch, places
