"""Reply text to typed answer, or an ``AnswerError`` that tells the model what to mend. Pure.

The model sees captions numbered from 1 in time order and answers with numbers, never with seconds:

    {"steps": [{"caption": 17, "role": "start", "why": "the oven door opens"}],
     "found": true, "events": [{"first": 17, "last": 23}]}
"""

import itertools
import json
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import AnswerError
from agent.grounding import Role

Number = Annotated[int, Field(strict=True, ge=0)]


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Reply):
    """One labelled caption of the chain of thought."""

    caption: Number
    role: Role
    why: str = ""


class Event(_Reply):
    """One occurrence, from the first caption that shows it to the last."""

    first: Number
    last: Number


class Answer(_Reply):
    """A reply that passed every check."""

    steps: tuple[Step, ...] = ()
    found: Annotated[bool, Field(strict=True)]
    events: tuple[Event, ...] = ()


def parse_answer(reply: str, *, shown: int) -> Answer:
    """Find the JSON object in a reply and check it against the captions that were shown.

    Prose and code fences around the object are allowed; where there are several objects the last
    one that speaks of ``found`` counts, since models think first and answer last.

    Args:
        reply: What the model said.
        shown: How many captions it was shown, numbered ``1 … shown``.

    Raises:
        AnswerError: If there is no such object, its shape is wrong, it names a caption that was not
            shown, an event is reversed, or labels and events contradict each other.
    """
    try:
        answer = Answer.model_validate(_last_answer_object(reply))
    except ValidationError as exc:
        _refuse_schema(exc)
    _check_numbers(answer, shown)
    _check_agreement(answer)
    return answer


def _last_answer_object(reply: str) -> dict[str, Any]:
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
            if found is None or "found" in value:
                found = value
        at = reply.find("{", end)
    if found is None:
        ending = "it breaks off" if "{" in reply else "there is no '{' in it"
        raise AnswerError(
            "no_json",
            f"The reply holds no JSON object ({ending}). Reply with one object of the form "
            '{"steps": [...], "found": true, "events": [{"first": 1, "last": 2}]}.',
        )
    return found


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _refuse_schema(exc: ValidationError) -> NoReturn:
    faults = [
        f"{'.'.join(str(part) for part in error['loc']) or 'object'}: {error['msg']}"
        for error in exc.errors()[:3]
    ]
    raise AnswerError("wrong_schema", f"The JSON object has the wrong shape: {'; '.join(faults)}.")


def _check_numbers(answer: Answer, shown: int) -> None:
    named = {step.caption for step in answer.steps}
    named |= {number for event in answer.events for number in (event.first, event.last)}
    unknown = sorted(number for number in named if not 1 <= number <= shown)
    if unknown:
        listed = ", ".join(f"#{str(number)[:12]}" for number in unknown[:5])
        raise AnswerError(
            "unknown_caption", f"No caption {listed} was shown; they are numbered #1 to #{shown}."
        )
    for event in answer.events:
        if event.last < event.first:
            raise AnswerError(
                "reversed",
                f"The event from #{event.first} to #{event.last} ends before it starts; "
                "name its first caption first.",
            )


def _check_agreement(answer: Answer) -> None:
    if answer.found and not answer.events:
        raise AnswerError("contradiction", "found is true, but events is empty; name the event.")
    if not answer.found and answer.events:
        raise AnswerError("contradiction", "found is false, but events are named; decide which.")
    in_order = sorted(answer.events, key=lambda event: event.first)
    for one, other in itertools.pairwise(in_order):
        if other.first <= one.last:
            raise AnswerError(
                "contradiction",
                f"The events #{one.first}–#{one.last} and #{other.first}–#{other.last} overlap; "
                "join them or part them.",
            )
    for step in answer.steps:
        inside = any(event.first <= step.caption <= event.last for event in answer.events)
        if answer.events and inside == (step.role in {"before", "after"}):
            where = "inside" if inside else "outside"
            raise AnswerError(
                "contradiction",
                f"#{step.caption} is labelled {step.role!r}, but lies {where} the events named.",
            )
