"""The graph: watch → retrieve → reason → check → refine → check → answer.

Two edges lead back to ``reason``: from ``check`` where a reply was refused, and from ``look_up``,
where the reasoner goes when it wants to see more captions before it answers. ``refine`` looks
closer at the edges of an accepted answer, where an image model is there for it, and is checked too.

Parts come from outside (``Parts``), so that this file is the picture and nothing else.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import wraps
from typing import Any, Literal, Protocol

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime, get_runtime

from agent.errors import AnswerError, QueryError, SettingsError
from agent.graph.cancelling import Background
from agent.graph.compose import compose_grounding, coverage_of
from agent.graph.events import Event, read_event, write_event
from agent.graph.refine import refine as refine_edges
from agent.graph.state import (
    Answered,
    Checked,
    Options,
    Question,
    Replied,
    Retrieved,
    State,
    Watched,
    add_cost,
)
from agent.grounding import Cost, Grounding, LookUp, Refusal
from agent.reasoning.answer import Answer, parse_answer
from agent.reasoning.brief import Brief, Reasoner, Request, SimilarityReasoner, Turn
from agent.reasoning.look_ups import MAX_REQUESTS, Closer, Library, tame_request
from agent.reasoning.look_ups import look_up as look_up_one
from agent.reasoning.ordered_answers import parse_parts
from agent.reasoning.scene_overview import Overview
from agent.watching.allowance import WithheldError
from tools.embedders.embedder import Embedder
from tools.indexing.indexer import Progress, Report
from tools.ranking import PartFound, Window
from tools.retrieval.question import parts_of
from tools.retrieval.retrieval import EVIDENCE_TOKENS, inside
from tools.retrieval.retrieval import Retrieved as Retrieval
from tools.retrieval.retrieval import retrieve as retrieve_captions
from tools.retrieval.tracks import read_tracks
from tools.store.store import CaptionStore, VideoRecord
from tools.text import whole_unicode
from tools.timeline import Caption, Interval

Context = Literal["retrieved", "all", "scenes"]


class Watcher(Protocol):
    """Makes sure that a question's video has its captions in the store."""

    def __call__(self, question: Question, *, report: Report) -> tuple[VideoRecord, Cost]:
        """Return the record to answer from, and what it took to have its captions."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the graph is built from.

    Attributes:
        watch: Captions what is missing.
        store: Holds the captions that ``watch`` vouches for.
        embedder: The one the captions were embedded with.
        reasoner: Decides from captions.
        max_attempts: Answers asked of the reasoner before the LLM-free answer stands in.
        max_look_ups: How often it may look something up before it answers; 0 offers it no tools.
        evidence_tokens: What the captions shown at once may come to.
        retrieve: Has retrieved already, for a video of many that are asked together; None: what is
            retrieved is decided here.
        context: Which captions are shown where not all of them fit: those ``retrieved`` for the
            query, or of ``all``, as many as fit at even distances, or ``scenes`` summed up.
        overview: Sums up the scenes of a long video for a text model; None where nobody reads them.
        closer: Describes a stretch of a video again, more closely; None where nobody can.
        refine: Whether it looks at the edges of every answer.
        leave_out: Kinds of tracks that are not read, though they are there; see ``read_tracks``.
        open_reasoner: Opens another reasoner by name, for a run that wants one; None: no run may.
    """

    watch: Watcher
    store: CaptionStore
    embedder: Embedder
    reasoner: Reasoner
    max_attempts: int = 3
    max_look_ups: int = 3
    evidence_tokens: int = EVIDENCE_TOKENS
    retrieve: Callable[[VideoRecord], Retrieval] | None = None
    context: Context = "retrieved"
    overview: Overview | None = None
    closer: Closer | None = None
    refine: bool = True
    leave_out: frozenset[str] = frozenset()
    open_reasoner: Callable[[str], Reasoner] | None = None

    def for_run(self, options: Options) -> "Parts":
        """These parts, as one run wants them.

        Raises:
            SettingsError: If it wants a reasoner that cannot be had.
        """
        reasoner = self.reasoner
        if options.reasoner is not None and options.reasoner != reasoner.name:
            if self.open_reasoner is None:
                raise SettingsError(
                    f"this graph answers by {reasoner.name} alone, and not by {options.reasoner}"
                )
            reasoner = self.open_reasoner(options.reasoner)
        attempts, look_ups = options.max_attempts, options.max_look_ups
        return replace(
            self,
            reasoner=reasoner,
            max_attempts=self.max_attempts if attempts is None else attempts,
            max_look_ups=self.max_look_ups if look_ups is None else look_ups,
            refine=self.refine if options.refine is None else options.refine,
        )


