"""Whether a file is the video that was indexed, also where an earlier version indexed it.

Earlier versions knew a video of more than 32 MiB by samples of it. What they indexed is still kept
under that id; a file counts as that video if its samples are the same and it was not touched since,
or only moved, and from then on its whole content is known.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import VideoError
from tools.video.identity import (
    content_id,
    known_stamp,
    note_id,
    sampled_id,
    unchanged_since,
    written_before,
)

if TYPE_CHECKING:
    from tools.store.store import CaptionStore, VideoRecord
    from tools.video.reader import Video

RECORDED_TO_S = 1.0
"""Records say the second in which an index began."""


MOVED = (
    "recognised by size, date and samples after the file was moved, since an earlier version "
    "indexed it; if it was edited, forget it and index it again"
)
"""What is to be known of a video that was taken for one whose every byte is not known."""


def shows(record: VideoRecord, path: Path) -> bool:
    """Whether the file at ``path`` is the video of a record.

    To the last byte, where that is known. What an earlier version indexed is recognised where it
    lay, if nobody touched it since; elsewhere, if it is gone from there and the file is as old.

    Raises:
        VideoError: If it cannot be read.
    """
    note_stamp(record)
    content = content_id(path)
    if record.content_id:
        return content == record.content_id
    if content == record.video_id:
        return True
    indexed_s = datetime.fromisoformat(record.indexed_at).timestamp() + RECORDED_TO_S
    is_as_it_was = unchanged_since(path, indexed_s) or (
        written_before(path, indexed_s) and _has_left(record)
    )
    return is_as_it_was and sampled_id(path) == record.video_id


def _has_left(record: VideoRecord) -> bool:
    """Whether nothing that looks like the video lies where an earlier version indexed it."""
    there = Path(record.path)
    try:
        return not there.is_file() or sampled_id(there) != record.video_id
    except (OSError, VideoError):
        return False


def note_stamp(record: VideoRecord) -> None:
    """Avoid reading the whole file again, where it is the one that was hashed for the record."""
    if record.file_stamp and record.content_id:
        note_id(record.file_stamp, record.content_id)


def recall(path: Path, store: CaptionStore) -> None:
    """Avoid reading again a whole file that was hashed when it was indexed.

    Raises:
        StoreError: If the store cannot be read.
        VideoError: If the file is gone.
    """
    if not known_stamp(path):
        for record in store.records():
            note_stamp(record)


def as_indexed(video: Video, store: CaptionStore) -> tuple[Video, list[VideoRecord], str]:
    """A video under the id that its captions are kept under, and its records.

    Returns:
        The video; its records; and the id of captions that an earlier version made of it or of
        another video with the same samples, where that cannot be told any more, else nothing.

    Raises:
        StoreError: If the store cannot be read.
        VideoError: If the file is gone.
    """
    if records := store.records(video.id):
        return video, records, ""
    earlier_id = sampled_id(video.path)
    if earlier_id == video.id or not (records := store.records(earlier_id)):
        return video, [], ""
    if any(shows(record, video.path) for record in records):
        return replace(video, id=earlier_id), records, ""
    return video, [], earlier_id
