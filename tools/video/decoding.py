"""One pass over the frames of a video stream, in presentation order, whatever state the file is in.

The rules learnt from damaged and unusual files are kept here: cover art is not a video, errors are
caught packet by packet, time is the frame's own timestamp, and what a file says about durations is
believed only where its frames bear it out.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import av

from tools.video.packet_times import PacketTimes, ShownOrder, has_order_only
from tools.video.stream_clock import StreamClock, has_clock, may_reset
from tools.video.streams import MAX_PIXELS, open_container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av import Packet, VideoFrame, VideoStream
    from av.container import InputContainer

    VideoPacket: TypeAlias = Packet[VideoStream]

# A file that cannot be read on after this many attempts has ended.
_MAX_DEMUX_FAILURES = 32

# More packets than frames can be out of order by (16 in H.264 and HEVC).
_PACKETS_AHEAD = 17

DECODER_OPTIONS = {"max_pixels": str(MAX_PIXELS)}
"""As FFmpeg names them."""

# Decoders that decode all that they are given.
_LEAVES_NOTHING_OUT = frozenset({"vp9", "libvpx-vp9", "av1", "libdav1d", "libaom-av1"})


class Shown(NamedTuple):
    """A decoded frame and when it is presented, in seconds after the first one."""

    time_s: float
    frame: VideoFrame


def slot_of(time_s: float, step_s: float) -> int:
    """Which step of the grid a time is in; within a microsecond of the next one it is in that."""
    return math.floor(time_s / step_s + 1e-6)


class DecodePass:
    """Yields the frames of one stream with strictly increasing times; iterate it once.

    With ``step_s`` it leaves frames out that no other frame refers to, which saves two fifths of
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
        header_end_s: Where the header says that the stream ends; None where it says nothing.
        from_s: Start at the keyframe at or before this time where the file can seek, else at 0.
        step_s: Leave frames out as said above; None decodes them all.
        lead_s: See above; None where no frame before a step is wanted.

    Attributes:
        until_s: End of the last frame so far, see ``StreamClock.end_of``.
        errors: Packets so far that could not be read or decoded.
    """

    def __init__(
        self,
        path: Path,
        stream_index: int,
        *,
        first_pts: int | None,
        nominal_interval_s: float,
        header_end_s: float | None = None,
        from_s: float = 0.0,
        step_s: float | None = None,
        lead_s: float | None = None,
    ) -> None:
        self._path = path
        self._stream_index = stream_index
        self._first_pts = first_pts
        self._nominal_interval_s = nominal_interval_s
        self._header_end_s = header_end_s
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

        Where packets carry no times, all is decoded.
        """
        with open_container(self._path) as container:
            stream = next(s for s in container.streams.video if s.index == self._stream_index)
            clock = self._clock(container, stream)
            for _ in self._packets(container, stream, clock):
                pass
        if clock.until_s is not None:
            return clock.until_s
        for _ in self:
            pass
        return self.until_s

    def _seek(self, container: InputContainer) -> bool:
        time_base = container.streams[self._stream_index].time_base
        if self._first_pts is None or not time_base or not has_clock(container):
            return False
        # Where timestamps may restart in mid-file, a seek could land in the wrong part.
        if may_reset(container):
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
        stream.codec_context.options = DECODER_OPTIONS
        clock = self._clock(container, stream)
        order = ShownOrder() if has_order_only(container) else None
        thinning = None
        leaves_out = stream.codec_context.name not in _LEAVES_NOTHING_OUT
        if self._step_s and leaves_out and order is None:
            thinning = _Thinning(clock, self._step_s, self._lead_s)
        for packet, is_near_end in self._packets(container, stream, clock):
            # The last frames are all decoded: the end is that of a frame that really decodes.
            skip = thinning is not None and thinning.spares(packet) and not is_near_end
            if thinning is not None:
                stream.codec_context.skip_frame = "NONREF" if skip else "DEFAULT"
            if order is not None:
                order.note(packet)
            try:
                frames = stream.decode(packet)
            except av.FFmpegError:
                self.errors += 1
                continue
            for frame in frames:
                if order is not None:
                    order.correct(frame)
                time_s = clock.present(frame)
                if time_s is not None:
                    self.until_s = clock.end_of(time_s, frame.duration)
                    yield Shown(time_s, frame)

    def _clock(self, container: InputContainer, stream: VideoStream) -> StreamClock:
        return StreamClock(
            container,
            stream,
            first_pts=self._first_pts,
            nominal_interval_s=self._nominal_interval_s,
            header_end_s=self._header_end_s,
        )

    def _packets(
        self, container: InputContainer, stream: VideoStream, clock: StreamClock
    ) -> Iterator[tuple[VideoPacket, bool]]:
        """Packets in stored order, and whether each is among the last ones.

        The clock knows the coming ones too, so that it can tell where it is reset.
        """
        times = PacketTimes(container, self._path)
        ahead: deque[VideoPacket] = deque()
        failures = 0
        while failures < _MAX_DEMUX_FAILURES:
            try:
                for packet in container.demux(stream):
                    failures = 0
                    if not times.is_shown(packet):
                        continue
                    times.correct(packet)
                    clock.note(packet)
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


class _Thinning:
    """Chooses the packets whose frames may be left out if no other frame refers to them."""

    def __init__(self, clock: StreamClock, step_s: float, lead_s: float | None) -> None:
        self._clock = clock
        self._step_s = step_s
        self._lead_s = lead_s
        self._first_in_slot_s: dict[int, float] = {}

    def spares(self, packet: VideoPacket) -> bool:
        """Whether the frame is not needed: one before it in its step was decoded already."""
        interval_s = self._clock.interval_s
        if packet.pts is None or interval_s is None or self._clock.was_reset:
            return False
        if packet.is_discard:
            # It is not shown, and so not the first of its step.
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
