"""Questions of two things: "between the cups and the coffee", "from X to Y", "cats or dogs".

Compared as one sentence they would be answered with whichever of the two is more like it. Each is
looked for by itself, and the answer is made of the times of both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tools.ranking import Ranking, Verdict, Window
from tools.retrieval.temporal_query import is_clause, is_thing, names_something
from tools.timeline import Interval

NEAR_S = 12.0
"""Two things that follow each other within this are shown as one stretch, else as two."""

POINT_S = 1e-3
EDGE_S = 0.25
"""Captions leave no less than this between two things, if anything is to lie between them."""


@dataclass(frozen=True, slots=True)
class Two:
    """Two things, and what is asked of them.

    Attributes:
        kind: Whether the time between them, that of both with what lies between, either, or one
            and then the other is meant.
        first: Words for the one that is named first.
        then: Words for the other.
    """

    kind: Literal["between", "through", "either", "then"]
    first: str
    then: str


def read_two(text: str) -> Two | None:
    """The two things that a text asks for; None where it is of another form."""
    text = " ".join(text.split()).strip(" .?!")
    if found := _BETWEEN.fullmatch(text):
        two = Two("between", *_with_noun(found["first"], found["then"]))
    elif found := _UNTIL.fullmatch(text):
        two = Two("between", "the start", found["then"])
    elif (found := _FROM_TO.fullmatch(text)) and _are_moments(found["first"], found["then"]):
        two = Two(
            "through", *_with_its_noun(*_with_noun(found["first"], found["then"] or "the end"))
        )
    elif found := _FIRST_THEN.fullmatch(text) or _things_in_turn(text):
        two = Two("then", found["first"], found["then"])
    elif (found := _EITHER.fullmatch(text)) and _are_alike(found):
        two = Two("either", found["first"], found["then"])
    else:
        return None
    return two if names_something(two.first) and names_something(two.then) else None


def _are_moments(first: str, then: str | None) -> bool:
    """Whether each tells a time: "from the coffee on", not "from left to right"."""
    return all(
        is_thing(one) or is_clause(one) or _EDGE_OF_VIDEO.fullmatch(one)
        for one in (first, then or "the end")
    )


def _with_its_noun(first: str, then: str) -> tuple[str, str]:
    """Of "opening the fridge" and "closing it", closing the fridge."""
    found = _ITS_NOUN.search(first)
    return first, _IT.sub(found[0], then) if found else then


def rank_two(two: Two, times_of: Callable[[str], Ranking], video: Interval) -> Ranking:
    """The answer to a question of two things, from the times of each.

    Args:
        two: The question.
        times_of: The ranking of one thing, whose events are the times that it is there.
        video: What of the video the captions tell of.
    """
    first, then = (_edge(one, times_of(one), video, two) for one in (two.first, two.then))
    missed = [
        f"“{text}”"
        for text, ranking in ((two.first, first), (two.then, then))
        if ranking.verdict != "found"
    ]
    if two.kind == "either":
        return _either(two, first, then, missed)
    if missed:
        said = " and ".join(missed)
        what = {
            "between": "what lies between them",
            "through": "what lies from one to the other",
            "then": "whether they follow each other",
        }[two.kind]
        return _answer(
            first, "cannot_tell", (), f"{said} could not be found, so {what} cannot be told."
        )
    ranks = {"between": _between, "through": _through, "then": _one_then}
    return ranks[two.kind](two, first, then)


def _between(two: Two, first: Ranking, then: Ranking) -> Ranking:
    why = f"This is from the end of “{two.first}” to the start of “{two.then}”."
    if _EDGE_OF_VIDEO.fullmatch(two.first):
        why = f"This is all up to “{two.then}”."
    elif _EDGE_OF_VIDEO.fullmatch(two.then):
        why = f"This is all from the end of “{two.first}” on."
    pairs = _pairs(first.events, then.events)
    if not pairs and (pairs := _pairs(then.events, first.events)):
        why = f"“{two.then}” is first: this is from its end to the start of “{two.first}”."
    gaps = tuple(
        _window(span, one, other)
        for one, other in pairs
        if (span := _gap(one.span, other.span)) and span.length_s > EDGE_S
    )
    if gaps:
        return _answer(first, "found", gaps, why)
    how = "follow directly on each other" if pairs else "are there at the same time"
    why = f"“{two.first}” and “{two.then}” {how}, so captions show nothing between them."
    return _answer(first, "cannot_tell", (), why)


def _gap(first: Interval, then: Interval) -> Interval | None:
    """From the one to the other, and from or to an edge of the video all that is beside it."""
    start_s = first.start_s if first.length_s < 2 * POINT_S else first.end_s
    end_s = then.end_s if then.length_s < 2 * POINT_S else then.start_s
    return Interval(start_s, end_s) if start_s < end_s else None


def _through(two: Two, first: Ranking, then: Ranking) -> Ranking:
    spans: list[Window] = []
    for one in sorted(first.events, key=lambda event: event.span):
        # What begins with the one may be told of together with it: a fridge opens and closes.
        ends = [other for other in then.events if other.span.end_s > one.span.start_s + EDGE_S]
        ends = [other for other in ends if other.span.start_s >= one.span.start_s - EDGE_S]
        if not ends or (spans and one.span.start_s < spans[-1].span.end_s):
            continue
        other = min(ends, key=lambda event: event.span)
        spans.append(_window(Interval(one.span.start_s, other.span.end_s), one, other))
    if not spans:
        why = f"Each was found, but never first “{two.first}” and then “{two.then}”."
        return _answer(first, "not_found", (), why)
    why = f"This is from the start of “{two.first}” to the end of “{two.then}”."
    if _EDGE_OF_VIDEO.fullmatch(two.first):
        why = f"This is all up to the end of “{two.then}”."
    elif _EDGE_OF_VIDEO.fullmatch(two.then):
        why = f"This is all from the start of “{two.first}” on."
    return _answer(first, "found", tuple(spans), why)


def _one_then(two: Two, first: Ranking, then: Ranking) -> Ranking:
    pairs = _pairs(first.events, then.events)
    if not pairs:
        why = f"Each was found, but never first “{two.first}” and then “{two.then}”."
        return _answer(first, "not_found", (), why)
    events: list[Window] = []
    for one, other in pairs:
        if other.span.start_s - one.span.end_s <= NEAR_S:
            events.append(_window(Interval(one.span.start_s, other.span.end_s), one, other))
        else:
            events += [one, other]
    why = f"“{two.first}” and then “{two.then}”: each was found, and in this order."
    return _answer(first, "found", tuple(events), why)


def _either(two: Two, first: Ranking, then: Ranking, missed: Sequence[str]) -> Ranking:
    if len(missed) == 2:
        are_absent = first.verdict == then.verdict == "not_found"
        why = f"Neither “{two.first}” nor “{two.then}” could be found."
        return _answer(first, "not_found" if are_absent else "cannot_tell", (), why)
    both = sorted((*first.events, *then.events), key=lambda one: one.span)
    why = f"These are the times of “{two.first}” and those of “{two.then}”."
    if missed:
        why = f"{missed[0]} could not be found; these are the times of the other."
    return _answer(first, "found", joined(both), why)


def joined(windows: Sequence[Window]) -> tuple[Window, ...]:
    """The same without overlaps, in time order: those that overlap become one, as sure as one."""
    apart: list[Window] = []
    for one in sorted(windows, key=lambda one: one.span):
        if apart and one.span.start_s < apart[-1].span.end_s:
            last = apart[-1]
            end_s = max(last.span.end_s, one.span.end_s)
            surer = max(last, one, key=lambda some: some.confidence)
            apart[-1] = replace(surer, span=Interval(last.span.start_s, end_s))
        else:
            apart.append(one)
    return tuple(apart)


def _pairs(firsts: Sequence[Window], thens: Sequence[Window]) -> list[tuple[Window, Window]]:
    """Each of the one with the other that is next, if none of either lies between them."""
    pairs: list[tuple[Window, Window]] = []
    for then in thens:
        before = [one for one in firsts if one.span.end_s <= then.span.start_s + EDGE_S]
        if not before:
            continue
        first = max(before, key=lambda one: one.span.end_s)
        if not any(
            first.span.end_s <= one.span.start_s < then.span.start_s
            for one in thens
            if one is not then
        ):
            pairs.append((first, then))
    return sorted(pairs, key=lambda pair: pair[0].span)


def _edge(text: str, ranking: Ranking, video: Interval, two: Two) -> Ranking:
    """The start or end of the video as if it were a thing at its edge."""
    if two.kind not in {"between", "through"} or not (found := _EDGE_OF_VIDEO.fullmatch(text)):
        return ranking
    at_s = video.end_s if found["edge"].lower() == "end" else video.start_s
    start_s = max(0.0, at_s - POINT_S) if at_s == video.end_s else at_s
    window = Window(Interval(start_s, start_s + POINT_S), 1.0, 1.0)
    return replace(ranking, verdict="found", events=(window,))


def _window(span: Interval, *of: Window) -> Window:
    sure = min(one.confidence for one in of)
    return Window(span, sure, sure)


def _answer(ranking: Ranking, verdict: Verdict, events: tuple[Window, ...], why: str) -> Ranking:
    return replace(
        ranking,
        verdict=verdict,
        windows=events or ranking.windows,
        events=events,
        reasoning=why,
        is_exact=False,
    )


def _things_in_turn(text: str) -> re.Match[str] | None:
    found = _THEN.fullmatch(text)
    return found if found and is_thing(found["first"], found["then"]) else None


def _with_noun(first: str, then: str) -> tuple[str, str]:
    """Of "the first" and "second dog", or "the first dog" and "the second", two dogs."""
    if (number := _NUMBER.match(first)) and _NUMBER.fullmatch(then):
        return first, f"{then}{first[number.end() :]}"
    if not _NUMBER.fullmatch(first) or len(then.split()) < 2:
        return first, then
    noun = _NUMBER.sub("", then, count=1).strip()
    return f"{first} {noun}", then if then.lower().startswith("the ") else f"the {then}"


def _are_alike(found: re.Match[str]) -> bool:
    """Whether both sides stand by themselves: not in "a man or woman walks", "red or blue cups"."""
    first, then = found["first"], found["then"]
    if "OR" in found[0]:
        return True
    if _BESIDE.search(first) or "," in found[0] or is_clause(first) != is_clause(then):
        return False
    if is_clause(first):
        return True
    have_article = [bool(is_thing(one)) for one in (first, then)]
    if not any(have_article):
        return len(first.split()) >= len(then.split())
    return all(have_article)


_LEAD = (
    r"(?:(?:the|a|all|any)? ?(?:time|part|bit|stretch|moments?|scenes?|everything|anything|what)"
    r"(?: (?:is|was|that is|happens|happened|comes|lies))? )?(?:in )?"
)
_BETWEEN = re.compile(rf"{_LEAD}between (?P<first>[^,]+?),? and (?P<then>[^,]+)", re.IGNORECASE)
_UNTIL = re.compile(
    r"(?:(?:the |all |all the )?(?:time|part|everything)(?: that happens)? )?(?:from the "
    r"(?:start|beginning) )?(?:until|till|up to(?: when)?) (?P<then>[^,]+)",
    re.IGNORECASE,
)
_FROM_TO = re.compile(
    rf"{_LEAD}(?:from|since) (?P<first>[^,]+?),? "
    r"(?:(?:to|until|till) (?P<then>[^,]+)|on(?:wards?)?)",
    re.IGNORECASE,
)
_ITS_NOUN = re.compile(r"\bthe \w+$", re.IGNORECASE)
_IT = re.compile(r"\b(?:it|them)\b", re.IGNORECASE)
_FIRST_THEN = re.compile(
    r"first,? (?!time|aid)(?P<first>[^,]+?),? (?:and )?(?:then|after that),? (?P<then>[^,]+)",
    re.IGNORECASE,
)
_THEN = re.compile(r"(?P<first>[^,]+?),? (?:and )?then,? (?P<then>[^,]+)", re.IGNORECASE)
_EITHER = re.compile(r"(?:either )?(?P<first>.+?) or (?!not\b)(?P<then>.+)", re.IGNORECASE)
_BESIDE = re.compile(
    r"\b(?:near|beside|behind|under|over|on|in|at|by|from|to|into|through|while|with|and|as|of|"
    r"for|is|are|whether|either|more|less|one|two|three)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?:the )?(?:first|second|third|fourth|fifth|\d+(?:st|nd|rd|th)|last)\b", re.IGNORECASE
)
_EDGE_OF_VIDEO = re.compile(
    r"the (?:very )?(?P<edge>start|beginning|end)(?: of (?:the|this) (?:video|clip|film))?",
    re.IGNORECASE,
)
