"""Which sampled frames show something new, so that a still picture is described once.

Each frame is compared with the last one kept, not with its neighbour: slow change adds up. Two
signatures that fail in different places decide together: the mean difference of small grey pictures
sees light and colour change everywhere, and the gradient bits (dHash: Krawetz, "Kind of like that",
2013) see shapes. The thresholds were chosen on 80 labelled events in 18 real videos; none was lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.captioners.protocol import Captioner
    from tools.timeline import Image

POLICY = "distinct1"
"""Names what is kept, in the tracks of captions; changes whenever other frames would be."""

GREY_SIDE = 32
HASH_ROWS, HASH_COLUMNS = 8, 9

LARGE_DIFFERENCE = 0.06
"""Mean difference, of 1, that is something new whatever the shapes say."""

SMALL_DIFFERENCE = 0.01
"""Below this it is noise, whatever the shapes say."""

MANY_BITS = 8
"""Of 64 bits: the shapes changed."""

SETTLED_BITS, SETTLED_DIFFERENCE = 4, 0.0075
"""A smaller change counts once the picture moves no more: who left has left the room empty."""

MAX_KEPT_S = 10.0
"""However still it is, a picture is described again after so long."""


@runtime_checkable
class LearnsFromEveryFrame(Protocol):
    """A captioner that must be shown still pictures too, and asks little for it.

    Attributes:
        needs_every_frame: Whether it is so.
    """

    @property
    def needs_every_frame(self) -> bool: ...


def needs_every_frame(captioner: Captioner) -> bool:
    """Whether a captioner says so; any other is taken for one that costs time or money."""
    return isinstance(captioner, LearnsFromEveryFrame) and captioner.needs_every_frame


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """A picture, as small as comparing allows.

    Attributes:
        grey: Shape ``(32, 32)`` float32, 0 black to 1 white.
        bits: Shape ``(64,)`` bool: whether it grows brighter to the right, on an 8 × 8 grid.
    """

    grey: NDArray[np.float32]
    bits: NDArray[np.bool_]

    @classmethod
    def of(cls, image: Image) -> Signature:
        """The signature of an RGB image of any size."""
        import cv2

        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, (GREY_SIDE, GREY_SIDE), interpolation=cv2.INTER_AREA)
        # From the small one: the same means to a grey level, in a tenth of the time.
        coarse = cv2.resize(small, (HASH_COLUMNS, HASH_ROWS), interpolation=cv2.INTER_AREA)
        bits = coarse[:, 1:] > coarse[:, :-1]
        return cls(small.astype(np.float32) / np.float32(255), np.asarray(bits).ravel())

    def difference(self, other: Signature) -> float:
        """Mean absolute difference of the grey pictures, 0 to 1."""
        return float(np.abs(self.grey - other.grey).mean())

    def bits_apart(self, other: Signature) -> int:
        """Hamming distance of the bits, 0 to 64."""
        return int(np.count_nonzero(self.bits != other.bits))


class DistinctFrames:
    """Goes through the sampled frames of one video and keeps those that show something new."""

    def __init__(self) -> None:
        self._kept: Signature | None = None
        self._kept_s = 0.0
        self._previous: Signature | None = None

    def keeps(self, image: Image, time_s: float) -> bool:
        """Whether the next frame in time order is kept; what follows is compared with it then."""
        signature = Signature.of(image)
        is_new = (
            self._kept is None
            or self._previous is None
            or time_s - self._kept_s >= MAX_KEPT_S - 1e-6
            or _differs(signature, self._kept, self._previous)
        )
        self._previous = signature
        if is_new:
            self._kept, self._kept_s = signature, time_s
        return is_new


def _differs(now: Signature, kept: Signature, previous: Signature) -> bool:
    difference = now.difference(kept)
    if difference >= LARGE_DIFFERENCE:
        return True
    if difference < SMALL_DIFFERENCE:
        return False
    bits = now.bits_apart(kept)
    has_settled = now.difference(previous) < SETTLED_DIFFERENCE
    return bits >= MANY_BITS or (bits >= SETTLED_BITS and has_settled)
