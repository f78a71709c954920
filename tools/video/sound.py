"""The sound of a video, on the video's own clock, in pieces that fit into memory."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from tools.errors import VideoError
from tools.video.streams import open_container

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import AudioStream
    from av.audio.frame import AudioFrame
    from av.container import InputContainer
    from numpy.typing import NDArray

    from tools.video.reader import Video

SAMPLE_RATE_HZ = 16_000
"""What models of speech take."""

PIECE_S = 300.0
"""Length of a piece at most: 19 MB."""

CUT_WITHIN_S = 20.0
"""A piece is cut where its last so many seconds are quietest, which is between two words."""

QUIET_S = 0.2
"""Length of the stretch that is to be quiet, a cut in its middle."""

MAX_DRIFT_S = 0.1
"""Sound that is further from where its timestamps say begins a new piece."""

_MAX_DEMUX_FAILURES = 32


@dataclass(frozen=True, slots=True)
class SoundPiece:
    """A stretch of sound.

    Attributes:
        start_s: Where it begins, seconds after the first presented frame; before 0 where the sound
            begins before the picture.
        samples: Shape ``(n,)`` float32, mono, ``SAMPLE_RATE_HZ``, within [-1, 1].
    """

    start_s: float
    samples: NDArray[np.float32]

    @property
    def length_s(self) -> float:
        """Seconds from start to end."""
        return self.samples.size / SAMPLE_RATE_HZ

    @property
    def end_s(self) -> float:
        """Where it ends, likewise."""
        return self.start_s + self.length_s


def read_sound(video: Video) -> Iterator[SoundPiece]:
    """Decode the sound that a player would play, piece by piece, in order of time.

    Where sound is missing or its clock jumps, a piece ends, and the next one begins at its own
    time. What cannot be decoded is left out.

    Raises:
        VideoError: If the video has no sound, or none of it decodes.
    """
    with open_container(video.path) as container:
        stream = _choose_stream(container, video)
        time_base = container.streams[video.stream_index].time_base
        first_frame = (video.first_pts or 0) * (time_base or Fraction(0))
        assembly = _Assembly()
        is_heard = False
        for frame in _frames(container, stream):
            start = None
            if frame.pts is not None and frame.time_base:
                start = float(frame.pts * frame.time_base - first_frame)
            for piece in assembly.add(frame, start):
                is_heard = True
                yield piece
        for piece in assembly.finish():
            is_heard = True
            yield piece
    if not is_heard:
        raise VideoError(f"no sound could be decoded from {video.path}; is it complete?")


class _Assembly:
    """Puts decoded frames together, and cuts pieces off."""

    def __init__(self) -> None:
        self._resampler = _new_resampler()
        self._start_s = 0.0
        self._parts: list[NDArray[np.float32]] = []
        self._count = 0
        # Sound taken in since the resampler's clock began, which lags a little behind.
        self._taken_from_s = 0.0
        self._taken_s = 0.0

    def add(self, frame: AudioFrame, start_s: float | None) -> Iterator[SoundPiece]:
        """Take in a frame that begins at so many seconds; None: right after the one before."""
        if start_s is not None and self._jumps_to(start_s):
            yield from self.finish()
            self._start_s = self._taken_from_s = start_s
        self._take(self._resampler.resample(frame))
        self._taken_s += frame.samples / frame.sample_rate
        if self._count >= PIECE_S * SAMPLE_RATE_HZ:
            samples = np.concatenate(self._parts)
            cut = _quietest(samples)
            yield SoundPiece(self._start_s, samples[:cut])
            self._start_s += cut / SAMPLE_RATE_HZ
            self._parts, self._count = [samples[cut:].copy()], samples.size - cut

    def finish(self) -> Iterator[SoundPiece]:
        """Hand out what is left, and begin anew."""
        if self._taken_s:
            self._take(self._resampler.resample(None))
            self._resampler = _new_resampler()
        if self._count:
            yield SoundPiece(self._start_s, np.concatenate(self._parts))
        # Without a timestamp the next frame goes on here.
        self._start_s = self._taken_from_s = self._taken_from_s + self._taken_s
        self._parts, self._count, self._taken_s = [], 0, 0.0

    def _jumps_to(self, start_s: float) -> bool:
        expected_s = self._taken_from_s + self._taken_s
        return not self._taken_s or abs(start_s - expected_s) > MAX_DRIFT_S

    def _take(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            samples = np.asarray(frame.to_ndarray(), np.float32).reshape(-1)
            self._parts.append(samples)
            self._count += samples.size


def _new_resampler() -> av.AudioResampler:
    return av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)


def _quietest(samples: NDArray[np.float32]) -> int:
    """Where among the last seconds to cut."""
    width = round(QUIET_S * SAMPLE_RATE_HZ)
    first = max(0, samples.size - round(CUT_WITHIN_S * SAMPLE_RATE_HZ))
    tail = samples[first:]
    tail = tail[: tail.size // width * width].reshape(-1, width)
    quietest = int(np.argmin(np.square(tail, dtype=np.float64).sum(axis=1)))
    return first + quietest * width + width // 2


def _choose_stream(container: InputContainer, video: Video) -> AudioStream:
    if not container.streams.audio:
        raise VideoError(f"{video.path} has no audio stream; nothing to transcribe")
    decodable = [one for one in container.streams.audio if getattr(one, "codec_context", None)]
    if not decodable:
        raise VideoError(f"{video.path}: no decoder for its sound; convert it to AAC first")
    best = container.streams.best("audio")
    return next((one for one in decodable if best and one.index == best.index), decodable[0])


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    packets = container.demux(stream)
    failures = 0
    while failures < _MAX_DEMUX_FAILURES:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            failures += 1
            continue
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        yield from frames
