"""The sound of a video as samples of one form, on the clock that its pictures follow.

Clips and speech both use this: whatever the stream does on its way (another number of channels,
another rate, a clock that is reset), the sound stays in time with the pictures.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import numpy as np

from tools.video.packet_times import PacketTimes
from tools.video.stream_clock import StreamClock, may_reset
from tools.video.streams import choose_sound, open_container

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import AudioFrame, AudioStream, Packet, VideoStream
    from av.container import InputContainer
    from numpy.typing import NDArray

    from tools.video.reader import Video

SLACK_S = 0.015
"""Sound this far from where its timestamps say is put there. Less than that are timestamps that a
container has rounded: to follow them would be heard as clicks, and nobody sees the difference."""

# Decoders of sound need a little of what comes before to settle.
_LEAD_S = 0.2

# Clocks are set back by a second or more, so that sound which goes on like this is of one stretch.
_GOES_ON_S = 0.5

# Sound and pictures of one time stand no further apart in a file.
_INTERLEAVED_S = 3.0

_MAX_DEMUX_FAILURES = 32


class Heard(NamedTuple):
    """Samples from a time on.

    Attributes:
        start_s: Seconds after the first presented frame; before 0 where sound comes first.
        samples: Shape ``(channels, n)`` float32.
    """

    start_s: float
    samples: NDArray[np.float32]


def hear(
    video: Video, *, rate_hz: int, mono: bool = False, from_s: float = -math.inf
) -> Iterator[Heard]:
    """Decode the sound that belongs to a video, in order of time and without overlaps.

    Where there is no sound, there is a gap. What cannot be decoded is left out.

    Args:
        video: Whose sound.
        rate_hz: Samples per second that are wanted.
        mono: One channel; otherwise there are two, unless the stream begins as one.
        from_s: What ends before this time may be left out; begins earlier where the file cannot
            seek.

    Raises:
        VideoError: If the file cannot be opened any more.
    """
    if from_s > _LEAD_S:
        with open_container(video.path) as container:
            if not may_reset(container) and _seek(container, video, from_s):
                found = _hear(container, video, rate_hz=rate_hz, mono=mono, from_s=from_s)
                first = next(found, None)
                if first and first.start_s <= from_s:
                    yield first
                    yield from found
                    return
        # There is no sound there, or the seek landed too late: the file's index may be wrong.
    with open_container(video.path) as container:
        yield from _hear(container, video, rate_hz=rate_hz, mono=mono, from_s=from_s)


def _seek(container: InputContainer, video: Video, from_s: float) -> bool:
    at_s = video.first_frame_s + from_s - _LEAD_S
    with contextlib.suppress(av.FFmpegError):
        container.seek(math.floor(at_s * av.time_base))
        return True
    return False


def _hear(
    container: InputContainer, video: Video, *, rate_hz: int, mono: bool, from_s: float
) -> Iterator[Heard]:
    source = choose_sound(container, video.stream_index)
    if source is None:
        return
    layout = "mono" if mono or source.channels == 1 else "stereo"
    run = _Run(rate_hz, layout)
    for frame, start_s, is_seam in _timed(container, source, video, from_s):
        yield from run.add(frame, start_s, is_seam=is_seam)
    yield from run.finish()


def _timed(
    container: InputContainer, source: AudioStream, video: Video, from_s: float
) -> Iterator[tuple[AudioFrame, float | None, bool]]:
    """Decoded frames, when they begin (None: they do not say it), and whether a piece does.

    Pieces are what an edit list takes, and what lies between two settings of the clock.
    """
    stretches = _Stretches(container, video)
    heard_stretch = 0
    is_cut = False
    for packet in _packets(container, video, [*stretches.followed, source]):
        if packet.stream.index != source.index:
            stretches.note(packet)
            continue
        shift_s = stretches.shift_s(packet)
        if packet.pts is not None and packet.duration and packet.time_base:
            end_s = float((packet.pts + packet.duration) * packet.time_base) + shift_s
            if end_s < from_s - _LEAD_S:
                continue
        try:
            frames = source.decode(packet)
        except av.FFmpegError:
            continue
        # What is cut away helps to decode what follows.
        is_cut |= packet.is_discard
        for frame in frames:
            start_s = None
            if frame.pts is not None and frame.time_base:
                start_s = float(frame.pts * frame.time_base) + shift_s
                stretches.heard_until_s = start_s + frame.samples / frame.sample_rate
            yield frame, start_s, is_cut or stretches.stretch != heard_stretch
            heard_stretch, is_cut = stretches.stretch, False


def _packets(
    container: InputContainer, video: Video, streams: list[AudioStream | VideoStream]
) -> Iterator[Packet[Any]]:
    times = PacketTimes(container, video.path)
    packets: Iterator[Any] = container.demux(streams)
    failures = 0
    while failures < _MAX_DEMUX_FAILURES:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            failures += 1
            continue
        if packet is None:
            return
        if times.is_shown(packet):
            times.correct(packet)
            yield packet


class _Stretches:
    """Finds the stretch of a video's clock that a packet of its sound belongs to.

    Attributes:
        followed: The streams whose packets it has to be told of: the video's where its clock is
            reset, else none.
        heard_until_s: End of the sound decoded so far.
        stretch: The one of the last packet.
    """

    def __init__(self, container: InputContainer, video: Video) -> None:
        self.followed: list[AudioStream | VideoStream] = []
        self.heard_until_s = 0.0
        self._video = video
        self._zero_s = video.first_frame_s
        self._behind_s = [0.0]
        self.stretch = 0
        self._seen_s = 0.0
        if may_reset(container):
            self._behind_s = all_behind_s(video)
        if len(self._behind_s) > 1:
            stream = _video_stream(container, video)
            self.followed = [stream]
            self._clock = _clock(container, stream, video)

    def note(self, packet: Packet[Any]) -> None:
        """Take note of a packet of the pictures."""
        self._clock.note(packet)
        if packet.pts is not None:
            stretch = min(max(0, self._clock.stretches - 1), len(self._behind_s) - 1)
            self._seen_s = self._clock.time_of(packet.pts) + self._behind_s[stretch]

    def shift_s(self, packet: Packet[Any]) -> float:
        """What to add to the seconds of a packet's sound, so that they are the picture's."""
        if self.followed and packet.pts is not None and packet.time_base:
            self.stretch = self._stretch_of(float(packet.pts * packet.time_base) - self._zero_s)
        return self._behind_s[self.stretch] - self._zero_s

    def _stretch_of(self, time_s: float) -> int:
        shown = max(0, self._clock.stretches - 1)
        near = range(max(0, shown - 1), min(shown + 2, len(self._behind_s)))
        candidates: list[int] = [self.stretch, *near]
        for stretch in candidates:
            at_s = time_s + self._behind_s[stretch]
            # It may be behind the pictures by a stretch, but not for long.
            is_late = stretch < shown and abs(at_s - self._seen_s) >= _INTERLEAVED_S
            if abs(at_s - self.heard_until_s) < _GOES_ON_S and not is_late:
                return stretch
        return min(near, key=lambda one: abs(time_s + self._behind_s[one] - self._seen_s))


def all_behind_s(video: Video) -> list[float]:
    """Of each stretch of a video's clock, what is to be added to its times; reads the file.

    Raises:
        VideoError: If the file cannot be opened any more.
    """
    with open_container(video.path) as container:
        stream = _video_stream(container, video)
        clock = _clock(container, stream, video)
        for packet in _packets(container, video, [stream]):
            clock.note(packet)
    return [clock.behind_s(stretch) for stretch in range(max(1, clock.stretches))]


def _video_stream(container: InputContainer, video: Video) -> VideoStream:
    return next(one for one in container.streams.video if one.index == video.stream_index)


def _clock(container: InputContainer, stream: VideoStream, video: Video) -> StreamClock:
    return StreamClock(
        container,
        stream,
        first_pts=video.first_pts,
        nominal_interval_s=video.nominal_interval_s,
    )


class _Run:
    """Brings frames into one form, and each to its place."""

    def __init__(self, rate_hz: int, layout: str) -> None:
        self._rate_hz = rate_hz
        self._layout = layout
        self._form: tuple[str, str, int] | None = None
        self._resampler: av.AudioResampler | None = None
        # End of the frames taken in; the resampler lags a little behind.
        self._taken_until_s: float | None = None
        # End of the samples handed out.
        self._at_s = 0.0
        self._done_s = -math.inf

    def add(self, frame: AudioFrame, start_s: float | None, *, is_seam: bool) -> Iterator[Heard]:
        """Take in a frame that begins at this time; None: right after the one before.

        At a seam it is put there to the sample: nothing there was rounded, and a click is no harm.
        """
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        expected_s = self._taken_until_s
        slack_s = 0.0 if is_seam else SLACK_S
        jumps = expected_s is None or (start_s is not None and abs(start_s - expected_s) > slack_s)
        if jumps or form != self._form:
            yield from self.finish()
            self._form = form
            self._resampler = av.AudioResampler("fltp", self._layout, self._rate_hz)
            # A frame without a time, and none before it, begins with the pictures.
            begin_s = start_s if jumps else expected_s
            self._at_s = self._taken_until_s = 0.0 if begin_s is None else begin_s
        self._taken_until_s = (self._taken_until_s or 0.0) + frame.samples / frame.sample_rate
        yield from self._resampled(frame)

    def finish(self) -> Iterator[Heard]:
        """Hand out what the resampler still holds."""
        if self._resampler is not None:
            yield from self._resampled(None)
            self._resampler = None

    def _resampled(self, frame: AudioFrame | None) -> Iterator[Heard]:
        assert self._resampler is not None
        try:
            made = self._resampler.resample(frame)
        except (av.FFmpegError, ValueError):
            # A form that cannot be converted, such as channels without an order.
            return
        for one in made:
            samples = np.asarray(one.to_ndarray(), np.float32)
            start_s = self._at_s
            self._at_s += samples.shape[1] / self._rate_hz
            # What was heard already is not heard again.
            known = max(0, round((max(self._done_s, start_s) - start_s) * self._rate_hz))
            if known < samples.shape[1]:
                self._done_s = self._at_s
                yield Heard(start_s + known / self._rate_hz, samples[:, known:])
