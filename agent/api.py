"""``Grounder``: watch a video once, ask it many times."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from agent.errors import (
    CaptionError,
    QueryError,
    UsedUpError,
    VideoError,
    WhenaboutsError,
)
from agent.graph.cancelling import Background, nobody, under_way
from agent.graph.dependencies import Dependencies
from agent.graph.events import Event
from agent.graph.graph import Graph, build_graph
from agent.graph.many_videos import LeftOut, LibraryAnswers, ask_many_videos
from agent.graph.replay import Replayed, replay
from agent.graph.running import run_graph
from agent.graph.state import Question
from agent.graph.threads import open_threads
from agent.grounding import Grounding
from agent.plotting.answer_plot import plot_answer
from agent.plotting.picture import Picture
from agent.plotting.relevance import relevance_curve
from agent.reasoning.brief import Reasoner
from agent.settings import Settings, load_settings
from agent.tracing.tracer import Tracing, trace_targets
from agent.watching.choice import Confirm
from agent.watching.closer_looks import SecondLooks
from agent.watching.destinations import Destinations
from agent.watching.forecast import Forecast, forecast
from agent.watching.image_paths import ImagePaths
from agent.watching.moved_files import own_file
from agent.watching.opened import LateReasoner, Opened, made_once
from agent.watching.runs import Runs
from agent.watching.watcher import Watcher, is_text
from prompts.catalog import PACKAGED, Prompts
from tools.embedders.embedder import Embedder
from tools.indexing.indexer import Report
from tools.store.store import CaptionStore, VideoRecord
from tools.video.reader import probe

__all__ = ["Event", "Grounder", "Grounding", "Settings", "load_settings", "make_question"]

if TYPE_CHECKING:
    from types import TracebackType

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.sqlite import SqliteSaver

    from tools.captioners.protocol import Captioner


class Grounder:
    """Finds when things happen in videos.

    Nothing is opened or loaded before it is needed. Use it as a context manager, or ``close`` it,
    to let go of the store. Several threads may ask at the same time.

    Args:
        settings: Where things lie and who does what; by default from the environment.
        captioner: Describes frames; by default the one the settings name.
        reasoner: Decides from captions; by default the one the settings name.
        closer: Makes, for a query, a captioner that looks at frames for it; a text model can then
            have a few seconds described again. By default the captioner's own model, where it can
            be asked.
        tell: Receives, in a line, what the user should know: who describes where no captioner was
            named, or that something has to be waited for.
        confirm: Asked with a model's name and the bytes to fetch, before that is done; by default
            nothing is fetched.
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
        self.settings = settings = settings or load_settings()
        self.prompts = Prompts.read(settings.prompts) if settings.prompts else PACKAGED
        self._tell = tell
        self._confirm = confirm
        self._making = threading.RLock()
        self._files = ExitStack()
        self._runs = Runs(settings)
        self._destinations = Destinations(settings, tell)
        self._opened = Opened(
            settings,
            prompts=self.prompts,
            runs=self._runs,
            destinations=self._destinations,
            captioner=captioner,
            reasoner=reasoner,
            tell=tell,
            confirm=confirm,
        )
        self._watcher = Watcher(
            settings,
            self._opened,
            prompts=self.prompts,
            runs=self._runs,
            under_way=under_way,
            tell=tell,
            name_host=self._destinations.frames,
        )
        self._second_looks = SecondLooks(
            settings,
            self._opened,
            prompts=self.prompts,
            given_closer=closer,
            runs=self._runs,
            describing=self._watcher.describing,
            under_way=under_way,
            tell=tell,
            name_host=self._destinations.frames,
        )

        self._image_paths = ImagePaths(
            settings,
            self._opened,
            prompts=self.prompts,
            runs=self._runs,
            describing=self._watcher.describing,
            under_way=under_way,
            tell=tell,
            name_host=self._destinations.frames,
        )

    def find(
        self,
        video: str | Path,
        query: str,
        *,
        captions: str | Path | None = None,
        within: tuple[float, float] | None = None,
        every_time: bool = False,
        thread: str | None = None,
        on_event: Callable[[Event], None] | None = None,
        before_step: Callable[[], None] | None = None,
        on_step: Callable[[str], None] | None = None,
    ) -> Grounding:
        """When does it happen? Captions are made first where they are missing.

        Args:
            video: A video file, or the id (or the start of it) of an indexed video.
            query: What to look for, in a sentence.
            captions: A captions file to answer from, in place of described frames.
            within: Start and end, in seconds, of the stretch to search; None: the whole video.
            every_time: Whether all the times that it happens are wanted, the less sure ones too,
                and not only the best; a text model always names all that it sees.
            thread: Name under which every step is kept, for ``replay``, in place of the steps of an
                earlier question; None: no step is kept.
            on_event: Receives events, in this thread. What it raises ends the search; what was
                described so far is kept.
            before_step: Called before each step of the graph; what it raises ends the search too.
            on_step: Called with the name of each step that begins, in another thread; what it
                raises ends the search too.

        Raises:
            QueryError: If the query is empty, or ``within`` is no stretch of the video.
            WhenaboutsError: If the video or the captions cannot be used; see ``agent.errors``.
        """
        question = make_question(video, query, captions, within=within, every_time=every_time)
        facts: dict[str, Any] = {}
        graph, config = self._graph, None
        if thread is not None:
            facts, config = {"thread_id": thread}, self._new_thread(thread)
            graph = self._threads[0]
        with (
            self._runs.one(),
            self.tracing.step("find", question.model_dump(), metadata=facts) as step,
        ):
            grounding = run_graph(
                graph, question, on_event, config, before_step=before_step, on_step=on_step
            )
            step.outputs = {"grounding": grounding.model_dump(mode="json", by_alias=True)}
        return grounding

    def foresee(self, video: str | Path, query: str) -> Grounding | None:
        """What ``find`` would answer, where that is known before minutes are spent on a video.

        Nothing describes a video yet that the embedded senses would have to describe, and they
        cannot answer this question: ``cannot_tell``, with the choices. None where it has to be
        asked; ``find`` looks in any case.

        Raises:
            QueryError, VideoError: As ``find``.
        """
        question = make_question(video, query)
        return self._watcher.foresee(question.video, question.query)

    def run(self, question: Question) -> dict[str, Any]:
        """The state that the graph ends in: the answer, and what was retrieved and replied.

        Raises:
            WhenaboutsError: If the video cannot be used; see ``agent.errors``.
        """
        with (
            self._runs.one(),
            self.tracing.step("find", question.model_dump()) as step,
        ):
            *_, state = self._graph.stream(question, stream_mode="values")
            step.outputs = {"grounding": state["grounding"]}
        ended: dict[str, Any] = state
        return ended

    def replay(
        self,
        thread: str,
        node: str,
        *,
        describe_anew: bool = False,
        on_event: Callable[[Event], None] | None = None,
    ) -> Replayed:
        """Answer a thread's last question again from one of its steps, with the models set now.

        Args:
            thread: The name that ``find`` was given, or that of a chat.
            node: A node of the graph, such as ``reason``; what came before it is taken as it was.
            describe_anew: Whether another captioner is wanted: refused where none would be asked.
            on_event: As for ``find``.

        Raises:
            QueryError: If there is no such thread, or it never reached that step.
        """
        facts = {"thread_id": thread}
        with (
            self._runs.one(),
            self.tracing.step("replay", {"from": node}, metadata=facts) as step,
        ):
            replayed = replay(
                self._threads[0],
                thread,
                node,
                describe_anew=describe_anew,
                on_event=on_event,
            )
            step.outputs = {"grounding": replayed.after.model_dump(mode="json", by_alias=True)}
        return replayed

    def find_all(
        self,
        query: str,
        *,
        videos: Iterable[str | Path] | None = None,
        limit: int = 5,
        on_event: Callable[[Event], None] | None = None,
    ) -> LibraryAnswers:
        """Where in many videos does it happen? Answers of the likeliest videos, best first.

        The videos are searched together, so that confidences can be compared between them; a
        question with an order in it is decided in each video by itself. A text model, if one is
        set, then reads the captions of each of the likeliest.

        Args:
            query: What to look for, in a sentence.
            videos: Video files, described first where needed, or ids of indexed videos; None: every
                indexed video, as far as it is described. A video that cannot be used is left out,
                unless none can be used.
            limit: Most answers wanted.
            on_event: As for ``find``.

        Raises:
            QueryError: If the query is empty, or nothing is indexed.
            WhenaboutsError: As ``find``.
        """
        question = make_question("all", query)
        with self._runs.one():
            return self._find_all(question, videos, limit, on_event)

    def _find_all(
        self,
        question: Question,
        videos: Iterable[str | Path] | None,
        limit: int,
        on_event: Callable[[Event], None] | None,
    ) -> LibraryAnswers:
        query, records, unusable = question.query, [], dict[str, WhenaboutsError]()
        if videos is None:
            records = self._watcher.answerable()
        for video in dict.fromkeys(map(str, videos or ())):
            asked = question.model_copy(update={"video": video})
            try:
                records.append(self._watcher.watch_for(asked, report=on_event or nobody)[0])
            except (UsedUpError, VideoError, CaptionError) as exc:
                unusable[video] = exc
        if unusable and not records:
            raise next(iter(unusable.values()))
        if not records:
            raise QueryError("nothing is indexed yet; index videos first, or name some")
        with self.tracing.step("find_all", {"query": query, "videos": len(records)}) as step:
            found = ask_many_videos(
                query, records, self._graph, self._dependencies, limit=limit, on_event=on_event
            )
            step.outputs = {"answers": [one.model_dump(mode="json") for one in found]}
        left_out = [LeftOut(video, str(exc)) for video, exc in unusable.items()]
        return replace(found, left_out=(*left_out, *found.left_out))

    async def afind(
        self,
        video: str | Path,
        query: str,
        *,
        captions: str | Path | None = None,
        within: tuple[float, float] | None = None,
        every_time: bool = False,
        on_event: Callable[[Event], None] | None = None,
    ) -> Grounding:
        """Like ``find``, which runs in a thread; ``on_event`` is called there.

        When the task is cancelled, the thread ends before the next step or frame.
        """

        def search(_: Background[Event, Grounding]) -> Grounding:
            return self.find(
                video,
                query,
                captions=captions,
                within=within,
                every_time=every_time,
                on_event=on_event,
            )

        searching = Background(search)
        try:
            return await asyncio.to_thread(searching.result)
        finally:
            searching.leave()

    def stream(
        self,
        video: str | Path,
        query: str,
        *,
        captions: str | Path | None = None,
        within: tuple[float, float] | None = None,
        every_time: bool = False,
    ) -> Iterator[Event | Grounding]:
        """The events of a search, as they happen; the answer comes last.

        Arguments and errors are those of ``find``. To stop iterating ends the search.
        """

        def search(told: Background[Event, Grounding]) -> Grounding:
            return self.find(
                video,
                query,
                captions=captions,
                within=within,
                every_time=every_time,
                on_event=told.tell,
            )

        searching = Background(search)
        try:
            yield (yield from searching.events())
        finally:
            searching.join()

    def batch(
        self, questions: Iterable[tuple[str | Path, str]], *, at_once: int = 4
    ) -> list[Grounding | WhenaboutsError]:
        """Answer many questions, a few at a time: the answers of ``find``, in the order asked.

        Args:
            questions: A video and a query each.
            at_once: Questions under way at a time. Still, only one video is described at a time.

        Returns:
            A ``Grounding`` each, or why there is none: one unusable video stops no other question.
        """

        def answer(question: tuple[str | Path, str]) -> Grounding | WhenaboutsError:
            try:
                return self.find(*question)
            except WhenaboutsError as exc:
                return exc

        with ThreadPoolExecutor(at_once, thread_name_prefix="whenabouts") as threads:
            return list(threads.map(answer, questions))

    def plot(self, answer: Grounding) -> Picture:
        """Draw an answer: filmstrip, relevance over time, and what proves the edges.

        Raises:
            QueryError: If matplotlib is not installed.
            VideoError: If another video lies in place of the one that was asked.
        """
        path = own_file(answer.video, self.records())
        return plot_answer(
            answer,
            relevance_curve(answer, self.store, self.embedder),
            probe(path) if path.is_file() else None,
        )

    def within_limits(self) -> AbstractContextManager[None]:
        """Apply the settings' limits to everything done inside together, as one run.

        Otherwise each question, and each video that is described, is a run of its own.
        """
        return self._runs.one()

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
        with self.tracing.step("index", {"video": str(video)}) as step:
            record, cost = self._watcher.watch(str(video), captions=path, query="", report=report)
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
        return self._watcher.records()

    def resolve(self, video: str | Path) -> list[VideoRecord]:
        """The indexed tracks of one video, named by file, id, start of an id, or former path.

        Raises:
            VideoError: If it is neither a readable video nor an indexed one.
        """
        return self._watcher.resolve(video)

    def forget(self, video: str | Path) -> int:
        """Delete a video's captions from the store, never the file; returns how many there were."""
        return self._watcher.forget(video)

    @property
    def graph(self) -> Graph:
        """The compiled graph of this grounder, to run by itself or in a larger one.

        Outside of this class's methods, LangSmith's own SDK traces it, if LangSmith is on; what
        that sends is scrubbed too.
        """
        self.tracing.scrub_own_tracer()
        return self._graph

    @property
    def store(self) -> CaptionStore:
        """The caption store: embedded, or the Chroma server that the settings name."""
        return self._opened.store

    @property
    def embedder(self) -> Embedder:
        """The embedder that the settings name."""
        return self._opened.embedder

    @property
    def captioner(self) -> Captioner:
        """The captioner that the settings name, with the general prompt."""
        return self._opened.captioner

    @property
    def reasoner(self) -> Reasoner:
        """The reasoner that the settings name."""
        return self._opened.reasoner

    @made_once
    def tracing(self) -> Tracing:
        """Where questions are traced; nowhere unless the settings say so."""
        targets = trace_targets(self.settings)
        remote = (targets.langsmith, targets.otlp)
        self._destinations.traces(*(one.url for one in remote if one))
        return Tracing(targets, tell=self._tell)

    @made_once
    def _graph(self) -> Graph:
        """The graph that every question goes through."""
        return build_graph(self._dependencies)

    @made_once
    def _threads(self) -> tuple[Graph, SqliteSaver]:
        """The same graph, with the checkpointer that keeps its steps in the file of threads."""
        saver = self._files.enter_context(open_threads(self.settings.threads_file))
        graph: Any = self._graph.copy(update={"checkpointer": saver})
        return graph, saver

    def _new_thread(self, name: str) -> RunnableConfig:
        """A thread of this name without the steps of an earlier question."""
        self._threads[1].delete_thread(name)
        return {"configurable": {"thread_id": name}}

    @made_once
    def _dependencies(self) -> Dependencies:
        return Dependencies(
            watch=self._watcher.watch_for,
            store=self.store,
            embedder=self.embedder,
            reasoner=LateReasoner(self._opened),
            max_attempts=self.settings.max_attempts,
            max_look_ups=self.settings.max_look_ups,
            evidence_tokens=self.settings.evidence_tokens,
            context=self.settings.context,
            overview=self._second_looks.overview,
            closer=self._second_looks.closer,
            edge_looks=self._second_looks.edge_looks,
            refine=self.settings.refine is not False,
            judge=self._image_paths.judge,
            direct=self._image_paths.direct,
            every_path=self.settings.every_path,
            leave_out=frozenset({"subtitles"} if self.settings.subtitles == "off" else ()),
            sight=self._opened.sight,
            prompts=self.prompts,
            open_reasoner=self._opened.open_reasoner,
        )

    def close(self) -> None:
        """Let go of the store; the next question opens it again."""
        with self._making:
            for name in ("_graph", "_threads", "_dependencies"):
                self.__dict__.pop(name, None)
            self._files.close()
            tracing: Tracing | None = self.__dict__.pop("tracing", None)
        self._opened.close()
        if tracing:
            tracing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def make_question(
    video: str | Path,
    query: str,
    captions: str | Path | None = None,
    *,
    within: tuple[float, float] | None = None,
    every_time: bool = False,
) -> Question:
    """A question that can be asked.

    Raises:
        QueryError: If the query is empty or not text, or ``within`` is not a stretch.
    """
    if not isinstance(query, str):
        raise QueryError(f"the query has to be text, not {query!r}; say what to look for")
    if not query.strip():
        raise QueryError('the query is empty; say what to look for, for example "a door opens"')
    if not is_text(query):
        raise QueryError(f"the query {query!a} is not UTF-8 text; type it again")
    try:
        return Question(
            video=str(video),
            query=query.strip(),
            captions=None if captions is None else str(captions),
            within=within,
            every_time=every_time,
        )
    except ValidationError as exc:
        raise QueryError(str(exc.errors()[0]["msg"]).removeprefix("Value error, ")) from None
