"""Questions for a time by what it lies beside, and nothing else: "after the third cut"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tools.ranking import Ranking, Window
from tools.signals.counting import take_numbers
from tools.signals.phrasing import without_courtesy
from tools.signals.said_times import take_stretch
from tools.timeline import Interval

Side = Literal["after", "before", "during", "between"]

_SIDES: dict[str, Side] = {
    "after": "after",
    "following": "after",
    "since": "after",
    "before": "before",
    "until": "before",
    "till": "before",
    "while": "during",
    "during": "during",
    "as long as": "during",
}
_LEAD = (
    r"(?:what (?:happens|happened|comes|is there|is shown|is seen|do (?:you|we|i) see) |"
    r"(?:the )?(?:time|part|moment|bit) )?(?:right |just |shortly |immediately |directly )?"
)
_BARE = re.compile(rf"{_LEAD}(?P<side>{'|'.join(_SIDES)}) (?P<what>[^,]+)", re.IGNORECASE)
_BETWEEN = re.compile(
    rf"{_LEAD}(?:in )?between (?P<first>[^,]+?) and (?P<then>[^,]+)", re.IGNORECASE
)
_WHICH = re.compile(r" There (?:is|are) [^.;]*; th(?:is|ese) [^.]*\.")
_NUMBER = re.compile(r"(?:the )?(?P<digits>\d{1,3})")


@dataclass(frozen=True, slots=True)
class BareOrder:
    """A time beside, during or between what is named.

    Attributes:
        side: Where it lies.
        texts: What it lies beside: two for ``between``, else one.
    """

    side: Side
    texts: tuple[str, ...]


def read_bare_order(query: str) -> BareOrder | None:
    """What the time lies beside; None where something is asked for that happens then."""
    text = " ".join(without_courtesy(take_stretch(query)[0]).split()).rstrip(" .?!")
    if found := _BETWEEN.fullmatch(text):
        return BareOrder("between", _whole(found["first"], found["then"]))
    if found := _BARE.fullmatch(text):
        return BareOrder(_SIDES[found["side"].lower()], (found["what"],))
    return None


def _whole(first: str, then: str) -> tuple[str, str]:
    """Both with what they are: "the first" and "the second cut", "cut 1" and "2"."""
    rest, _ = take_numbers(then)
    if not take_numbers(first)[0].strip() and rest.strip():
        return f"{first} {rest.strip()}", then
    if digits := _NUMBER.fullmatch(then):
        return first, re.sub(r"\d+", digits["digits"], first)
    return first, then


def rank_bare_order(order: BareOrder, ask: Callable[[str], Ranking], searched: Interval) -> Ranking:
    """The times that lie so, from what is found of the things that are named.

    What comes after one of several ends where the next begins, so that it is after this one and
    not after the next.
    """
    rankings = [ask(text) for text in order.texts]
    missing = [one for one in rankings if one.verdict != "found"]
    if missing or order.side == "during":
        return (missing or rankings)[0]
    first = rankings[0]
    if order.side == "between":
        spans = _between(first.events, rankings[-1].events)
    else:
        spans = [
            span
            for event in first.events
            if (span := _beside(event, order.side, first.windows, searched)) is not None
        ]
    sure = min(event.confidence for one in rankings for event in one.events)
    windows = tuple(Window(span, sure, sure) for span in sorted(spans))
    said = " and ".join(f"“{text}”" for text in order.texts)
    note = f"This is what comes {order.side} {said}."
    if order.side == "after" and any(span.end_s < searched.end_s for span in spans):
        note = f"{note[:-1]}, up to the next one."
    # Which of several is meant is said by the note.
    found = _WHICH.sub("", first.reasoning)
    return replace(
        first,
        verdict="found" if windows else "not_found",
        windows=windows or first.windows,
        events=windows,
        reasoning=f"{found} {note if windows else 'Nothing lies between them.'}",
    )


def _beside(
    event: Window, side: Side, windows: Sequence[Window], searched: Interval
) -> Interval | None:
    """From the event to the next of its kind, or back to the one before."""
    span = event.span
    others = [one.span for one in windows if one.span.overlap_s(span) == 0]
    if side == "after":
        start_s = _end_of(span)
        end_s = min(
            (one.start_s for one in others if one.start_s >= span.end_s), default=searched.end_s
        )
    else:
        end_s = span.start_s
        start_s = max(
            (_end_of(one) for one in others if one.end_s <= end_s), default=searched.start_s
        )
    return Interval(start_s, end_s) if start_s < end_s else None


def _between(firsts: Sequence[Window], thens: Sequence[Window]) -> list[Interval]:
    """From the end of each to the next of the others that begins later."""
    spans = []
    for one in firsts:
        start_s = _end_of(one.span)
        ends_s = [other.span.start_s for other in thens if other.span.start_s > start_s]
        if ends_s:
            spans.append(Interval(start_s, min(ends_s)))
    return spans


MOMENT_S = 0.25
"""A span no longer than this is a cut, with whose first frame begins what comes after it."""


def _end_of(span: Interval) -> float:
    return span.start_s if span.length_s <= MOMENT_S else span.end_s
