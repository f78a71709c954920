"""A text model reads a turn: from what it is shown, to a typed follow-up or a refusal. Pure.

The model is shown turns by number and times as they were said; it names them, and code turns them
into seconds. Of an answer it is shown the intervals, never a caption: nothing that a video or a
captioner says can give it orders.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn, get_args

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import ValidationError

from agent.chat.follow_up import FollowUp, FollowUpError, Kind, Relation
from agent.chat.turns import ChatAnswer, TurnRefusal, VideoResult, check_references
from agent.reasoning.reply import Reply, find_object
from prompts.catalog import PACKAGED, Prompts
from tools.clock import clock_span
from tools.text import one_line, shorten, whole_unicode

PROMPTS: Final = ("chat_system", "chat_turn", "chat_refused")

SHOWN_TURNS = 12
SHOWN_INTERVALS = 10
SAID_CHARS = 1000
REPLY_CHARS = 2000


def _nullable(kind: str) -> dict[str, Any]:
    return {"type": [kind, "null"]}


_LIST: Final = {"type": "array", "items": {"type": "string"}}

FOLLOW_UP_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": list(get_args(Kind))},
        "query": _nullable("string"),
        "videos": _LIST,
        "relation": {"type": "string", "enum": list(get_args(Relation))},
        "times": _LIST,
        "turn": _nullable("integer"),
        "interval": _nullable("integer"),
        "event": _nullable("string"),
        "which": _nullable("integer"),
        "every_time": {"type": "boolean"},
    },
    "required": [name for name in FollowUp.model_fields if name != "edge"],
    "additionalProperties": False,
}
"""A reply as JSON Schema, with only the keywords that every service knows."""


def prompt_versions(prompts: Prompts) -> dict[str, str]:
    """The version of every prompt that a model is shown to read a turn."""
    return {name: prompts.version(name) for name in PROMPTS}


def build_conversation(
    said: str,
    *,
    turns: Sequence[ChatAnswer],
    videos: Sequence[str],
    current: str,
    refusals: Sequence[TurnRefusal],
    prompts: Prompts = PACKAGED,
) -> list[BaseMessage]:
    """Everything that the model is told to read one turn."""
    listed = [
        f"{one_line(Path(path).name)}{' (the current one)' if path == current else ''}"
        for path in videos
    ]
    told = [_turn(turn) for turn in turns[-SHOWN_TURNS:]]
    opening = prompts.render(
        "chat_turn",
        videos="\n".join(listed),
        turns="\n".join(told) or "(nothing yet)",
        said=shorten(one_line(said), SAID_CHARS),
    )
    messages: list[BaseMessage] = [
        SystemMessage(prompts.render("chat_system")),
        HumanMessage(opening),
    ]
    for refusal in refusals:
        # Some services refuse a message without words.
        said_before = shorten(refusal.reply, REPLY_CHARS) or "(nothing)"
        reason = one_line(refusal.message)
        messages += [
            AIMessage(said_before),
            HumanMessage(prompts.render("chat_refused", reason=reason)),
        ]
    return messages


def parse_reply(reply: Reply, *, turns: list[ChatAnswer], videos: Sequence[str]) -> FollowUp:
    """The follow-up in a model's reply; prose and code fences around the object are allowed.

    Raises:
        FollowUpError: If the reply is cut off, holds no such object, its shape is wrong, or it
            names a turn, an interval or a video that is not there; written for the model.
    """
    if reply.cut_off:
        raise FollowUpError("cut_off", "The reply was too long and was cut off.")
    try:
        follow_up = FollowUp.model_validate(_follow_up_object(reply.text))
    except ValidationError as exc:
        _refuse(exc)
    return check_references(follow_up, turns=turns, videos=videos)


def _turn(turn: ChatAnswer) -> str:
    query = f" (query “{turn.follow_up.query}”)" if turn.follow_up.query else ""
    said = shorten(one_line(turn.said), SAID_CHARS)
    return "\n".join([f"turn {turn.turn}: “{said}”{query}", *map(_result, turn.results)])


def _result(result: VideoResult) -> str:
    name = one_line(Path(result.video.path).name) if result.video else "a video"
    shown = result.intervals[:SHOWN_INTERVALS]
    spans = [f"{place} = {clock_span(one.span)}" for place, one in enumerate(shown, start=1)]
    intervals = f"; intervals {', '.join(spans)}" if spans else ""
    return f"    in {name}: {result.outcome.replace('_', ' ')}{intervals}"


def _follow_up_object(text: str) -> dict[str, Any]:
    found = find_object(text, "kind")
    if found.value is None:
        why = f" that can be read ({shorten(one_line(found.fault), 120)})" if found.fault else ""
        raise FollowUpError("no_json", f'The reply holds no JSON object {{"kind": …}}{why}.')
    return found.value


def _refuse(exc: ValidationError) -> NoReturn:
    faults = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'object'}: "
        + fault["msg"].removeprefix("Value error, ")
        for fault in exc.errors()[:3]
    ]
    told = shorten(whole_unicode("; ".join(faults)), 400)
    contradicts = any(not fault["loc"] for fault in exc.errors())
    raise FollowUpError(
        "contradiction" if contradicts else "wrong_schema", f"The JSON object is wrong: {told}."
    )
