"""One query to many videos: they are searched together, then the graph answers for each."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver

from agent.errors import (
    CaptionerError,
    CaptionError,
    EmbedderError,
    QueryError,
    VideoError,
    WhenaboutsError,
)
from agent.graph.dependencies import Dependencies, Watch
from agent.graph.events import Event
from agent.graph.graph import Graph
from agent.graph.retrieving import Layers, retrieve_by, searched_part, watched
from agent.graph.running import run_graph
from agent.graph.state import Question
from agent.grounding import Cost, Grounding
from agent.watching.moved_files import in_its_place
from agent.watching.watcher import Watcher
from tools.ranking import Ranking
from tools.retrieval.library_search import LibraryAnswer, LibraryRanking, search_library
from tools.retrieval.question import parts_of, read_question
from tools.retrieval.retrieval import Retrieved, retrieve, take_evidence
from tools.retrieval.sight_evidence import SightEvidence
from tools.retrieval.temporal_query import Single, texts_of
from tools.retrieval.tracks import consulted, is_measured
from tools.signals.said_times import take_stretch
from tools.store.store import VideoRecord

MOST_SEARCHED = 50
"""Most videos that are searched closely for one question, where the limit is lower."""

NOT_SEARCHED = (
    "it was not searched closely, as others fit better; a higher --limit does, or ask it alone"
)
NOT_LIKE = "none of its frames is among those most like the picture"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A video for which there is no answer, and why, in words.

    Attributes:
        path: The file.
        reason: In words.
        found: Whether it is in there, and only the limit leaves it out.
    """

    path: str
    reason: str
    found: bool = False


@dataclass(frozen=True)
class LibraryAnswers(Sequence[Grounding]):
    """Answers of the likeliest videos, those found first, then by confidence.

    Attributes:
        answers: One for each of these videos.
        left_out: Videos that could not be asked, in which it may be although it was not found, or
            in which it was found beyond the limit.
    """

    answers: tuple[Grounding, ...]
    left_out: tuple[LeftOut, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Grounding: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Grounding]: ...

    def __getitem__(self, index: int | slice) -> Grounding | Sequence[Grounding]:
        return self.answers[index]

    def __len__(self) -> int:
        return len(self.answers)

    def __iter__(self) -> Iterator[Grounding]:
        return iter(self.answers)


def watch_many(
    question: Question,
    videos: Iterable[str | Path] | None,
    watcher: Watcher,
    *,
    report: Callable[[Event], None],
    watch: Watch | None = None,
) -> tuple[list[VideoRecord], list[LeftOut]]:
    """The tracks that many videos are answered from, and the videos that cannot be used.

    Args:
        question: What is asked, of whichever video.
        videos: Files, described first where needed, or ids of indexed videos; None: every indexed
            video, as far as it is described.
        watcher: Describes them.
        report: Receives events.
        watch: Used in place of the watcher's own way.

    Raises:
        QueryError: If nothing is indexed or named.
        VideoError, CaptionError, CaptionerError, EmbedderError: That of the first video, if none
            can be used.
    """
    records = watcher.answerable() if videos is None else []
    unusable: dict[str, WhenaboutsError] = {}
    for video in dict.fromkeys(map(str, videos or ())):
        asked = question.model_copy(update={"video": video})
        try:
            records.append((watch or watcher.watch_for)(asked, report=report)[0])
        except (VideoError, CaptionError, CaptionerError, EmbedderError) as exc:
            unusable[video] = exc
    if not records:
        nothing = QueryError("nothing is indexed yet; index videos first, or name some")
        raise next(iter(unusable.values()), nothing)
    return records, [LeftOut(video, str(exc)) for video, exc in unusable.items()]


