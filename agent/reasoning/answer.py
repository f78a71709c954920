"""From reply text to a typed answer, or an ``AnswerError`` that says what to correct. Pure.

The model sees captions numbered from 1 in time order and answers with numbers, never with seconds:

    {"steps": [{"caption": 17, "role": "start", "why": "the oven door opens"}],
     "found": true, "events": [{"first": 17, "last": 23}]}

Captions that were looked up later have higher numbers, whatever their time: order in time is judged
by the captions' spans alone.
"""

import itertools
import re
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Final, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from agent.errors import AnswerError
from agent.grounding import Role
from agent.reasoning.reply import find_object
from agent.reasoning.said_numbers import CaptionNumber, number_told
from tools.text import one_line, shorten, whole_unicode
from tools.timeline import Interval

WHY_CHARS = 300
"""Longer reasons are shortened: they are shown to people, and decide nothing."""

INSIDE: Final = frozenset({"start", "during", "end"})
"""Roles of captions that show an event."""

_TO: Final = r"\s*(?:to|through|until|till|[-–—])\s*(?:captions?\s*)?"
_WRITTEN_SPAN: Final = re.compile(
    rf"\s*(?:captions?\s*)?#?(\d{{1,9}}){_TO}#?(\d{{1,9}})\s*", re.IGNORECASE
)
_IN_PROSE: Final = re.compile(
    r"[\s*]*(?:(?:the|answer|event|moment|it|this|happens|occurs|is|are|was|shown|seen|from|at|in|"
    r"found|true|events|captions?)\b[\s:,*]*)*"
    rf"(?:#|captions?\s#?)(?P<first>\d{{1,9}})(?:{_TO}#?(?P<last>\d{{1,9}}))?(?!\d|[.:]\d|\s*s\b)"
    r"(?P<tail>[^#{}\d]{0,160})",
    re.IGNORECASE,
)
"""A whole reply that only says where it happens; the words before the numbers cannot deny it."""

_TAIL: Final = re.compile(
    r"[\s.*]*|,?\s+(?:when|where|as|while|in which|because|since)\b[^.;\n]*[\s.*]*", re.IGNORECASE
)
_LEAVES_OPEN: Final = re.compile(
    r"\b(?:no|not|never|neither|nor|none|nobody|nothing|nowhere|without|cannot|unable|unlikely|"
    r"unless|but|however|al?though|except|or|either|maybe|perhaps|possibly|probably|might|may|"
    r"could|would|should|if|whether|wrong|false|absent|missing|empty|lacks?|fails?|seems?|"
    r"appears?|unclear|unsure|unknown|guess|thought|think|draft|rather|hardly|barely)\b|n['’]t\b|"
    r"[?!]",
    re.IGNORECASE,
)
"""With such words, a sentence may deny what it began with, or is not sure of it."""


def _in_prose(reply: str) -> tuple[int, int] | None:
    """The first and the last caption where a reply is one sentence that says just where it is."""
    said = _IN_PROSE.fullmatch(reply)
    if not said or not _TAIL.fullmatch(said["tail"]) or _LEAVES_OPEN.search(said["tail"]):
        return None
    first = int(said["first"])
    return first, int(said["last"] or first)


def as_list(value: Any) -> Any:
    """Nothing is an empty list, and one thing a list of one."""
    if value is None or value in ("", "none", "None", {}):
        return ()
    return (value,) if isinstance(value, dict | str) else value


def as_truth(value: Any) -> Any:
    """``"true"``, ``"yes"`` and 1 mean true; ``"false"``, ``"no"`` and 0 mean false."""
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word in {"true", "yes", "1"}:
        return True
    return False if word in {"false", "no", "0"} else value


def _as_words(value: Any) -> Any:
    return "" if value is None else value


def as_name(value: Any) -> Any:
    """A word out of a few, however it is written: ``Not begun`` is ``not_begun``."""
    return re.sub(r"[\s-]+", "_", value.strip().lower()) if isinstance(value, str) else value


_OTHER_WORDS: Final = {
    "not_yet": "before",
    "begin": "start",
    "begins": "start",
    "beginning": "start",
    "starts": "start",
    "middle": "during",
    "ongoing": "during",
    "under_way": "during",
    "ends": "end",
    "finish": "end",
    "over": "after",
    "done": "after",
}
"""What models call the roles of captions; a label is a reason, and worth no second reply."""


def _as_role(value: Any) -> Any:
    name = as_name(value)
    return _OTHER_WORDS.get(name, name) if isinstance(name, str) else name


