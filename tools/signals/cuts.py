"""Shot cuts, from the brightness of every decoded frame, so that none falls between two samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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

LONGEST_S = 0.25
"""Where frames are farther apart, a player shows the one before until the new shot begins."""

NEAR_S = 1.0
"""Frames farther apart, as of a recorded screen, have no part in one slide, whip or flash."""

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

LEAST_RATIO = 1.5
"""With less than ``MIN_RATIO`` but this, the brightness decides: where a camera is shaken, things
only change places, and as much of the picture is light or dark as before."""

LEVEL_STEP, LEVELS_NOISE = 4, 0.02
"""Of 255: how fine levels of brightness are told apart; share of a picture that noise moves."""

LEVELS_RATIO = 1.7
"""A cut moves this many times more of a picture to other levels than any of its neighbours. On
four real videos it is at least 1.8 for cuts, and at most 1.55 for anything else."""

MIN_BLOCKS_MOVED = 0.2
"""As ``MIN_BLOCKS``, where the levels say that it is a cut."""

RUN, RUN_LEVELS = 0.5, 0.4
"""Shares of the change of a frame, and of the picture that it moves to other levels. A neighbour
that reaches both changes as much: the camera is whipped round."""

MIXED = 0.25
"""Of the difference of two pictures: no farther from a mix of both is a frame that mixes them."""


AT_ONCE = 256
"""So many frames are taken up at a time, however many a batch has."""


class CutFinder:
    """Finds cuts in a stream of small luma pictures, handed over in batches of any size.

    A cut is told by what follows it, so it is known a few frames late.
    """

    def __init__(self) -> None:
        self._luma = np.empty((0, 0, 0), np.uint8)
        self._times_s: Times = np.empty(0)
        # Of each picture from the one before.
        self._change: Pictures = np.empty(0, np.float32)
        self._next = 1
        self._likely: list[_Likely] = []
        self._undecided = 0
        self._last_cut_s = -np.inf

    @property
    def known_until_s(self) -> float:
        """No cut up to this time is still to be found."""
        return float(self._times_s[self._next - 1]) - MIN_SHOT_S if self._next > 1 else -np.inf

    def find(self, luma: NDArray[np.uint8], luma_s: Times) -> list[Interval]:
        """The cuts that are known with this batch, and were not with the one before.

        Args:
            luma: Shape ``(n, height, width)``, the frames since the batch before.
            luma_s: Shape ``(n,)``, the time of each.

        Returns:
            In time order; each begins with the first frame of the new shot, and is as long as the
            time since the frame before, but for at most ``LONGEST_S``.
        """
        cuts = []
        for first in range(0, len(luma), AT_ONCE):
            self._add(luma[first : first + AT_ONCE], luma_s[first : first + AT_ONCE])
            self._rate(len(self._times_s) - AFTER)
            cuts += self._decide(self.known_until_s)
            passed = max(0, self._next - BEFORE - 1)
            self._luma, self._times_s = self._luma[passed:], self._times_s[passed:]
            self._change, self._next = self._change[passed:], self._next - passed
        return cuts

    def finish(self) -> list[Interval]:
        """The cuts among the last frames, of which nothing follows any more."""
        self._rate(len(self._times_s))
        return self._decide(np.inf)

    def _add(self, luma: NDArray[np.uint8], luma_s: Times) -> None:
        before = self._luma[-1:] if len(self._luma) else luma[:1]
        change = np.abs(np.diff(_shares(np.concatenate([before, luma])), axis=0)).mean(axis=(1, 2))
        self._luma = np.concatenate([self._luma, luma]) if len(self._luma) else luma
        self._times_s = np.concatenate([self._times_s, luma_s])
        self._change = np.concatenate([self._change, change])

    def _rate(self, until: int) -> None:
        """Note which of the frames before ``until`` look like the first of a new shot."""
        for i in range(self._next, until):
            if self._change[i] < MIN_CHANGE:
                continue
            ratio = _stands_out(self._change[1:], self._times_s[1:], i - 1)
            if ratio < LEAST_RATIO:
                continue
            first = max(0, i - BEFORE - 1)
            around = slice(first, i + AFTER + 1)
            near = _Near(self._luma[around], self._times_s[around], self._change[around], i - first)
            if near.is_cut(ratio):
                apart_s = min(LONGEST_S, near.time_s - float(self._times_s[i - 1]))
                span = Interval(near.time_s, near.time_s + apart_s)
                self._likely.append(_Likely(span, ratio))
        self._next = max(self._next, until)

    def _decide(self, until_s: float) -> list[Interval]:
        """Of those up to ``until_s``, the ones near which no stronger cut is."""
        cuts = []
        while self._undecided < len(self._likely):
            one = self._likely[self._undecided]
            if one.span.start_s > until_s:
                break
            self._undecided += 1
            at_s = one.span.start_s
            near = [other for other in self._likely if abs(other.span.start_s - at_s) < MIN_SHOT_S]
            is_strongest = max(near, key=lambda other: other.ratio) is one
            if is_strongest and at_s - self._last_cut_s >= MIN_SHOT_S:
                self._last_cut_s = at_s
                cuts.append(one.span)
        return cuts


class _Likely(NamedTuple):
    """A change that looks like a cut, with how far it stands out."""

    span: Interval
    ratio: float


class _Near:
    """A few frames around frame ``i``, which may be the first of a new shot."""

    def __init__(self, luma: NDArray[np.uint8], times_s: Times, change: Pictures, i: int) -> None:
        self._luma, self._frames = luma, _shares(luma)
        self._times_s, self._change = times_s, change
        self._i = i

    @property
    def time_s(self) -> float:
        return float(self._times_s[self._i])

    def is_cut(self, ratio: float) -> bool:
        frames, times_s, i = self._frames, self._times_s, self._i
        if not _is_another_picture(frames, times_s, i):
            return False
        levels = _level_changes(self._luma)
        if _goes_on(frames, self._change, levels, i):
            return False
        return ratio >= MIN_RATIO or (
            levels[i] >= LEVELS_RATIO * _most_beside(levels, i)
            and _changed(frames[i - 1], frames[i]) >= MIN_BLOCKS_MOVED
        )


def _shares(luma: NDArray[np.uint8]) -> Pictures:
    return luma.astype(np.float32) / np.float32(255)


def _level_changes(luma: NDArray[np.uint8]) -> Pictures:
    """How much of each picture has another brightness than in the one before, wherever it is."""
    counts = np.array(
        [np.bincount((one // LEVEL_STEP).ravel(), minlength=256 // LEVEL_STEP) for one in luma]
    )
    moved = np.abs(np.diff(counts, axis=0)).sum(axis=1) / 2 / luma[0].size
    return np.concatenate([[0.0], moved]).astype(np.float32)


def _most_beside(levels: Pictures, i: int) -> float:
    others = np.concatenate([levels[1:i], levels[i + 1 :]])
    return float(others.max(initial=0.0)) + LEVELS_NOISE


def _goes_on(frames: Pictures, change: Pictures, levels: Pictures, i: int) -> bool:
    """Whether a neighbouring frame changes nearly as much: the camera is whipped round.

    A frame that mixes the two shots, or shows nothing, lies within a cut.
    """
    least, least_levels = RUN * change[i], RUN_LEVELS * levels[i]
    first = last = i
    while first > 1 and change[first - 1] >= least and levels[first - 1] >= least_levels:
        first -= 1
    while last + 1 < len(change) and change[last + 1] >= least and levels[last + 1] >= least_levels:
        last += 1
    before, after = frames[first - 1], frames[last]
    return any(not _is_between(one, before, after) for one in frames[first:last])


def _is_between(one: Pictures, before: Pictures, after: Pictures) -> bool:
    """Whether a picture is a mix of two others, or flat."""
    if one.std() < FLAT:
        return True
    step = after - before
    share = float(((one - before) * step).sum() / max(1e-6, (step * step).sum()))
    mixed = before + min(1.0, max(0.0, share)) * step
    return float(np.abs(one - mixed).mean()) < MIXED * float(np.abs(step).mean())


def _stands_out(change: Pictures, times_s: Times, i: int) -> float:
    before, after = change[max(0, i - BEFORE) : i], change[i + 1 : i + 1 + AFTER]
    around = np.concatenate([before, after[: AFTER // 2]])
    usual = float(np.median(around)) if len(around) else 0.0
    after = after[times_s[i + 1 : i + 1 + AFTER] <= times_s[i] + NEAR_S]
    if len(after) >= MIN_AFTER:
        usual = max(usual, GOES_ON * float(np.median(after)))
    return float(change[i]) / (usual + NOISE_CHANGE)


def _is_another_picture(frames: Pictures, times_s: Times, i: int) -> bool:
    """Whether frame ``i`` starts something else: no flash nor its end, nobody who steps in."""
    before, now = frames[i - 1], frames[i]
    if _returns(frames, times_s, i):
        return False
    if _likeness(before, now) >= SAME_SHAPES:
        # Somebody switched the light on or off.
        return False
    if _is_end_of_fade(frames, i):
        return False
    return times_s[i] - times_s[i - 1] <= FAR_APART_S or _changed(before, now) >= MIN_BLOCKS


def _returns(frames: Pictures, times_s: Times, i: int) -> bool:
    """Whether what was shown before a change is shown soon after it."""
    near = np.abs(times_s - times_s[i]) <= NEAR_S
    near[max(0, i - 2) : i + 2] = True
    first, last = max(0, i - 1 - AFTER), i + 1 + AFTER
    earlier, later = frames[first:i][near[first:i]], frames[i:last][near[i:last]]
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
