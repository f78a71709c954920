"""What a reasoner replies, and the JSON object in it, which may stand in prose and code fences.

Nearly JSON is read where it can mean one thing only; see ``agent.reasoning.nearly_json``. Whatever
else does not parse is no answer, nor is anything inside it or before it.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from agent.grounding import Cost
from agent.reasoning.nearly_json import DECODER, TwiceError, closing_brace, read_nearly

LONGEST_REPLY = 100_000


@dataclass(frozen=True, slots=True)
class Request:
    """A wish to look something up before answering: which tool, with what. Not checked yet."""

    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a reasoner says.

    Attributes:
        text: Its answer, to be judged by ``agent.reasoning.answer``; or what it says
            with its requests.
        requests: What it wants to see before it answers.
        cut_off: Whether the text ends at a limit rather than where the model wanted to end.
        in_parts: Whether it was asked when each of the brief's parts happens, and not for the
            whole; then ``agent.reasoning.ordered_answers`` judges the text.
        cost: What it took.
        note: What the user should know about how it was asked; mostly empty.
    """

    text: str
    requests: tuple[Request, ...] = ()
    cut_off: bool = False
    in_parts: bool = False
    cost: Cost = field(default_factory=Cost)
    note: str = ""


_MARK = re.compile(r"[◁▷]|<\s*[/|a-z]|[a-z]\s*\|?>|\[/", re.IGNORECASE)
"""A mark such as ``</think>``, sound or damaged: sound ones of thoughts are gone with them."""

_PIECE = re.compile(r"[{}\[\]]|[\"'`]\s*:|:\s*(?:true|false|null)\b|`{3}", re.IGNORECASE)
"""What JSON is made of, and prose hardly ever."""

_CITED = re.compile(r"\[\s*#?\d[\d#,\s–-]*\]")
"""Captions in prose: ``[#4, #5]``."""

_CLOSERS = re.compile(r"[\s\]})$]*(?:`{3}\s*)?")

_OPENERS = re.compile(r"[\s(\[{$]*(?:\\boxed)?[\s(\[{]*")

_OPENS_OBJECT = re.compile(r"\{\s*(?:[\"'“”‘’`]|[A-Za-z_]\w*\s*:|//|/\*|#\D|\Z)")

_OPENS_AN_ELEMENT = re.compile(r"\s*<\s*([a-z_]\w{0,30})\b[^<>]{0,40}>?", re.IGNORECASE)

_HOLDS_ANSWERS = re.compile(
    r"arg(?:ument)?s|parameters|inputs?|outputs?|results?|respon(?:se|d)|repl(?:y|ies)|answers?|"
    r"final\w*|data|properties|value|json|content|tool_calls?|function(?:_calls?)?|code|pre|s|p",
    re.IGNORECASE,
)
"""Names of what an answer is wrapped in."""

_GUESSES = re.compile(
    r"\b(?:perhaps|maybe|draft|(?:first )?guess|tentative\w*)\W*\Z|#\d+\W{0,3}\?\W*\Z",
    re.IGNORECASE,
)
_REST_OF_A_MARK = re.compile(r"\s*[\w|/]{1,16}[>＞▷]")
_BEGIN_OF_A_MARK = re.compile(r"[<＜◁]\s*\Z")
_OTHER_SPAN = re.compile(
    r"#\d+\s*(?:to|through|until|[-–—])\s*#?\d|\b(?:to|until) #\d", re.IGNORECASE
)

