"""What the frames between two samples refute of what the first of them shows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tools.signals.claims import Claim, Kind
from tools.signals.palette import screen_claim

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCREENS: frozenset[Kind] = frozenset({"black", "white", "dark", "bright", "unchanged"})
"""Claims about the whole picture, which are false of a picture that flickers."""

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
