"""Videos that may be asked, and who works on them: what the page and the tools of agents share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.web.asking import Asker
from agent.web.bodies import CostEstimate
from agent.web.cards import card_of
from agent.web.described import check_askable, records_about
from agent.web.jobs import Jobs
from agent.web.link_jobs import LinkJobs
from agent.web.pictures import Pictures
from tools.retrieval.tracks import MEASURED_MODEL
from tools.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.api import Grounder
    from agent.web.bodies import VideoCard
    from agent.web.library import Library, ServedVideo
    from tools.indexing.progress import Progress
    from tools.store.store import VideoRecord


class Served:
    """A library with its pictures, questions and jobs, opened and closed together.

    Args:
        grounder: Describes and answers.
        library: Which videos may be asked.
        jobs_file: Holds jobs over a restart; None forgets them.
        complain: Receives what the person at the terminal should know.
    """

    def __init__(
        self,
        grounder: Grounder,
        library: Library,
        *,
        jobs_file: Path | None,
        complain: Callable[[str], None],
    ) -> None:
        self.grounder = grounder
        self.library = library
        self.pictures = Pictures(grounder.settings.pictures_folder)
        self.asker = Asker(grounder, grounder.settings.page_folder / "answers")
        self.jobs = Jobs(jobs_file, self._index, complain)
        self.links = LinkJobs(
            grounder.settings.cache_folder, arrive=self._arrive, complain=complain
        )

    def open(self) -> None:
        """Take up jobs, and sweep away answers that are too old to be kept."""
        self.asker.sweep()
        self.jobs.start()

    def close(self) -> None:
        """Stop jobs and questions; what was described is kept."""
        self.asker.close()
        self.links.close()
        self.jobs.close()

    def cards(self) -> list[VideoCard]:
        """The list of videos."""
        records = self.grounder.records()
        return [
            card_of(video, records_about(video, records), self.pictures)
            for video in self.library.videos()
        ]

    def estimate(self, video: ServedVideo) -> CostEstimate:
        """What describing a video would take, from a quick look at it.

        Raises:
            WhenaboutsError: As ``Grounder.estimate``.
        """
        told = self.grounder.estimate(video.path)
        figures = told.estimate
        return CostEstimate(
            video=video.id,
            captioner=told.captioner,
            names_things=not told.captioner.startswith(MEASURED_MODEL),
            duration_s=figures.duration_s,
            captions=figures.captions,
            tokens_in=figures.tokens_in,
            tokens_out=figures.tokens_out,
            usd=figures.usd,
            minutes=figures.minutes,
            described=told.described,
            assumes=told.assumes,
        )

    def records(self, video: ServedVideo) -> list[VideoRecord]:
        """The indexed tracks of one video."""
        return records_about(video, self.grounder.records())

    def check_askable(self, video: ServedVideo) -> None:
        """Refuse a question to a video that is not described.

        Raises:
            BusyError: As ``agent.web.described.check_askable``.
        """
        check_askable(video, self.grounder, self.library, self.jobs)

    def _arrive(self, path: Path) -> str:
        return self.library.let_in(path).id

    def _index(self, path: str, report: Callable[[Progress], None]) -> str:
        record = self.grounder.watch(path, report=report)
        return one_line(record.warning.removeprefix(f"{path}: "))