Truth = Annotated[bool, BeforeValidator(as_truth), Field(strict=True)]
Why = Annotated[
    str,
    BeforeValidator(_as_words),
    AfterValidator(lambda why: shorten(one_line(why), WHY_CHARS)),
]


class ModelReply(BaseModel):
    """A JSON object of a model's; what was not asked for is not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _names_in_small_letters(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        lower = {str(name).lower(): held for name, held in value.items()}
        return lower if len(lower) == len(value) else value


Kind = TypeVar("Kind", bound=ModelReply)


class Step(ModelReply):
    """One labelled caption of the chain of thought."""

    caption: CaptionNumber
    role: Annotated[Role, BeforeValidator(_as_role)]
    why: Why = ""


Sureness = Literal["", "certain", "likely", "unsure"]


def _as_sure(value: Any) -> Any:
    """How sure a model is decides nothing by itself: another word is no word."""
    return value if value in get_args(Sureness) else ""


Sure = Annotated[Sureness, BeforeValidator(_as_sure)]


class NumberedEvent(ModelReply):
    """One occurrence, from the first caption that shows it to the last, and how sure that is."""

    first: CaptionNumber
    last: CaptionNumber
    sure: Sure = ""

    @model_validator(mode="before")
    @classmethod
    def _read_span(cls, value: Any) -> Any:
        """``"#38 to #40"`` and ``[38, 40]`` mean what its object does."""
        if isinstance(value, list) and len(value) == 2:
            return {"first": value[0], "last": value[1]}
        if isinstance(value, str) and (written := _WRITTEN_SPAN.fullmatch(value)):
            return {"first": int(written[1]), "last": int(written[2])}
        return value


Steps = Annotated[tuple[Step, ...], BeforeValidator(as_list)]
Events = Annotated[tuple[NumberedEvent, ...], BeforeValidator(as_list)]


class Answer(ModelReply):
    """A reply that passed every check."""

    steps: Steps = ()
    reason: Why = ""
    found: Truth
    events: Events = ()


def object_schema(**properties: Any) -> dict[str, Any]:
    """A JSON Schema in the few words that every service with structured output knows."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def list_schema(**properties: Any) -> dict[str, Any]:
    """Of a list of objects; see ``object_schema``."""
    return {"type": "array", "items": object_schema(**properties)}


_NUMBER: Final = {"type": "integer"}

STEPS_SCHEMA: Final = list_schema(
    caption=_NUMBER,
    role={"type": "string", "enum": list(get_args(Role))},
    why={"type": "string"},
)
EVENTS_SCHEMA: Final = list_schema(
    first=_NUMBER,
    last=_NUMBER,
    sure={"type": "string", "enum": [word for word in get_args(Sureness) if word]},
)
REASON_SCHEMA: Final = {"type": "string"}

ANSWER_SCHEMA: Final = object_schema(
    steps=STEPS_SCHEMA, reason=REASON_SCHEMA, found={"type": "boolean"}, events=EVENTS_SCHEMA
)
"""A reply as JSON Schema.

A service that makes a model follow it saves retries; ``parse_answer`` judges the reply anyway.
"""


def parse_answer(reply: str, *, shown: Sequence[Interval], cuts: Collection[int] = ()) -> Answer:
    """Find the JSON object in a reply and check it against the captions that were shown.

    Prose and code fences around the object are allowed; where there are several objects the last
    one that speaks of ``found`` counts, since models think first and answer last. See
    ``agent.reasoning.reply`` for what is read as JSON.

    Args:
        reply: What the model said.
        shown: The spans of the captions it was shown, by number: #1 is the first.
        cuts: Numbers of those that tell of a cut: it ends one event and begins another.

    Raises:
        AnswerError: If there is no such object, its shape is wrong, it names a caption that was not
            shown, an event is reversed, or labels and events contradict each other.
    """
    form = '{"steps": [...], "reason": "...", "found": true, "events": [{"first": 1, "last": 2}]}'
    span = _in_prose(reply)
    if span:
        answer = Answer(found=True, events=(NumberedEvent(first=span[0], last=span[1]),))
    else:
        answer = read_object(reply, Answer, field="found", form=form, shown=shown)
    check_numbers(answer.steps, answer.events, len(shown))
    spans = [event_span(event, shown, cuts) for event in answer.events]
    _check_agreement(answer, spans, shown)
    return answer


