"""What the routes work with, opened and closed together."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.errors import VideoError, WhenaboutsError
from agent.web.asking import Asker
from agent.web.cards import card_of
from agent.web.corrections import Corrections
from agent.web.jobs import ACTIVE, Jobs
from agent.web.library import Library
from agent.web.pictures import Pictures
from agent.web.refusals import BusyError
from agent.web.uploads import Uploads
from tools.text import one_line
from tools.video.identity import known_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agent.api import Grounder
    from agent.web.bodies import VideoCard
    from agent.web.library import ServedVideo
    from tools.indexing.progress import Progress
    from tools.store.store import VideoRecord

DEFAULT_UPLOAD_BYTES = 8 << 30


class Rooms:
    """The library, jobs, questions, pictures and corrections of one server.

    Args:
        grounder: Describes and answers.
        folders: Served folders.
        most_bytes: Largest upload.
        complain: Receives what the person at the terminal should know.

    Raises:
        SettingsError: If a folder is none.
    """

    def __init__(
        self,
        grounder: Grounder,
        folders: Sequence[Path],
        *,
        most_bytes: int = DEFAULT_UPLOAD_BYTES,
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:
        own = grounder.settings.home / "serve"
        self.grounder = grounder
        self.uploads = Uploads(own / "uploads", most_bytes=most_bytes)
        self.library = Library(folders, self.uploads.folder)
        self.pictures = Pictures(grounder.settings.cache_folder / "pictures")
        self.corrections = Corrections(own / "corrections.jsonl")
        self.asker = Asker(grounder, own / "answers")
        self.jobs = Jobs(own / "jobs.json", self._index, complain)
        self._warming = threading.Thread(target=self._warm, name="whenabouts-warm", daemon=True)

    def open(self) -> None:
        """Take up jobs, and sweep away what an earlier stop left."""
        self.uploads.sweep()
        self.asker.sweep()
        self.jobs.start()
        self._warming.start()

    def close(self) -> None:
        """Stop jobs and questions; what was described is kept."""
        self.asker.close()
        self.jobs.close()
        self._warming.join()

    def cards(self) -> list[VideoCard]:
        """The list of videos."""
        records = self.grounder.records()
        return [
            card_of(video, _about(video, records), self.pictures) for video in self.library.videos()
        ]

    def card(self, video: ServedVideo) -> VideoCard:
        """That of one video."""
        return card_of(video, self._records(video), self.pictures)

    def check_askable(self, video: ServedVideo) -> None:
        """A question must not wait for minutes in silence until a video is described.

        Raises:
            BusyError: If it is not described yet, or being described.
        """
        if any(record.complete for record in self._records(video)):
            return
        if self.library.has_file(video) and any(
            record.complete for record in self.grounder.resolve(video.path)
        ):
            return  # Indexed when it lay elsewhere: its content says so.
        job = self.jobs.active(video.id)
        if job and job.state in ACTIVE:
            raise BusyError(f"{video.name} is being described; ask when that is done")
        raise BusyError(f"{video.name} is not described yet; start an index job for it first")

    def _warm(self) -> None:
        # So that the first question does not wait for it; it also says what is wrong with them.
        with suppress(WhenaboutsError):
            self.grounder.store.records()
            self.grounder.embedder.embed(["a question"])

    def _records(self, video: ServedVideo) -> list[VideoRecord]:
        return _about(video, self.grounder.records())

    def _index(self, path: str, report: Callable[[Progress], None]) -> str:
        record = self.grounder.watch(path, report=report)
        return one_line(record.warning.removeprefix(f"{path}: "))


def _about(video: ServedVideo, records: Sequence[VideoRecord]) -> list[VideoRecord]:
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
