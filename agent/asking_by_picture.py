"""Asking by a picture in place of words: the same graph, with frames as the only evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.graph.cancelling import nobody
from agent.graph.graph import build_graph
from agent.graph.many_videos import LibraryAnswers, ask_many_videos, watch_many
from agent.graph.running import run_graph
from agent.grounding import Cost, Grounding
from agent.question import make_question
from agent.reasoning.brief import SimilarityReasoner
from agent.watching.by_picture import FramesByPicture

if TYPE_CHECKING:
    from agent.assembly import Assembly
    from agent.graph.dependencies import Dependencies
    from agent.graph.events import Event
    from agent.graph.graph import Graph
    from agent.graph.state import Question
    from tools.indexing.indexer import Report
    from tools.store.store import VideoRecord


class ByPicture:
    """Finds what looks like one picture. No frame is described for that, and no model asked.

    Args:
        assembly: Of the grounder.
        picture: A file.

    Raises:
        SightError: If the picture cannot be read, or there is no model that looks at frames.
    """

    def __init__(self, assembly: Assembly, picture: str | Path) -> None:
        self._assembly = assembly
        self._file = Path(picture)
        self._dependencies = self._frames_alone(FramesByPicture(assembly.opened.sight, self._file))
        self._graph: Graph = build_graph(self._dependencies)

    def find(
        self,
        video: str | Path,
        *,
        within: tuple[float, float] | None,
        on_event: Callable[[Event], None] | None,
    ) -> Grounding:
        """When does the video look like that? Arguments and errors as of ``Grounder.find``."""
        question = make_question(video, self._query, within=within)
        with self._assembly.runs.one(), self._step("find", question):
            return self._signed(run_graph(self._graph, question, on_event))

    def find_all(
        self,
        videos: Iterable[str | Path] | None,
        *,
        limit: int,
        on_event: Callable[[Event], None] | None,
    ) -> LibraryAnswers:
        """Where in many videos? Arguments and errors as of ``Grounder.find_all``."""
        question = make_question("all", self._query)
        with self._assembly.runs.one(), self._step("find_all", question):
            records, unusable = watch_many(
                question,
                videos,
                self._assembly.watcher,
                report=on_event or nobody,
                watch=self._dependencies.watch,
            )
            found = ask_many_videos(
                self._query,
                records,
                self._graph,
                self._dependencies,
                limit=limit,
                on_event=on_event,
            )
        answers = tuple(map(self._signed, found.answers))
        return LibraryAnswers(answers, (*unusable, *found.left_out))

    @property
    def _query(self) -> str:
        return f"what {self._file.name} shows"

    def _step(self, name: str, question: Question) -> AbstractContextManager[object]:
        return self._assembly.tracing.step(name, question.model_dump())

    def _signed(self, answer: Grounding) -> Grounding:
        return answer.model_copy(update={"picture": str(self._file)})

    def _frames_alone(self, frames: FramesByPicture) -> Dependencies:
        watcher = self._assembly.watcher

        def watch(question: Question, *, report: Report) -> tuple[VideoRecord, Cost]:
            return watcher.watch_frames(question.video, report=report), Cost()

        return replace(
            self._assembly.dependencies,
            watch=watch,
            sight=frames,
            # None of these can be shown the picture.
            reasoner=SimilarityReasoner(),
            overview=None,
            closer=None,
            edge_looks=None,
            judge=None,
            direct=None,
            open_reasoner=None,
        )
