"""Who describes a video, and having it described within the limits of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import QueryError, UsedUpError
from agent.grounding import Cost
from agent.watching.choice import with_an_eye_on
from agent.watching.chosen_frames import SIGHT_FIRST, can_be_chosen_for
from agent.watching.forecast import reading_takes
from agent.watching.model_costs import cost_between, metered
from tools.captioners.blank import BLANK
from tools.captioners.file import captions_beside, file_track
from tools.indexing.indexer import (
    Progress,
    Report,
    frame_track,
    index_captions_file,
    index_video,
)
from tools.indexing.sight_first import policy_of
from tools.retrieval.tracks import reads_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.settings import Settings
    from agent.watching.opened import Opened
    from agent.watching.runs import Runs
    from prompts.catalog import Prompts
    from tools.captioners.protocol import Captioner
    from tools.llm.budget import Budget
    from tools.store.store import VideoRecord
    from tools.timeline import Track
    from tools.video.reader import Video


class Describing:
    """Has videos described as the settings say. The arguments are those of ``Watcher``.

    Attributes:
        is_left_open: Whether nobody was named to describe.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Opened,
        *,
        prompts: Prompts,
        runs: Runs,
        tell: Callable[[str], None],
        name_host: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._prompts = prompts
        self._runs = runs
        self._tell = tell
        self._name_host = name_host
        self.is_left_open = settings.captioner == "auto" and not opened.given_captioner

    def describe(
        self,
        video: Video,
        captions: Path | None,
        report: Report,
        query: str,
        *,
        go_on: Callable[[], None],
    ) -> tuple[VideoRecord, Cost]:
        """Have frames of a video described, or its captions file read.

        Args:
            video: Which one.
            captions: A captions file, in place of described frames.
            report: Receives progress.
            query: What is asked; empty where nothing is.
            go_on: Raises where nobody waits for it any more.

        Returns:
            The record of the captions, and what they cost.

        Raises:
            WhenaboutsError: If it cannot be described; what was made is kept.
        """
        made = 0

        def count(progress: Progress) -> None:
            nonlocal made
            made = progress.captions
            report(progress)

        if captions:
            record = index_captions_file(
                video,
                captions,
                store=self._opened.store,
                embedder=self._opened.embedder,
                report=count,
            )
            return record, Cost(captions=made)
        budget = self._runs.budget()
        try:
            budget.check_captions()
        except UsedUpError as exc:
            raise UsedUpError(
                f"{video.path.name} is not described: {exc}; the next run continues"
            ) from None
        captioner = self._captioner(query)
        if self.is_left_open:
            self._tell(self._opened.choice.why)
            if captions := captions_beside(video.path):
                self._tell(
                    f"{captions.name} beside it holds captions: `whenabouts ask` answers from them "
                    f"with --captions {captions}"
                )
        self._name_host(captioner.model)
        reads = reads_text(frame_track(captioner, self._settings.rate_hz))
        if reads and (takes := reading_takes(video, self._settings.rate_hz)):
            self._tell(takes)
        before_use = metered(captioner)
        record = self.caption(video, captioner, count, budget=budget, go_on=go_on)
        return record, cost_between(made, before_use, metered(captioner))

    def caption(
        self,
        video: Video,
        captioner: Captioner,
        report: Report,
        *,
        go_on: Callable[[], None],
        budget: Budget | None = None,
    ) -> VideoRecord:
        """Caption a video, while the joint model, if one is used, looks at its frames too."""
        is_chosen = self._settings.strategy == SIGHT_FIRST and captioner.model != BLANK
        first = self._opened.sight.first(video) if is_chosen else None
        with self._opened.sight.looking(video, first=first) as sight:
            return index_video(
                video,
                captioner,
                rate_hz=self._settings.rate_hz,
                store=self._opened.store,
                embedder=self._opened.embedder,
                report=report,
                every_frame=self._settings.every_frame or None,
                journals=self._settings.journal_folder,
                budget=budget,
                go_on=go_on,
                sight=sight,
                first=first,
            )

    def _captioner(self, query: str) -> Captioner:
        """Who describes frames, as the strategy says."""
        if self._settings.strategy == "general":
            return self._opened.captioner
        if self._settings.strategy == SIGHT_FIRST:
            return can_be_chosen_for(self._opened.captioner, self._opened.sight, self._settings)
        if not query:
            raise QueryError(
                "the activity strategy shows the question to the image model, so nothing can be "
                "indexed before there is a question; ask one, or use --strategy general"
            )
        return with_an_eye_on(self._opened.captioner, query, prompts=self._prompts)

    def wanted_track(self, captions: Path | None, query: str) -> Track:
        """The track of the captions file, or of frames described as the settings say."""
        if captions:
            return file_track(captions)
        every_frame = self._settings.every_frame or None
        describer = self._captioner(query)
        return frame_track(
            describer,
            self._settings.rate_hz,
            every_frame=every_frame,
            chosen_by=policy_of(self._opened.sight.model)
            if self._settings.strategy == SIGHT_FIRST
            else "",
        )