Graph = CompiledStateGraph[State, Options, Question, Answered]


def build_graph(parts: Parts, *, checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    """Compile the graph.

    Input is a ``Question`` or a dict of its fields, the context ``Options`` or nothing; output
    ``{"grounding": …}``, a ``Grounding`` in its JSON form. ``stream(…, stream_mode="custom")``
    yields what ``agent.graph.events`` writes.

    Raises (when run):
        WhenaboutsError: What the parts raise for bad input.
    """

    def now() -> Parts:
        # A graph that this one is a part of may have a context of its own kind.
        context: Any = get_runtime(Options).context
        return parts.for_run(context) if isinstance(context, Options) else parts

    def watch(question: Question, runtime: Runtime[Options]) -> dict[str, Any]:
        def report(progress: Progress) -> None:
            runtime.stream_writer(write_event(progress, node="watch"))

        record, cost = parts.watch(question, report=report)
        return {
            "asked": question.query,
            "stretch": question.within,
            "all_times": question.every_time,
            "record": record.as_dict(),
            "spent": {"captioner": cost.model_dump(), "reasoner": Cost().model_dump()},
        }

    def retrieve(state: Watched) -> dict[str, Any]:
        return _retrieve(state, now())

    def reason(state: Retrieved) -> dict[str, Any]:
        return _reason(state, now())

    def after_reason(state: Replied) -> Literal["look_up", "check", "fall_back"]:
        if state["withheld"]:
            return "fall_back"
        return "look_up" if state["requests"] else "check"

    def look_up(state: Replied, runtime: Runtime[Options]) -> dict[str, Any]:
        update = _look_up(state, now())
        for one in update["turns"][-1]["look_ups"]:
            runtime.stream_writer(write_event(LookUp.model_validate(one), node="look_up"))
        return update

    def check(state: Replied, runtime: Runtime[Options]) -> dict[str, Any]:
        try:
            answer, order = _judge(state)
        except AnswerError as exc:
            refusal = Refusal(
                attempt=state["attempts"], kind=exc.kind, message=str(exc), reply=state["reply"]
            )
            runtime.stream_writer(write_event(refusal, node="check"))
            turn = Turn(said=state["reply"], refusal=refusal).model_dump()
            return {"accepted": None, "turns": [*state["turns"], turn]}
        return {
            "accepted": answer.model_dump(),
            "by": state["refined_by"] or state["asked_of"]["by"],
            "order": order or state["order"],
        }

    def after_check(state: Checked) -> Literal["answer", "refine", "reason", "fall_back"]:
        if state["accepted"] is not None:
            return after_accepting(state)
        return "reason" if state["attempts"] < now().max_attempts else "fall_back"

    def after_accepting(state: Checked) -> Literal["answer", "refine"]:
        return "refine" if _is_worth_refining(state, now()) else "answer"

    def refine(state: Checked) -> dict[str, Any]:
        return _refine(state, now())

    def fall_back(state: Checked) -> dict[str, Any]:
        reply = SimilarityReasoner().reply(_brief(state, now()))
        answer = parse_answer(reply.text, shown=_spans(state))
        return {"accepted": answer.model_dump(), "by": "fallback"}

    def answer(state: State) -> dict[str, Any]:
        grounding = compose_grounding(state, embedder=parts.embedder.name)
        return {"grounding": grounding.model_dump(mode="json", by_alias=True)}

    graph = StateGraph(State, context_schema=Options, input_schema=Question, output_schema=Answered)
    graph.add_node("watch", _timed(watch))
    graph.add_node("retrieve", _timed(retrieve))
    graph.add_node("reason", _timed(reason))
    graph.add_node("look_up", _timed(look_up))
    graph.add_node("check", _timed(check))
    graph.add_node("fall_back", _timed(fall_back))
    graph.add_node("refine", _timed(refine))
    graph.add_node("answer", _timed(answer))
    graph.add_edge(START, "watch")
    graph.add_edge("watch", "retrieve")
    graph.add_edge("retrieve", "reason")
    graph.add_conditional_edges("reason", after_reason)
    graph.add_edge("look_up", "reason")
    graph.add_conditional_edges("check", after_check)
    graph.add_conditional_edges("fall_back", after_accepting)
    graph.add_edge("refine", "check")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=checkpointer, name="whenabouts")