def ask_many_videos(
    query: str,
    records: Sequence[VideoRecord],
    graph: Graph,
    dependencies: Dependencies,
    *,
    limit: int,
    on_event: Callable[[Event], None] | None,
    every_time: bool = False,
) -> LibraryAnswers:
    """Ask many videos; a question with an order in it is decided in each of them by itself.

    Their captions exist already, and are searched together, so the graph is entered at ``reason``.

    Args:
        query: What to look for.
        records: The track of each video that it is answered from; those that are consulted
            beside it where one video is asked are searched too.
        graph: Answers for each of them.
        dependencies: Those of the graph.
        limit: Most answers wanted.
        on_event: Receives events.
        every_time: Whether all the times in each of them are wanted.
    """
    every_time = every_time or (not _is_picture(dependencies) and read_question(query).every_time)
    primary = {record.video_id: record for record in records}
    tracks: dict[str, list[VideoRecord]] = {}
    for record in dependencies.store.records():
        tracks.setdefault(record.video_id, []).append(record)
    beside = [
        record
        for video_id, own in primary.items()
        for record in consulted(tracks.get(video_id, []), own, leave_out=dependencies.leave_out)
    ]
    sight, by_picture = dependencies.sight, _is_picture(dependencies)
    part = Single(query) if by_picture else parts_of(query)
    # So is a stretch of each video, and how often it happens there.
    has_stretch = take_stretch(query)[1] is not None
    in_order = every_time or has_stretch or not isinstance(part, Single)
    ranked = (
        LibraryRanking()
        if by_picture
        else search_library(
            texts_of(part)[0],
            [*records, *(one for one in beside if not is_measured(one.track))],
            store=dependencies.store,
            embedder=dependencies.embedder,
            is_measured=lambda record: is_measured(record.track),
            beside=[one for one in beside if is_measured(one.track)],
        )
    )
    likeliest = dict.fromkeys(answer.record.video_id for answer in ranked.answers)
    alike: dict[str, LibraryAnswer] = {}
    for answer in ranked.answers:
        if not is_measured(answer.record.track):
            alike.setdefault(answer.record.video_id, answer)
    if len({one.video_id for one in [*records, *beside] if not is_measured(one.track)}) == 1:
        alike = {}  # Its captions are compared with those of no other video.
    unable = {record.video_id: reason for record, reason in ranked.left_out}
    seen = sight.likeliest(texts_of(part)[0], list(primary)) if sight else []
    unseen = sight.unseen(list(primary)) if sight else {}
    if by_picture:
        unable |= dict.fromkeys(set(primary) - set(seen), NOT_LIKE) | unseen
    # Then those in which nothing was found: that it is not in them is an answer too.
    others = [
        video_id
        for video_id, record in primary.items()
        if record.complete and video_id not in likeliest and video_id not in unable
    ]
    in_turn = list(dict.fromkeys([*seen, *likeliest, *others]))
    # Beyond the limit, only those in which captions tell: frames are read anew for each video.
    more = [one for one in in_turn[limit:] if one not in seen]
    states = {}
    for video_id in [*in_turn[:limit], *more[: max(0, MOST_SEARCHED - limit)]]:
        # An order is about everything that happens in a video, not only the likeliest places; and
        # frames are compared with those of the same video.
        known = None if in_order or video_id in seen else alike.get(video_id)
        question = Question(video=video_id, query=query, every_time=every_time)
        record = in_its_place(primary[video_id])
        states[video_id] = _searched(question, record, known, dependencies)
    # Where it is found comes first, in the same order.
    ranked_ids = sorted(states, key=lambda one: states[one]["ranking"]["verdict"] != "found")
    found_in = [one for one in ranked_ids if states[one]["ranking"]["verdict"] == "found"]
    answers = [_answer_from(states[one], graph, on_event) for one in ranked_ids[:limit]]
    found_too = f"it was found here too; --limit {len(found_in)} shows it"
    unable |= {
        one: str(states[one]["ranking"]["reasoning"])
        for one in ranked_ids[limit:]
        if states[one]["ranking"]["verdict"] == "cannot_tell"
    }
    if not by_picture:  # Else that is why already.
        unable |= {one: f"{unable[one]} {why}" for one, why in unseen.items() if one in unable}
    unable |= dict.fromkeys(found_in[limit:], found_too)
    unable |= dict.fromkeys({*seen, *likeliest} - set(states), NOT_SEARCHED)
    told = {answer.video.id for answer in answers}
    return LibraryAnswers(
        tuple(sorted(answers, key=_rank)),
        tuple(
            LeftOut(record.path, reason, found=record.video_id in found_in)
            for record in records
            if record.video_id not in told and (reason := _why_not(record, unable))
        ),
    )


def _is_picture(dependencies: Dependencies) -> bool:
    return dependencies.sight is not None and dependencies.sight.by_picture


