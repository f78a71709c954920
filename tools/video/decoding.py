"""One pass over the frames of a video stream, in presentation order, whatever state the file is in.

The rules that damaged and unusual files taught stand here: cover art is no video, errors are
caught packet by packet, time is the frame's own timestamp, and what a file says about durations is
believed only where its frames bear it out.
"""

from __future__ import annotations

import math
from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import av
from av.stream import Disposition

from tools.errors import VideoError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av import Packet, VideoFrame, VideoStream
    from av.container import InputContainer

    VideoPacket: TypeAlias = Packet[VideoStream]

# Demuxers that take any text or bytes with the right file name extension for a picture.
_NOT_VIDEO_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})

# Frames come in order, so a timestamp this far back means that the clock was set anew (recordings
# joined in one transport stream). A player goes on from where it was, and so does this.
_CLOCK_RESET_S = 1.0

MAX_PIXELS = 12_288 * 6_480
"""Of a frame: the largest that cameras record; a file of some kilobytes can say any number."""

# AVFMT_TS_DISCONT of FFmpeg's avformat.h: formats that may do so.
_CLOCK_MAY_RESET = 0x0200

# A file that cannot be read on in so many attempts has ended.
_MAX_DEMUX_FAILURES = 32

# Enough packets to know how far apart frames are.
_PACKETS_TO_KNOW_THE_INTERVAL = 16

# More packets than frames can be out of order by (16 in H.264 and HEVC).
_PACKETS_AHEAD = 17


class Shown(NamedTuple):
    """A decoded frame and when it is presented, in seconds after the first one."""

    time_s: float
    frame: VideoFrame


def slot_of(time_s: float, step_s: float) -> int:
    """Which step of the grid a time is in; within a microsecond of the next one it is in that."""
    return math.floor(time_s / step_s + 1e-6)


def open_container(path: Path) -> InputContainer:
    """Open a media file for reading.

    Raises:
        VideoError: If it is not a media file.
    """
    try:
        # "file:" keeps a name such as "-" or "concat:a" from meaning something else, and the
        # whitelist keeps a playlist from reaching the network.
        container = av.open(
            f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace"
        )
    except av.FFmpegError as error:
        raise VideoError(
            f"{path} cannot be read as a video ({error.strerror}); "
            "check that it is complete, not encrypted, and really a video"
        ) from error
    if container.format.name in _NOT_VIDEO_FORMATS:
        container.close()
        raise VideoError(f"{path} is text or data, not a video; give a video file")
    return container


