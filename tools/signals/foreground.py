"""What stands in front of the empty picture of a fixed camera, and what moves in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]
    Mask = NDArray[np.bool_]
    Edges = NDArray[np.float32]

FOREGROUND_LEVEL = 28
"""Difference from the empty picture, of 255, that is more than noise, shade or compression."""

MOTION_LEVEL = 14
"""The same between two frames 0.1 s apart."""

MIN_SHARE = 0.006
"""Of the picture; a smaller patch is as often noise as a thing."""

UNMOVED_SHARE = 0.0005
"""Share of the pixels: no more of them change where nothing moves."""

JOIN_DISTANCE = 0.35
"""Of the picture: patches whose centres are nearer belong to one thing."""

LEARN_S = 6.0
"""Time constant at which the empty picture follows slow light."""

ABSORB_S = 45.0
"""What stays put this long belongs to the empty picture: a parked car, a chair that was moved."""

SETTLED_SHARE = 0.98
"""Share of a thing that has to stay put for it to be one of them."""

LIGHT_LEVEL, SAME_SHAPES = 15, 0.95
"""Of the mean brightness, and correlation of the pictures, where somebody switched the light."""

STILL_LEVEL = 10
"""A pixel that changes by less stays put."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where something is, as shares of the picture, in [0, 1].

    Attributes:
        x: Centre, from the left.
        y: Centre, from the top.
        share: Area.
        outlined: How many times stronger its outline is in this picture than in the empty one; 0
            where it was not compared. Both have one where a thing that was there from the start has
            moved a little.
    """

    x: float
    y: float
    share: float
    outlined: float = 0.0


class EmptyPicture:
    """Learns what a fixed camera shows when nothing is there, and finds what differs from it.

    The first frame stands for it until more is learnt; where that turns out wrong (what was there
    from the start walks off), the hole it leaves is recognised: the outline belongs to the old
    picture, not to the new one.

    Args:
        picture: Shape ``(height, width, 3)``, a few hundred pixels wide.
    """

    def __init__(self, picture: Picture) -> None:
        self._empty = picture.astype(np.float32)
        self._candidate = self._empty.copy()
        self._stays_s = np.zeros(picture.shape[:2], np.float32)

    def find(self, picture: Picture, *, since_s: float) -> tuple[list[Region], list[Region]]:
        """Compare one frame with the empty picture, then learn from it.

        Args:
            picture: The same shape as the first.
            since_s: Seconds since the frame before.

        Returns:
            What is there, and what was there from the start and has gone, biggest first.
        """
        now = picture.astype(np.float32)
        # Exposure drifts as a whole; what is in front covers less than half of the picture.
        offset = np.median(now - self._empty, axis=(0, 1))
        differs = np.abs(now - self._empty - offset).max(axis=2) > FOREGROUND_LEVEL
        edges = _edges(now), _edges(self._empty)
        present, gone = [], []
        things: list[Mask] = []
        for mask in _patches(differs):
            if _is_hole(mask, *edges):
                self._empty[mask] = now[mask]
                gone.append(_region(mask))
            else:
                things.append(mask)
                present.append(replace(_region(mask), outlined=_outlined(mask, *edges)))
        self._learn(now, things, since_s)
        return sorted(present, key=_by_share), sorted(gone, key=_by_share)

    def _learn(self, now: NDArray[np.float32], things: list[Mask], since_s: float) -> None:
        rate = 1 - math.exp(-since_s / LEARN_S)
        foreground = np.logical_or.reduce([np.zeros(now.shape[:2], bool), *things])
        around = ~cv2.dilate(foreground.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
        self._empty[around] += rate * (now[around] - self._empty[around])
        stays = np.abs(now - self._candidate).max(axis=2) < STILL_LEVEL
        self._candidate[~stays] = now[~stays]
        self._stays_s = np.where(stays, self._stays_s + since_s, 0).astype(np.float32)
        settled = self._stays_s > ABSORB_S
        for thing in things:
            # Whole, or not at all: a person who sits still moves a little, and stays a person.
            if settled[thing].mean() >= SETTLED_SHARE:
                self._empty[thing] = now[thing]


def has_changed(earlier: Picture, now: Picture) -> bool:
    """Whether any patch of one picture visibly differs from the other."""
    differs = cv2.absdiff(cv2.blur(earlier, (3, 3)), cv2.blur(now, (3, 3))).max(axis=2)
    return bool(_patches(differs > FOREGROUND_LEVEL))


def is_other_light(earlier: Picture, now: Picture) -> bool:
    """Whether two pictures show the same, one of them much brighter."""
    if abs(float(earlier.mean()) - float(now.mean())) < LIGHT_LEVEL:
        return False
    pair = [one.mean(axis=2).ravel() for one in (earlier, now)]
    spread = min(float(one.std()) for one in pair)
    return spread > 1 and float(np.corrcoef(*pair)[0, 1]) >= SAME_SHAPES


def find_motion(earlier: Picture, now: Picture) -> list[Region]:
    """Where a fixed camera's picture changes between two frames about 0.1 s apart."""
    return [_region(mask) for mask in _patches(_moved(earlier, now), min_share=MIN_SHARE / 3)]


