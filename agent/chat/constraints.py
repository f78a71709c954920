"""Order and time, decided in code over intervals: what comes after, and which is the second.

Pure functions.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.chat.follow_up import Relation
from agent.chat.turns import Moment

FAIR_CONFIDENCE = 0.1
FAIR_SHARE = 1 / 3  # of the best answer's
"""With at least this share of its confidence, a candidate may stand in for an answer."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a constraint is relative to: a stretch, or a moment (``end_s == start_s``)."""

    start_s: float
    end_s: float


def fits(moment: Moment, relation: Relation, reference: Reference | None) -> bool:
    """Whether an interval lies where a constraint wants it.

    ``after``: it begins at the reference's end or later. ``before``: it ends at the reference's
    start or earlier. ``during`` and ``at``: they share some time, or the moment lies in it.
    """
    if relation == "anywhere" or reference is None:
        return True
    if relation == "after":
        return moment.start_s >= reference.end_s
    if relation == "before":
        return moment.end_s <= reference.start_s
    if reference.start_s == reference.end_s:
        return moment.start_s <= reference.start_s < moment.end_s
    return moment.start_s < reference.end_s and reference.start_s < moment.end_s


def nth(moments: Iterable[Moment], which: int | None) -> tuple[Moment, ...]:
    """In time order: all of them, or only the ``which``-th (-1 the last), if there is one."""
    ordered = sorted(moments, key=lambda moment: (moment.start_s, moment.end_s))
    if which is None:
        return tuple(ordered)
    place = which - 1 if which > 0 else len(ordered) + which
    return (ordered[place],) if 0 <= place < len(ordered) else ()


def select(
    found: Iterable[Moment], *, relation: Relation, reference: Reference | None, which: int | None
) -> tuple[tuple[Moment, ...], int]:
    """The intervals that fit a constraint, and how many there were before one was chosen.

    Args:
        found: In any order.
        relation: Where the interval has to lie.
        reference: What ``relation`` is relative to; None with ``anywhere``.
        which: Which of those that fit.

    Returns:
        In time order.
    """
    fitting = [moment for moment in found if fits(moment, relation, reference)]
    return nth(fitting, which), len(fitting)


def within_of(relation: Relation, reference: Reference | None) -> tuple[float, float] | None:
    """The seconds in which a fitting interval can lie; None for the whole video."""
    if relation == "anywhere" or reference is None:
        return None
    if relation == "after":
        return reference.end_s, sys.float_info.max
    if relation == "before":
        return 0.0, reference.start_s
    return reference.start_s, reference.end_s


def fair_candidates(found: Sequence[Moment], candidates: Sequence[Moment]) -> list[Moment]:
    """Candidates good enough to be named as such: apart from the answers and from each other."""
    if not found:
        return []
    least = max(FAIR_CONFIDENCE, FAIR_SHARE * max(one.confidence or 0.0 for one in found))
    taken, fair = list(found), list[Moment]()
    for one in sorted(candidates, key=lambda candidate: -(candidate.confidence or 0.0)):
        apart = all(one.span.overlap_s(other.span) == 0 for other in taken)
        if apart and (one.confidence or 0.0) >= least:
            taken.append(one)
            fair.append(one)
    return fair
