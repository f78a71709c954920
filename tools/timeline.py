"""Time in a video: intervals, frames, captions and tracks, in seconds on the video's own clock.

Every time is a float number of seconds after the first presented frame. Intervals are half-open.
Nothing here rounds, and nothing here imports a heavy library.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from tools.errors import CaptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    Image: TypeAlias = NDArray[np.uint8]
    """Pixels of shape ``(height, width, 3)`` in RGB order, upright, with square pixels."""

Source = Literal["vision", "signal", "screen", "subtitle", "speech", "sight"]
"""Who says it: an image model, a measured signal, text read off the screen, a subtitle, a voice.
Or nobody: of `sight` there are no words, only how a frame looks; see ``tools.sight``."""

SOURCES: tuple[Source, ...] = get_args(Source)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A span ``[start_s, end_s)`` of a video.

    Raises:
        ValueError: If a bound is not finite or negative, or ``end_s <= start_s``.
    """

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s)):
            raise ValueError(f"interval bounds must be finite, not [{self.start_s}, {self.end_s})")
        if self.start_s < 0:
            raise ValueError(f"an interval cannot start before 0, at {self.start_s} s")
        if self.end_s <= self.start_s:
            raise ValueError(
                f"an interval must end after it starts, not [{self.start_s}, {self.end_s})"
            )

    @property
    def length_s(self) -> float:
        """Seconds from start to end; always positive."""
        return self.end_s - self.start_s

    def overlap_s(self, other: Interval) -> float:
        """Seconds that both intervals cover; 0 where they are apart."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))

    def iou(self, other: Interval) -> float:
        """Temporal intersection over union, in [0, 1]."""
        overlap_s = self.overlap_s(other)
        return overlap_s / (self.length_s + other.length_s - overlap_s)


@dataclass(frozen=True, slots=True)
class Frame:
    """One sampled frame, with what the decoder saw since the sample before it.

    Attributes:
        time_s: Presentation time of this very frame.
        image: Pixels ``(height, width, 3)``, uint8 RGB.
        earlier: The decoded frame about 0.1 s before, the same size; None where there is none
            (the first frame, a very low frame rate, or a change of size).
        earlier_s: Presentation time of ``earlier``, or None with it.
        luma: Shape ``(n, 36, 64)`` uint8: the brightness of every frame decoded since the sample
            before, this one last; ``n >= 1``.
        luma_s: Shape ``(n,)`` float64: the presentation time of each.
        native: Makes the picture at its own size, or as large as is kept; for one thread at a time.
            None where it was not asked for.
    """

    time_s: float
    image: Image
    earlier: Image | None
    earlier_s: float | None
    luma: NDArray[np.uint8]
    luma_s: NDArray[np.float64]
    native: Callable[[], Image] | None = None


@dataclass(frozen=True, slots=True, order=True)
class Track:
    """Captions that belong together: one captioner, one prompt, one way of showing it frames.

    Like a subtitle track, a video can have several; an answer is made from one.

    Attributes:
        model: Which captioner wrote them, for example ``classical-1`` or ``openai:gpt-5-mini``.
        prompt_version: Version of the prompt it was shown; empty where there is none.
        mode: How it looked: ``frame@1/s`` (single frames, one a second), ``file``.
    """

    model: str
    prompt_version: str
    mode: str

    @property
    def key(self) -> str:
        """A short stable name of this track, safe in file names and database keys."""
        return _digest(self.model, self.prompt_version, self.mode)[:16]


MAX_CAPTION_CHARS = 10_000
"""Longer ones are cut where a model said them, and refused where a file holds them."""


@dataclass(frozen=True, slots=True)
class Caption:
    """Text that holds over a span of one video.

    Raises:
        CaptionError: If the text is blank or the source is not one of ``SOURCES``.
    """

    video_id: str
    span: Interval
    text: str
    source: Source
    track: Track

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise CaptionError(f"the caption at {self.span.start_s} s of {self.video_id} is empty")
        if self.source not in SOURCES:
            raise CaptionError(f"caption source {self.source!r} is not one of {', '.join(SOURCES)}")

    @property
    def start_s(self) -> float:
        return self.span.start_s

    @property
    def end_s(self) -> float:
        return self.span.end_s

    @property
    def id(self) -> str:
        """Equal for equal place, source and track: indexing again finds it there."""
        return _digest(
            self.video_id,
            float(self.start_s).hex(),
            float(self.end_s).hex(),
            self.source,
            self.track.model,
            self.track.prompt_version,
            self.track.mode,
        )[:32]

    def as_dict(self) -> dict[str, Any]:
        """Plain values only, for graph state, stores and files; ``from_dict`` reads it back."""
        return {
            "id": self.id,
            "video_id": self.video_id,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "text": self.text,
            "source": self.source,
            "model": self.track.model,
            "prompt_version": self.track.prompt_version,
            "mode": self.track.mode,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Caption:
        """The caption that ``as_dict`` wrote."""
        return cls(
            video_id=plain["video_id"],
            span=Interval(plain["start_s"], plain["end_s"]),
            text=plain["text"],
            source=plain["source"],
            track=Track(plain["model"], plain["prompt_version"], plain["mode"]),
        )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