def read_object(
    reply: str, kind: type[Kind], *, field: str, form: str, shown: Sequence[Interval] = ()
) -> Kind:
    """The last JSON object with a field in a reply.

    Args:
        reply: What the model said.
        kind: What the object has to be.
        field: A field that the object has to have.
        form: How the object is written, to tell the model.
        shown: Spans of captions by number, to tell it the number of a time that it names.

    Raises:
        AnswerError: If there is none, or its shape is wrong.
    """
    found = find_object(reply, field)
    if found.value is None:
        why = shorten(one_line(found.fault), 120) or "there is no '{' in it"
        raise AnswerError(
            "no_json",
            f"The reply holds no JSON object that can be read ({why}). Reply with one object and "
            f"nothing after it, all names in double quotes and no comments, of the form {form}.",
        )
    try:
        return kind.model_validate(found.value)
    except ValidationError as exc:
        faults = []
        for error in exc.errors()[:3]:
            number = number_told(error["input"], shown, is_last=error["loc"][-1:] == ("last",))
            faults.append(f"{_place(error['loc'])}: {error['msg']}{number}")
        told = shorten(whole_unicode("; ".join(faults)), 220)
        raise AnswerError(
            "wrong_schema",
            f"The JSON object has the wrong shape: {told}. It must be of the form {form}.",
        ) from exc


def _place(location: Sequence[int | str]) -> str:
    return ".".join(shorten(str(part), 30) for part in location) or "object"


def check_numbers(steps: Sequence[Step], events: Sequence[NumberedEvent], shown: int) -> None:
    """Refuse numbers of captions that were not shown, of which there are ``shown``.

    Raises:
        AnswerError: If there is one.
    """
    named = {step.caption for step in steps}
    named |= {number for event in events for number in (event.first, event.last)}
    unknown = sorted(number for number in named if not 1 <= number <= shown)
    if unknown:
        listed = ", ".join(f"#{str(number)[:12]}" for number in unknown[:5])
        raise AnswerError(
            "unknown_caption", f"No caption {listed} was shown; they are numbered #1 to #{shown}."
        )


def event_span(
    event: NumberedEvent, shown: Sequence[Interval], cuts: Collection[int] = ()
) -> Interval:
    """From where its first caption begins to where its last one ends, or to the cut it tells of.

    Raises:
        AnswerError: If it ends before it starts.
    """
    first, last = shown[event.first - 1], shown[event.last - 1]
    if last.start_s < first.start_s:
        raise AnswerError(
            "reversed",
            f"The event from #{event.first} to #{event.last} ends before it starts; "
            "name its first caption first.",
        )
    is_up_to_cut = event.last in cuts and last.start_s > first.start_s
    return Interval(first.start_s, last.start_s if is_up_to_cut else last.end_s)


def _check_agreement(answer: Answer, spans: Sequence[Interval], shown: Sequence[Interval]) -> None:
    if answer.found and not answer.events:
        raise AnswerError("contradiction", "found is true, but events is empty; name each event.")
    if not answer.found and answer.events:
        raise AnswerError("contradiction", "found is false, but events are named; decide which.")
    if not answer.found and any(step.role in INSIDE for step in answer.steps):
        raise AnswerError(
            "contradiction",
            "found is false, but captions are labelled start, during or end. If it is not there, "
            "leave steps empty; if it is, name its events.",
        )
    check_apart(answer.events, spans)
    for step in answer.steps if answer.events else ():
        _check_label(step, shown[step.caption - 1], spans)


def check_apart(events: Sequence[NumberedEvent], spans: Sequence[Interval]) -> None:
    """Refuse events that overlap.

    Raises:
        AnswerError: If two of them do.
    """
    in_order = sorted(zip(spans, events, strict=True), key=lambda placed: placed[0])
    for (span, one), (other_span, other) in itertools.pairwise(in_order):
        if span.overlap_s(other_span) > 0:
            raise AnswerError(
                "contradiction",
                f"The events #{one.first}–#{one.last} and #{other.first}–#{other.last} overlap. "
                "Name them as one, or let the second begin after the last caption of the first.",
            )


def _check_label(step: Step, caption: Interval, events: Sequence[Interval]) -> None:
    """What is before or after may reach into an event (a longer look does), but not lie in it."""
    if step.role in {"before", "after"}:
        contradicts = any(
            event.start_s <= caption.start_s and caption.end_s <= event.end_s for event in events
        )
        where = "inside"
    else:
        contradicts = not any(event.overlap_s(caption) > 0 for event in events)
        where = "outside"
    if contradicts:
        raise AnswerError(
            "contradiction",
            f"#{step.caption} is labelled {step.role!r}, but lies {where} the events named.",
        )
