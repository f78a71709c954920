"""From a decoded frame to pixels: upright, square, small images, and thumbnails of brightness.

For frames that PyAV decoded; only ``tools.video.reader`` and ``tools.video.clip`` use this.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from av import VideoFormat
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

if TYPE_CHECKING:
    from av import VideoFrame
    from numpy.typing import NDArray

    from tools.timeline import Image

LUMA_ROWS, LUMA_COLUMNS = 36, 64

NATIVE_LONG_SIDE_PX = 1920
"""Pictures at their own size are no larger, so that a few of them always fit into memory."""

# What `VideoFrame.colorspace` says (ITU-T H.273 matrix coefficients) to the scaler's constants.
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}

# Video brightness runs from 16 to 235 unless the frame says that it is full range.
_FROM_LIMITED_RANGE = np.clip((np.arange(256) - 16) * (255 / 219) + 0.5, 0, 255).astype(np.uint8)


def quarter_turns(frame: VideoFrame) -> int:
    """How often the stored picture is turned by 90° counter-clockwise to stand upright, 0 to 3."""
    return round(frame.rotation / 90) % 4


def upright_size_px(frame: VideoFrame, pixel_aspect: Fraction) -> tuple[int, int]:
    """Width and height at which a player shows the frame: square pixels, turned upright."""
    width_px = max(1, round(frame.width * pixel_aspect))
    return (frame.height, width_px) if quarter_turns(frame) % 2 else (width_px, frame.height)


class ImageMaker:
    """Makes RGB images of frames; keeps the scaler between frames of one size.

    Args:
        pixel_aspect: Width of a stored pixel over its height.
        long_side_px: Images are made smaller to fit, never larger; None for the full size.
    """

    def __init__(self, *, pixel_aspect: Fraction, long_side_px: int | None) -> None:
        self._pixel_aspect = pixel_aspect
        self._long_side_px = long_side_px
        self._scaler = VideoReformatter()

    def image(self, frame: VideoFrame) -> Image:
        """The frame upright, shape ``(height, width, 3)``, uint8 RGB, contiguous.

        High dynamic range is shown as it is stored, without tone mapping.
        """
        width_px, height_px = upright_size_px(frame, self._pixel_aspect)
        if self._long_side_px is not None:
            scale = min(1.0, self._long_side_px / max(width_px, height_px))
            width_px = max(1, round(width_px * scale))
            height_px = max(1, round(height_px * scale))
        turns = quarter_turns(frame)
        if turns % 2:
            width_px, height_px = height_px, width_px
        small = self._scaler.reformat(
            frame,
            width_px,
            height_px,
            "rgb24",
            src_colorspace=_matrix(frame),
            interpolation=Interpolation.AREA,
            threads=1,
        )
        return np.ascontiguousarray(np.rot90(small.to_ndarray(), turns), dtype=np.uint8)


class NativeImages:
    """Makes RGB images at their own size, when they are asked for: not every frame's is.

    Args:
        pixel_aspect: As for ``ImageMaker``.
    """

    def __init__(self, *, pixel_aspect: Fraction) -> None:
        # A scaler is for one thread; images are asked for in another one than the decoder's.
        self._now, self._later = (
            ImageMaker(pixel_aspect=pixel_aspect, long_side_px=NATIVE_LONG_SIDE_PX) for _ in "ab"
        )

    def of(self, frame: VideoFrame) -> Callable[[], Image]:
        """What makes the image; until then it keeps the frame, or the image if that is smaller."""
        if max(frame.width, frame.height) <= NATIVE_LONG_SIDE_PX:
            return partial(self._later.image, frame)
        image = self._now.image(frame)
        return lambda: image


def luma_thumbnail(frame: VideoFrame) -> NDArray[np.uint8]:
    """Brightness of the upright picture at 36 × 64 evenly spaced points, 0 black to 255 white."""
    turns = quarter_turns(frame)
    rows, columns = (LUMA_COLUMNS, LUMA_ROWS) if turns % 2 else (LUMA_ROWS, LUMA_COLUMNS)
    stored = _luma_points(frame, rows, columns)
    return np.rot90(stored, turns) if turns else stored


def _luma_points(frame: VideoFrame, rows: int, columns: int) -> NDArray[np.uint8]:
    planes, name = frame.planes, frame.format.name
    plane = planes[0]
    bits = _readable_bits(name, len(planes))
    is_wide = bits > 8
    if not bits or plane.line_size < frame.width * (2 if is_wide else 1):
        small = frame.reformat(
            columns, rows, "rgb24", src_colorspace=_matrix(frame), interpolation=Interpolation.POINT
        )
        # ITU-R BT.601 luma weights.
        gray = small.to_ndarray() @ np.array([0.299, 0.587, 0.114])
        return np.asarray(gray + 0.5, np.uint8)
    stored: NDArray[Any] = np.frombuffer(memoryview(plane), "<u2" if is_wide else np.uint8)
    line_points = stored.size // plane.height
    luma: NDArray[np.uint8] = stored.take(
        _points(frame.height, frame.width, line_points, rows, columns)
    )
    if is_wide:
        luma = np.asarray(luma >> (bits - 8), np.uint8)
    is_full_range = frame.color_range == ColorRange.JPEG or name.startswith("yuvj")
    return luma if is_full_range else _FROM_LIMITED_RANGE.take(luma)


@lru_cache(maxsize=64)
def _readable_bits(format_name: str, planes: int) -> int:
    """Bits of brightness, where it lies in a plane of its own and as it is; else 0."""
    form = VideoFormat(format_name)
    is_readable = (
        format_name.startswith(("yuv", "nv", "gray"))
        # Packed formats keep brightness and colour in one plane.
        and (planes > 1 or format_name.startswith("gray"))
        and not form.is_big_endian
    )
    return form.components[0].bits if is_readable else 0


@lru_cache(maxsize=16)
def _points(
    height_px: int, width_px: int, line_points: int, rows: int, columns: int
) -> NDArray[np.intp]:
    """Where evenly spaced points lie in a plane, shape ``(rows, columns)``."""
    row = (2 * np.arange(rows) + 1) * height_px // (2 * rows)
    column = (2 * np.arange(columns) + 1) * width_px // (2 * columns)
    return np.asarray(row[:, None] * line_points + column, np.intp)


def assumed_matrix(height_px: int) -> Colorspace:
    """The YUV matrix that players assume where a video does not name one."""
    return Colorspace.ITU709 if height_px >= 720 else Colorspace.ITU601


def _matrix(frame: VideoFrame) -> Colorspace:
    return _MATRICES.get(frame.colorspace, assumed_matrix(frame.height))
