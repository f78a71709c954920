"""What captions tell of a moment or a stretch: "what happens at 1:20?", "is she there at 1:20?"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tools.clock import clock, clock_span
from tools.ranking import Ranking, Window
from tools.text import one_line, shorten
from tools.timeline import Caption, Interval

MOST_TOLD = 6
"""Captions that are told of a longer stretch."""

TOLD_CHARS = 120
NAMED_SPANS = 3


def told_there(
    captions: Sequence[Caption], within: Interval | None, moment_s: float | None
) -> Ranking:
    """What captions say there, as it stands: nothing is compared.

    Args:
        captions: Those of the stretch, in time order.
        within: The stretch; None where none is named.
        moment_s: Of a moment, the seconds; None for a longer stretch.
    """
    if within is None:
        why = "It names nothing to look for; name an event, or a time: “what happens at 1:20?”."
        return Ranking("cannot_tell", (), (), np.zeros(len(captions)), why, is_unclear=True)
    there = [one for one in captions if one.span.overlap_s(within) > 0]
    if moment_s is not None:
        there = [one for one in there if one.start_s <= moment_s < one.end_s] or there[:1]
    relevance = np.array([float(one in there) for one in captions])
    if not there:
        why = f"No caption tells of {clock_span(within)}."
        return Ranking("cannot_tell", (), (), relevance, why)
    span = Interval(there[0].start_s, max(one.end_s for one in there))
    window = Window(span, 1.0, 1.0)
    said = list(dict.fromkeys(one_line(one.text) for one in there))
    shown = " ".join(f"“{shorten(text, TOLD_CHARS)}”" for text in said[:MOST_TOLD])
    more = f" and {len(said) - MOST_TOLD} more" if len(said) > MOST_TOLD else ""
    return Ranking(
        "found", (window,), (window,), relevance, f"Captions say: {shown}{more}", is_exact=True
    )


def at_moment(ranking: Ranking, moment_s: float) -> Ranking:
    """Whether what was found goes on at a moment: the time that holds it, or none."""
    if ranking.verdict != "found":
        return ranking
    there = tuple(one for one in ranking.events if one.span.start_s <= moment_s < one.span.end_s)
    if there:
        return replace(ranking, events=there, reasoning=f"It is there at {clock(moment_s)}.")
    spans = sorted(one.span for one in ranking.events)
    named = ", ".join(clock_span(span) for span in spans[:NAMED_SPANS])
    more = f" and {len(spans) - NAMED_SPANS} more" if len(spans) > NAMED_SPANS else ""
    why = f"It was found at {named}{more}, and not at {clock(moment_s)}."
    return replace(ranking, verdict="not_found", events=(), reasoning=why)
