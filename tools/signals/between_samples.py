"""What the frames between two samples refute of what the first of them shows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from tools.signals.claims import Claim, Kind
from tools.signals.palette import screen_claim
from tools.timeline import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCREENS: frozenset[Kind] = frozenset({"black", "white", "dark", "bright", "unchanged"})
"""Claims about the whole picture, which are false of a picture that flickers."""

PASSING: frozenset[Kind] = frozenset({"black", "white"})

NEARLY_BLACK, NEARLY_WHITE = 40, 215
"""Mean brightness, of 255, beyond which a closer look at a frame is worth its time."""

FLICKER = 0.15
"""Change of the mean brightness, of 1, that is a flicker when it goes there and back."""


def held(claims: Sequence[Claim], luma: NDArray[np.uint8]) -> list[Claim]:
    """The claims of a sampled frame that hold until the next one.

    What changes once between two samples has changed somewhere between them, as edges of answers
    say. What goes and comes back was no state at all.

    Args:
        claims: Of the frame.
        luma: The frame, every decoded frame after it, and the next sample, as ``Frame.luma``.
    """
    kept = [claim for claim in claims if not _is_belied(claim.kind, luma)]
    if flickers(luma):
        kept.append(Claim("flickers"))
    return kept or [Claim("medium")]


def passing_screens(
    luma: NDArray[np.uint8], luma_s: NDArray[np.float64]
) -> list[tuple[Claim, Interval]]:
    """Black and white screens that come and go between two samples, neither of which shows them.

    Args:
        luma: A sample, every decoded frame after it, and the next sample, as ``Frame.luma``.
        luma_s: Shape ``(n,)``, the time of each.

    Returns:
        In time order, each from its first frame to the first one after it; none where the picture
        flickers, which is no state.
    """
    means = luma.mean(axis=(1, 2))
    if flickers(luma) or not ((means < NEARLY_BLACK) | (means > NEARLY_WHITE)).any():
        return []
    kinds = [screen_claim(one).kind for one in luma]
    found: list[tuple[Claim, Interval]] = []
    first = 0
    for kind, run in groupby(kinds):
        after = first + len(list(run))
        if kind in PASSING and first > 0 and after < len(kinds):
            found.append((Claim(kind), Interval(float(luma_s[first]), float(luma_s[after]))))
        first = after
    return found


def flickers(luma: NDArray[np.uint8]) -> bool:
    """Whether the brightness goes up and down again, or down and up, at least twice."""
    means = luma.mean(axis=(1, 2)) / 255
    steps = [change for change in np.diff(means) if abs(change) >= FLICKER]
    turns = sum(bool((one > 0) != (other > 0)) for one, other in pairwise(steps))
    return turns >= 3


def _is_belied(kind: Kind, luma: NDArray[np.uint8]) -> bool:
    if kind not in SCREENS:
        return False
    if kind == "unchanged":
        shows = np.abs(luma.astype(np.int16) - luma[0]).mean(axis=(1, 2)) / 255 < FLICKER
    else:
        shows = np.array([screen_claim(one).kind == kind for one in luma])
    return bool(np.count_nonzero(np.diff(shows)) >= 2)
