"""Shot cuts, from the brightness of every decoded frame, so that none falls between two samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pictures = NDArray[np.float32]

MIN_CHANGE = 0.05
"""Mean absolute change of luma, of 1, below which a cut looks like movement."""

MIN_RATIO = 3.0
"""A cut changes this many times more than its neighbours do; hand-held cameras stay below 2.5."""

BLOCK = 4
BLOCK_CHANGE = 0.04
MIN_BLOCKS = 0.3
"""A cut changes so many of the 4x4 blocks by so much; who walks by the camera changes fewer."""

NOISE_CHANGE = 0.01
"""Added to the neighbours' change, so that a still scene does not make everything a cut."""

BEFORE, AFTER = 8, 2
"""Frames of the neighbourhood on each side."""

MIN_SHOT_S = 0.2
"""Of two cuts closer than this the stronger stands: encoders settle within a few frames."""


class CutFinder:
    """Finds cuts in a stream of small luma pictures, handed over in batches."""

    def __init__(self) -> None:
        self._tail: Pictures | None = None
        self._last_cut_s = -np.inf

    def find(self, luma: NDArray[np.uint8], luma_s: NDArray[np.float64]) -> float | None:
        """The time of the strongest cut in this batch, or None.

        Args:
            luma: Shape ``(n, height, width)``, the frames since the batch before.
            luma_s: Shape ``(n,)``, the time of each.

        Returns:
            The time of the first frame of the new shot.
        """
        tail = self._tail
        frames: Pictures = luma.astype(np.float32) / np.float32(255)
        joined: Pictures = frames if tail is None else np.concatenate([tail, frames])
        self._tail = joined[-(BEFORE + 1) :]
        known = 1 if tail is None else len(tail)
        times_s = luma_s[1:] if tail is None else luma_s
        change = np.abs(np.diff(joined, axis=0)).mean(axis=(1, 2))
        best_s, best_ratio = None, MIN_RATIO
        for i, time_s in enumerate(times_s, start=known - 1):
            around = np.concatenate([change[max(0, i - BEFORE) : i], change[i + 1 : i + 1 + AFTER]])
            usual = float(np.median(around)) if len(around) else 0.0
            ratio = float(change[i]) / (usual + NOISE_CHANGE)
            if (
                change[i] >= MIN_CHANGE
                and ratio >= best_ratio
                and time_s - self._last_cut_s >= MIN_SHOT_S
                and _changed_blocks(joined[i], joined[i + 1]) >= MIN_BLOCKS
                and not _is_flash(joined, i)
            ):
                best_s, best_ratio = float(time_s), ratio
        if best_s is not None:
            self._last_cut_s = best_s
        return best_s


def _is_flash(frames: Pictures, change_index: int) -> bool:
    """Whether the picture from before the change is back within ``AFTER`` frames of it."""
    before = frames[change_index]
    later = frames[change_index + 2 : change_index + 2 + AFTER]
    return any(float(np.abs(one - before).mean()) < MIN_CHANGE / 2 for one in later)


def _changed_blocks(one: Pictures, other: Pictures) -> float:
    height, width = (side // BLOCK * BLOCK for side in one.shape)
    differs = (one - other)[:height, :width]
    blocks = differs.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK).mean(axis=(1, 3))
    return float((np.abs(blocks) > BLOCK_CHANGE).mean())
