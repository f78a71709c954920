"""Which sampled frames show something new, so that a still picture is described once.

Each frame is compared with the last one described, not with its neighbour: slow change adds up.
What counts is the block that changed most, never the mean of the picture: a hand or a face is 3% of
it. Both sides of a change are described, so that nothing is known less finely than by every frame.
Pictures of a camera that moves are not laid on top of each other first: what that would save was
not measurable on hand-held videos, and it may hide what is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.captioners.protocol import Captioner
    from tools.timeline import Frame, Image

POLICY = "distinct2"
"""Names what is kept, in the tracks of captions; changes whenever other frames would be."""

COLUMNS, ROWS = 64, 36
"""Cells of the small picture that is compared."""

BLOCKS = ((4, 0.08), (2, 0.18))
"""Cells along a side of a block, and the mean change of a block, of 1, that is something new: of
0.7% of the picture by 20 grey levels, or of a quarter of that by 46."""

MAX_SKIPPED_S = 2.0
"""However still it is, no stretch longer than this counts as looking like a frame before it."""

LATE_S = 0.1
"""A sampled frame comes up to one frame interval after its slot."""


@runtime_checkable
class LearnsFromEveryFrame(Protocol):
    """A captioner that must be shown still pictures too, and asks little for it.

    Attributes:
        needs_every_frame: Whether it is so.
    """

    @property
    def needs_every_frame(self) -> bool: ...


def needs_every_frame(captioner: Captioner) -> bool:
    """Whether a captioner says so; any other is assumed to cost time or money."""
    return isinstance(captioner, LearnsFromEveryFrame) and captioner.needs_every_frame


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """A picture, as small as comparing allows.

    Attributes:
        blocks: For each of ``BLOCKS`` the mean colours around every cell, shape ``(36, 64, 3)``
            float32, 0 to 1.
    """

    blocks: tuple[NDArray[np.float32], ...]

    @classmethod
    def of(cls, image: Image) -> Signature:
        """The signature of an RGB image of any size."""
        import cv2

        cells = cv2.resize(image, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
        colours = cells.astype(np.float32) / np.float32(255)
        return cls(
            tuple(np.asarray(cv2.blur(colours, (side, side)), np.float32) for side, _ in BLOCKS)
        )

    def change(self, other: Signature) -> float:
        """How much the worst block differs, as a multiple of what is something new."""
        return max(
            float(np.abs(here - there).max()) / least
            for here, there, (_, least) in zip(self.blocks, other.blocks, BLOCKS, strict=True)
        )


class DistinctFrames:
    """Goes through the sampled frames of one video and chooses those that show something new."""

    def __init__(self) -> None:
        self._described: Signature | None = None
        self._skipped: Frame | None = None
        self._skipped_from_s: float | None = None
        self._previous_s = 0.0

    def choose(self, frame: Frame) -> list[Frame]:
        """Which frames to describe once the next one in time order is there.

        Returns:
            In time order: none, this one, or the one before it and this one. The one before shows
            what was there until the change that this one shows.
        """
        signature = Signature.of(frame.image)
        step_s, self._previous_s = frame.time_s - self._previous_s, frame.time_s
        from_s = frame.time_s if self._skipped_from_s is None else self._skipped_from_s
        # Without this frame nothing would be described until the next one, a step later.
        is_due = frame.time_s + step_s - from_s > MAX_SKIPPED_S + LATE_S
        shows_change = self._described is None or signature.change(self._described) >= 1
        if not shows_change and not is_due:
            self._skipped, self._skipped_from_s = frame, from_s
            return []
        before = [self._skipped] if shows_change and self._skipped else []
        self._described, self._skipped, self._skipped_from_s = signature, None, None
        return [*before, frame]
