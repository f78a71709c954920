"""What the nodes of the graph do. Each takes the narrowest state, and returns only what it owns."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Protocol

import numpy as np
from langgraph.runtime import Runtime
from numpy.typing import NDArray

from agent.errors import AnswerError, QueryError, UnansweredError, WithheldError
from agent.graph.compose import compose_grounding, coverage_of
from agent.graph.dependencies import Dependencies
from agent.graph.events import write_event
from agent.graph.plain_values import AskedState, ReplyState, RequestState
from agent.graph.refine import refine_edges
from agent.graph.state import (
    AfterCheck,
    AfterReason,
    AfterRetrieve,
    AfterWatch,
    Options,
    Question,
    State,
    add_cost,
    cost_state,
)
from agent.grounding import Cost, Coverage, LookUp, Refusal
from agent.reasoning.answer import Answer, parse_answer
from agent.reasoning.brief import Brief, SimilarityReasoner, Turn
from agent.reasoning.look_ups import MAX_REQUESTS, LookUpTools, look_up, tame_request
from agent.reasoning.ordered_answers import parse_parts
from agent.reasoning.reply import Reply, Request
from tools.indexing.indexer import Progress
from tools.ranking import PartFound, Ranking, Window
from tools.retrieval.question import parts_of
from tools.retrieval.retrieval import Retrieved, inside, retrieve
from tools.retrieval.tracks import is_measured, read_tracks
from tools.store.store import CaptionStore, VideoRecord
from tools.text import whole_unicode
from tools.timeline import Caption, Interval

Layers = Sequence[tuple[Sequence[Caption], NDArray[np.float32]]]
"""Captions and embeddings of each track that a question is answered from, its own first."""


class Search(Protocol):
    """Chooses the captions to be read."""

    def __call__(self, layers: Layers, *, beside_scenes: bool) -> Retrieved:
        """Choose from all tracks, in the seconds that are searched.

        ``beside_scenes``: whether summaries of the scenes are read in place of most captions.
        """
        ...


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes, and what chooses the next one.

    Attributes:
        dependencies: What they work with; one run may replace some of it.
    """

    dependencies: Dependencies

    def watch(self, question: Question, runtime: Runtime[Options]) -> dict[str, Any]:
        """Make the captions that are missing."""

        def report(progress: Progress) -> None:
            runtime.stream_writer(write_event(progress, node="watch"))

        record, cost = self.dependencies.watch(question, report=report)
        return watched(question, record, cost)

    def retrieve(self, state: AfterWatch) -> dict[str, Any]:
        """Rank the captions, and choose those to be read."""
        using = self.dependencies.now()

        def search(layers: Layers, *, beside_scenes: bool) -> Retrieved:
            return retrieve(
                state["asked"],
                layers,
                embedder=using.embedder,
                duration_s=state["record"]["duration_s"],
                # Where scenes stand in, only the captions at the windows' edges are shown.
                limit_tokens=1 if beside_scenes else using.evidence_tokens,
                evenly=using.context == "all",
                every_time=state["all_times"],
            )

        return retrieve_by(search, state, using)

    def reason(self, state: AfterRetrieve) -> dict[str, Any]:
        """Ask the reasoner for a reply."""
        using = self.dependencies.now()
        brief, reasoner = _brief(state, using), using.reasoner
        asked_of = AskedState(name=reasoner.name, by=reasoner.by, prompts=reasoner.prompts)
        try:
            reply = reasoner.reply(brief)
        except WithheldError as exc:
            why = f"the text model was not asked: {exc}"
            return {"withheld": why, "reply": _reply_state(Reply(""), asked_of)}
        except UnansweredError as exc:
            why = f"the LLM-free grounder answers, since the text model did not: {exc}"
            return {"withheld": why, "reply": _reply_state(Reply(""), asked_of)}
        may_ask = brief.rounds_left and not reply.cut_off
        requests = tuple(map(tame_request, reply.requests[:MAX_REQUESTS])) if may_ask else ()
        return {
            "reply": _reply_state(replace(reply, requests=requests), asked_of),
            "reader_note": reply.note,
            "attempts": state["attempts"] + (not requests),
            "spent": add_cost(state["spent"], "reasoner", reply.cost),
        }

    def look_up(self, state: AfterReason, runtime: Runtime[Options]) -> dict[str, Any]:
        """Do what the reply asked for; captions not seen so far get the next numbers."""
        tools = _look_ups(state, self.dependencies.now()).offered()
        evidence, spent = list(state["evidence"]), state["spent"]
        known = {plain["id"] for plain in evidence}
        done: list[LookUp] = []
        for plain in state["reply"]["requests"]:
            one, captions, cost = look_up(Request(**plain), tools)
            unseen = [caption for caption in captions if caption.id not in known]
            evidence += _as_evidence(unseen)
            known |= {caption.id for caption in unseen}
            spent = add_cost(spent, "captioner", cost)
            done.append(one)
            runtime.stream_writer(write_event(one, node="look_up"))
        turn = Turn(said=state["reply"]["text"], look_ups=tuple(done)).model_dump()
        return {"evidence": evidence, "spent": spent, "turns": [*state["turns"], turn]}

    def check(self, state: AfterReason, runtime: Runtime[Options]) -> dict[str, Any]:
        """Accept the reply as an answer, or refuse it and say why."""
        said = state["reply"]["text"]
        try:
            answer, order = _judge(state)
        except AnswerError as exc:
            refusal = Refusal(
                attempt=state["attempts"], kind=exc.kind, message=str(exc), reply=said
            )
            runtime.stream_writer(write_event(refusal, node="check"))
            turn = Turn(said=said, refusal=refusal).model_dump()
            return {"accepted": None, "turns": [*state["turns"], turn]}
        return {
            "accepted": answer.model_dump(),
            "by": state["refined_by"] or state["reply"]["asked_of"]["by"],
            "order": order or state["order"],
        }

    def fall_back(self, state: AfterReason) -> dict[str, Any]:
        """Answer as the LLM-free grounder would."""
        reply = SimilarityReasoner().reply(_brief(state, self.dependencies.now()))
        answer = parse_answer(reply.text, shown=_spans(state))
        return {"accepted": answer.model_dump(), "by": "fallback"}

    def is_worth_refining(self, state: AfterCheck) -> bool:
        """Whether edges that come from frames are not refined yet, and a model can look closer."""
        using = self.dependencies.now()
        has_edges = bool(state["accepted"] and state["accepted"]["events"])
        is_of_frames = state["record"]["rate_hz"] is not None and _are_seen(state)
        can_look = using.refine and using.closer is not None
        return can_look and has_edges and is_of_frames and not state["refined_by"]

    def refine(self, state: AfterCheck) -> dict[str, Any]:
        """Decide the edges of the accepted answer again; a reply to be checked like any other."""
        using = self.dependencies.now()
        assert using.closer is not None
        captions = [Caption.from_dict(plain) for plain in state["evidence"]]
        refined = refine_edges(
            Answer.model_validate(state["accepted"]),
            captions,
            VideoRecord.from_dict(state["record"]),
            # In a question in parts, only the edges of the part that is asked for count.
            next((part["text"] for part in state["ranking"]["parts"]), state["asked"]),
            closer=using.closer,
            embedder=using.embedder,
        )
        reply = Reply(refined.answer.model_dump_json())
        looks = refined.captions[len(captions) :]
        return {
            "reply": _reply_state(reply, state["reply"]["asked_of"]),
            "evidence": [*state["evidence"], *_as_evidence(looks)],
            "spent": add_cost(state["spent"], "captioner", refined.cost),
            "refined_by": state["by"],
            "refine_note": refined.note,
        }

    def answer(self, state: State) -> dict[str, Any]:
        """Say it in seconds, with the evidence."""
        grounding = compose_grounding(
            state, embedder=self.dependencies.embedder.name, prompts=self.dependencies.prompts
        )
        return {"grounding": grounding.model_dump(mode="json", by_alias=True)}


