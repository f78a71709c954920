"""What a reasoner replies, and the JSON object in it, which may stand in prose and code fences."""

import json
from dataclasses import dataclass, field
from typing import Any, NoReturn

from agent.grounding import Cost


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
    """

    text: str
    requests: tuple[Request, ...] = ()
    cut_off: bool = False
    in_parts: bool = False
    cost: Cost = field(default_factory=Cost)


def last_object(reply: str, field: str) -> dict[str, Any] | None:
    """The last JSON object that has the field, else the first object of all; None without any.

    The last: models think first, quoting what they were shown, and answer last.
    """
    decoder = json.JSONDecoder(parse_constant=_reject_constant)
    found: dict[str, Any] | None = None
    at = reply.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(reply, at)
        except RecursionError:
            break  # Nested a thousand deep: no answer comes after that.
        except ValueError:
            end = at + 1
        else:
            if found is None or field in value:
                found = value
        at = reply.find("{", end)
    return found


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
