"""What an image model is shown at a time: a frame, a grid of neighbours in one picture, or a clip.

A grid or clip of n takes the frames that it is given n by n, so that every one is shown once and a
caption speaks of all n; the groups are counted from the video's first frame, and are the same in
every run. Where frames that show nothing new are left out before, n neighbours may be far apart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from tools.errors import CaptionerError

if TYPE_CHECKING:
    from tools.timeline import Frame, Image

Kind = Literal["frame", "grid", "clip"]

DEFAULT_FRAMES = 4
MAX_FRAMES = 16

JPEG_QUALITIES = (85, 70, 55)
SMALLEST_SIDE_PX = 32


@dataclass(frozen=True, slots=True)
class LookMode:
    """How frames are shown; its name goes into the track of the captions.

    Attributes:
        kind: ``frame`` (one alone), ``grid`` (several in one picture, each under its time), or
            ``clip`` (several pictures, each after its time).
        frames: How many at a time.

    Raises:
        CaptionerError: If the number of frames does not fit the kind.
    """

    kind: Kind = "frame"
    frames: int = 1

    def __post_init__(self) -> None:
        fits = self.frames == 1 if self.kind == "frame" else 2 <= self.frames <= MAX_FRAMES
        if not fits:
            raise CaptionerError(
                f"a {self.kind} cannot have {self.frames} frames: a frame is 1, a grid or clip is "
                f"2 to {MAX_FRAMES}"
            )

    def __str__(self) -> str:
        return self.kind if self.kind == "frame" else f"{self.kind}{self.frames}"

    @classmethod
    def parse(cls, name: str) -> LookMode:
        """Read ``frame``, ``grid4``, ``clip8``; without a number, a grid or clip has four frames.

        Raises:
            CaptionerError: If it is not such a name.
        """
        match = re.fullmatch(r"(frame|grid|clip)(\d{1,3})?", name.strip())
        if match is None or (match[1] == "frame" and match[2]):
            raise CaptionerError(f"there is no input mode {name!r}; use frame, grid4 or clip4")
        if match[1] == "frame":
            return cls()
        kind: Kind = "grid" if match[1] == "grid" else "clip"
        return cls(kind, int(match[2] or DEFAULT_FRAMES))


@dataclass(frozen=True, slots=True)
class Look:
    """What the model is shown once.

    Attributes:
        times_s: ``Frame.time_s`` of every frame in it, ascending; at least one.
        images: The pictures: one of each frame, or of a grid a single one with all of them.
    """

    times_s: tuple[float, ...]
    images: tuple[Image, ...]

    @property
    def time_s(self) -> float:
        """Time of its first frame, which names it."""
        return self.times_s[0]

    @property
    def last_s(self) -> float:
        """Time of its last frame."""
        return self.times_s[-1]


def take_looks(
    frames: Iterable[Frame], mode: LookMode, *, seen: Container[float], long_side_px: int = 1024
) -> Iterator[Look]:
    """Make looks of frames, lazily; no more than one look's pictures are held.

    Args:
        frames: From the video's start, in time order.
        mode: How to show them. The last grid or clip has as many frames as are left.
        seen: ``Look.time_s`` of looks that are not wanted.
        long_side_px: Larger pictures are made smaller, grids as a whole.
    """
    times_s: list[float] = []
    images: list[Image] = []
    for count, frame in enumerate(frames):
        is_first = count % mode.frames == 0
        if images or (is_first and frame.time_s not in seen):
            times_s.append(frame.time_s)
            images.append(frame.image)
        if len(images) == mode.frames:
            # Before the next frame is asked for: that may wait for what is said of these.
            yield _look(times_s, images, mode, long_side_px)
            times_s, images = [], []
    if images:
        yield _look(times_s, images, mode, long_side_px)


def encode_jpeg(image: Image, *, max_bytes: int) -> bytes:
    """An image as JPEG of at most ``limit`` bytes: of lower quality first, then smaller.

    Raises:
        CaptionerError: If even a tiny one is larger.
    """
    import cv2

    bgr = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8)
    while True:
        for quality in JPEG_QUALITIES:
            _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if len(encoded) <= max_bytes:
                return encoded.tobytes()
        if max(bgr.shape[:2]) <= SMALLEST_SIDE_PX:
            raise CaptionerError(
                f"no picture fits into {max_bytes} bytes; allow more, 200 kB for example"
            )
        bgr = shrunk(bgr, round(0.75 * max(bgr.shape[:2])))


def seconds_label(time_s: float) -> str:
    """A time as the model reads it: ``12 s``, ``12.5 s``, ``12.04 s``."""
    return f"{f'{time_s:.2f}'.rstrip('0').rstrip('.')} s"


def _look(times_s: Sequence[float], images: Sequence[Image], mode: LookMode, side_px: int) -> Look:
    if mode.kind == "grid":
        return Look(tuple(times_s), (_grid(times_s, images, side_px),))
    return Look(tuple(times_s), tuple(shrunk(image, side_px) for image in images))


def shrunk(image: Image, long_side_px: int) -> Image:
    """An image whose long side has at most this length."""
    import cv2

    height_px, width_px = image.shape[:2]
    scale = long_side_px / max(height_px, width_px)
    if scale >= 1:
        return image
    size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _grid(times_s: Sequence[float], images: Sequence[Image], long_side_px: int) -> Image:
    """The images row by row, left to right, each below a black strip with its time in white."""
    columns = math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    height_px, width_px = images[0].shape[:2]
    strip_share = 0.1
    scale = min(
        1.0,
        long_side_px / (columns * width_px),
        long_side_px / (rows * height_px * (1 + strip_share)),
    )
    cell_w_px, cell_h_px = max(1, int(width_px * scale)), max(1, int(height_px * scale))
    strip_px = max(18, round(cell_h_px * strip_share))
    grid = np.zeros((rows * (cell_h_px + strip_px), columns * cell_w_px, 3), np.uint8)
    for place, (time_s, image) in enumerate(zip(times_s, images, strict=True)):
        top_px = place // columns * (cell_h_px + strip_px)
        left_px = place % columns * cell_w_px
        cell = grid[top_px : top_px + strip_px + cell_h_px, left_px : left_px + cell_w_px]
        _write_time(cell[:strip_px], time_s)
        fit_into(image, cell[strip_px:])
    return shrunk(grid, long_side_px)


def _write_time(strip: Image, time_s: float) -> None:
    import cv2

    height_px = strip.shape[0]
    # A capital letter of this font is 22 px high at scale 1.
    scale = 0.65 * height_px / 22
    # On a copy of its own: the drawing functions want memory without holes.
    canvas = np.ascontiguousarray(strip)
    cv2.putText(
        canvas,
        seconds_label(time_s),
        (round(0.3 * height_px), round(0.8 * height_px)),
        cv2.FONT_HERSHEY_SIMPLEX,
        scale,
        (255, 255, 255),
        max(1, round(scale * 2)),
        cv2.LINE_AA,
    )
    strip[:] = canvas


def fit_into(image: Image, cell: Image) -> None:
    """Draw an image into a cell, as large as fits; frames may change size in mid-video."""
    import cv2

    height_px, width_px = image.shape[:2]
    scale = min(cell.shape[0] / height_px, cell.shape[1] / width_px)
    drawn_w_px = max(1, min(cell.shape[1], round(width_px * scale)))
    drawn_h_px = max(1, min(cell.shape[0], round(height_px * scale)))
    top_px, left_px = (cell.shape[0] - drawn_h_px) // 2, (cell.shape[1] - drawn_w_px) // 2
    cell[top_px : top_px + drawn_h_px, left_px : left_px + drawn_w_px] = cv2.resize(
        image, (drawn_w_px, drawn_h_px), interpolation=cv2.INTER_AREA
    )
