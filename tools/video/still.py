"""One picture of a video: fast from the keyframe before a time, or exactly at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from tools.errors import VideoError
from tools.video.decoding import DecodePass
from tools.video.pixels import ImageMaker

if TYPE_CHECKING:
    from tools.video.reader import Video

JPEG_QUALITY = 82


def still_jpeg(video: Video, time_s: float, *, exact: bool, long_side_px: int) -> bytes:
    """The picture on screen at a time, as JPEG.

    Args:
        video: From ``probe`` or ``look``.
        time_s: Seconds after the first picture; past the end, the last one is meant.
        exact: Decode up to that very picture, not only the keyframe before it: costs as much as
            decoding what lies between the two.
        long_side_px: Made smaller to fit, never larger.

    Raises:
        VideoError: If the file cannot be read, or nothing decodes there.
    """
    if video.header_duration_s:
        time_s = min(time_s, max(0.0, video.header_duration_s - video.nominal_interval_s))
    frames = DecodePass(
        video.path,
        video.stream_index,
        first_pts=video.first_pts,
        nominal_interval_s=video.nominal_interval_s,
        from_s=time_s,
    )
    best = None
    for shown in frames:
        if best is not None and shown.time_s > time_s + 1e-6:
            break
        best = shown
        if not exact:
            break
    if best is None:
        raise VideoError(f"no picture of {video.path} decodes at {time_s:.1f} s")
    maker = ImageMaker(pixel_aspect=video.pixel_aspect, long_side_px=long_side_px)
    image = cv2.cvtColor(maker.image(best.frame), cv2.COLOR_RGB2BGR)
    _, written = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(written)