def timed(node: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The same node, timed; LangGraph still sees the node's own annotations."""

    @wraps(node)
    def run(*args: Any, **kwargs: Any) -> dict[str, Any]:
        started_s = time.perf_counter()
        update = node(*args, **kwargs)
        return update | {"seconds": {node.__name__: time.perf_counter() - started_s}}

    return run


def watched(question: Question, record: VideoRecord, cost: Cost) -> dict[str, Any]:
    """The state of a question whose video has its captions; costs and times start again."""
    return {
        "asked": question.query,
        "asked_within": question.within,
        "all_times": question.every_time,
        "record": record.as_dict(),
        "spent": {"captioner": cost_state(cost), "reasoner": cost_state(Cost())},
    }


def retrieve_by(search: Search, state: AfterWatch, using: Dependencies) -> dict[str, Any]:
    """The captions worth reading that a search finds, and what goes with them."""
    record = VideoRecord.from_dict(state["record"])
    whole = read_tracks(using.store, record, leave_out=using.leave_out)
    within = _within(state)
    layers = [inside(*layer, within) for layer in whole]
    overview, cost = using.overview(record, *whole[0]) if using.overview else ([], Cost())
    found = search(layers, beside_scenes=using.context == "scenes" and bool(overview))
    return {
        "overview": [] if found.is_whole else [scene.as_dict() for scene in overview],
        "spent": add_cost(state["spent"], "reasoner", cost),
        "evidence": [
            caption.as_dict() | {"relevance": relevance}
            for caption, relevance in zip(found.captions, found.relevance, strict=True)
        ],
        "ranking": found.ranking.as_dict(),
        "opening": len(found.captions),
        "coverage": _coverage(found.ranking, record, whole, using.store).model_dump(),
        "attempts": 0,
        "turns": [],
        "refined_by": "",
        "refine_note": "",
        "order": "",
        "withheld": "",
        "reader_note": "",
        "all_shown": found.is_whole,
    }


def _coverage(
    ranking: Ranking, record: VideoRecord, layers: Layers, store: CaptionStore
) -> Coverage:
    """What was seen of the video by those whose word counts."""
    answering = [one for one in ranking.heard if one.answers]
    if answering and all(one.kind == "measured" for one in answering):
        for captions, _ in layers:
            for one in store.records(record.video_id):
                if (
                    captions
                    and captions[0].track == one.track
                    and one.track.key == answering[0].track
                ):
                    return coverage_of(captions, one, store)
    return coverage_of(layers[0][0], record, store)


def _are_seen(state: AfterCheck) -> bool:
    """Whether events are of captions that look alike at their edges: not measured, nor said."""
    of_frames = {"vision"}
    if is_measured(VideoRecord.from_dict(state["record"]).track):
        of_frames.add("signal")
    first = [event["first"] for event in (state["accepted"] or {"events": []})["events"]]
    return all(state["evidence"][number - 1]["source"] in of_frames for number in first)


def _within(state: AfterWatch) -> Interval | None:
    """The stretch that is searched; None for the whole video.

    Raises:
        QueryError: If it is past the end.
    """
    duration_s = state["record"]["duration_s"]
    if state["asked_within"] is None:
        return None
    start_s, end_s = state["asked_within"]
    if start_s >= duration_s:
        raise QueryError(
            f"nothing is left to search from {start_s:g} s on: the video is {duration_s:.1f} s long"
        )
    return Interval(start_s, min(end_s, duration_s))


def _reply_state(reply: Reply, asked_of: AskedState) -> ReplyState:
    return ReplyState(
        text=whole_unicode(reply.text),
        cut_off=reply.cut_off,
        in_parts=reply.in_parts,
        requests=[RequestState(tool=one.tool, arguments=one.arguments) for one in reply.requests],
        asked_of=asked_of,
    )


def _as_evidence(looked_up: Sequence[Caption]) -> list[Any]:
    return [caption.as_dict() | {"relevance": None} for caption in looked_up]


def _judge(state: AfterReason) -> tuple[Answer, str]:
    """The reply as an answer, and how the order of the question's parts decided it, if so."""
    reply, shown = state["reply"], _spans(state)
    if reply["cut_off"]:
        raise AnswerError(
            "cut_off",
            "The reply was too long and was cut off; give fewer steps and shorter reasons.",
        )
    if reply["in_parts"]:
        return parse_parts(reply["text"], parts_of(state["asked"]), shown=shown)
    return parse_answer(reply["text"], shown=shown), ""


def _brief(state: AfterRetrieve, using: Dependencies) -> Brief:
    ranking = state["ranking"]
    turns = [Turn.model_validate(plain) for plain in state["turns"]]
    rounds = sum(bool(turn.look_ups) for turn in turns)
    return Brief(
        query=state["asked"],
        captions=[Caption.from_dict(plain) for plain in state["evidence"]],
        opening=state["opening"],
        windows=[Window.from_dict(plain) for plain in ranking["windows"]],
        events=[Window.from_dict(plain) for plain in ranking["events"]],
        turns=turns,
        tools=_look_ups(state, using).offered if using.max_look_ups else tuple,
        rounds_left=max(0, using.max_look_ups - rounds),
        nothing_more=state["all_shown"] and not _can_look_closer(state, using),
        overview=[Caption.from_dict(plain) for plain in state["overview"]],
        parts=[PartFound.from_dict(plain) for plain in ranking["parts"]],
    )


def _can_look_closer(state: AfterRetrieve, using: Dependencies) -> bool:
    return using.closer is not None and state["record"]["rate_hz"] is not None


def _look_ups(state: AfterRetrieve, using: Dependencies) -> LookUpTools:
    return LookUpTools(
        VideoRecord.from_dict(state["record"]),
        state["asked"],
        using.store,
        using.embedder,
        using.closer,
        using.leave_out,
        using.prompts,
    )


def _spans(state: AfterRetrieve) -> list[Interval]:
    return [Interval(plain["start_s"], plain["end_s"]) for plain in state["evidence"]]