_HOLDS_DRAFTS = re.compile(r"draft|thought|thinking|reasoning|example|guess", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundObject:
    """What a reply holds.

    Attributes:
        value: The object that is meant; None where there is none.
        fault: Why what looks like one at the end could not be read; empty where there is none.
    """

    value: dict[str, Any] | None
    fault: str = ""


def find_object(reply: str, field: str) -> FoundObject:
    """The last JSON object that has the field, else the first object of all.

    The last: models think first, quoting what they were shown, and answer last. Where a piece of
    JSON comes after it there is a fault, since the model may have changed its mind there; and where
    the reply holds what seems a mark of thoughts, nothing may come after it, since the object may
    be a draft.

    Args:
        reply: What the model said, without its thoughts.
        field: A field that the object has to have.
    """
    if len(reply) > LONGEST_REPLY:
        return FoundObject(None, f"it is longer than {LONGEST_REPLY:,} characters")
    reply = _as_told(reply)
    chosen: dict[str, Any] | None = None
    other: dict[str, Any] | None = None
    fault = ""
    span = (0, 0)
    at = reply.find("{")
    while at >= 0:
        value, end, why = _read(reply, at)
        if value is None:
            fault = why or fault
        elif inner := _with_field(value, field):
            chosen, fault, span = inner, "", (at, end)
        elif other is None:
            other = value
        at = reply.find("{", end)
    if chosen is not None:
        fault = fault or _fault_after(reply, *span, field)
        fault = fault or _fault_before(reply[: span[0]], reply[span[1] :], field)
    if fault:
        return FoundObject(None, fault)
    return FoundObject(chosen if chosen is not None else other)


def _fault_before(before: str, after: str, field: str) -> str:
    """What is said before an object that makes it a doubtful answer; empty where nothing is."""
    opened = _OPENS_AN_ELEMENT.match(before)
    if opened and not _HOLDS_ANSWERS.fullmatch(opened[1]) and f"/{opened[1]}" not in after:
        return f"it begins with the mark <{opened[1]}>, and what comes after may be a thought"
    if _REST_OF_A_MARK.match(before):
        return "it begins with the rest of a mark, and what comes after may be a thought"
    if _GUESSES.search(before[-60:]):
        return f"the object with {field!r} is called a guess or a draft"
    return ""


def _fault_after(reply: str, start: int, end: int, field: str) -> str:
    """What comes after an object that makes it a doubtful answer; empty where nothing does."""
    before, after = reply[:start], reply[end:]
    is_first = _OPENERS.fullmatch(before) is not None or "```" in before
    opened = _OPENS_AN_ELEMENT.match(before)
    if opened and _HOLDS_ANSWERS.fullmatch(opened[1]):
        after = after.strip().removesuffix(f"</{opened[1]}>")
    if not after.strip() or (is_first and _CLOSERS.fullmatch(after)):
        return ""
    if _BEGIN_OF_A_MARK.search(after):
        return f"after the object with {field!r} a mark begins and breaks off"
    if "```" in before:
        after = after.replace("```", "", 1)
    if _PIECE.search(_CITED.sub("", after)):
        return f"after the object with {field!r} comes what seems a part of another one"
    if after.strip() and _MARK.search(reply):
        return f"after the object with {field!r} comes more, and a stray mark like </think>"
    if _OTHER_SPAN.search(after):
        return f"after the object with {field!r} come other captions"
    return ""


def _as_told(reply: str) -> str:
    """The reply; where all of it is one JSON string, what that says."""
    text = reply.strip()
    if text[:1] == text[-1:] == '"' and len(text) > 1:
        try:
            inside = json.loads(text)
        except (ValueError, RecursionError):
            return reply
        return inside if isinstance(inside, str) else reply
    return reply


def _with_field(value: dict[str, Any], field: str) -> dict[str, Any] | None:
    """The object itself, or the one that it wraps."""
    for name in (field, *(one for one in value if one.lower() == field)):
        if name in value:
            return {one if one != name else field: held for one, held in value.items()}
    inner = [
        held
        for name, one in value.items()
        if (len(value) == 1 or _HOLDS_ANSWERS.fullmatch(name)) and not _HOLDS_DRAFTS.search(name)
        if isinstance(held := _object_in(one), dict) and field in held
    ]
    return inner[0] if len(inner) == 1 else None


def _object_in(value: Any) -> Any:
    """A value, or the object that a string spells."""
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return value
    try:
        return DECODER.decode(value.strip())
    except (ValueError, RecursionError):
        return None


def _read(reply: str, at: int) -> tuple[dict[str, Any] | None, int, str]:
    """What begins at a brace: an object, where to go on, and what is wrong where it is none."""
    why = ""
    try:
        value, end = DECODER.raw_decode(reply, at)
    except RecursionError:
        return None, len(reply), "it is nested too deep"
    except TwiceError as exc:
        why = str(exc)
    except ValueError as exc:
        why = str(exc)
    else:
        return value, end, ""
    if not _OPENS_OBJECT.match(reply, at):
        return None, at + 1, ""  # A brace in prose.
    closing = closing_brace(reply, at)
    if closing is not None:
        nearly = read_nearly(reply[at:closing])
        if nearly is not None:
            return nearly, closing, ""
    return (None, len(reply), "it breaks off") if closing is None else (None, closing, why)
