"""The sound of a video, on the video's own clock, in pieces that fit into memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tools.errors import VideoError
from tools.video.hearing import hear
from tools.video.streams import choose_sound, open_container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.video.reader import Video

SAMPLE_RATE_HZ = 16_000
"""What models of speech take."""

PIECE_S = 300.0
"""Length of a piece at most: 19 MB."""

CUT_WITHIN_S = 20.0
"""A piece is cut where its last seconds, this many, are quietest, which is between two words."""

QUIET_S = 0.2
"""Length of the stretch that should be quiet, with the cut in its middle."""

MAX_DRIFT_S = 0.1
"""A gap that is longer than this ends a piece; a shorter one is filled with silence."""


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
        """Where it ends, on the video's clock."""
        return self.start_s + self.length_s


def read_sound(video: Video) -> Iterator[SoundPiece]:
    """Decode the sound that a player would play, piece by piece, in order of time.

    Where sound is missing or its clock jumps, a piece ends, and the next one begins at its own
    time. What cannot be decoded is left out.

    Raises:
        VideoError: If the video has no sound, or none of it decodes.
    """
    _check_sound(video)
    start_s, parts, count = 0.0, list[NDArray[np.float32]](), 0
    for heard in hear(video, rate_hz=SAMPLE_RATE_HZ, mono=True):
        missing = round((heard.start_s - start_s) * SAMPLE_RATE_HZ) - count
        if not parts or missing > MAX_DRIFT_S * SAMPLE_RATE_HZ:
            if parts:
                yield SoundPiece(start_s, np.concatenate(parts))
            start_s, parts, count = heard.start_s, [], 0
        elif missing > 0:
            parts.append(np.zeros(missing, np.float32))
            count += missing
        parts.append(heard.samples[0])
        count += heard.samples.shape[1]
        if count >= PIECE_S * SAMPLE_RATE_HZ:
            samples = np.concatenate(parts)
            cut = _quietest(samples)
            yield SoundPiece(start_s, samples[:cut])
            start_s += cut / SAMPLE_RATE_HZ
            parts, count = [samples[cut:].copy()], samples.size - cut
    if not count:
        raise VideoError(f"no sound could be decoded from {video.path}; is it complete?")
    yield SoundPiece(start_s, np.concatenate(parts))


def _check_sound(video: Video) -> None:
    with open_container(video.path) as container:
        if not container.streams.audio:
            raise VideoError(f"{video.path} has no audio stream; nothing to transcribe")
        if not any(getattr(one, "codec_context", None) for one in container.streams.audio):
            raise VideoError(f"{video.path}: no decoder for its sound; convert it to AAC first")
        if choose_sound(container, video.stream_index) is None:
            raise VideoError(
                f"{video.path}: its sound belongs to another programme than its picture; nothing "
                "to transcribe"
            )


def _quietest(samples: NDArray[np.float32]) -> int:
    """Where among the last seconds to cut."""
    width = round(QUIET_S * SAMPLE_RATE_HZ)
    first = max(0, samples.size - round(CUT_WITHIN_S * SAMPLE_RATE_HZ))
    tail = samples[first:]
    tail = tail[: tail.size // width * width].reshape(-1, width)
    quietest = int(np.argmin(np.square(tail, dtype=np.float64).sum(axis=1)))
    return first + quietest * width + width // 2


def has_sound(path: Path) -> bool:
    """Whether a file has a sound track; taken to have one where it cannot be opened."""
    try:
        with open_container(path) as container:
            return bool(container.streams.audio)
    except VideoError:
        return True