def is_unmoved(earlier: Picture, now: Picture) -> bool:
    """Whether hardly a pixel changes between two frames."""
    return float(_moved(earlier, now).mean()) < UNMOVED_SHARE


def join_regions(regions: list[Region]) -> list[Region]:
    """Join patches that lie close together, biggest first: coat and trousers are one person's."""
    things: list[Region] = []
    for region in sorted(regions, key=_by_share):
        for i, thing in enumerate(things):
            if math.hypot(region.x - thing.x, region.y - thing.y) < JOIN_DISTANCE:
                things[i] = _union(thing, region)
                break
        else:
            things.append(region)
    return sorted(things, key=_by_share)


def _moved(earlier: Picture, now: Picture) -> Mask:
    differs = cv2.absdiff(cv2.blur(earlier, (3, 3)), cv2.blur(now, (3, 3))).max(axis=2)
    moved: Mask = differs > MOTION_LEVEL
    return moved


def _is_hole(mask: Mask, edges_now: Edges, edges_empty: Edges) -> bool:
    """Whether a patch is outlined in the empty picture rather than now: its thing has left."""
    outline = _outline(mask)
    return bool(edges_empty[outline].mean() > 1.5 * edges_now[outline].mean() + 4)


def _outlined(mask: Mask, edges_now: Edges, edges_empty: Edges) -> float:
    outline = _outline(mask)
    return float(edges_now[outline].mean() / max(1.0, edges_empty[outline].mean()))


def _outline(mask: Mask) -> Mask:
    ring = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return ring.astype(bool)


def _patches(mask: Mask, *, min_share: float = MIN_SHARE) -> list[Mask]:
    """Connected patches worth a word, after specks are dropped and gaps closed."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
    least = min_share * mask.size
    return [labels == i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= least]


def _region(mask: Mask) -> Region:
    rows, columns = np.nonzero(mask)
    height, width = mask.shape
    return Region(
        x=(float(columns.mean()) + 0.5) / width,
        y=(float(rows.mean()) + 0.5) / height,
        share=len(rows) / mask.size,
    )


def _union(one: Region, other: Region) -> Region:
    share = one.share + other.share
    return Region(
        x=(one.x * one.share + other.x * other.share) / share,
        y=(one.y * one.share + other.y * other.share) / share,
        share=share,
        outlined=(one if one.share >= other.share else other).outlined,
    )


def _edges(picture: NDArray[np.float32]) -> Edges:
    grey = picture.mean(axis=2)
    edges: Edges = np.hypot(
        cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    ).astype(np.float32, copy=False)
    return edges


def _by_share(region: Region) -> float:
    return -region.share
