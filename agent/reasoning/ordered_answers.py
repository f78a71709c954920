"""A reply to a question with an order in it: when each part happens. Their order is code's work.

The model is asked for all the times of each part, by letter, and never which comes first:

    {"steps": [...], "parts": [{"part": "A", "events": [{"first": 3, "last": 5}]},
                               {"part": "B", "events": []}]}

Pure.
"""

import json
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from agent.errors import AnswerError
from agent.reasoning.answer import (
    EVENTS_SCHEMA,
    REASON_SCHEMA,
    STEPS_SCHEMA,
    Answer,
    Events,
    ModelReply,
    NumberedEvent,
    Step,
    Steps,
    Why,
    as_list,
    check_apart,
    check_numbers,
    event_span,
    list_schema,
    object_schema,
    read_object,
)
from tools.clock import clock
from tools.retrieval.order import Seen, evaluate
from tools.retrieval.ordered import explain
from tools.retrieval.temporal_query import LAST, Nth, Part, Single, texts_of
from tools.text import one_line, shorten
from tools.timeline import Interval

FORM: Final = (
    '{"steps": [...], "reason": "...", "parts": [{"part": "A", "events": [{"first": 1, '
    '"last": 2}]}, {"part": "B", "events": []}]}'
)

MOST_TOLD: Final = 5
"""Times that are told where the one asked for is not among them."""

PARTS_SCHEMA: Final = object_schema(
    steps=STEPS_SCHEMA,
    reason=REASON_SCHEMA,
    parts=list_schema(part={"type": "string"}, events=EVENTS_SCHEMA),
)


_LETTER: Final = re.compile(r"\s*(?:part\s+)?([a-z])\s*(?:[.:)=–-].*)?", re.IGNORECASE | re.DOTALL)
"""A part by its letter: ``A``, ``part A``, ``A: the dog barks``."""


class PartEvents(ModelReply):
    """All the times that one part happens."""

    part: str
    events: Events


def _as_parts(value: Any) -> Any:
    """``{"A": [...], "B": []}`` means what the list of its parts does."""
    if not isinstance(value, dict) or "part" in value:
        return as_list(value)
    return [{"part": name, "events": events} for name, events in value.items()]


class PartsReply(ModelReply):
    """What a model says of all parts."""

    steps: Steps = ()
    reason: Why = ""
    parts: Annotated[tuple[PartEvents, ...], BeforeValidator(_as_parts)]


def _letter(said: str, wanted: Mapping[str, str]) -> str:
    """The letter of a part that is named by it, or by its words; else what was said."""
    if named := _LETTER.fullmatch(said):
        return named[1].upper()
    words = one_line(said).strip(" .:\"“”'").casefold()
    return next((letter for letter, text in wanted.items() if text.casefold() == words), said)


def letters(part: Part) -> dict[str, str]:
    """The words of each part by its letter, the main part first."""
    return dict(zip(string.ascii_uppercase, dict.fromkeys(texts_of(part)), strict=False))


def example_of(parts: int) -> str:
    """A reply of the right form to a question of that many parts."""
    told = [
        {
            "part": letter,
            "events": [{"first": 4 + 9 * place, "last": 6 + 9 * place, "sure": "likely"}],
        }
        for place, letter in enumerate(string.ascii_uppercase[:parts])
    ]
    step = {"caption": 4, "role": "start", "why": "..."}
    return json.dumps({"steps": [step], "reason": "...", "parts": told})


def order_told(part: Part) -> str:
    """How the parts of a question lie in time, by their letters: ``A after B``."""
    of = {text: letter for letter, text in letters(part).items()}

    def told(one: Part) -> str:
        if isinstance(one, Single):
            return of.get(one.text, "A")
        if isinstance(one, Nth):
            which = f"time {one.number}" if one.number > 0 else f"time {-one.number} from the end"
            which = "the last time" if one.number == LAST else which
            return f"{which} of {of.get(one.what.text, 'A')}"
        others = " and ".join(map(told, one.to))
        return f"{told(one.what)} {one.relation} {others}"

    return told(part)


def parse_parts(reply: str, part: Part, *, shown: Sequence[Interval]) -> tuple[Answer, str]:
    """Find the times of each part in a reply, and work out what follows from them.

    Args:
        reply: What the model said.
        part: The question.
        shown: The spans of the captions it was shown, by number: #1 is the first.

    Returns:
        The answer, and how the order decided it, for the user. Labels are those of the answer's own
        events: the model gave its own for several things at once.

    Raises:
        AnswerError: If there is no such object, its shape is wrong, a part is missing, unknown or
            there twice, or its events are impossible.
    """
    said = read_object(reply, PartsReply, field="parts", form=FORM, shown=shown)
    wanted = letters(part)
    named = [_letter(one.part, wanted) for one in said.parts]
    if sorted(named) != sorted(wanted):
        each = f"each of {_listed(wanted)} once" if len(wanted) > 1 else f"{_listed(wanted)} once"
        raise AnswerError(
            "wrong_schema",
            f"parts has {_listed(named) or 'nothing'}; give {each}, by the letter alone. One that "
            "does not happen has no events.",
        )
    times: dict[str, list[Interval]] = {}
    for letter, one in zip(named, said.parts, strict=True):
        check_numbers(said.steps, one.events, len(shown))
        spans = [event_span(event, shown) for event in one.events]
        check_apart(one.events, spans)
        times[wanted[letter]] = spans
    found = evaluate(part, {text: _all_sure(spans) for text, spans in times.items()}, among="times")
    named_events = [event for one in said.parts for event in one.events]
    events = [_event(span, named_events, shown) for span, _ in sorted(found)]
    answer = Answer(
        steps=tuple(_relabelled(step, events, shown) for step in said.steps) if events else (),
        found=bool(events),
        reason=said.reason,
        events=tuple(events),
    )
    missing = [text for text, spans in times.items() if not spans]
    if missing:
        return answer, f"{' and '.join(f'“{text}”' for text in missing)} was not found."
    seen = times[texts_of(part)[0]]
    order = explain(part, found=answer.found, times=len(seen))
    if isinstance(part, Nth) and not answer.found:
        # The middle: edges lie between looks, and half a step beside those of captions.
        near = [clock((one.start_s + one.end_s) / 2) for one in sorted(seen)[:MOST_TOLD]]
        order += f" It is near {', '.join(near)}."
    return answer, order


def _listed(names: Iterable[str]) -> str:
    return ", ".join(shorten(one_line(name), 12) for name in names)


def _all_sure(spans: Sequence[Interval]) -> Seen:
    times = [(span, 1.0) for span in spans]
    return Seen(windows=times, events=times, times=times)


def _event(
    span: Interval, named: Sequence[NumberedEvent], shown: Sequence[Interval]
) -> NumberedEvent:
    """The event of a span whose edges are those of events that were named."""
    first = next(one.first for one in named if shown[one.first - 1].start_s == span.start_s)
    last = next(one.last for one in named if shown[one.last - 1].end_s == span.end_s)
    sure = next(one.sure for one in named if one.first == first)
    return NumberedEvent(first=first, last=last, sure=sure)


def _relabelled(step: Step, events: Sequence[NumberedEvent], shown: Sequence[Interval]) -> Step:
    caption = shown[step.caption - 1]
    spans = [event_span(event, shown) for event in events]
    if any(span.overlap_s(caption) > 0 for span in spans):
        return step.model_copy(update={"role": "during"})
    is_before = caption.start_s < min(spans).start_s
    return step.model_copy(update={"role": "before" if is_before else "after"})
