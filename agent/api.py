"""``Grounder``: watch a video once, ask it many times. The only place that builds real parts."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from pydantic import ValidationError

from agent.errors import (
    CaptionError,
    QueryError,
    VideoError,
    WhenaboutsError,
)
from agent.graph.cancelling import Background, LeftError
from agent.graph.events import Event
from agent.graph.graph import Graph, Parts, build_graph, run_graph
from agent.graph.many_videos import LeftOut, LibraryAnswers, ask_library
from agent.graph.replay import Replayed, replay
from agent.graph.state import Question
from agent.graph.threads import open_threads
from agent.grounding import Cost, Grounding, Usage
from agent.reasoning.brief import Reasoner
from agent.settings import Settings, load_settings
from agent.tracing.targets import trace_targets
from agent.tracing.tracer import Tracing
from agent.watching.allowance import Allowance, UsedUpError
from agent.watching.choice import (
    Choice,
    Confirm,
    choose_captioner,
    choose_reasoner,
    open_captioner,
    open_reasoner,
)
from agent.watching.closer_looks import SecondLooks
from agent.watching.forecast import Forecast, forecast
from agent.watching.watcher import Watcher, is_text
from prompts.catalog import read_prompts, use_prompts
from tools.embedders.embedder import Embedder, open_embedder
from tools.indexing.indexer import Report
from tools.store.store import CaptionStore, VideoRecord

__all__ = ["Event", "Grounder", "Grounding", "Settings", "load_settings", "make_question"]

if TYPE_CHECKING:
    from types import TracebackType

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.sqlite import SqliteSaver

    from tools.captioners.protocol import Captioner

_T = TypeVar("_T")


class _made_once(cached_property[_T]):  # noqa: N801  # it reads as the decorator that it extends
    """A cached property that racing threads make once; the plain one does not, since 3.12."""

    @overload
    def __get__(self, grounder: None, owner: type[Any] | None = None) -> Self: ...

    @overload
    def __get__(self, grounder: object, owner: type[Any] | None = None) -> _T: ...

    def __get__(self, grounder: Any, owner: type[Any] | None = None) -> Any:
        if grounder is None:
            return self
        with grounder._making:  # noqa: SLF001  # the lock of the class below
            return super().__get__(grounder, owner)


_WATCHED: contextvars.ContextVar[VideoRecord | None] = contextvars.ContextVar(
    "watched", default=None
)
"""What ``find`` has made ready for the graph that it runs, which need not look again: a run that a
limit ended would otherwise go on."""

_ALLOWANCE: contextvars.ContextVar[Allowance | None] = contextvars.ContextVar(
    "allowance", default=None
)
"""What the run under way may still have described."""


class Grounder:
    """Finds when things happen in videos.

    Nothing is opened or loaded before it is needed. Use it as a context manager, or ``close`` it,
    to let go of the store. Several threads may ask at the same time.

    Args:
        settings: Where things lie and who does what; by default from the environment.
        captioner: Describes frames; by default the one the settings name.
        reasoner: Decides from captions; by default the one the settings name.
        closer: Makes, for a query, a captioner that looks at frames with an eye on it; a text model
            can then have a few seconds described again. By default the captioner's own model, where
            it can be asked.
        tell: Told, in a line, what the user should know: who describes where nobody was named, or
            that something has to be waited for.
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
        self.settings = settings or load_settings()
        use_prompts(read_prompts(self.settings.prompts) if self.settings.prompts else {})
        self._given_captioner = captioner
        self._given_reasoner = reasoner
        self._tell = tell
        self._confirm = confirm
        self._making = threading.RLock()
        self._reasoners: dict[str, Reasoner] = {}
        self._files = ExitStack()
        choice = None if captioner else lambda: self._captioner_choice
        self._watcher = Watcher(
            self.settings, self, choice=choice, allowance=self._allowance, tell=tell
        )
        self._second_looks = SecondLooks(
            self.settings,
            self,
            given=captioner,
            given_closer=closer,
            allowance=self._allowance,
            describing=self._watcher.describing,
            tell=tell,
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
    ) -> Grounding:
        """When does it happen? Captions are made first where they are missing.

        Args:
            video: A video file, or the id (or the start of it) of an indexed video.
            query: What to look for, in a sentence.
            captions: A captions file to answer from, in place of described frames.
            within: Start and end, in seconds, of the stretch to search; None: the whole video.
            every_time: Whether all the times that it happens are wanted, the less sure ones too,
                and not only the best; a text model always names all that it sees.
            thread: Name under which every step is kept, for ``replay``, and those of an earlier
                question are not any more; None: none is.
            on_event: Receives what happens on the way, in this thread. What it raises ends the
                search, and what was described so far is kept.
            before_step: Called before each step of the graph; what it raises ends the search too.

        Raises:
            QueryError: If the query is empty, or ``within`` is no stretch of the video.
            WhenaboutsError: If the video or the captions cannot be used; see ``agent.errors``.
        """
        question = make_question(video, query, captions, within=within, every_time=every_time)
        facts = {} if thread is None else {"thread_id": thread}
        with (
            self.within_limits(),
            self.tracing.step("find", question.model_dump(), metadata=facts) as step,
        ):
            grounding = self._find(
                question, thread, on_event or (lambda _: None), before_step or (lambda: None)
            )
            step.outputs = {"grounding": grounding.model_dump(mode="json", by_alias=True)}
        return grounding

    def run(self, question: Question) -> dict[str, Any]:
        """The state that the graph ends in: what was retrieved and replied, beside the answer.

        Raises:
            WhenaboutsError: If the video cannot be used; see ``agent.errors``.
        """
        with (
            self.within_limits(),
            self.tracing.step("find", question.model_dump()) as step,
        ):
            *_, state = self._graph.stream(question, stream_mode="values")
            step.outputs = {"grounding": state["grounding"]}
        ended: dict[str, Any] = state
        return ended

    def _find(
        self,
        question: Question,
        thread: str | None,
        receive: Callable[[Event], None],
        before_step: Callable[[], None],
    ) -> Grounding:
        # In the caller's own thread: Ctrl-C waits for replies that are paid for. What the graph
        # asks for, in another, is left at once.
        started_s = time.perf_counter()
        with self.tracing.step("describe", {"video": question.video}) as step:
            record, cost = self._answer_question(question, report=receive)
            step.outputs = {"record": record.as_dict(), "spent": cost.model_dump()}
        watched_s = time.perf_counter() - started_s
        question = question.model_copy(update={"video": record.video_id})
        watched = _WATCHED.set(record)
        try:
            if thread is None:
                grounding = run_graph(self._graph, question, receive, before_step=before_step)
            else:
                config: RunnableConfig = {"configurable": {"thread_id": thread}}
                graph, saver = self._threads
                saver.delete_thread(thread)
                grounding = run_graph(graph, question, receive, config, before_step=before_step)
        finally:
            _WATCHED.reset(watched)
        stages, seconds = grounding.usage.stages, grounding.usage.seconds
        usage = Usage.of(
            stages | {"captioner": stages["captioner"].plus(cost)},
            seconds | {"watch": seconds["watch"] + watched_s},
        )
        return grounding.model_copy(update={"usage": usage})

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
            describe_anew: Whether it is about the captioner: refused where none would be asked.
            on_event: As of ``find``.

        Raises:
            QueryError: If there is no such thread, or it never came to that step.
        """
        facts = {"thread_id": thread}
        with (
            self.within_limits(),
            self.tracing.step("replay", {"from": node}, metadata=facts) as step,
        ):
            replayed = replay(
                self._threads[0],
                thread,
                node,
                describe_anew=describe_anew,
                on_event=on_event or (lambda _: None),
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
            videos: Video files, described first where that is missing, or ids of indexed videos;
                None: every indexed video, by what is there of it. One that cannot be used is left
                out, unless all are like that.
            limit: Most answers wanted.
            on_event: As of ``find``.

        Raises:
            QueryError: If the query is empty, or nothing is indexed.
            WhenaboutsError: As ``find``.
        """
        question = make_question("all", query)
        with self.within_limits():
            return self._find_all(question, videos, limit, on_event or (lambda _: None))

    def _find_all(
        self,
        question: Question,
        videos: Iterable[str | Path] | None,
        limit: int,
        receive: Callable[[Event], None],
    ) -> LibraryAnswers:
        query, records, unusable = question.query, [], dict[str, WhenaboutsError]()
        if videos is None:
            records = self._watcher.answerable()
        for video in dict.fromkeys(map(str, videos or ())):
            asked = question.model_copy(update={"video": video})
            try:
                records.append(self._answer_question(asked, report=receive)[0])
            except (UsedUpError, VideoError, CaptionError) as exc:
                unusable[video] = exc
        if unusable and not records:
            raise next(iter(unusable.values()))
        if not records:
            raise QueryError("nothing is indexed yet; index videos first, or name some")
        with self.tracing.step("find_all", {"query": query, "videos": len(records)}) as step:
            found = ask_library(query, records, self._parts(), limit=limit, on_event=receive)
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
        """As ``find``, which runs in a thread; ``on_event`` is called there.

        When the task is cancelled, the thread ends before the next step or frame.
        """
        cancelled = threading.Event()

        def go_on() -> None:
            if cancelled.is_set():
                raise LeftError

        def receive(event: Event) -> None:
            go_on()
            if on_event:
                on_event(event)

        try:
            return await asyncio.to_thread(
                self.find,
                video,
                query,
                captions=captions,
                within=within,
                every_time=every_time,
                on_event=receive,
                before_step=go_on,
            )
        finally:
            cancelled.set()

    def stream(
        self,
        video: str | Path,
        query: str,
        *,
        captions: str | Path | None = None,
        within: tuple[float, float] | None = None,
        every_time: bool = False,
    ) -> Iterator[Event | Grounding]:
        """What happens while the answer is found, as it happens; the answer comes last.

        Arguments and errors are those of ``find``. Whoever stops iterating ends the search.
        """

        def search(told: Background[Event, Grounding]) -> Grounding:
            return self.find(
                video,
                query,
                captions=captions,
                within=within,
                every_time=every_time,
                on_event=told.tell,
                before_step=told.go_on,
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
            at_once: Questions under way at a time. One video is described at a time all the same.

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

    @contextmanager
    def within_limits(self) -> Iterator[None]:
        """Hold all that is done inside within the settings' limits together, as one run.

        Otherwise each question, and each video that is described, is a run of its own.
        """
        if _ALLOWANCE.get():
            yield
            return
        allowed = _ALLOWANCE.set(Allowance(self.settings))
        try:
            yield
        finally:
            _ALLOWANCE.reset(allowed)

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
        self._allowance().spend(cost)
        return record

    def estimate(self, video: str | Path) -> Forecast:
        """What describing a video would take, from a quick look at it; nothing is described.

        Raises:
            WhenaboutsError: If the video or the captioner cannot be used.
        """
        captioner = self._given_captioner or self.captioner
        return forecast(Path(video), captioner, self.settings, store=self.store)

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
        """The compiled graph over this grounder's parts, to run by itself or in a larger one.

        Outside of this class's methods it is LangSmith's own SDK that traces it, where LangSmith is
        on; what that sends is scrubbed too.
        """
        self.tracing.scrub_own_tracer()
        return self._graph

    @_made_once
    def _graph(self) -> Graph:
        """The graph that every question goes through."""
        return build_graph(self._parts())

    @_made_once
    def tracing(self) -> Tracing:
        """Where questions are traced; nowhere unless the settings say so."""
        return Tracing(trace_targets(self.settings), tell=self._tell)

    @_made_once
    def _threads(self) -> tuple[Graph, SqliteSaver]:
        """The same graph, and what keeps its steps in the file of threads."""
        saver = self._files.enter_context(open_threads(self.settings.threads_file))
        return build_graph(self._parts(), checkpointer=saver), saver

    @_made_once
    def embedder(self) -> Embedder:
        """The embedder that the settings name."""
        key = self.settings.openai_api_key
        return open_embedder(
            self.settings.embedder,
            cache=self.settings.cache_folder,
            api_key=key.get_secret_value() if key else None,
            base_url=self.settings.openai_base_url,
            batch_texts=self.settings.embed_batch,
        )

    @_made_once
    def store(self) -> CaptionStore:
        """The caption store: embedded, or the Chroma server that the settings name."""
        url = self.settings.chroma_url
        return CaptionStore.open(
            self.settings.store_folder,
            embedder=self.settings.embedder,
            url=str(url) if url else None,
            on_wait=self._tell,
        )

    @_made_once
    def captioner(self) -> Captioner:
        """The captioner that the settings name, with the general prompt."""
        if self._given_captioner:
            return self._given_captioner
        return open_captioner(self.settings, self._captioner_choice.name, confirm=self._confirm)

    @_made_once
    def reasoner(self) -> Reasoner:
        """The reasoner that the settings name."""
        if self._given_reasoner:
            return self._given_reasoner
        choice = choose_reasoner(self.settings)
        if choice.why:
            self._tell(choice.why)
        return self._open_reasoner(choice.name)

    def _open_reasoner(self, name: str) -> Reasoner:
        with self._making:
            if name not in self._reasoners:
                self._reasoners[name] = open_reasoner(
                    self.settings,
                    name,
                    frames_of=self._second_looks.frames_of,
                    ration=self._allowance,
                )
            return self._reasoners[name]

    @_made_once
    def _captioner_choice(self) -> Choice:
        return choose_captioner(self.settings)

    def close(self) -> None:
        """Let go of the store; the next question would open it again."""
        with self._making:
            self.__dict__.pop("_graph", None)
            self.__dict__.pop("_threads", None)
            self._files.close()
            tracing: Tracing | None = self.__dict__.pop("tracing", None)
            store: CaptionStore | None = self.__dict__.pop("store", None)
        if store:
            store.close()
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

    def _answer_question(self, question: Question, *, report: Report) -> tuple[VideoRecord, Cost]:
        watched = _WATCHED.get()
        if watched and watched.video_id == question.video:
            return watched, Cost()
        captions = Path(question.captions) if question.captions else None
        record, cost = self._watcher.watch(
            question.video, captions=captions, query=question.query, report=report
        )
        self._allowance().spend(cost)
        return record, cost

    def _allowance(self) -> Allowance:
        """That of the run under way; a run of its own where none is."""
        return _ALLOWANCE.get() or Allowance(self.settings)

    def _parts(self) -> Parts:
        return Parts(
            watch=self._answer_question,
            store=self.store,
            embedder=self.embedder,
            reasoner=self.reasoner,
            max_attempts=self.settings.max_attempts,
            max_look_ups=self.settings.max_look_ups,
            evidence_tokens=self.settings.evidence_tokens,
            context=self.settings.context,
            overview=self._second_looks.overview_by(self.reasoner),
            closer=self._second_looks.closer,
            refine=self.settings.refine is not False,
            leave_out=frozenset({"subtitles"} if self.settings.subtitles == "off" else ()),
            open_reasoner=self._open_reasoner,
        )


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
        QueryError: If the query is empty, or no text, or ``within`` no stretch.
    """
    if not isinstance(query, str):
        raise QueryError(f"the query has to be text, not {query!r}; say what to look for")
    if not query.strip():
        raise QueryError('the query is empty; say what to look for, for example "a door opens"')
    if not is_text(query):
        raise QueryError(f"the query {query!a} is not UTF-8 text; type it anew")
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
