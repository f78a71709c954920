"""What is known of served videos: their indexed tracks, and whether they can be asked now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.errors import VideoError
from tools.sight.frame_track import is_sight
from tools.video.identity import known_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.api import Grounder
    from agent.web.jobs import Jobs
    from agent.web.library import Library, ServedVideo
    from tools.store.store import VideoRecord


class BusyError(Exception):
    """It cannot be done now; the message says what has to be done first."""


class NotDescribedError(BusyError):
    """A question to a video that nobody has described yet.

    Args:
        name: What people call the video.
        first: What has to be done first, in the words of the door that it was asked at.
    """

    def __init__(self, name: str, first: str = "describe it first") -> None:
        super().__init__(f"{name} is not described yet; {first}")
        self.name = name


def records_about(video: ServedVideo, records: Sequence[VideoRecord]) -> list[VideoRecord]:
    """The records of a video: by its path, or by its content where that is known without reading.

    A copy has the records of the file that was indexed.
    """
    try:
        content = known_id(video.path)
    except VideoError:
        content = ""  # It is gone, and can still be asked.
    return [
        one
        for one in records
        if one.path == str(video.path) or (content and content == one.content_id)
    ]


def check_askable(video: ServedVideo, grounder: Grounder, library: Library, jobs: Jobs) -> None:
    """A question must not wait for minutes in silence until a video is described.

    Raises:
        NotDescribedError: If it is not described yet.
        BusyError: If it is being described.
    """
    about = records_about(video, grounder.records())
    if any(record.complete and not is_sight(record.track) for record in about):
        return
    if library.has_file(video) and any(record.complete for record in grounder.resolve(video.path)):
        return  # Indexed when it lay elsewhere: its content says so.
    if jobs.active(video.id):
        raise BusyError(f"{video.name} is being described; ask when that is done")
    raise NotDescribedError(video.name)
