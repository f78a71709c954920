"""Where the file of an indexed video is now: a video is known by its content, not its name."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from agent.errors import VideoError
from agent.grounding import VideoFacts
from tools.indexing.same_video import shows
from tools.store.store import VideoRecord
from tools.video.identity import content_id, is_video_name, location, size_in

CLOCK_BEHIND_S = 2.0
"""By how much the time of a change may lie before the clock: one tick of 10 ms on most file
systems, 2 s on FAT. A file that changed within this time is read again, which does no harm."""

BYTES_LOOKED_AT = 8 << 30
FILES_LOOKED_AT = 200
"""Most bytes and files read in and below the folder of a missing file, to find where it moved."""


def state_of(record: VideoRecord) -> str:
    """``ready``, ``in part``, or what became of the file; what is indexed can still be asked.

    It says where another video is in its place now, and the new name if the file has moved within
    its folder or to one below it.
    """
    path = Path(record.path)
    is_there = path.exists()
    if not is_there or _is_another(record, path):
        new_name = _moved_to(record, path.parent)
        became = [f"moved to {new_name}"] if new_name else [] if is_there else ["file gone"]
        return "; ".join([*became, *(["another video lies there now"] if is_there else [])])
    if record.complete:
        return "ready"
    why = record.warning.removeprefix(f"{record.path}: ").removeprefix(f"{path.name}: ")
    return f"in part ({why})" if why else "in part"


def warning_of(record: VideoRecord) -> str:
    """Says that an answer is not about the file that is where its video was; else empty."""
    path = Path(record.path)
    if not path.exists():
        return f"{path} is gone; this answer is from its captions (whenabouts list)"
    if _is_another(record, path):
        return f"{path} is another video now; this is about the one that was indexed"
    return ""


def in_its_place(record: VideoRecord) -> VideoRecord:
    """The record, with a warning if another video is in its place now."""
    warning = "; ".join(filter(None, (record.warning, warning_of(record))))
    return replace(record, warning=warning)


def own_file(video: VideoFacts, records: Iterable[VideoRecord]) -> Path:
    """Where the file of an answer's video lies.

    Args:
        video: Of the answer.
        records: What is indexed.

    Raises:
        VideoError: If another one lies there now.
    """
    path = Path(video.path)
    record = next((one for one in records if one.video_id == video.id), None)
    if path.exists() and not (_shows(record, path) if record else _content(path) == video.id):
        raise VideoError(
            f"{path} is another video now, and not the one that was asked; ask that one by its new "
            "name, or index this one"
        )
    return path


def spare_videos(out: Path, *, asked: Iterable[Path], records: Iterable[VideoRecord]) -> None:
    """Refuse to write to a file that is a video somebody asked or indexed, whatever its name.

    Args:
        out: Where something is to be written.
        asked: Files that were asked.
        records: What is indexed.

    Raises:
        VideoError: If it is one.
    """
    if any(_is_file(out, one) for one in asked):
        raise VideoError(f"{out} is the video that is asked; write to another name")
    for record in records:
        there = Path(record.path)
        if _is_file(out, there) or (out.is_file() and _shows(record, out)):
            raise VideoError(
                f"{out} is an indexed video ({record.path}), which is not replaced; write to "
                "another name"
            )


def _is_file(path: Path, other: Path) -> bool:
    """Whether two paths lead to one file, or would if it were there."""
    try:
        if path.exists() and other.exists():
            return path.samefile(other)
        return location(path) == location(other)
    except OSError:
        return False


def _is_another(record: VideoRecord, path: Path) -> bool:
    # For what earlier versions indexed, only times tell whether it is worth reading again.
    may_be = path.exists() if record.content_id else _changed_since(record, path)
    return may_be and not _shows(record, path)


def _moved_to(record: VideoRecord, folder: Path) -> Path | None:
    """Where the video lies now, if that is in the same folder or below it."""
    looked_at, read_bytes = 0, 0
    size = size_in(record.file_stamp)
    for path in _videos_below(folder):
        if not _changed_since(record, path) or size not in {None, path.stat().st_size}:
            continue
        looked_at += 1
        read_bytes += path.stat().st_size
        if looked_at > FILES_LOOKED_AT or read_bytes > BYTES_LOOKED_AT:
            return None
        if _shows(record, path):
            return path
    return None


def _videos_below(folder: Path) -> Iterator[Path]:
    for where, below, files in os.walk(folder):
        below[:] = sorted(one for one in below if not one.startswith("."))
        yield from (path for file in sorted(files) if is_video_name(path := Path(where, file)))


def _changed_since(record: VideoRecord, path: Path) -> bool:
    """Whether a file may have been written, moved or renamed after the video was read."""
    try:
        changed_s = path.stat().st_ctime
    except OSError:
        return False
    return changed_s + CLOCK_BEHIND_S >= datetime.fromisoformat(record.indexed_at).timestamp()


def _shows(record: VideoRecord, path: Path) -> bool:
    try:
        return shows(record, path)
    except VideoError:
        return False


def _content(path: Path) -> str | None:
    try:
        return content_id(path)
    except VideoError:
        return None
