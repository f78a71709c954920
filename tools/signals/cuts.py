"""Shot cuts, from the brightness of every decoded frame, so that none falls between two samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.timeline import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pictures = NDArray[np.float32]
    Times = NDArray[np.float64]

MIN_CHANGE = 0.05
"""Mean absolute change of luma, of 1, below which a cut looks like movement."""

MIN_RATIO = 3.0
"""A cut changes this many times more than its neighbours do; hand-held cameras stay below 2.5."""

GOES_ON, MIN_AFTER = 0.6, 3
"""What slides, is wiped or whipped away goes on changing: this share of what so many frames after
it change counts as usual, too."""

NOISE_CHANGE = 0.01
"""Added to the neighbours' change, so that a still scene does not make everything a cut."""

BEFORE, AFTER = 8, 4
"""Frames of the neighbourhood on each side; also the longest flash."""

RETURNS = 0.4
"""Two frames around a change that differ by less than this share of it show the same: a flash."""

FAR_APART_S = 0.2
"""In a longer time somebody steps in front of the camera; then only ``MIN_BLOCKS`` prove a cut."""

BLOCK = 4
BLOCK_CHANGE = 0.04
MIN_BLOCKS = 0.3
"""A cut changes this many of the 4x4 blocks by this much; a passer-by changes fewer."""

SAME_SHAPES = 0.95
"""Correlation of two pictures that show the same in another light."""

FLAT = 0.02
"""Deviation of the brightness, of 1, of a picture that shows nothing."""

MIN_SHOT_S = 0.2
"""Two cuts are not closer than this: encoders take a few frames to settle after one."""


class CutFinder:
    """Finds cuts in a stream of small luma pictures, handed over in batches."""

    def __init__(self) -> None:
        self._frames: Pictures | None = None
        self._times_s: Times = np.empty(0)
        self._last_cut_s = -np.inf

    def find(self, luma: NDArray[np.uint8], luma_s: Times) -> list[Interval]:
        """The cuts in this batch.

        Args:
            luma: Shape ``(n, height, width)``, the frames since the batch before.
            luma_s: Shape ``(n,)``, the time of each.

        Returns:
            In time order; each begins with the first frame of the new shot, and is as long as the
            time since the frame before: the cut lies somewhere in it.
        """
        frames: Pictures = luma.astype(np.float32) / np.float32(255)
        times_s = np.concatenate([self._times_s, luma_s])
        if self._frames is not None:
            frames = np.concatenate([self._frames, frames])
        first_new = max(1, len(frames) - len(luma))
        self._frames, self._times_s = frames[-BEFORE - 1 :], times_s[-BEFORE - 1 :]
        change = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2))
        ratios = {
            i: ratio
            for i in range(first_new, len(frames))
            if (ratio := _stands_out(change, i - 1)) >= MIN_RATIO
            and change[i - 1] >= MIN_CHANGE
            and _is_another_picture(frames, times_s, i)
        }
        cuts = [i for i in ratios if self._is_strongest(i, ratios, times_s)]
        if cuts:
            self._last_cut_s = float(times_s[cuts[-1]])
        edges_s = [(float(times_s[i]), float(times_s[i] - times_s[i - 1])) for i in cuts]
        return [Interval(at_s, at_s + fine_s) for at_s, fine_s in edges_s]

    def _is_strongest(self, i: int, ratios: dict[int, float], times_s: Times) -> bool:
        """Whether no stronger cut is too near."""
        if times_s[i] - self._last_cut_s < MIN_SHOT_S:
            return False
        near = (j for j in ratios if abs(times_s[j] - times_s[i]) < MIN_SHOT_S)
        return max(near, key=ratios.__getitem__) == i


def _stands_out(change: Pictures, i: int) -> float:
    before, after = change[max(0, i - BEFORE) : i], change[i + 1 : i + 1 + AFTER]
    around = np.concatenate([before, after[: AFTER // 2]])
    usual = float(np.median(around)) if len(around) else 0.0
    if len(after) >= MIN_AFTER:
        usual = max(usual, GOES_ON * float(np.median(after)))
    return float(change[i]) / (usual + NOISE_CHANGE)


def _is_another_picture(frames: Pictures, times_s: Times, i: int) -> bool:
    """Whether frame ``i`` starts something else: no flash nor its end, nobody who steps in."""
    before, now = frames[i - 1], frames[i]
    if _returns(frames, i):
        return False
    if _likeness(before, now) >= SAME_SHAPES:
        # Somebody switched the light on or off.
        return False
    if _is_end_of_fade(frames, i):
        return False
    return times_s[i] - times_s[i - 1] <= FAR_APART_S or _changed(before, now) >= MIN_BLOCKS


def _returns(frames: Pictures, i: int) -> bool:
    """Whether what was shown before a change is shown soon after it."""
    earlier, later = frames[max(0, i - 1 - AFTER) : i], frames[i : i + 1 + AFTER]
    apart = np.abs(earlier[:, np.newaxis] - later[np.newaxis]).mean(axis=(2, 3))
    return bool(apart.min() < RETURNS * apart[-1, 0])


def _is_end_of_fade(frames: Pictures, i: int) -> bool:
    """Whether the picture goes dark or bright, or comes from there, over several frames."""
    if frames[i].std() < FLAT and i >= 2:
        one, other = frames[i - 2], frames[i - 1]
    elif frames[i - 1].std() < FLAT and i + 1 < len(frames):
        one, other = frames[i], frames[i + 1]
    else:
        return False
    return not _is_alike(one, other) and _likeness(one, other) >= SAME_SHAPES


def _likeness(one: Pictures, other: Pictures) -> float:
    """Correlation of two pictures, whatever their brightness and contrast."""
    first, second = one - one.mean(), other - other.mean()
    return float((first * second).mean() / max(1e-6, first.std() * second.std()))


def _is_alike(one: Pictures, other: Pictures) -> bool:
    return float(np.abs(one - other).mean()) < MIN_CHANGE / 2


def _changed(one: Pictures, other: Pictures) -> float:
    """Share of the blocks whose mean brightness changed."""
    height, width = (side // BLOCK * BLOCK for side in one.shape)
    differs = (one - other)[:height, :width]
    blocks = differs.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK).mean(axis=(1, 3))
    return float((np.abs(blocks) > BLOCK_CHANGE).mean())
