"""Which windows a question with an order in it means: the best choice for all its parts at once.

Exact dynamic programming over the windows of the parts. A part hands the one above it, for each of
its windows, the greatest worth of all that lies below it (max-product on a tree). An ordinal goes
through the times of its part in order, and takes or drops each, as Drop-DTW does (Dvornik et al.,
2021): a time that hardly fits is not counted. Between two parts, worth falls with the seconds
between them. A part of which nothing at all is seen may be dropped, and the others still count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tools.retrieval.temporal_query import (
    Nth,
    Part,
    Related,
    Relation,
    Single,
    texts_of,
)
from tools.timeline import Interval

Scored = tuple[Interval, float]
"""A window, and the probability that it is what was asked for."""

NEAR_S = 30.0
"""Seconds between two parts within which one speaks for the other. Of answers to "what does he do
after …" nine in ten follow within 12 s (NExT-GQA), but the question does not say how soon: what is
far away keeps half of its worth."""

DROPPED = 0.05
"""What it is worth to drop a time beside the surest of all: what is twenty times less likely is not
counted, if there are enough others. Of the 530 queries of QVHighlights val whose event happens
several times, the last time is right for 33.6% with it, 33.4% without, and 30.6% at 0.2."""


UNSEEN = 0.5
"""What it is worth to drop a part of which nothing is seen: no more than one that is far away.
Captions leave out much; but where a part is seen, and in the wrong order, nothing is dropped."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of when something happens.

    Attributes:
        windows: All that it may be, which may overlap.
        events: What it is taken to be.
        times: All the times that it is taken to happen, apart from each other.
    """

    windows: Sequence[Scored]
    events: Sequence[Scored]
    times: Sequence[Scored]


def evaluate(
    part: Part,
    seen: Mapping[str, Seen],
    *,
    among: Literal["windows", "times"] = "windows",
    may_drop: bool = False,
) -> list[Scored]:
    """The windows that a part means, likeliest first.

    What another thing is seen from is one of its events, and an ordinal counts all times.

    Args:
        part: What to find.
        seen: Of each of ``texts_of(part)``.
        among: What the answer is chosen from.
        may_drop: Whether what the answer is placed by may be missing, as captions are incomplete.

    Returns:
        Windows of the candidates, or for ``while`` what two of them share. The best has its own
        probability, the lower the less sure what it is placed by is beside the surest of its kind:
        that it happens at all is taken for granted. The others stand in proportion to their worth.
        Empty where none is as it should be.
    """
    if isinstance(part, Single):
        known = seen[part.text]
        return _likeliest_first(known.windows if among == "windows" else known.times)
    if isinstance(part, Nth):
        return take_number(part.number, seen[part.what.text].times)
    # The last time before … is the last of those before, and not the last one if that is before.
    is_counted = isinstance(part.what, Nth)
    what = (
        seen[part.what.what.text].times
        if isinstance(part.what, Nth)
        else evaluate(part.what, seen, among=among, may_drop=may_drop)
    )
    to = [bridged(one, part.relation, seen) if may_drop else one for one in part.to]
    others = [
        None
        if may_drop and is_unseen(one, seen)
        else _beside_the_surest(
            seen[one.text].events
            if isinstance(one, Single)
            else evaluate(one, seen, among="times", may_drop=may_drop)
        )
        for one in to
    ]
    best: dict[Interval, tuple[float, float]] = {}
    for window, probability in what:
        for match, sure, near in _matches(window, part.relation, others):
            worth = probability * sure * (1.0 if is_counted else near)
            best[match] = max(best.get(match, (0.0, 0.0)), (worth, probability * sure))
    if isinstance(part.what, Nth):
        return take_number(part.what.number, [(span, sure) for span, (_, sure) in best.items()])
    worth, sure = max(best.values(), default=(0.0, 0.0))
    scale = sure / worth if worth else 0.0
    return _likeliest_first((span, one * scale) for span, (one, _) in best.items())


def bridged(to: Part, relation: Relation, seen: Mapping[str, Seen]) -> Part:
    """What is left of a chain: after what comes after the goal is after the goal as well.

    Args:
        to: What something is placed by.
        relation: How it is placed by that.
        seen: Of each of ``texts_of(to)``.

    Returns:
        The next link whose own event is seen, as long as all links have one direction.
    """
    while (
        isinstance(to, Related)
        and to.relation == relation in {"after", "before"}
        and is_unseen(to.what, seen)
    ):
        to = to.to[0]
    return to


def is_unseen(part: Part, seen: Mapping[str, Seen]) -> bool:
    """Whether nothing is known of when any of it happens."""
    return not any(seen[text].events or seen[text].times for text in texts_of(part))


def take_number(number: int, times: Sequence[Scored]) -> list[Scored]:
    """The time of that number, if each time is taken or dropped as is worth most in all.

    Args:
        number: From 1, or from ``LAST`` downwards.
        times: Apart from each other, in any order.

    Returns:
        One time; none where there are fewer.
    """
    in_order = sorted(times)
    if number < 0:
        in_order.reverse()
        number = -number
    shares = [share for _, share in _beside_the_surest(in_order)]
    # The greatest worth of the times so far if this many of them are taken.
    taken = [1.0, *[0.0] * number]
    chosen: list[int | None] = [None] * (number + 1)
    for index, share in enumerate(shares):
        # Once the number is reached, what comes later is taken or dropped and changes nothing.
        taken[number] *= max(share, DROPPED)
        reached = taken[number - 1] * share
        if reached > taken[number]:
            taken[number], chosen[number] = reached, index
        for count in range(number - 1, 0, -1):
            taken[count] = max(taken[count] * DROPPED, taken[count - 1] * share)
        taken[0] *= DROPPED
    found = chosen[number]
    return [] if found is None else [in_order[found]]


def precedes(earlier: Interval, later: Interval) -> bool:
    """Whether one is over before the other begins, except for half of the shorter one.

    Edges are as fine as captions; two events that follow each other may share some.
    """
    slack_s = min(earlier.length_s, later.length_s) / 2
    return earlier.start_s < later.start_s and earlier.end_s <= later.start_s + slack_s


def nearness(earlier: Interval, later: Interval) -> float:
    """What the time between two windows leaves of their worth, from 1 down to a half."""
    gap_s = max(0.0, later.start_s - earlier.end_s)
    return 0.5 + 0.5 / (1 + gap_s / NEAR_S)


def shared(one: Interval, other: Interval) -> Interval | None:
    """The time that both cover; None where they are apart."""
    start_s, end_s = max(one.start_s, other.start_s), min(one.end_s, other.end_s)
    return Interval(start_s, end_s) if start_s < end_s else None


def _beside_the_surest(times: Sequence[Scored]) -> list[Scored]:
    surest = max((probability for _, probability in times), default=0.0)
    return [(span, probability / surest if surest else 0.0) for span, probability in times]


def _likeliest_first(windows: Iterable[Scored]) -> list[Scored]:
    return sorted(windows, key=lambda one: (-one[1], one[0]))


def _matches(
    window: Interval, relation: Relation, others: Sequence[Sequence[Scored] | None]
) -> list[tuple[Interval, float, float]]:
    """The window, or part of it, with the probability of what places it and how near that is.

    None among the others is one that is dropped.
    """
    dropped = [(UNSEEN, 1.0)]
    first, last = others[0], others[-1]
    if relation == "while":
        if first is None:
            return [(window, UNSEEN, 1.0)]
        return [
            (both, sure, 1.0)
            for other, sure in first
            if (both := shared(window, other)) is not None
        ]
    befores = (
        dropped
        if first is None
        else [(sure, nearness(one, window)) for one, sure in first if precedes(one, window)]
    )
    afters = (
        dropped
        if last is None
        else [(sure, nearness(window, one)) for one, sure in last if precedes(window, one)]
    )
    sides = {"after": [befores], "before": [afters], "between": [befores, afters]}[relation]
    if not all(sides):
        return []
    sure = near = 1.0
    for side in sides:
        best = max(side, key=lambda one: one[0] * one[1])
        sure, near = sure * best[0], near * best[1]
    return [(window, sure, near)]
