"""Which sampled frames show something new, so that a still picture is described once.

Each frame is compared with the last one described, not with its neighbour: slow change adds up. It
shows something new if the light changed, if a block changed much, or if there is enough that cannot
be explained by things that moved a little: a hand or a face is 3% of a picture, a line of text less
than a block is high, and the outline of somebody who stands there is never quite still. Both sides
of a change are described, so that nothing is known less finely than by every frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.captioners.protocol import Captioner
    from tools.timeline import Frame, Image

POLICY = "distinct4"
"""Names what is kept, in the tracks of captions; changes whenever other frames would be."""

ALIKE_POLICIES = r"distinct[34]"
"""This one and those that held captions in the same way, as a regular expression."""

COLUMNS, ROWS = 64, 36
"""Cells of the small picture that is compared."""

NEW_LIGHT = 0.08
"""Change of the light over the whole picture, of 1, that is something new: of 20 grey levels."""

NEW_BLOCKS = ((4, 0.16), (2, 0.36))
"""Cells along a side of a block, and the mean change of a block, of 1, that is something new."""

NEW_SHARE = 0.0004
"""Mean over the picture, of 1, of what neighbours do not explain, that is something new: 1% of the
picture by 10 grey levels, in any shape, if it is larger than noise."""

NOISE = 5 / 255
"""Change of a cell that may always be grain or compression."""

USUAL_PERCENT = 92
"""Of the cells, in which no event is; what they show that neighbours do not explain is noise."""

BLURS = ((1, 3.5), (3, 2.75))
"""Cells along a side over which the pictures are averaged, and how many times the noise a change
must be. Averaging takes grain away from what covers several cells, and takes thin lines away."""

LIGHT_ROWS = 9
"""Light may differ from row to row, as lamps flicker while a picture is taken: over so many rows it
hardly does, and what is lower than half of that is no light."""

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
        cells: Mean colours, shape ``(36, 64, 3)`` float32, 0 to 1.
    """

    cells: NDArray[np.float32]

    @classmethod
    def of(cls, image: Image) -> Signature:
        """The signature of an RGB image of any size."""
        import cv2

        cells = cv2.resize(image, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
        return cls(cells.astype(np.float32) / np.float32(255))

    def change(self, other: Signature) -> float:
        """How much differs, as a multiple of what is something new; beyond 1, at least so much."""
        import cv2

        change = self.cells - other.cells
        rows = np.median(change, axis=1)
        light = np.median(rows, axis=0)
        most = max(
            float(np.abs(light).max()) / NEW_LIGHT,
            *(
                float(np.abs(cv2.blur(change, (side, side))).max()) / least
                for side, least in NEW_BLOCKS
            ),
        )
        lit = np.asarray(other.cells + _smooth(rows)[:, np.newaxis], np.float32)
        for side, times in BLURS:
            if most >= 1:
                break
            here, there = _averaged(self.cells, side), _averaged(lit, side)
            unexplained = np.maximum(
                _beyond_neighbours(here, there), _beyond_neighbours(there, here)
            ).max(axis=2)
            usual = unexplained.size * USUAL_PERCENT // 100
            noise = max(NOISE, times * float(np.partition(unexplained, usual, axis=None)[usual]))
            new = float(unexplained[unexplained > noise].sum()) / unexplained.size
            most = max(most, new / NEW_SHARE)
        return most


def _averaged(cells: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.blur(cells, (side, side)), np.float32) if side > 1 else cells


def _smooth(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median of each row and those around it."""
    reach = LIGHT_ROWS // 2
    padded = np.pad(rows, ((reach, reach), (0, 0)), mode="reflect")
    around = np.lib.stride_tricks.sliding_window_view(padded, LIGHT_ROWS, axis=0)
    return np.asarray(np.median(around, axis=-1), np.float32)


def _beyond_neighbours(
    here: NDArray[np.float32], there: NDArray[np.float32]
) -> NDArray[np.float32]:
    """By how much each cell is darker or brighter than all cells around its place in the other."""
    import cv2

    around = np.ones((3, 3), np.uint8)
    darker = cv2.erode(there, around) - here
    brighter = here - cv2.dilate(there, around)
    return np.asarray(np.maximum(np.maximum(darker, brighter), 0), np.float32)


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
