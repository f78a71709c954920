"""What is indexed, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from agent.watching.moved_files import state_of
from tools.clock import clock
from tools.sight.frame_track import is_sight
from tools.subtitles.origin import origin_of
from tools.text import in_one_row
from tools.video.link_names import shown_name

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tools.store.records import VideoRecord


def render_records(records: Sequence[VideoRecord]) -> list[RenderableType]:
    """What is indexed: a line for each video, and one below it for each of its tracks."""
    parts: list[RenderableType] = []
    ordered = sorted(records, key=lambda one: (one.path, one.video_id, one.track))
    for (path, video_id), tracks in groupby(ordered, key=lambda one: (one.path, one.video_id)):
        for place, record in enumerate(tracks):
            if place == 0:
                length = clock(record.duration_s)
                name = shown_name(path)
                called = path if name == Path(path).name else f"{name}  ({path})"
                parts.append(Text(in_one_row(f"{video_id[:12]}  {length}  {called}"), style="bold"))
            track = record.track
            origin = origin_of(track)
            by = f"subtitles {origin.file}" if origin else f"{track.model} {track.mode}".strip()
            parts.append(Text(in_one_row(f"    {count_of(record)} by {by}: {state_of(record)}")))
    return parts


def count_of(record: VideoRecord) -> str:
    """``1 caption``, ``12 captions``, or ``12 frames`` of a joint model."""
    what = "frame" if is_sight(record.track) else "caption"
    return f"{record.captions} {what}{'' if record.captions == 1 else 's'}"


def record_json(record: VideoRecord) -> dict[str, object]:
    """A track for ``--json``, with what became of its file."""
    told = record.as_dict() | {"state": state_of(record)}
    for internal in ("content_id", "file_stamp", "run"):
        told.pop(internal, None)
    return told
