"""Where between two looks an event begins or ends, from closer looks at the time between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.timeline import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FRAMES_PER_EDGE = 16
"""Frames that one edge is worth: eight seconds between two looks at two frames a second."""

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 2.0, 8.0
"""Below, a closer look gains little; above, nobody can tell neighbouring frames apart."""

FINE_ENOUGH_S = 0.25
"""An edge that is known this well is not looked at again."""


def look_rate_hz(span: Interval) -> float | None:
    """Frames a second for the time between two looks; None where they are close enough already."""
    if span.length_s <= FINE_ENOUGH_S:
        return None
    rate_hz = min(HIGHEST_RATE_HZ, max(LOWEST_RATE_HZ, FRAMES_PER_EDGE / 2 / span.length_s))
    return min(rate_hz, FRAMES_PER_EDGE / span.length_s)


def likeness(
    looks: NDArray[np.float32],
    *,
    inside: NDArray[np.float32],
    outside: NDArray[np.float32],
    query: NDArray[np.float32],
) -> Floats:
    """How much more each look is like the event than like the time beside it, shape ``(n,)``.

    Positive: like the event. Two cosines are added: to what is said in the event and beside it, and
    to the query, from half way between the two.

    Args:
        looks: Shape ``(n, d)``, unit embeddings of what is said of each closer look.
        inside: Shape ``(k, d)``, of captions in the event near this edge.
        outside: Shape ``(l, d)``, of captions beside it.
        query: Shape ``(d,)``.
    """
    in_event, beside = inside.mean(axis=0), outside.mean(axis=0)
    middle = (in_event @ query + beside @ query) / 2
    return np.asarray(looks @ (in_event - beside) + looks @ query - middle, np.float64)


def begins_at(likeness: Floats) -> int:
    """The first of the looks that belong to the event, by the best single change.

    Returns:
        An index in ``0..n``; ``n`` where none of them belongs to it.
    """
    # What is lost by leaving the first k out, for every k: the event is what comes from there on.
    before = np.concatenate([[0.0], np.cumsum(likeness)])
    # The latest of equals: nothing is claimed that the looks do not show.
    return int(len(before) - 1 - np.argmin(before[::-1]))


def ends_after(likeness: Floats) -> int:
    """How many of the looks, from the first on, belong to the event; as ``begins_at``."""
    return len(likeness) - begins_at(likeness[::-1])


def marked(likeness: Floats, *, denied: Sequence[bool]) -> Floats:
    """The same with the looks that a captioner denies outright kept outside."""
    least = -max(float(np.abs(likeness).max(initial=0.0)), 1e-6)
    return np.where(np.asarray(denied, dtype=bool), least, likeness)
