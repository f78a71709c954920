"""What a reasoner replies, and the JSON object in it, which may stand in prose and code fences.

Nearly JSON is read where it can mean one thing only: trailing commas, comments, single quotes, and
Python's words for true, false and null. Whatever else does not parse is no answer, nor is anything
inside it or before it.
"""

import ast
import json
import re
import warnings
from dataclasses import dataclass, field
from typing import Any, NoReturn

from agent.grounding import Cost

LONGEST_REPLY = 100_000
LONGEST_NEARLY_JSON = 20_000
"""Characters: no answer is longer, and the tolerant parser is slow."""


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


_OPENS_OBJECT = re.compile(r"\{\s*(?:[\"'“”‘’`]|[A-Za-z_]\w*\s*:|//|/\*|\Z)")


@dataclass(frozen=True, slots=True)
class FoundObject:
    """What a reply holds.

    Attributes:
        value: The object that is meant; None where there is none.
        fault: Why what looks like one at the end could not be read; empty where there is none.
    """

    value: dict[str, Any] | None
    fault: str = ""


def find_object(reply: str, field: str, *, related: frozenset[str] = frozenset()) -> FoundObject:
    """The last JSON object that has the field, else the first object of all.

    The last: models think first, quoting what they were shown, and answer last. Where something
    after it looks like an object and is none, or has other fields of an answer, there is a fault:
    the model may have changed its mind there.

    Args:
        reply: What the model said, without its thoughts.
        field: A field that the object has to have.
        related: Other fields of such an object.
    """
    if len(reply) > LONGEST_REPLY:
        return FoundObject(None, f"it is longer than {LONGEST_REPLY:,} characters")
    chosen: dict[str, Any] | None = None
    other: dict[str, Any] | None = None
    fault = ""
    chosen_until = 0
    at = reply.find("{")
    while at >= 0:
        value, end, why = _read(reply, at)
        if value is None:
            if why:
                fault = why
        elif inner := _with_field(value, field):
            chosen, fault, chosen_until = inner, "", end
        elif chosen is not None and related & value.keys():
            fault = f"after the object with {field!r} comes another one without it"
        elif other is None:
            other = value
        at = reply.find("{", end)
    named = rf"[\"']{re.escape(field)}[\"']\s*:"
    if chosen is not None and re.search(named, reply[chosen_until:]):
        fault = fault or f"after the object with {field!r} comes what seems a part of another one"
    if fault:
        return FoundObject(None, fault)
    return FoundObject(chosen if chosen is not None else other)


def _with_field(value: dict[str, Any], field: str) -> dict[str, Any] | None:
    """The object itself, or the one that it wraps and nothing else."""
    if field in value:
        return value
    inner = next(iter(value.values())) if len(value) == 1 else None
    return inner if isinstance(inner, dict) and field in inner else None


def _read(reply: str, at: int) -> tuple[dict[str, Any] | None, int, str]:
    """What begins at a brace: an object, where to go on, and what is wrong where it is none."""
    why = ""
    try:
        value, end = _DECODER.raw_decode(reply, at)
    except RecursionError:
        return None, len(reply), "it is nested too deep"
    except _TwiceError as exc:
        why = str(exc)
    except ValueError as exc:
        why = str(exc)
    else:
        return value, end, ""
    if not _OPENS_OBJECT.match(reply, at):
        return None, at + 1, ""  # A brace in prose.
    closing = _closing(reply, at)
    if closing is not None:
        nearly = _read_nearly(reply[at:closing])
        if nearly is not None:
            return nearly, closing, ""
    return (None, len(reply), "it breaks off") if closing is None else (None, closing, why)


def _read_nearly(text: str) -> dict[str, Any] | None:
    """An object in nearly JSON, else None; the strict parser words the fault better."""
    if len(text) > LONGEST_NEARLY_JSON:
        return None
    import json5

    try:
        value = json5.loads(text, allow_duplicate_keys=False, parse_constant=_reject_constant)
    except (ValueError, RecursionError, MemoryError):
        value = _python_literal(text)
    return value if isinstance(value, dict) else None


def _python_literal(text: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of odd escapes, which decide nothing here.
            tree = ast.parse(text, mode="eval")
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
                if len(set(keys)) < len(node.keys) or not all(isinstance(k, str) for k in keys):
                    return None
            elif not isinstance(
                node,
                ast.Expression | ast.List | ast.Constant | ast.Load | ast.UnaryOp | ast.USub,
            ):
                return None
        return ast.literal_eval(tree)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def _closing(text: str, at: int) -> int | None:
    """Just after the brace that closes the one at ``at``; None where it is not closed."""
    depth, quote, place = 0, "", at
    while place < len(text):
        char = text[place]
        if quote:
            if char == "\\":
                place += 1
            elif char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif text.startswith("//", place):
            place = text.find("\n", place)
            if place < 0:
                return None
        elif text.startswith("/*", place):
            place = text.find("*/", place) + 1
            if place <= 0:
                return None
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return place + 1
        place += 1
    return None


class _TwiceError(ValueError):
    pass


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _TwiceError(f"{twice[:40]!r} stands in one object twice")
    return value


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_reject_constant, object_pairs_hook=_once_each)
