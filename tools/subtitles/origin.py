"""Where the captions of a subtitle file come from, written into the mode of their track."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.timeline import Track

MODE = "subtitles"

_BETWEEN = "//"
"""Between two paths; no absolute path has it inside."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The subtitle file of one copy of a video: another copy may have another one, or none.

    Attributes:
        file: Where it lay when it was read.
        video: The copy; None in tracks of an earlier version, which knew the video only.
        is_named: Whether somebody named the file; otherwise it was found beside the copy.
    """

    file: Path
    video: Path | None
    is_named: bool

    @property
    def mode(self) -> str:
        """What the track of these captions has as its mode; ``origin_of`` reads it back."""
        return f"{MODE}:{'named' if self.is_named else 'beside'}:{self.video}{_BETWEEN}{self.file}"

    @property
    def is_left_behind(self) -> bool:
        """Whether its copy of the video has been moved or deleted, or is not known."""
        return self.video is None or not self.video.exists()


def origin_of(track: Track) -> Origin | None:
    """The subtitle file that a track was read from; None for a track of anything else."""
    mode, _, slot = track.mode.partition(":")
    if mode != MODE or not slot:
        return None
    how, _, paths = slot.partition(":")
    video, between, file = paths.partition(_BETWEEN)
    if how in {"named", "beside"} and between:
        return Origin(Path(file), Path(video), how == "named")
    return Origin(Path(slot), None, Path(slot).is_absolute())