def run_graph(
    graph: Graph,
    question: Question | None,
    on_event: Callable[[Event], None],
    config: RunnableConfig | None = None,
    *,
    before_step: Callable[[], None] = lambda: None,
) -> Grounding:
    """Run the graph to its end, telling what happens on the way in the caller's thread.

    Args:
        graph: From ``build_graph``.
        question: What is asked; None goes on from the checkpoint that ``config`` names.
        on_event: Receives what happens.
        config: Names a thread, or a checkpoint of one.
        before_step: Called before each step; what it raises ends the run.
    """

    def run(told: Background[Event, Grounding]) -> Grounding:
        answer: dict[str, Any] = {}
        update: Any
        for kind, update in graph.stream(question, config, stream_mode=["custom", "values"]):
            if kind == "values":
                told.go_on()
                before_step()
                answer = update
            else:
                told.tell(read_event(update))
        return Grounding.model_validate(answer["grounding"])

    return Background(run).listen(on_event)


def _retrieve(state: Watched, parts: Parts) -> dict[str, Any]:
    record = VideoRecord.from_dict(state["record"])
    whole = read_tracks(parts.store, record, leave_out=parts.leave_out)
    tracks = [inside(*track, _stretch(state)) for track in whole]
    overview, cost = parts.overview(record, *whole[0]) if parts.overview else ([], Cost())
    if parts.retrieve:
        found = parts.retrieve(record)
    else:
        found = retrieve_captions(
            state["asked"],
            tracks,
            embedder=parts.embedder,
            duration_s=record.duration_s,
            # With scenes in its place, only what windows begin and end with is shown of the rest.
            limit_tokens=1 if parts.context == "scenes" and overview else parts.evidence_tokens,
            evenly=parts.context == "all",
            every_time=state["all_times"],
        )
    is_whole = len(found.captions) == sum(len(captions) for captions, _ in tracks)
    return {
        "overview": [] if is_whole else [scene.as_dict() for scene in overview],
        "spent": add_cost(state["spent"], "reasoner", cost),
        "evidence": [
            caption.as_dict() | {"relevance": relevance}
            for caption, relevance in zip(found.captions, found.relevance, strict=True)
        ],
        "ranking": found.ranking.as_dict(),
        "opening": len(found.captions),
        "coverage": coverage_of(whole[0][0], record, parts.store).model_dump(),
        "attempts": 0,
        "turns": [],
        "refined_by": "",
        "refine_note": "",
        "order": "",
        "withheld": "",
    }


def _stretch(state: Watched) -> Interval | None:
    """What is searched; None for the whole video.

    Raises:
        QueryError: If it is past the end.
    """
    duration_s = state["record"]["duration_s"]
    if state["stretch"] is None:
        return None
    start_s, end_s = state["stretch"]
    if start_s >= duration_s:
        raise QueryError(
            f"nothing is left to search from {start_s:g} s on: the video is {duration_s:.1f} s long"
        )
    return Interval(start_s, min(end_s, duration_s))


def _reason(state: Retrieved, parts: Parts) -> dict[str, Any]:
    brief, reasoner = _brief(state, parts), parts.reasoner
    asked_of = {"name": reasoner.name, "by": reasoner.by, "prompts": reasoner.prompts}
    try:
        reply = parts.reasoner.reply(brief)
    except WithheldError as exc:
        return {"withheld": str(exc), "requests": [], "asked_of": asked_of}
    requests = reply.requests[:MAX_REQUESTS] if brief.rounds_left and not reply.cut_off else ()
    return {
        "reply": whole_unicode(reply.text),
        "cut_off": reply.cut_off,
        "in_parts": reply.in_parts,
        "asked_of": asked_of,
        "requests": [asdict(tame_request(request)) for request in requests],
        "attempts": state["attempts"] + (not requests),
        "spent": add_cost(state["spent"], "reasoner", reply.cost),
    }


