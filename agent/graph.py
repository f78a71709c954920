"""The graph: watch → retrieve → reason → check → answer, with an edge back for refused replies.

Parts come from outside (``Parts``), so that this file is the picture and nothing else.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from typing import Any, Literal, Protocol

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agent.answer import parse_answer
from agent.compose import compose_grounding, coverage_of
from agent.errors import AnswerError
from agent.grounding import Refusal
from agent.reasoner import Brief, Reasoner, SimilarityReasoner
from agent.state import Answered, Checked, Question, Replied, Retrieved, State, Watched
from tools.embedder import Embedder
from tools.indexer import Progress, Report
from tools.ranking import Window
from tools.retrieval import retrieve as retrieve_captions
from tools.store import CaptionStore, VideoRecord
from tools.timeline import Caption


class Watcher(Protocol):
    """Makes sure that a question's video has its captions in the store."""

    def __call__(self, question: Question, *, report: Report) -> tuple[VideoRecord, int]:
        """Return the record to answer from, and how many captions had to be made."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the graph is built from.

    Attributes:
        watch: Captions what is missing.
        store: Holds the captions that ``watch`` vouches for.
        embedder: The one the captions were embedded with.
        reasoner: Decides from captions.
        max_attempts: Replies asked of the reasoner before the LLM-free answer stands in.
    """

    watch: Watcher
    store: CaptionStore
    embedder: Embedder
    reasoner: Reasoner
    max_attempts: int = 3


Graph = CompiledStateGraph[State, None, Question, Answered]


def build_graph(parts: Parts, *, checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    """Compile the graph.

    Input is a ``Question`` or a dict of its fields; output ``{"grounding": …}``, a ``Grounding`` in
    its JSON form. ``stream(…, stream_mode="custom")`` yields progress events as dicts with
    ``event``, ``node`` and what that event tells.

    Raises (when run):
        WhenaboutsError: What the parts raise for bad input.
    """

    def watch(question: Question, runtime: Runtime[None]) -> dict[str, Any]:
        def report(progress: Progress) -> None:
            runtime.stream_writer({"event": "progress", "node": "watch", **asdict(progress)})

        record, new_captions = parts.watch(question, report=report)
        return {
            "asked": question.query,
            "record": record.as_dict(),
            "new_captions": new_captions,
        }

    def retrieve(state: Watched) -> dict[str, Any]:
        record = VideoRecord.from_dict(state["record"])
        captions, vectors = parts.store.read(record.video_id, record.track)
        found = retrieve_captions(
            state["asked"],
            captions,
            vectors,
            embedder=parts.embedder,
            duration_s=record.duration_s,
        )
        return {
            "evidence": [
                caption.as_dict() | {"relevance": relevance}
                for caption, relevance in zip(found.captions, found.relevance, strict=True)
            ],
            "ranking": found.ranking.as_dict(),
            "coverage": coverage_of(captions, record).model_dump(),
            "attempts": 0,
            "refusals": [],
        }

    def reason(state: Retrieved) -> dict[str, Any]:
        return {"reply": parts.reasoner.reply(_brief(state)), "attempts": state["attempts"] + 1}

    def check(state: Replied, runtime: Runtime[None]) -> dict[str, Any]:
        try:
            answer = parse_answer(state["reply"], shown=len(state["evidence"]))
        except AnswerError as exc:
            refusal = Refusal(
                attempt=state["attempts"], kind=exc.kind, message=str(exc), reply=state["reply"]
            ).model_dump()
            runtime.stream_writer({"event": "refusal", "node": "check", **refusal})
            return {"accepted": None, "refusals": [*state["refusals"], refusal]}
        return {"accepted": answer.model_dump(), "by": parts.reasoner.by}

    def after_check(state: Checked) -> Literal["answer", "reason", "fall_back"]:
        if state["accepted"] is not None:
            return "answer"
        return "reason" if state["attempts"] < parts.max_attempts else "fall_back"

    def fall_back(state: Checked) -> dict[str, Any]:
        reply = SimilarityReasoner().reply(_brief(state))
        answer = parse_answer(reply, shown=len(state["evidence"]))
        return {"accepted": answer.model_dump(), "by": "fallback"}

    def answer(state: State) -> dict[str, Any]:
        grounding = compose_grounding(state, reasoner=parts.reasoner, embedder=parts.embedder.name)
        return {"grounding": grounding.model_dump(mode="json", by_alias=True)}

    graph = StateGraph(State, input_schema=Question, output_schema=Answered)
    graph.add_node("watch", _timed(watch))
    graph.add_node("retrieve", _timed(retrieve))
    graph.add_node("reason", _timed(reason))
    graph.add_node("check", _timed(check))
    graph.add_node("fall_back", _timed(fall_back))
    graph.add_node("answer", _timed(answer))
    graph.add_edge(START, "watch")
    graph.add_edge("watch", "retrieve")
    graph.add_edge("retrieve", "reason")
    graph.add_edge("reason", "check")
    graph.add_conditional_edges("check", after_check)
    graph.add_edge("fall_back", "answer")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=checkpointer, name="whenabouts")


def _brief(state: Retrieved) -> Brief:
    ranking = state["ranking"]
    return Brief(
        query=state["asked"],
        captions=[Caption.from_dict(plain) for plain in state["evidence"]],
        windows=[Window.from_dict(plain) for plain in ranking["windows"]],
        events=[Window.from_dict(plain) for plain in ranking["events"]],
        refusals=[Refusal.model_validate(plain) for plain in state["refusals"]],
    )


def _timed(node: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The same node, its wall time noted; LangGraph still sees the node's own annotations."""

    @wraps(node)
    def run(*args: Any, **kwargs: Any) -> dict[str, Any]:
        started_s = time.perf_counter()
        update = node(*args, **kwargs)
        return update | {"seconds": {node.__name__: time.perf_counter() - started_s}}

    return run
