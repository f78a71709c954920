"""What the routes work with, opened and closed together."""

from __future__ import annotations

import gc
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.errors import WhenaboutsError
from agent.web.asking import Asker
from agent.web.cards import card_of
from agent.web.corrections import Corrections
from agent.web.described import check_askable, records_about
from agent.web.follow_ups import FollowUps
from agent.web.jobs import Jobs
from agent.web.library import Library
from agent.web.pictures import Pictures
from agent.web.timeline_facts import timeline_facts
from agent.web.uploads import Uploads
from tools.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agent.api import Grounder
    from agent.web.bodies import VideoCard
    from agent.web.library import ServedVideo
    from agent.web.timeline_facts import TimelineFacts
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
        own = grounder.settings.page_folder
        self.grounder = grounder
        # Resolved, as the library's paths are: the user's folder may be a link.
        self.uploads = Uploads((own / "uploads").resolve(), most_bytes=most_bytes)
        self.library = Library(folders, self.uploads.folder)
        self.pictures = Pictures(grounder.settings.pictures_folder)
        self.corrections = Corrections(own / "corrections.jsonl")
        self.asker = Asker(grounder, own / "answers")
        self.follow_ups = FollowUps(grounder, self.asker)
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
            card_of(video, records_about(video, records), self.pictures)
            for video in self.library.videos()
        ]

    def card(self, video: ServedVideo) -> VideoCard:
        """That of one video."""
        return card_of(video, self._records(video), self.pictures)

    def timeline(self, video: ServedVideo) -> TimelineFacts:
        """What is known of a video's course."""
        return timeline_facts(self.grounder, str(video.path), self._records(video))

    def check_askable(self, video: ServedVideo) -> None:
        """Refuse a question to a video that is not described; see ``check_askable``."""
        check_askable(video, self.grounder, self.library, self.jobs)

    def _warm(self) -> None:
        # So that the first question does not wait for it; it also says what is wrong with them.
        with suppress(WhenaboutsError):
            self.grounder.store.records()
            self.grounder.embedder.embed(["a question"])
        # What is loaded by now stays: no search for garbage has to look at it again.
        gc.collect()
        gc.freeze()

    def _records(self, video: ServedVideo) -> list[VideoRecord]:
        return records_about(video, self.grounder.records())

    def _index(self, path: str, report: Callable[[Progress], None]) -> str:
        record = self.grounder.watch(path, report=report)
        return one_line(record.warning.removeprefix(f"{path}: "))