def _searched(
    question: Question, record: VideoRecord, known: LibraryAnswer | None, dependencies: Dependencies
) -> dict[str, Any]:
    """The state that ``watch`` and ``retrieve`` would leave, from which the reasoner is asked."""
    started_s, query = time.perf_counter(), question.query

    def search(
        layers: Layers,
        *,
        limit_tokens: int,
        beside_scenes: bool,  # noqa: ARG001  # all are read
        sight: SightEvidence | None,
    ) -> Retrieved:
        def by_itself(*, is_one_of_many: bool) -> Retrieved:
            return retrieve(
                query,
                layers,
                embedder=dependencies.embedder,
                duration_s=record.duration_s,
                limit_tokens=limit_tokens,
                is_one_of_many=is_one_of_many,
                every_time=question.every_time,
                sight=sight,
                within=within,
            )

        among = by_itself(is_one_of_many=True)
        is_open = not _is_decided(among.ranking, record)
        if is_open and known and known.ranking.events:
            found = _evidence(known, limit_tokens)
            count = sum(len(captions) for captions, _ in layers)
            return replace(found, is_whole=len(found.captions) == count)
        if among.ranking.verdict == "not_found":
            alone = among if _is_plain(query) else by_itself(is_one_of_many=False)
            return _no_surer(among, alone, query)
        return _compared(among) if is_open and known else among

    state: Any = watched(question, record, Cost())
    within = searched_part(state)
    state |= retrieve_by(search, state, dependencies)
    state["is_granted"] = False  # It happens in one of them, and nobody knows in which.
    spent_s = time.perf_counter() - started_s
    return {**state, "seconds": {"watch": 0.0, "retrieve": spent_s}}


def _is_decided(ranking: Ranking, record: VideoRecord) -> bool:
    """Whether a video knows it by itself: what is measured or quoted does not depend on others."""
    if not ranking.heard:
        return ranking.is_exact or is_measured(record.track)
    measured = [one for one in ranking.heard if one.kind == "measured"]
    is_denied = ranking.verdict != "found" and any(one.verdict == "not_found" for one in measured)
    is_literal = ranking.is_exact and ranking.verdict != "cannot_tell"
    return is_literal or is_denied or any(one.answers for one in measured)


def _is_plain(query: str) -> bool:
    """Whether a question has no order, and grants nothing: only these make a difference alone."""
    return isinstance(parts_of(query), Single) and not read_question(query).is_presupposed


def _no_surer(among: Retrieved, alone: Retrieved, query: str) -> Retrieved:
    """Not found only where the video, asked alone, would not be unsure, or take it for granted."""
    asked = read_question(query)
    is_granted = asked.is_presupposed and alone.ranking.verdict == "found"
    if not is_granted:
        return alone if alone.ranking.verdict == "cannot_tell" else among
    why = "It may be here, if it happens at all; ask this video alone."
    ranking = replace(alone.ranking, verdict="cannot_tell", events=(), reasoning=why)
    return replace(alone, ranking=ranking)


def _compared(by_itself: Retrieved) -> Retrieved:
    """What a video says where others fit better: asked alone, it may be found; so it is open."""
    ranking = by_itself.ranking
    if ranking.verdict != "found":
        return by_itself
    why = "It may be here too, but among all these videos others fit better; ask this one alone."
    return replace(
        by_itself, ranking=replace(ranking, verdict="cannot_tell", events=(), reasoning=why)
    )


def _answer_from(
    state: dict[str, Any], graph: Graph, on_event: Callable[[Event], None] | None
) -> Grounding:
    """Run the graph from ``reason`` on. To be entered there, it needs a checkpointer."""
    remembering: Any = graph.copy(update={"checkpointer": InMemorySaver()})
    thread: RunnableConfig = {"configurable": {"thread_id": "one of many"}}
    at_reason = remembering.update_state(thread, state, as_node="retrieve")
    return run_graph(remembering, None, on_event, at_reason)


def _why_not(record: VideoRecord, unable: dict[str, str]) -> str:
    """Why it may be in a video that gives no answer; empty where it is assumed not to be there."""
    if not record.complete:
        return "only a part of it was described; index it to the end"
    return unable.get(record.video_id, "")


def _evidence(answer: LibraryAnswer, limit_tokens: int) -> Retrieved:
    order = sorted(range(len(answer.captions)), key=lambda index: answer.captions[index].span)
    captions = [answer.captions[index] for index in order]
    ranking = replace(answer.ranking, relevance=answer.ranking.relevance[order])
    return take_evidence(captions, ranking, limit_tokens=limit_tokens)


def _rank(answer: Grounding) -> tuple[bool, float]:
    surest = answer.intervals or answer.candidates
    return answer.verdict != "found", -max(
        (answer.presence or 0.0 if one.confidence is None else one.confidence for one in surest),
        default=0.0,
    )
