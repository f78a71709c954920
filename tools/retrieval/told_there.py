"""What captions tell of a moment or a stretch: "what happens at 1:20?", "is she there at 1:20?"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tools.clock import clock, clock_span
from tools.grounding.lexical import terms_of
from tools.grounding.seen_edges import shown_at
from tools.ranking import Ranking, Verdict, Window
from tools.retrieval.named_times import named_times
from tools.retrieval.thing_words import read_thing, stems_in
from tools.text import one_line, shorten
from tools.timeline import Caption, Interval

MOST_TOLD = 6
"""Captions that are told of a longer stretch."""

TOLD_CHARS = 120
NAMED_SPANS = 3


def told_there(
    captions: Sequence[Caption],
    within: Interval | None,
    moment_s: float | None,
    *,
    asks_who: bool = False,
) -> Ranking:
    """What captions say there, as it stands: nothing is compared.

    Args:
        captions: Those of the stretch, in time order.
        within: The stretch; None where none is named.
        moment_s: Of a moment, the seconds; None for a longer stretch.
        asks_who: Whether it asks for people: of a longer stretch, only where captions name some.
    """
    if within is None:
        why = "It names nothing to look for; name an event, or a time: “what happens at 1:20?”."
        return Ranking("cannot_tell", (), (), np.zeros(len(captions)), why, is_unclear=True)
    there = [one for one in captions if one.span.overlap_s(within) > 0]
    if moment_s is not None:
        there = shown_at(there, moment_s) or there[:1]
    relevance = np.array([float(one in there) for one in captions])
    if not there:
        why = f"No caption tells of {clock_span(within)}."
        return Ranking("cannot_tell", (), (), relevance, why)
    spans = [Interval(there[0].start_s, max(one.end_s for one in there))]
    if asks_who and moment_s is None:
        spans = [one.span for one in named_times("somebody", there)]
        there = [one for one in there if any(one.span.overlap_s(span) > 0 for span in spans)]
    if not spans:
        why = f"No caption of {clock_span(within)} names anybody."
        return Ranking("cannot_tell", (), (), relevance, why)
    windows = tuple(Window(span, 1.0, 1.0) for span in spans)
    said = list(dict.fromkeys(one_line(one.text) for one in there))
    shown = " ".join(f"“{shorten(text, TOLD_CHARS)}”" for text in said[:MOST_TOLD])
    more = f" and {len(said) - MOST_TOLD} more." if len(said) > MOST_TOLD else ""
    return Ranking(
        "found", windows, windows, relevance, f"Captions say: {shown}{more}", is_exact=True
    )


def at_moment(
    ranking: Ranking, text: str, moment_s: float, captions: Sequence[Caption] | None
) -> Ranking:
    """Whether something is there at a moment: the time that holds it, or none.

    Args:
        ranking: All the times of it.
        text: What is asked for.
        moment_s: Seconds.
        captions: Those of the video, in time order; None where they do not name what is seen.
    """
    at = clock(moment_s)
    span = None
    if captions is not None:
        told = shown_at(captions, moment_s)
        span = told[0].span if told else None
        if judged := _judged_by_captions(ranking, text, told, at):
            return judged
    if ranking.verdict != "found":
        return ranking
    there = tuple(
        one
        for one in ranking.events
        if (one.span.overlap_s(span) > 0 if span else one.span.start_s <= moment_s < one.span.end_s)
    )
    if there:
        thing = read_thing(text)
        is_so = "It is not there" if thing and thing.is_absent else "It is there"
        if thing and thing.is_nobody:
            is_so = "Nobody is there"
        return replace(ranking, events=there, reasoning=f"{is_so} at {at}.")
    spans = sorted(one.span for one in ranking.events)
    named = ", ".join(clock_span(span) for span in spans[:NAMED_SPANS])
    more = f" and {len(spans) - NAMED_SPANS} more" if len(spans) > NAMED_SPANS else ""
    no_name = "" if captions is None else ": no caption there names it"
    why = f"Not at {at}{no_name}. It was found at {named}{more}."
    return replace(ranking, verdict="not_found", events=(), reasoning=why)


def named_at(
    text: str, captions: Sequence[Caption], moment_s: float
) -> tuple[Caption, bool] | None:
    """The caption of what is seen at a moment that names something, if there is one.

    Args:
        text: What is asked for.
        captions: Those of the video, in time order.
        moment_s: Seconds.

    Returns:
        Also whether all that is said of it is told there, or in the stretch around it.
    """
    thing = read_thing(text)
    if thing is None or thing.is_absent:
        return None
    seen = [one for one in captions if one.source == "vision"]
    for one in shown_at(seen, moment_s):
        said = stems_in(one.text)
        if thing.heads & said:
            times = named_times(text, seen)
            is_told = any(time.span.overlap_s(one.span) > 0 for time in times)
            return one, thing.more <= said or is_told
    return None


def _judged_by_captions(
    ranking: Ranking, text: str, told: Sequence[Caption], at: str
) -> Ranking | None:
    """The answer where the caption of the moment decides; None where the times found do."""
    if not told:
        return replace(
            ranking, verdict="cannot_tell", events=(), reasoning=f"No caption tells of {at}."
        )
    thing, said = read_thing(text), stems_in(" ".join(one.text for one in told))
    span = Interval(told[0].start_s, max(one.end_s for one in told))
    holding = tuple(one for one in ranking.events if one.span.overlap_s(span) > 0)
    shown = f"“{shorten(one_line(told[0].text), TOLD_CHARS).removesuffix('.')}”"
    heads = thing.heads if thing else frozenset(terms_of(text))
    if thing and thing.is_absent:
        if holding:
            return None
        is_named = bool(heads & said)
        why = f"names {'somebody' if thing.is_nobody else 'it'}" if is_named else "leaves it open"
        verdict: Verdict = "not_found" if is_named else "cannot_tell"
        why = f"The caption at {at} {why}: {shown}."
        return replace(ranking, verdict=verdict, events=(), reasoning=why)
    if not heads & said:
        return None
    is_all = (thing.more if thing else heads) <= said
    if is_all or (ranking.verdict == "found" and holding):
        events = holding or (Window(span, 1.0, 1.0),)
        why = f"It is there at {at}; the caption says: {shown}."
        return replace(ranking, verdict="found", events=events, reasoning=why)
    why = f"The caption at {at} names it, but does not say all that is asked: {shown}."
    return replace(ranking, verdict="cannot_tell", events=(), reasoning=why)
