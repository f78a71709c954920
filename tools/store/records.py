"""What the store holds beside captions: which tracks of which videos it has, and their gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from tools.timeline import Interval, Track


@dataclass(frozen=True, slots=True)
class VideoRecord:
    """One track of one video, as far as it is indexed.

    Attributes:
        video_id: What the video's captions are kept under: the hash of its content, or of samples
            of it where an earlier version indexed it.
        path: Where the file lay when it was last seen.
        duration_s: Length; what the header says until the index is complete, then what decoded.
        track: Whose captions they are.
        rate_hz: Frames looked at per second; None where captions came from elsewhere.
        complete: Whether the whole video has been looked at.
        warning: What the user should know of the video; empty where nothing.
        indexed_at: When, in ISO 8601 and UTC.
        captions: How many captions the track has; meaningful once complete.
        content_id: Hash of every byte of the video; empty where an earlier version indexed it.
        file_stamp: The file that was hashed, see ``tools.video.identity.known_stamp``.
        run: Names the run that wrote it first, so that a later one is told from it.
        file_start_s: How long before its first picture, which is time 0, the file begins.
    """

    video_id: str
    path: str
    duration_s: float
    track: Track
    rate_hz: float | None
    complete: bool
    warning: str
    indexed_at: str
    captions: int
    content_id: str = ""
    file_stamp: str = ""
    run: str = ""
    file_start_s: float = 0.0

    def at(self, path: Path) -> VideoRecord:
        """The same record of a file that has moved to ``path``."""
        return replace(self, path=str(path.absolute()))

    def as_dict(self) -> dict[str, Any]:
        """Plain values only; ``from_dict`` reads them back. What is not known is left out."""
        plain = asdict(self)
        for name in ("content_id", "file_stamp", "run"):
            if not plain[name]:
                del plain[name]
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> VideoRecord:
        """The record that ``as_dict`` wrote, also that of a later version, which may say more."""
        known = {field.name for field in fields(cls)}
        kept = {name: value for name, value in plain.items() if name in known}
        return cls(**{**kept, "track": Track(**plain["track"])})


@dataclass(frozen=True, slots=True)
class CaptionGap:
    """A span of a video that a captioner was shown and gave no caption of.

    Attributes:
        video_id: As of its captions.
        span: What it was shown, until the next frame.
        reason: Why there is no caption, in a line.
        track: Whose caption is missing.
        is_final: Whether another try would end the same way; else a later index asks once more.
    """

    video_id: str
    span: Interval
    reason: str
    track: Track
    is_final: bool = True