def _look_up(state: Replied, parts: Parts) -> dict[str, Any]:
    """Do what the last reply asked for; captions not seen so far get the next numbers."""
    tools = _library(state, parts).tools()
    evidence, spent = list(state["evidence"]), state["spent"]
    known = {plain["id"] for plain in evidence}
    done: list[LookUp] = []
    for plain in state["requests"]:
        one, captions, cost = look_up_one(Request(**plain), tools)
        unseen = [caption for caption in captions if caption.id not in known]
        evidence += [caption.as_dict() | {"relevance": None} for caption in unseen]
        known |= {caption.id for caption in unseen}
        spent = add_cost(spent, "captioner", cost)
        done.append(one)
    turn = Turn(said=state["reply"], look_ups=tuple(done)).model_dump()
    return {"evidence": evidence, "spent": spent, "turns": [*state["turns"], turn]}


def _is_worth_refining(state: Checked, parts: Parts) -> bool:
    """Whether there are edges not refined yet, made of frames, and somebody can look closer."""
    has_edges = bool(state["accepted"] and state["accepted"]["events"])
    is_of_frames = state["record"]["rate_hz"] is not None
    can_look = parts.refine and parts.closer is not None
    return can_look and has_edges and is_of_frames and not state["refined_by"]


def _refine(state: Checked, parts: Parts) -> dict[str, Any]:
    """The accepted answer with its edges decided again, as a reply to be checked like any other."""
    assert parts.closer is not None
    captions = [Caption.from_dict(plain) for plain in state["evidence"]]
    refined = refine_edges(
        Answer.model_validate(state["accepted"]),
        captions,
        VideoRecord.from_dict(state["record"]),
        # Of a question in parts, the edges are those of what is asked for.
        next((part["text"] for part in state["ranking"]["parts"]), state["asked"]),
        closer=parts.closer,
        embedder=parts.embedder,
    )
    looks = refined.captions[len(captions) :]
    return {
        "reply": refined.answer.model_dump_json(),
        "cut_off": False,
        "in_parts": False,
        "evidence": [
            *state["evidence"],
            *(caption.as_dict() | {"relevance": None} for caption in looks),
        ],
        "spent": add_cost(state["spent"], "captioner", refined.cost),
        "refined_by": state["by"],
        "refine_note": refined.note,
    }


def _judge(state: Replied) -> tuple[Answer, str]:
    """The reply as an answer, and how the order of the question's parts decided it, if it did."""
    if state["cut_off"]:
        raise AnswerError(
            "cut_off",
            "The reply was too long and was cut off; give fewer steps and shorter reasons.",
        )
    if state["in_parts"]:
        return parse_parts(state["reply"], parts_of(state["asked"]), shown=_spans(state))
    return parse_answer(state["reply"], shown=_spans(state)), ""


def _brief(state: Retrieved, parts: Parts) -> Brief:
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
        tools=_library(state, parts).tools if parts.max_look_ups else tuple,
        rounds_left=max(0, parts.max_look_ups - rounds),
        overview=[Caption.from_dict(plain) for plain in state["overview"]],
        parts=[PartFound.from_dict(plain) for plain in ranking["parts"]],
    )


def _library(state: Retrieved, parts: Parts) -> Library:
    record = VideoRecord.from_dict(state["record"])
    return Library(
        record, state["asked"], parts.store, parts.embedder, parts.closer, parts.leave_out
    )


def _spans(state: Retrieved) -> list[Interval]:
    return [Interval(plain["start_s"], plain["end_s"]) for plain in state["evidence"]]


def _timed(node: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The same node, its wall time noted; LangGraph still sees the node's own annotations."""

    @wraps(node)
    def run(*args: Any, **kwargs: Any) -> dict[str, Any]:
        started_s = time.perf_counter()
        update = node(*args, **kwargs)
        return update | {"seconds": {node.__name__: time.perf_counter() - started_s}}

    return run
