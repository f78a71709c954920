"""The graph of one turn: listen → rewrite → check → ground → answer.

Without a text model, ``parse`` stands in place of ``rewrite`` and ``check``. ``check`` leads back
to ``rewrite`` where a reading was refused, and to ``parse`` where they all were. Earlier turns are
remembered as plain values in ``turns``.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from threading import Event as Flag
from typing import Annotated, Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime, get_runtime
from typing_extensions import TypedDict

from agent.chat.access import Tell, VideoAccess
from agent.chat.answering import Grounded, answer_in_video, ground_turn
from agent.chat.follow_up import FollowUp, FollowUpError
from agent.chat.grammar import parse_follow_up, understood_forms
from agent.chat.rewriting import (
    FOLLOW_UP_SCHEMA,
    build_conversation,
    parse_reply,
    prompt_versions,
)
from agent.chat.small_talk import check_is_question
from agent.chat.turns import ChatAnswer, TurnRefusal, VideoResult, check_references
from agent.chat.wording import say_understood
from agent.errors import UnansweredError, WhenaboutsError, WithheldError
from agent.graph.cancelling import LeftError
from agent.graph.events import Event, write_event
from agent.grounding import Cost
from agent.reasoning.brief import Converses
from agent.reasoning.reply import Reply
from prompts.catalog import PACKAGED, Prompts
from tools.llm.retries import retries_heard_by
from tools.text import whole_unicode

REMEMBERED_TURNS = 40
"""Turns that a chat can refer back to; a checkpoint of this many is about 60 kB."""


@dataclass(frozen=True, slots=True)
class TurnContext:
    """What holds for one turn and is not remembered: whether anybody is still waiting for it."""

    left: Flag = field(default_factory=Flag)


def _remember(turns: list[dict[str, Any]], more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*turns, *more][-REMEMBERED_TURNS:]


def _add_seconds(so_far: dict[str, float], more: dict[str, float]) -> dict[str, float]:
    """Wall time by node; ``listen`` opens every turn, so the times start again from there."""
    if "listen" in more:
        return more
    return so_far | {node: so_far.get(node, 0.0) + spent_s for node, spent_s in more.items()}


class Said(TypedDict):
    """What goes in: the user's words, the paths of the chat's videos, and the current one's."""

    said: str
    videos: list[str]
    current: str


class Listened(Said):
    """After ``listen``: what belongs to one turn is reset; ``turns`` are those before."""

    turns: Annotated[list[dict[str, Any]], _remember]
    number: int
    attempts: int
    refusals: list[dict[str, Any]]
    spent: dict[str, Any]
    seconds: Annotated[dict[str, float], _add_seconds]


class Rewritten(Listened):
    """After ``rewrite``: one more reply of the model, or why it is ``unanswered``."""

    reply: str
    cut_off: bool
    unanswered: str


class Resolved(Rewritten):
    """After ``check`` or ``parse``: a ``FollowUp`` as plain values, None where it was refused."""

    follow_up: dict[str, Any] | None
    by: Literal["llm", "grammar", "fallback"]
    understood: str


class GroundedTurn(Resolved):
    """After ``ground``: for each video what was found, or what there is to read."""

    grounded: list[dict[str, Any]]


class TurnAnswered(TypedDict):
    """What comes out: a ``ChatAnswer`` in its JSON form."""

    answer: dict[str, Any]


class ChatState(GroundedTurn, TurnAnswered):
    """All of it, as the graph stores it."""


ChatGraph = CompiledStateGraph[ChatState, TurnContext, Said, TurnAnswered]