def choose_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream that a player would show.

    It is FFmpeg's own choice: the default track, then one with more than a few pictures, then the
    higher bit rate; so neither the still beside a motion photo nor an empty track wins. Cover art
    and streams without a decoder are passed over.

    Raises:
        VideoError: If there is none, or its frames are too large.
    """
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)
    ]
    if not streams:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        kinds = kinds.replace("video", "cover art")
        raise VideoError(f"{path} has no video in it, only {kinds}; give a video file")
    # Without a decoder there is no codec context, whatever the type says.
    decodable = [stream for stream in streams if getattr(stream, "codec_context", None)]
    if not decodable:
        raise VideoError(f"{path}: no decoder for its video; convert it to H.264 first")
    best = container.streams.best("video")
    largest = max(decodable, key=lambda stream: stream.width * stream.height)
    chosen = next((one for one in decodable if best and one.index == best.index), largest)
    if chosen.width * chosen.height > MAX_PIXELS:
        raise VideoError(
            f"{path} has frames of {chosen.width} × {chosen.height} pixels, and at most "
            f"{MAX_PIXELS:,} pixels are decoded; make it smaller first"
        )
    return chosen


def pixel_aspect(stream: VideoStream) -> Fraction:
    """Width of a stored pixel over its height; 1 where the stream says nothing believable."""
    aspect = stream.sample_aspect_ratio
    return aspect if aspect and Fraction(1, 8) <= aspect <= 8 else Fraction(1)


class DecodePass:
    """Yields the frames of one stream with strictly increasing times; iterate it once.

    With ``step_s`` it leaves frames out that no other frame refers to, which spares two fifths of
    the work on H.264 and HEVC, as long as frames are at most ``step_s / 4`` apart. It never leaves
    out a frame before which none was decoded in its step, nor the last one ``lead_s`` before a
    step, nor the last ones of the file. So the first frame at or after each multiple of ``step_s``
    is the very frame that a pass over all frames finds there, also in a stream where no frame
    refers to another; only in a damaged file can what is shown after the damage differ.

    Args:
        path: The file.
        stream_index: Which of its streams.
        first_pts: Timestamp of the first presented frame, which is time 0; None takes what comes.
        nominal_interval_s: How far apart frames are that carry no timestamp.
        from_s: Start at the keyframe at or before this time where the file can seek, else at 0.
        step_s: Leave frames out as said above; None decodes them all.
        lead_s: See above; None where no frame before a step is wanted.

    Attributes:
        until_s: End of the last frame so far: its time and its duration, or the mean interval where
            the file's durations do not fit its timestamps.
        errors: Packets so far that could not be read or decoded.
    """

    def __init__(
        self,
        path: Path,
        stream_index: int,
        *,
        first_pts: int | None,
        nominal_interval_s: float,
        from_s: float = 0.0,
        step_s: float | None = None,
        lead_s: float | None = None,
    ) -> None:
        self._path = path
        self._stream_index = stream_index
        self._first_pts = first_pts
        self._nominal_interval_s = nominal_interval_s
        self._from_s = from_s
        self._step_s = step_s
        self._lead_s = lead_s
        self.until_s = 0.0
        self.errors = 0

    def __iter__(self) -> Iterator[Shown]:
        """Decode lazily; the file is open while the iterator lives.

        Raises:
            VideoError: If the file cannot be opened any more.
        """
        if self._from_s > 0:
            with open_container(self._path) as container:
                if self._seek(container):
                    frames = self._frames(container)
                    first = next(frames, None)
                    if first and first.frame.pts is not None and first.time_s <= self._from_s:
                        yield first
                        yield from frames
                        return
            # The seek failed or landed too late: the file's index is missing or wrong.
            self.errors = 0
        with open_container(self._path) as container:
            yield from self._frames(container)

    def measure_until_s(self) -> float:
        """End of the last frame by the packets' own times: reads the file, decodes next to nothing.

        Where packets carry no times, or their clock starts anew in mid-file, all is decoded.
        """
        with open_container(self._path) as container:
            stream = next(s for s in container.streams.video if s.index == self._stream_index)
            clock = _Clock(stream.time_base, self._first_pts, self._nominal_interval_s)
            for packet, _ in self._packets(container, stream):
                clock.note(packet)
        if clock.until_s is not None:
            return clock.until_s
        for _ in self:
            pass
        return self.until_s

    def _seek(self, container: InputContainer) -> bool:
        time_base = container.streams[self._stream_index].time_base
        # Where timestamps may start anew in mid-file, a seek could land in the wrong part.
        if self._first_pts is None or not time_base or container.format.flags & _CLOCK_MAY_RESET:
            return False
        ticks = self._first_pts + math.floor(self._from_s / time_base)
        try:
            container.seek(ticks, stream=container.streams[self._stream_index])
        except av.FFmpegError:
            return False
        return True

    def _frames(self, container: InputContainer) -> Iterator[Shown]:
        stream = next(s for s in container.streams.video if s.index == self._stream_index)
        stream.thread_type = "AUTO"
        # Also where frames grow on the way.
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        clock = _Clock(stream.time_base, self._first_pts, self._nominal_interval_s)
        thinning = _Thinning(clock, self._step_s, self._lead_s) if self._step_s else None
        for packet, is_near_end in self._packets(container, stream):
            clock.note(packet)
            # The last frames are all decoded: the end is that of a frame that really decodes.
            skip = thinning is not None and thinning.spares(packet) and not is_near_end
            stream.codec_context.skip_frame = "NONREF" if skip else "DEFAULT"
            try:
                frames = stream.decode(packet)
            except av.FFmpegError:
                self.errors += 1
                continue
            for frame in frames:
                time_s = clock.present(frame)
                if time_s is not None:
                    self.until_s = time_s + clock.shown_for_s(frame.duration)
                    yield Shown(time_s, frame)

    def _packets(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[tuple[VideoPacket, bool]]:
        """Packets in stored order, and whether each is among the last ones."""
        ahead: deque[VideoPacket] = deque()
        failures = 0
        while failures < _MAX_DEMUX_FAILURES:
            try:
                for packet in container.demux(stream):
                    failures = 0
                    ahead.append(packet)
                    if len(ahead) > _PACKETS_AHEAD:
                        yield ahead.popleft(), False
            except av.FFmpegError:
                self.errors += 1
                failures += 1
            else:
                break
        for packet in ahead:
            yield packet, True


class _Clock:
    """Turns timestamps into seconds, and knows how far apart frames really are."""

    def __init__(
        self, time_base: Fraction | None, first_pts: int | None, nominal_interval_s: float
    ) -> None:
        time_base = time_base or Fraction(1, 1000)
        self._tick_s = float(time_base)
        self._tick_numerator, self._tick_denominator = time_base.as_integer_ratio()
        self._first_pts = first_pts
        self._nominal_interval_s = nominal_interval_s
        self._last_s = -math.inf
        self._behind_s = 0.0
        self.was_reset = False
        self._last_dts: float = -math.inf
        self._noted = 0
        self._earliest_pts = 0
        self._latest_pts = 0
        self._declared_ticks = 0

    def note(self, packet: VideoPacket) -> None:
        """Count a packet, before it is decoded; what came before a reset tells the interval."""
        if packet.dts is not None:
            # Decoding times go back only where the clock was set anew.
            self.was_reset |= (self._last_dts - packet.dts) * self._tick_s > _CLOCK_RESET_S
            self._last_dts = packet.dts
        if packet.pts is None or self.was_reset:
            return
        if not self._noted:
            self._earliest_pts = self._latest_pts = packet.pts
        self._noted += 1
        self._earliest_pts = min(self._earliest_pts, packet.pts)
        self._latest_pts = max(self._latest_pts, packet.pts)
        self._declared_ticks += packet.duration or 0

    @property
    def interval_s(self) -> float | None:
        """Mean time between frames; None until it is known."""
        if self._noted < _PACKETS_TO_KNOW_THE_INTERVAL:
            return None
        return self._mean_interval_s()

    @property
    def until_s(self) -> float | None:
        """End of the last frame noted; None where the packets do not tell it."""
        if not self._noted or self.was_reset or self._first_pts is None:
            return None
        last_s = self.time_of(self._latest_pts)
        return (
            last_s + self.shown_for_s(self._declared_ticks // self._noted) if last_s >= 0 else None
        )

    def time_of(self, pts: int) -> float:
        """Seconds from the first presented frame."""
        # The product of whole numbers first: it rounds once, and equal times come out equal.
        ticks = pts - (self._first_pts or 0)
        return ticks * self._tick_numerator / self._tick_denominator

    def present(self, frame: VideoFrame) -> float | None:
        """When the frame is shown; None for one that comes too late to be shown at all."""
        if frame.pts is None:
            # Nothing but the order is known.
            time_s = max(0.0, self._last_s + self._nominal_interval_s)
        else:
            if self._first_pts is None:
                self._first_pts = frame.pts
            time_s = self.time_of(frame.pts) + self._behind_s
            if time_s < self._last_s - _CLOCK_RESET_S:
                resumed_s = self._last_s + self._mean_interval_s()
                self._behind_s += resumed_s - time_s
                time_s = resumed_s
        if time_s <= self._last_s or time_s < 0:
            return None
        self._last_s = time_s
        return time_s

    def shown_for_s(self, declared_ticks: int | None) -> float:
        """How long a frame is shown: as it says, if what the others said fitted their times."""
        span_ticks = self._latest_pts - self._earliest_pts
        if declared_ticks and 2 * self._declared_ticks > span_ticks:
            return declared_ticks * self._tick_s
        return self._mean_interval_s()

    def _mean_interval_s(self) -> float:
        span_ticks = self._latest_pts - self._earliest_pts
        if self._noted < 2 or span_ticks == 0:
            return self._nominal_interval_s
        return span_ticks * self._tick_s / (self._noted - 1)


class _Thinning:
    """Chooses the packets whose frames may be left out if no other frame refers to them."""

    def __init__(self, clock: _Clock, step_s: float, lead_s: float | None) -> None:
        self._clock = clock
        self._step_s = step_s
        self._lead_s = lead_s
        self._first_in_slot_s: dict[int, float] = {}

    def spares(self, packet: VideoPacket) -> bool:
        """Whether the frame is not needed: one before it in its step was decoded already."""
        interval_s = self._clock.interval_s
        if packet.pts is None or interval_s is None or self._clock.was_reset:
            return False
        time_s = self._clock.time_of(packet.pts)
        slot = slot_of(time_s, self._step_s)
        if time_s < self._first_in_slot_s.get(slot, math.inf):
            self._first_in_slot_s[slot] = time_s
            if len(self._first_in_slot_s) > 64:
                del self._first_in_slot_s[min(self._first_in_slot_s)]
            return False
        if interval_s > self._step_s / 4:
            return False
        if self._lead_s is None:
            return True
        lead_slot = slot_of(time_s + self._lead_s, self._step_s)
        return slot_of(time_s + interval_s + self._lead_s, self._step_s) == lead_slot
