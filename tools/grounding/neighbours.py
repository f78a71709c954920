"""What comes just before or after something: the time until captions change most."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

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
) -> Interval | None:
    """The time beside a span, up to the greatest change from one caption to the next.

    Args:
        span: What is known.
        side: Which time beside it is wanted.
        captions: One track of one video, in time order.
        vectors: Shape ``(n, d)``, their unit embeddings.

    Returns:
        A span whose edges are edges of captions; None where no caption lies there.
    """
    if side == "after":
        there = [index for index, one in enumerate(captions) if one.start_s >= span.end_s - 1e-3]
    else:
        there = [index for index, one in enumerate(captions) if one.end_s <= span.start_s + 1e-3]
        there.reverse()
    if not there:
        return None
    reached = captions[there[0]].span
    best, least = reached, np.inf
    for this, then in pairwise(there):
        likeness = float(vectors[this] @ vectors[then])
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
