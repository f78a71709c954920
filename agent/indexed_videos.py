"""The videos of a grounder: described, listed, forgotten."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from agent.assembly import Assembly
from agent.reasoning.brief import Reasoner
from agent.settings import Settings, load_settings
from agent.tracing.tracer import Tracing
from agent.watching.choice import Confirm
from agent.watching.forecast import Forecast, forecast
from prompts.catalog import Prompts
from tools.embedders.embedder import Embedder
from tools.indexing.indexer import Report
from tools.store.store import CaptionStore, VideoRecord

if TYPE_CHECKING:
    from types import TracebackType

    from tools.captioners.protocol import Captioner


class IndexedVideos:
    """Has videos described, and knows those that are.

    The arguments are those of ``Grounder``, which asks them. Nothing is opened or loaded before it
    is needed. Use it as a context manager, or ``close`` it, to let go of the store.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        captioner: Captioner | None = None,
        reasoner: Reasoner | None = None,
        closer: Callable[[str], Captioner] | None = None,
        tell: Callable[[str], None] = lambda _: None,
        confirm: Confirm | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        self._tell, self._confirm = tell, confirm
        self._assembly = Assembly(
            self.settings,
            captioner=captioner,
            reasoner=reasoner,
            closer=closer,
            tell=tell,
            confirm=confirm,
        )

    def within_limits(self) -> AbstractContextManager[None]:
        """Apply the settings' limits to everything done inside together, as one run.

        Otherwise each question, and each video that is described, is a run of its own.
        """
        return self._assembly.runs.one()

    def watch(
        self,
        video: str | Path,
        *,
        captions: str | Path | None = None,
        report: Report = lambda _: None,
    ) -> VideoRecord:
        """Make sure that a video's captions are in the store, and say which track answers from it.

        Raises:
            WhenaboutsError: As ``find``. What was done before the error is kept.
        """
        path = None if captions is None else Path(captions)
        watcher = self._assembly.watcher
        with self.tracing.step("index", {"video": str(video)}) as step:
            record, cost = watcher.watch(str(video), captions=path, query="", report=report)
            step.outputs = {"record": record.as_dict(), "spent": cost.model_dump()}
        return record

    def fetch(self, link: str) -> Path:
        """The file of a video's link (``https://…``): fetched with yt-dlp, once, and then kept.

        What would be fetched, and its size, is told first; ``confirm`` has to agree.

        Raises:
            VideoError: If there is no yt-dlp, nobody agrees, or no video comes.
        """
        from tools.video.links import Links

        cache = self.settings.cache_folder
        return Links(cache, tell=self._tell, confirm=self._confirm).fetch(link)

    def estimate(self, video: str | Path) -> Forecast:
        """What describing a video would take, from a quick look at it; nothing is described.

        Raises:
            WhenaboutsError: If the video or the captioner cannot be used.
        """
        return forecast(
            Path(video), self.captioner, self.settings, prompts=self.prompts, store=self.store
        )

    def records(self) -> list[VideoRecord]:
        """Every indexed track of every video."""
        return self._assembly.watcher.records()

    def is_indexed(self, video_id: str) -> bool:
        """Whether anything of a video is in the store: not after it was forgotten."""
        return self._assembly.watcher.holds(video_id)

    def resolve(self, video: str | Path) -> list[VideoRecord]:
        """The indexed tracks of one video, named by file, id, start of an id, or former path.

        Raises:
            VideoError: If it is neither a readable video nor an indexed one.
        """
        return self._assembly.watcher.resolve(video)

    def forget(self, video: str | Path) -> int:
        """Delete a video's captions from the store, never the file; returns how many there were."""
        return self._assembly.watcher.forget(video)

    @property
    def store(self) -> CaptionStore:
        """The caption store: embedded, or the Chroma server that the settings name."""
        return self._assembly.opened.store

    @property
    def embedder(self) -> Embedder:
        """The embedder that the settings name."""
        return self._assembly.opened.embedder

    @property
    def captioner(self) -> Captioner:
        """The captioner that the settings name, with the general prompt."""
        return self._assembly.opened.captioner

    @property
    def reasoner(self) -> Reasoner:
        """The reasoner that the settings name."""
        return self._assembly.opened.reasoner

    @property
    def prompts(self) -> Prompts:
        """What models are told: the prompts of the package, or those that the settings name."""
        return self._assembly.prompts

    @property
    def tracing(self) -> Tracing:
        """Where questions are traced; nowhere unless the settings say so."""
        return self._assembly.tracing

    def close(self) -> None:
        """Let go of the store; the next question opens it again."""
        self._assembly.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
