"""What the routes work with, opened and closed together."""

from __future__ import annotations

import gc
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.errors import WhenaboutsError
from agent.web.cards import card_of
from agent.web.corrections import Corrections
from agent.web.follow_ups import FollowUps
from agent.web.leftovers import JOBS
from agent.web.library import Library
from agent.web.served import Served
from agent.web.timeline_facts import timeline_facts
from agent.web.uploads import Uploads
from tools.video.link_names import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agent.api import Grounder
    from agent.web.bodies import VideoCard
    from agent.web.library import ServedVideo
    from agent.web.timeline_facts import TimelineFacts

DEFAULT_UPLOAD_BYTES = 8 << 30


class Rooms(Served):
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
        # Resolved, as the library's paths are: the user's folder may be a link.
        self.uploads = Uploads((own / "uploads").resolve(), most_bytes=most_bytes)
        super().__init__(
            grounder,
            Library(folders, self.uploads.folder, grounder.settings.cache_folder / FOLDER),
            jobs_file=own / JOBS,
            complain=complain,
        )
        self.corrections = Corrections(grounder.settings.corrections_file)
        self.follow_ups = FollowUps(grounder, self.asker)
        self._warming = threading.Thread(target=self._warm, name="whenabouts-warm", daemon=True)

    def open(self) -> None:
        """Take up jobs, and sweep away what an earlier stop left."""
        self.uploads.sweep()
        super().open()
        self._warming.start()

    def close(self) -> None:
        """Stop jobs and questions; what was described is kept."""
        super().close()
        self._warming.join()

    def card(self, video: ServedVideo) -> VideoCard:
        """That of one video."""
        return card_of(video, self.records(video), self.pictures)

    def timeline(self, video: ServedVideo) -> TimelineFacts:
        """What is known of a video's course."""
        return timeline_facts(self.grounder, str(video.path), self.records(video))

    def _warm(self) -> None:
        # So that the first question does not wait for it; it also says what is wrong with them.
        with suppress(WhenaboutsError):
            self.grounder.store.records()
            self.grounder.embedder.embed(["a question"])
        # What is loaded by now stays: no search for garbage has to look at it again.
        gc.collect()
        gc.freeze()
