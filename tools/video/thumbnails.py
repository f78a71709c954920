"""Single small pictures of a video, at moments one names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tools.errors import VideoError
from tools.video.reader import FrameReader, Video

if TYPE_CHECKING:
    from tools.timeline import Image

_GRID_HZ = 25.0
"""How finely a moment is met; the frame is the first one at or after it."""


def thumbnails(video: Video, times_s: Sequence[float], *, long_side_px: int) -> list[Image | None]:
    """The picture at each moment, in the order of the moments; one seek for each.

    Args:
        video: What ``probe`` found.
        times_s: Seconds, on the video's own clock.
        long_side_px: Larger pictures are made smaller, so that their long side has this length.

    Returns:
        None for a moment past the last frame, or where nothing decodes.
    """
    return [_thumbnail(video, time_s, long_side_px) for time_s in times_s]


def _thumbnail(video: Video, time_s: float, long_side_px: int) -> Image | None:
    reader = FrameReader(
        video, rate_hz=_GRID_HZ, long_side_px=long_side_px, start_s=time_s, earlier=False
    )
    try:
        frame = next(iter(reader), None)
    except VideoError:
        return None
    return None if frame is None else frame.image


def filmstrip_times(duration_s: float, count: int) -> list[float]:
    """The middles of ``count`` equal parts of a video, in seconds."""
    return [(index + 0.5) * duration_s / count for index in range(count)]
