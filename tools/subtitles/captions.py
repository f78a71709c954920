"""Cues as captions of a video."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.errors import CaptionError
from tools.subtitles.cues import Cue
from tools.subtitles.embedded import SubtitleTrack
from tools.subtitles.origin import MODE, Origin
from tools.text import shorten
from tools.timeline import MAX_CAPTION_CHARS, Caption, Interval, Track


@dataclass(frozen=True, slots=True)
class SubtitleCaptions:
    """The cues that lie in a video, as captions.

    Attributes:
        captions: In order of time; no two have the same span.
        outside: Cues left out, since they begin after the video ends or end before it begins.
        cut: Cues cut at the video's beginning or end.
    """

    captions: tuple[Caption, ...]
    outside: int
    cut: int

    @property
    def warning(self) -> str | None:
        """What does not fit the video, in a few words; None where all does."""
        if not self.outside:
            return None
        cues = "1 subtitle lies" if self.outside == 1 else f"{self.outside} subtitles lie"
        return f"{cues} outside the video, and {len(self.captions)} in it"


def subtitle_track(where: Path | SubtitleTrack, *, video: Path, named: bool = False) -> Track:
    """The track of a subtitle file, named by its content, or of a stream inside the video.

    The mode says which file, of which copy of the video: so what a file said before it was changed
    is known to be out of date, and a copy elsewhere keeps its own.

    Args:
        where: The file or stream.
        video: Where the copy of the video lies; absolute.
        named: Whether somebody named the file.

    Raises:
        CaptionError: If the file cannot be read.
    """
    if isinstance(where, SubtitleTrack):
        language = f".{where.language}" if where.language else ""
        return Track(f"subtitles:stream{where.index}{language}", prompt_version="", mode=MODE)
    try:
        with where.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise CaptionError(
            f"cannot read the subtitles {where}: {exc.strerror}; check the path"
        ) from exc
    origin = Origin(where.absolute(), video, named)
    return Track(f"subtitles:{digest[:12]}", prompt_version="", mode=origin.mode)


def subtitle_captions(
    cues: Iterable[Cue], *, video_id: str, duration_s: float, track: Track, shift_s: float = 0.0
) -> SubtitleCaptions:
    """Make captions of cues, with the source ``subtitle``.

    Cues of one span (several signs at once) become one caption, their texts between slashes: a
    caption is known by its span.

    Args:
        cues: In order of time.
        video_id: The video that they belong to.
        duration_s: Its length.
        track: See ``subtitle_track``.
        shift_s: Added to every time. A file beside a video is timed from the start of the video
            file, as players do: there it is ``-video.file_start_s``.

    Raises:
        CaptionError: If not one cue lies in the video.
    """
    texts: dict[Interval, list[str]] = {}
    outside = cut = 0
    for cue in cues:
        start_s, end_s = cue.start_s + shift_s, cue.end_s + shift_s
        kept_s = max(0.0, start_s), min(duration_s, end_s)
        if kept_s[1] <= kept_s[0]:
            outside += 1
            continue
        cut += kept_s != (start_s, end_s)
        said = texts.setdefault(Interval(*kept_s), [])
        if cue.text not in said:
            said.append(cue.text)
    if not texts:
        raise CaptionError(
            f"none of the {outside} subtitles lies in the video, which has {duration_s:.1f} s; are "
            "these the subtitles of this video?"
        )
    captions = tuple(
        Caption(
            video_id, span, shorten(" / ".join(texts[span]), MAX_CAPTION_CHARS), "subtitle", track
        )
        for span in sorted(texts)
    )
    return SubtitleCaptions(captions, outside, cut)
