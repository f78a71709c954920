"""What is indexed, and which of it a name means: all that ``list`` and ``forget`` need."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agent.errors import VideoError
from tools.indexing.journal import delete_journals
from tools.indexing.same_video import as_indexed, recall
from tools.text import is_text
from tools.video.identity import location

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.settings import Settings
    from tools.store.store import CaptionStore, VideoRecord
    from tools.video.reader import Video

MIN_ID = 6
"""Characters of a video id that name it, if no other starts with them."""


class HasStore(Protocol):
    """Opens the store when it is first asked for; see ``Opened``."""

    @property
    def store(self) -> CaptionStore: ...


class Indexed:
    """Finds the tracks of videos, and deletes them.

    Args:
        settings: Where things lie.
        opened: The store.
        tell: Receives, in a line, what the user should know.
    """

    def __init__(
        self, settings: Settings, opened: HasStore, *, tell: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._tell = tell

    def records(self) -> list[VideoRecord]:
        """Every indexed track of every video, also those of frames alone."""
        return [*self._opened.store.records(), *self._opened.store.frame_records()]

    def holds(self, video_id: str) -> bool:
        """Whether anything of a video is in the store: not after it was forgotten."""
        return any(record.video_id == video_id for record in self.records())

    def resolve(self, video: str | Path) -> list[VideoRecord]:
        """The indexed tracks of one video, named by file, id, start of an id, or former path.

        Raises:
            VideoError: If it is neither a readable video nor an indexed one.
        """
        return self.look_up(video)[1]

    def look_up(self, name: str | Path) -> tuple[Video | None, list[VideoRecord]]:
        """The video, where its file is at hand, and its indexed tracks.

        Raises:
            VideoError: As ``resolve``.
        """
        if not is_there(name):
            return None, self.by_name(str(name))
        from tools.video.reader import probe

        recall(Path(name), self._opened.store)
        video, records, unproven_id = as_indexed(probe(Path(name)), self._opened.store)
        if unproven_id:
            self._tell(
                f"{name} was changed or copied since an earlier version indexed it. That version "
                "knew long videos only by samples, so this file counts as another video; what was "
                f"indexed then can still be asked as {unproven_id[:12]}"
            )
        return video, records

    def by_name(self, name: str) -> list[VideoRecord]:
        """The indexed tracks of a video whose file is not at hand: by id, or where it lay.

        Raises:
            VideoError: If there is none of that name, or several.
        """
        if exactly := self._opened.store.records(name):
            return exactly
        known = self._opened.store.records()
        path = str(location(Path(name)))
        ids = {
            record.video_id
            for record in known
            if record.path == path or (len(name) >= MIN_ID and record.video_id.startswith(name))
        }
        if len(ids) > 1:
            raise VideoError(
                f"{name} may be any of {len(ids)} indexed videos; give one's whole id: "
                f"{', '.join(sorted(ids))}"
            )
        if not ids:
            raise VideoError(
                f"there is no {_kind(name)} {name}, and no indexed video with that path or id; "
                "`whenabouts list` shows the indexed videos"
            )
        return [record for record in known if record.video_id in ids]

    def forget(self, video: str | Path) -> int:
        """Delete a video's captions from the store, never the file; returns how many there were."""
        found, records = self.look_up(video)
        # Even without a record: a process that was killed may have left something.
        video_id = records[0].video_id if records else found.id if found else ""
        journals = self._settings.journal_folder
        return self._opened.store.forget(video_id, also=lambda: delete_journals(journals, video_id))


def is_there(name: str | Path) -> bool:
    """Whether it names a file, even one that cannot be read: ``probe`` then says why.

    Raises:
        VideoError: If its name is not text, so that no answer could name it.
    """
    if not is_text(str(name)):
        raise VideoError(f"the name {str(name)!a} is not UTF-8; rename the file")
    try:
        return Path(name).exists()
    except OSError as exc:
        # Longer than any file name, so it may be meant as something else.
        return exc.errno != errno.ENAMETOOLONG


def _kind(name: str) -> str:
    return "folder" if name.endswith("/") else "file"
