"""``Grounder``: watch a video once, ask it many times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.asking_by_picture import ByPicture
from agent.errors import WhenaboutsError
from agent.graph.cancelling import Background, nobody
from agent.graph.events import Event
from agent.graph.graph import Graph
from agent.graph.many_videos import LibraryAnswers, ask_many_videos, watch_many
from agent.graph.replay import Replayed, replay
from agent.graph.running import run_graph
from agent.graph.state import Question
from agent.graph.thread_files import forget_threads
from agent.grounding import Grounding
from agent.indexed_videos import IndexedVideos
from agent.plotting.answer_plot import plot_answer
from agent.plotting.picture import Picture
from agent.plotting.relevance import relevance_curve
from agent.question import make_question
from agent.settings import Settings, load_settings
from agent.watching.moved_files import own_file
from tools.video.reader import probe

__all__ = [
    "Event",
    "Grounder",
    "Grounding",
    "Settings",
    "WhenaboutsError",
    "load_settings",
    "make_question",
]


class Grounder(IndexedVideos):
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
        if thread is None:
            facts, graph, config = dict[str, str](), self._assembly.graph, None
        else:
            facts, (graph, config) = {"thread_id": thread}, self._assembly.new_thread(thread)
        with (
            self._assembly.runs.one(),
            self.tracing.step("find", question.model_dump(), metadata=facts) as step,
        ):
            grounding = run_graph(
                graph, question, on_event, config, before_step=before_step, on_step=on_step
            )
            step.outputs = {"grounding": grounding.model_dump(mode="json", by_alias=True)}
        if thread is not None and not self._assembly.watcher.holds(grounding.video.id):
            forget_threads(self.settings.threads_file, {grounding.video.id})
            self._tell(f"{video} was forgotten meanwhile, so the thread {thread} is not kept")
        return grounding

    def find_picture(
        self,
        video: str | Path,
        picture: str | Path,
        *,
        within: tuple[float, float] | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Grounding:
        """When does it look like this picture? Frames are looked at first, and never described.

        Args:
            video: As of ``find``.
            picture: An image file: JPEG, PNG, WebP, GIF, BMP or TIFF.
            within: As of ``find``.
            on_event: As of ``find``.

        Raises:
            SightError: If the picture cannot be read, or there is no model that looks at frames;
                see the setting ``sight``.
            WhenaboutsError: If the video cannot be used; see ``agent.errors``.
        """
        return ByPicture(self._assembly, picture).find(video, within=within, on_event=on_event)

    def find_picture_all(
        self,
        picture: str | Path,
        *,
        videos: Iterable[str | Path] | None = None,
        limit: int = 5,
        on_event: Callable[[Event], None] | None = None,
    ) -> LibraryAnswers:
        """Where in many videos does it look like this picture? The rest is as of ``find_all``.

        Raises:
            SightError: As ``find_picture``.
            WhenaboutsError: As ``find_all``.
        """
        asking = ByPicture(self._assembly, picture)
        return asking.find_all(videos, limit=limit, on_event=on_event)

    def foresee(self, video: str | Path, query: str) -> Grounding | None:
        """What ``find`` would answer, where that is known before minutes are spent on a video.

        That is so where the classical describer would have to describe the video first, and cannot
        answer this question: ``cannot_tell``, with the choices. None where the video has to be
        looked at; ``find`` looks in any case.

        Raises:
            QueryError, VideoError: As ``find``.
        """
        question = make_question(video, query)
        return self._assembly.watcher.foresee(question.video, question.query)

    def run(self, question: Question) -> dict[str, Any]:
        """The state that the graph ends in: the answer, and what was retrieved and replied.

        Raises:
            WhenaboutsError: If the video cannot be used; see ``agent.errors``.
        """
        with (
            self._assembly.runs.one(),
            self.tracing.step("find", question.model_dump()) as step,
        ):
            *_, state = self._assembly.graph.stream(question, stream_mode="values")
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
            self._assembly.runs.one(),
            self.tracing.step("replay", {"from": node}, metadata=facts) as step,
        ):
            replayed = replay(
                self._assembly.threads[0],
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
        every_time: bool = False,
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
            every_time: As for ``find``, in each of the videos.
            on_event: As for ``find``.

        Raises:
            QueryError: If the query is empty, or nothing is indexed.
            WhenaboutsError: As ``find``.
        """
        question = make_question("all", query)
        with self._assembly.runs.one():
            records, unusable = watch_many(
                question, videos, self._assembly.watcher, report=on_event or nobody
            )
            facts = {"query": question.query, "videos": len(records)}
            with self.tracing.step("find_all", facts) as step:
                found = ask_many_videos(
                    question.query,
                    records,
                    self._assembly.graph,
                    self._assembly.dependencies,
                    limit=limit,
                    every_time=every_time,
                    on_event=on_event,
                )
                step.outputs = {"answers": [one.model_dump(mode="json") for one in found]}
        return replace(found, left_out=(*unusable, *found.left_out))

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

    @property
    def graph(self) -> Graph:
        """The compiled graph of this grounder, to run by itself or in a larger one.

        Outside of this class's methods, LangSmith's own SDK traces it, if LangSmith is on; what
        that sends is scrubbed too.
        """
        self.tracing.scrub_own_tracer()
        return self._assembly.graph
