"""What a video file is, and its frames at a steady rate with their true presentation times."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import VideoError
from tools.timeline import Frame
from tools.video.boxes import hides_another_film
from tools.video.decoding import DecodePass, Shown, slot_of
from tools.video.identity import content_id, known_stamp, stamp_of
from tools.video.lengths import (
    file_start_s,
    has_sound_after,
    header_duration_s,
    is_whole_piece,
    tells_its_length,
)
from tools.video.pixels import ImageMaker, NativeImages, luma_thumbnail, upright_size_px
from tools.video.playlist import told_missing
from tools.video.stream_clock import has_clock
from tools.video.streams import by_choice, open_container, pixel_aspect, told_choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Rates beyond this are a time base that was taken for a frame rate.
_MAX_FRAME_RATE_HZ = 480.0
_ASSUMED_FRAME_RATE_HZ = 25.0

# `Frame.earlier` is the last frame at least so long before the slot, and at most so long before the
# frame: about 0.1 s apart at the usual rates, 0.25 s at 4 frames a second, none below that.
_EARLIER_MIN_S = 0.09
_EARLIER_MAX_S = 0.26

# Less than this nobody notices in a player, and sound often begins that much earlier.
_FILE_START_NAMED_S = 0.1

_ENDS_EARLY_SHARE = 0.98
_ENDS_EARLY_S = 0.5


@dataclass(frozen=True, slots=True)
class Video:
    """A video file that decodes, as far as its header and its first frame tell.

    Attributes:
        path: Where it is.
        id: What its captions are kept under: ``content_id``, except where an earlier version
            indexed it.
        width_px: Width at which a player shows the first frame: upright, with square pixels.
        height_px: Height, upright and with square pixels.
        codec: FFmpeg's name of it, for example ``h264``.
        frame_rate_hz: Mean rate by the header; None where it says none or nothing believable.
        header_duration_s: Length by the header, often wrong, or estimated where the format has
            none; None where nothing tells it.
        pixel_aspect: Width of a stored pixel over its height.
        stream_index: Which stream of the file is the video.
        first_pts: Timestamp of the first presented frame, in ticks of that stream; time 0.
        first_frame_s: The same in seconds, on the clock of the sound; 0 where it has none.
        content_id: Hash of every byte, 32 hex digits: the same for a copy under another name or
            date. See ``tools.video.identity``.
        file_stamp: Of the file that was hashed, see ``tools.video.identity.known_stamp``.
        file_start_s: How long before that frame the file begins, where a player's clock is at 0.
        has_length_header: Whether the format has a header that could tell the length.
        rate_is_assumed: Whether neither the file nor its pictures say when they are shown, so that
            times follow from an assumed rate.
        hides_more: Whether another film stands behind this one in the file, which is not read.
        chosen: Which of several videos in the file is read, in words; empty where there is one.
    """

    path: Path
    id: str
    width_px: int
    height_px: int
    codec: str
    frame_rate_hz: float | None
    header_duration_s: float | None
    pixel_aspect: Fraction
    stream_index: int
    first_pts: int | None
    first_frame_s: float = 0.0
    content_id: str = ""
    file_stamp: str = ""
    file_start_s: float = 0.0
    has_length_header: bool = True
    rate_is_assumed: bool = False
    hides_more: bool = False
    chosen: str = ""

    @property
    def header_end_s(self) -> float | None:
        """Where the header says that the video ends; None where it says nothing."""
        return self.header_duration_s if self.has_length_header else None

    @property
    def nominal_interval_s(self) -> float:
        """Seconds between frames by the header, or by assumption."""
        return 1 / (self.frame_rate_hz or _ASSUMED_FRAME_RATE_HZ)


def probe(path: Path) -> Video:
    """Find out what a video file is; decodes no further than its first frame.

    Raises:
        VideoError: If it is missing, not a file, not readable, not a video, or no frame of it
            decodes; the message names the path and says what to do.
    """
    video_id = content_id(path)
    stamp = known_stamp(path)
    video = (_unchanged(path, stamp) if stamp else None) or look(path)
    return replace(video, id=video_id, content_id=video_id, file_stamp=stamp)


@lru_cache(maxsize=256)
def _unchanged(path: Path, stamp: str) -> Video | None:
    """``look`` once for a file that stays as it is; None where it has changed on the way.

    A question to a video that is indexed needs no more of the file than that.
    """
    video = look(path)
    return video if stamp_of(path) == stamp else None


def look(path: Path) -> Video:
    """``probe`` without reading the whole file for its ``content_id``: both ids are empty.

    Raises:
        VideoError: As ``probe``.
    """
    with open_container(path) as container:
        videos = by_choice(container, path)
        stream = videos[0]
        index, codec = stream.index, stream.codec_context.codec.canonical_name
        aspect = pixel_aspect(stream)
        has_times = has_clock(container)
        # A bare stream of pictures may say itself how fast they are shown; FFmpeg's mean does not.
        own_rate = stream.codec_context.framerate
        rate_hz = float((stream.average_rate if has_times else own_rate) or 0)
        frames = DecodePass(
            path, index, first_pts=None, nominal_interval_s=1 / _ASSUMED_FRAME_RATE_HZ
        )
        first = next(iter(frames), None)
        if first is None:
            raise VideoError(
                f"no frame could be decoded from {path} ({codec}); "
                "it may be encrypted, damaged, or only the beginning of a video"
            )
        width_px, height_px = upright_size_px(first.frame, aspect)
        first_pts = first.frame.pts
        return Video(
            path=path,
            id="",
            width_px=width_px,
            height_px=height_px,
            codec=codec,
            frame_rate_hz=rate_hz if 0 < rate_hz <= _MAX_FRAME_RATE_HZ else None,
            header_duration_s=header_duration_s(container, stream, path, first_pts),
            pixel_aspect=aspect,
            stream_index=index,
            first_pts=first_pts,
            first_frame_s=float((first_pts or 0) * (stream.time_base or 0)),
            file_start_s=file_start_s(container, stream, first_pts),
            has_length_header=tells_its_length(container),
            rate_is_assumed=not has_times and not own_rate,
            hides_more=hides_another_film(path),
            chosen=told_choice(videos),
        )


def measure_duration_s(video: Video) -> float:
    """Length of a video by its packets, not by its header; reads the file, decodes next to nothing.

    Raises:
        VideoError: If the file cannot be opened any more.
    """
    packets = DecodePass(
        video.path,
        video.stream_index,
        first_pts=video.first_pts,
        nominal_interval_s=video.nominal_interval_s,
        header_end_s=video.header_end_s,
    )
    return packets.measure_until_s()


def notice(video: Video) -> str | None:
    """What a reader of times of this video should know, in one line; None where nothing."""
    found = _notices(video)
    return f"{video.path}: {'; '.join(found)}" if found else None


def _notices(video: Video) -> list[str]:
    found = []
    if video.rate_is_assumed:
        found.append(
            "it does not say when its pictures are shown: times assume "
            f"{1 / video.nominal_interval_s:g} a second"
        )
    if video.file_start_s >= _FILE_START_NAMED_S:
        found.append(
            f"its first picture, time 0 here, comes {video.file_start_s:.1f} s after the file's "
            f"start; in a player, add {video.file_start_s:.1f} s"
        )
    if missing := told_missing(video.path):
        found.append(missing)
    if video.chosen:
        found.append(video.chosen)
    if video.hides_more:
        found.append(
            "another film stands behind it in the file, which is not read, as in players: "
            "files of this kind cannot be joined by putting one behind the other"
        )
    return found


class FrameReader:
    """Reads the first frame at or after each tick of a ``1 / rate_hz`` second grid; iterate once.

    A frame keeps its own time. Where the video's own rate is lower, a tick is left without a frame
    and none is invented; every tick has at most one. A window holds exactly those frames of the
    whole reading whose time is in ``[start_s, end_s)``, and costs little more than itself in files
    that can seek.

    Memory does not grow with the video: a few decoded frames, and 2.3 kB of brightness for each
    frame of one tick. Where frames are at most a quarter of a tick apart, frames that no other one
    refers to are not decoded, except those that are asked for: the frames and their times are the
    same, only ``Frame.luma`` has fewer rows.

    Args:
        video: What ``probe`` found.
        rate_hz: Frames wanted per second of video.
        long_side_px: Larger frames are made smaller, so that their long side has this length.
        start_s: Begin of the window.
        end_s: End of the window; None reads to the end of the video.
        earlier: Whether frames come with the one about 0.1 s before; leaving it out saves a little.
        native: Whether frames come with the picture at its own size, at most
            ``tools.video.pixels.NATIVE_LONG_SIDE_PX``.

    Attributes:
        rate_hz: As given.

    Raises:
        ValueError: If the rate, the size or the window is not a positive, finite one.
    """

    def __init__(
        self,
        video: Video,
        *,
        rate_hz: float,
        long_side_px: int = 512,
        start_s: float = 0.0,
        end_s: float | None = None,
        earlier: bool = True,
        native: bool = False,
    ) -> None:
        if not (math.isfinite(rate_hz) and rate_hz > 0):
            raise ValueError(f"rate_hz must be positive and finite, not {rate_hz}")
        if long_side_px < 1:
            raise ValueError(f"long_side_px must be at least 1, not {long_side_px}")
        if not (math.isfinite(start_s) and start_s >= 0):
            raise ValueError(f"start_s must be finite and not negative, not {start_s}")
        if end_s is not None and not end_s > start_s:
            raise ValueError(f"end_s must be after start_s = {start_s}, not {end_s}")
        self.rate_hz = rate_hz
        self._video = video
        self._step_s = 1 / rate_hz
        self._long_side_px = long_side_px
        self._with_earlier = earlier
        self._with_native = native
        self._start_s = start_s
        self._end_s = math.inf if end_s is None else end_s
        tick_s = slot_of(start_s, self._step_s) * self._step_s
        self._pass = DecodePass(
            video.path,
            video.stream_index,
            first_pts=video.first_pts,
            nominal_interval_s=video.nominal_interval_s,
            header_end_s=video.header_end_s,
            from_s=max(0.0, tick_s - _EARLIER_MAX_S),
            step_s=self._step_s,
            lead_s=_EARLIER_MIN_S if earlier else None,
        )

    @property
    def decoded_until_s(self) -> float:
        """End of the last frame decoded so far; the video's true length after a whole reading."""
        return self._pass.until_s

    @property
    def decode_errors(self) -> int:
        """Packets so far that could not be read or decoded."""
        return self._pass.errors

    def warning(self) -> str | None:
        """What to know of the file, in one line, after a reading to its end; None where nothing."""
        found = _notices(self._video)
        header_s, until_s = self._video.header_end_s, self.decoded_until_s
        if header_s is not None and math.isinf(self._end_s) and self._ends_early(header_s):
            found.append(
                f"the file ends early: its header says {header_s:.1f} s, {until_s:.1f} s decode"
            )
        if self.decode_errors:
            packets = "packet" if self.decode_errors == 1 else "packets"
            found.append(f"{self.decode_errors} {packets} could not be decoded")
        return f"{self._video.path}: {'; '.join(found)}" if found else None

    def _ends_early(self, header_s: float) -> bool:
        most_s = min(_ENDS_EARLY_SHARE * header_s, header_s - _ENDS_EARLY_S)
        if self.decoded_until_s >= most_s or is_whole_piece(self._video.path):
            return False
        # The header may count the sound, which goes on longer.
        return not has_sound_after(self._video.path, self._video.first_frame_s, most_s)

    def __iter__(self) -> Iterator[Frame]:
        """Decode lazily, in time order.

        Raises:
            VideoError: If the file cannot be opened, or no frame of it decodes.
        """
        images = ImageMaker(pixel_aspect=self._video.pixel_aspect, long_side_px=self._long_side_px)
        natives = NativeImages(pixel_aspect=self._video.pixel_aspect)
        earlier = _EarlierFrames(self._step_s)
        luma: list[NDArray[np.uint8]] = []
        luma_s: list[float] = []
        last_slot = -1
        shown = None
        for shown in self._pass:
            if shown.time_s >= self._end_s:
                return
            if self._with_earlier:
                earlier.add(shown)
            luma.append(luma_thumbnail(shown.frame))
            luma_s.append(shown.time_s)
            slot = slot_of(shown.time_s, self._step_s)
            if slot == last_slot:
                continue
            last_slot = slot
            before = earlier.take(slot, shown.time_s) if self._with_earlier else None
            if shown.time_s >= self._start_s:
                image = images.image(shown.frame)
                earlier_image = images.image(before.frame) if before else None
                if earlier_image is not None and earlier_image.shape != image.shape:
                    before = earlier_image = None
                yield Frame(
                    time_s=shown.time_s,
                    image=image,
                    earlier=earlier_image,
                    earlier_s=before.time_s if before else None,
                    luma=np.stack(luma),
                    luma_s=np.array(luma_s),
                    native=natives.of(shown.frame) if self._with_native else None,
                )
            luma.clear()
            luma_s.clear()
        if shown is None and self._start_s == 0:
            raise VideoError(f"no frame could be decoded from {self._video.path}; is it complete?")


class _EarlierFrames:
    """Keeps, of the frames gone by, only those that a coming tick needs as its earlier frame."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._last: Shown | None = None
        self._kept: deque[Shown] = deque()

    def add(self, shown: Shown) -> None:
        """Take note of the next frame."""
        if self._last is not None and self._slot_ahead(self._last) < self._slot_ahead(shown):
            self._kept.append(self._last)
        self._last = shown

    def take(self, slot: int, time_s: float) -> Shown | None:
        """The frame about 0.1 s before the tick that begins ``slot``, shown at ``time_s``."""
        found = None
        while self._kept and self._slot_ahead(self._kept[0]) < slot:
            found = self._kept.popleft()
        return found if found and time_s - found.time_s <= _EARLIER_MAX_S else None

    def _slot_ahead(self, shown: Shown) -> int:
        return slot_of(shown.time_s + _EARLIER_MIN_S, self._step_s)
