"""A reply to a question with an order in it: when each part happens. Their order is code's work.

The model is asked for all the times of each part, by letter, and never which comes first:

    {"steps": [...], "parts": [{"part": "A", "events": [{"first": 3, "last": 5}]},
                               {"part": "B", "events": []}]}

Pure.
"""

import json
import string
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

from pydantic import AfterValidator

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
    check_apart,
    check_numbers,
    event_span,
    list_schema,
    object_schema,
    read_object,
)
from tools.retrieval.order import Seen, evaluate
from tools.retrieval.ordered import explain
from tools.retrieval.temporal_query import LAST, Nth, Part, Single, texts_of
from tools.text import one_line, shorten
from tools.timeline import Interval

FORM: Final = (
    '{"steps": [...], "reason": "...", "parts": [{"part": "A", "events": [{"first": 1, '
    '"last": 2}]}, {"part": "B", "events": []}]}'
)

PARTS_SCHEMA: Final = object_schema(
    steps=STEPS_SCHEMA,
    reason=REASON_SCHEMA,
    parts=list_schema(part={"type": "string"}, events=EVENTS_SCHEMA),
)


class PartEvents(ModelReply):
    """All the times that one part happens."""

    part: Annotated[str, AfterValidator(lambda part: part.strip(" .:").upper())]
    events: Events


class PartsReply(ModelReply):
    """What a model says of all parts."""

    steps: Steps = ()
    reason: Why = ""
    parts: tuple[PartEvents, ...]


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
    said = read_object(reply, PartsReply, field="parts", form=FORM)
    wanted = letters(part)
    named = [one.part for one in said.parts]
    if sorted(named) != sorted(wanted):
        raise AnswerError(
            "wrong_schema",
            f"parts has {_listed(named) or 'nothing'}; give each of {_listed(wanted)} once.",
        )
    times: dict[str, list[Interval]] = {}
    for one in said.parts:
        check_numbers(said.steps, one.events, len(shown))
        spans = [event_span(event, shown) for event in one.events]
        check_apart(one.events, spans)
        times[wanted[one.part]] = spans
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
    return answer, explain(part, found=answer.found, times=len(times[texts_of(part)[0]]))


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