def build_chat_graph(
    access: VideoAccess,
    *,
    model: Converses | None,
    max_attempts: int,
    prompts: Prompts = PACKAGED,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> ChatGraph:
    """Compile the graph.

    Args:
        access: Finds, reads and cuts.
        model: Reads the turns; None: the grammar does.
        max_attempts: Readings asked of the model before the grammar stands in.
        prompts: What the model is told.
        checkpointer: Remembers the turns of each thread.

    Raises (when run):
        ChatError: If a turn is not understood, or refers to what is not there.
        WhenaboutsError: What finding, reading and cutting raise.
    """

    def listen(state: ChatState) -> dict[str, Any]:
        # Before anybody is asked: a model's reading of "thanks" would cost, and find nothing.
        forms = understood_forms(access.door)
        check_is_question(state["said"], turns=_turns(state), door=access.door, forms=forms)
        turns = state.get("turns", [])
        return {
            "number": turns[-1]["turn"] + 1 if turns else 1,
            "attempts": 0,
            "refusals": [],
            "spent": Cost().model_dump(),
            "follow_up": None,
            "grounded": [],
        }

    def after_listen(_: Listened) -> Literal["rewrite", "parse"]:
        return "rewrite" if model else "parse"

    def rewrite(state: Listened, runtime: Runtime[TurnContext]) -> dict[str, Any]:
        assert model is not None
        messages = build_conversation(
            state["said"],
            turns=_turns(state),
            videos=state["videos"],
            current=state["current"],
            refusals=_refusals(state),
            prompts=prompts,
        )
        try:
            with retries_heard_by(_Teller(runtime, "rewrite")):
                reply = model.converse(messages, schema=FOLLOW_UP_SCHEMA)
        except (UnansweredError, WithheldError) as exc:
            # The grammar reads the turn, as where every reply was refused.
            return {
                "reply": "",
                "cut_off": False,
                "unanswered": str(exc),
                "attempts": max_attempts,
            }
        return {
            "unanswered": "",
            "reply": whole_unicode(reply.text),
            "cut_off": reply.cut_off,
            "attempts": state["attempts"] + 1,
            "spent": Cost.model_validate(state["spent"]).plus(reply.cost).model_dump(),
        }

    def check(state: Rewritten, runtime: Runtime[TurnContext]) -> dict[str, Any]:
        reply = Reply(state["reply"], cut_off=state["cut_off"])
        try:
            follow_up = parse_reply(reply, turns=_turns(state), videos=state["videos"])
        except FollowUpError as exc:
            message = state["unanswered"] or str(exc)
            refusal = TurnRefusal(
                attempt=state["attempts"], kind=exc.kind, message=message, reply=state["reply"]
            )
            runtime.stream_writer({"event": "turn_refusal"} | refusal.model_dump())
            return {"refusals": [*state["refusals"], refusal.model_dump()]}
        return _understood(follow_up, "llm", state, runtime)

    def after_check(state: Resolved) -> Literal["ground", "rewrite", "parse"]:
        if state["follow_up"] is not None:
            return "ground"
        return "rewrite" if state["attempts"] < max_attempts else "parse"

    def parse(state: Listened, runtime: Runtime[TurnContext]) -> dict[str, Any]:
        turns = _turns(state)
        follow_up = check_references(
            parse_follow_up(state["said"], turns=turns, videos=state["videos"], door=access.door),
            turns=turns,
            videos=state["videos"],
        )
        return _understood(follow_up, "fallback" if model else "grammar", state, runtime)

    def ground(state: Resolved, runtime: Runtime[TurnContext]) -> dict[str, Any]:
        follow_up, tell = _follow_up(state), _Teller(runtime, "ground")
        videos = follow_up.videos or (state["current"],)
        grounded: list[dict[str, Any]] = []
        for video in videos:
            try:
                one = ground_turn(access, follow_up, video, _turns(state), tell)
            except WhenaboutsError as exc:
                if len(videos) == 1:
                    raise
                one = Grounded(video=video, error=str(exc))
            grounded.append(one.as_dict())
        return {"grounded": grounded}

    def answer(state: GroundedTurn, runtime: Runtime[TurnContext]) -> dict[str, Any]:
        tell = _Teller(runtime, "answer")
        results = [
            _answer_one(access, state, Grounded.from_dict(plain), tell)
            for plain in state["grounded"]
        ]
        told = ChatAnswer(
            turn=state["number"],
            said=state["said"],
            understood=state["understood"],
            by=state["by"],
            follow_up=_follow_up(state),
            results=tuple(results),
            refusals=tuple(_refusals(state)),
            prompts=prompt_versions(prompts) if model else {},
            usage=Cost.model_validate(state["spent"]),
            seconds=state["seconds"],
        )
        return {"answer": told.model_dump(mode="json", by_alias=True), "turns": [told.remembered()]}

    graph = StateGraph(
        ChatState, context_schema=TurnContext, input_schema=Said, output_schema=TurnAnswered
    )
    for node in (listen, rewrite, check, parse, ground, answer):
        graph.add_node(node.__name__, _timed(node))
    graph.add_edge(START, "listen")
    graph.add_conditional_edges("listen", after_listen)
    graph.add_edge("rewrite", "check")
    graph.add_conditional_edges("check", after_check)
    graph.add_edge("parse", "ground")
    graph.add_edge("ground", "answer")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=checkpointer, name="chat")


def _understood(
    follow_up: FollowUp,
    by: Literal["llm", "grammar", "fallback"],
    state: Listened,
    runtime: Runtime[TurnContext],
) -> dict[str, Any]:
    said = say_understood(follow_up, _turns(state), videos=state["videos"])
    event = {"event": "understood", "words": said, "by": by, "is_plain": follow_up.is_plain}
    runtime.stream_writer(event)
    return {"follow_up": follow_up.model_dump(mode="json"), "by": by, "understood": said}


def _answer_one(
    access: VideoAccess, state: GroundedTurn, grounded: Grounded, tell: Tell
) -> VideoResult:
    if grounded.error:
        return VideoResult(video=None, outcome="failed", words=grounded.error)
    try:
        return answer_in_video(
            _follow_up(state), grounded, turns=_turns(state), access=access, tell=tell
        )
    except WhenaboutsError as exc:
        if len(state["grounded"]) == 1:
            raise
        return VideoResult(video=None, outcome="failed", words=str(exc))


class _Teller:
    """Passes events on, and ends work that nobody is waiting for any more."""

    def __init__(self, runtime: Runtime[TurnContext], node: str) -> None:
        self._runtime = runtime
        self._node = node

    def __call__(self, event: Event) -> None:
        self.go_on()
        self._runtime.stream_writer(write_event(event, node=self._node))

    def go_on(self) -> None:
        if self._runtime.context.left.is_set():
            raise LeftError


def _turns(state: Listened) -> list[ChatAnswer]:
    return [ChatAnswer.model_validate(plain) for plain in state.get("turns", [])]


def _refusals(state: Listened) -> list[TurnRefusal]:
    return [TurnRefusal.model_validate(plain) for plain in state["refusals"]]


def _follow_up(state: Resolved) -> FollowUp:
    return FollowUp.model_validate(state["follow_up"])


def _timed(node: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The same node, timed; it ends the turn where nobody is waiting for it any more."""

    @wraps(node)
    def run(*args: Any, **kwargs: Any) -> dict[str, Any]:
        started_s = time.perf_counter()
        update = node(*args, **kwargs)
        # After the work as well: a cancelled turn is not remembered.
        if get_runtime(TurnContext).context.left.is_set():
            raise LeftError
        return update | {"seconds": {node.__name__: time.perf_counter() - started_s}}

    return run
