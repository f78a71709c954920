"""Questions for a time by what it lies beside, and nothing else: "after the third cut".

"The start" and "the end", by themselves, are those of the video.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tools.ranking import Ranking, Window
from tools.signals.counting import take_numbers
from tools.signals.phrasing import without_courtesy
from tools.signals.said_times import take_stretch
from tools.timeline import Interval

Side = Literal["after", "before", "during", "between", "until", "through"]

_SIDES: dict[str, Side] = {
    "after": "after",
    "following": "after",
    "since": "after",
    "before": "before",
    "until": "until",
    "till": "until",
    "up to": "until",
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
_FROM_TO = re.compile(
    rf"{_LEAD}from (?P<first>[^,]+?) (?:to|until|till|up to|through) (?P<then>[^,]+)", re.IGNORECASE
)
_FROM_ON = re.compile(rf"{_LEAD}from (?P<what>[^,]+?) on(?:wards?)?", re.IGNORECASE)
_EDGE = re.compile(
    r"(?:the )?(?:very )?(?:(?P<end>end)|start|beginning)(?: of the (?:video|clip|film|movie))?",
    re.IGNORECASE,
)
_WHICH = re.compile(r" There (?:is|are) [^.;]*; th(?:is|ese) [^.]*\.")
_ONE = re.compile(r" ones?$", re.IGNORECASE)
_NUMBER = re.compile(r"(?:the )?(?P<digits>\d{1,3})")


@dataclass(frozen=True, slots=True)
class BareOrder:
    """A time beside, during or between what is named.

    Attributes:
        side: Where it lies; ``until`` it from the video's start, or ``through`` from the one to the
            other, these two included.
        texts: What it lies beside: two for ``between`` and ``through``, else one.
    """

    side: Side
    texts: tuple[str, ...]


def read_bare_order(query: str) -> BareOrder | None:
    """What the time lies beside; None where something is asked for that happens then."""
    text = " ".join(without_courtesy(take_stretch(query)[0]).split()).rstrip(" .?!")
    if (found := _BETWEEN.fullmatch(text)) and not _are_edges(found["first"], found["then"]):
        return BareOrder("between", _whole(found["first"], found["then"]))
    if (found := _FROM_TO.fullmatch(text)) and not _are_edges(found["first"], found["then"]):
        return BareOrder("through", _whole(found["first"], found["then"]))
    if (found := _FROM_ON.fullmatch(text)) and not edge_named(found["what"]):
        return BareOrder("through", (found["what"], "the end"))
    if (found := _BARE.fullmatch(text)) and not _EDGE.fullmatch(found["what"]):
        return BareOrder(_SIDES[found["side"].lower()], (found["what"],))
    return None


def edge_named(text: str) -> Literal["", "start", "end"]:
    """Which edge of the video a text names; empty where it names something else."""
    found = _EDGE.fullmatch(text)
    return "" if not found else "end" if found["end"] else "start"


def _are_edges(*texts: str) -> bool:
    return all(edge_named(text) for text in texts)


def _whole(first: str, then: str) -> tuple[str, str]:
    """Both with what they are: "the first" and "the second cut", "cut 1" and "2".

    So are "the first cut" and "the third", where the noun stands with the other.
    """
    if edge_named(first) or edge_named(then):
        return first, then
    what, rest = (take_numbers(one)[0].strip() for one in (first, then))
    if not what and rest:
        return f"{first} {rest}", then
    if what and not rest:
        return first, f"{_ONE.sub('', then)} {what}"
    if digits := _NUMBER.fullmatch(then):
        return first, re.sub(r"\d+", digits["digits"], first)
    return first, then


def rank_bare_order(
    order: BareOrder, ask: Callable[[str], Ranking], searched: Interval, *, most: int
) -> Ranking:
    """The times that lie so, from what is found of the things that are named.

    What comes after one of several ends where the next begins, so that it is after this one and
    not after the next.

    Args:
        order: What the time lies beside.
        ask: Ranks windows for some words, and keeps all: what is dropped is next to nothing.
        searched: What of the video the captions are of.
        most: Windows that are kept of the answer.
    """
    rankings = [_ranked(text, ask, searched) for text in order.texts]
    missing = [one for one in rankings if one.verdict != "found"]
    if missing or order.side == "during":
        one = (missing or rankings)[0]
        return replace(one, windows=one.windows[:most])
    spans = list(_spans(order, rankings, searched))
    sure = min(event.confidence for one in rankings for event in one.events)
    windows = tuple(Window(span, sure, sure) for span in sorted(spans))
    # What an edge of the video says is nothing, and which of several is meant is said by the note.
    told = dict.fromkeys(_WHICH.sub("", one.reasoning) for one in rankings if one.reasoning)
    note = _note(order, spans, searched) if windows else "Nothing lies between them."
    measured = [one for one in rankings if len(one.relevance)]
    return replace(
        measured[0],
        verdict="found" if windows else "not_found",
        windows=(windows or measured[0].windows)[:most],
        events=windows,
        relevance=np.max([one.relevance for one in measured], axis=0),
        reasoning=" ".join([*told, note]),
    )


def _ranked(text: str, ask: Callable[[str], Ranking], searched: Interval) -> Ranking:
    edge = edge_named(text)
    if not edge:
        return ask(text)
    at_s = searched.end_s if edge == "end" else searched.start_s
    window = Window(Interval(at_s, at_s + MOMENT_S), 1.0, 1.0)
    return Ranking("found", (window,), (window,), np.zeros(0), "", is_exact=True)


def _spans(order: BareOrder, rankings: Sequence[Ranking], searched: Interval) -> Iterator[Interval]:
    first = rankings[0]
    if order.side in {"between", "through"}:
        yield from _between(first.events, rankings[-1].events, is_whole=order.side == "through")
    elif order.side == "until":
        start_s = min(event.span.start_s for event in first.events)
        if searched.start_s < start_s:
            yield Interval(searched.start_s, start_s)
    else:
        for event in first.events:
            if span := _beside(event, order.side, first.windows, searched):
                yield span


def _note(order: BareOrder, spans: Sequence[Interval], searched: Interval) -> str:
    """Which time the answer is."""
    names = [f"“{text}”" for text in order.texts]
    if order.side == "through":
        return f"This is from {names[0]} to {names[1]}."
    if order.side == "until":
        return f"This is all until {names[0]}."
    note = f"This is what comes {order.side} {' and '.join(names)}"
    if order.side == "after" and any(span.end_s < searched.end_s for span in spans):
        note += ", up to the next one"
    return f"{note}."


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


def _between(
    firsts: Sequence[Window], thens: Sequence[Window], *, is_whole: bool
) -> Iterator[Interval]:
    """From each to the next of the others that begins later; these two included if ``is_whole``."""
    until_s = 0.0
    for one in sorted(firsts, key=lambda window: window.span):
        later = [other.span for other in thens if other.span.start_s > _end_of(one.span)]
        if not later or (is_whole and one.span.start_s < until_s):
            continue
        start_s = one.span.start_s if is_whole else _end_of(one.span)
        until_s = _end_of(min(later)) if is_whole else min(later).start_s
        yield Interval(start_s, until_s)


MOMENT_S = 0.25
"""A span no longer than this is a cut, with whose first frame begins what comes after it."""


def _end_of(span: Interval) -> float:
    return span.start_s if span.length_s <= MOMENT_S else span.end_s
