"""Turns sampled frames, one after the other, into the claims that hold for each of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tools.signals.camera import Anchor, CameraMotion, measure_camera
from tools.signals.claims import Claim, Kind, place_of, size_of
from tools.signals.cuts import CutFinder
from tools.signals.foreground import (
    EmptyPicture,
    Region,
    find_motion,
    has_changed,
    is_other_light,
    is_unmoved,
    join_regions,
)
from tools.signals.palette import colour_claims, grey_of, screen_claim
from tools.signals.sameness import shows_the_same

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.signals.camera import Grey
    from tools.timeline import Frame, Image, Interval

CAMERA_WIDTH, SCENE_WIDTH = 256, 192
"""Pixels across at which the camera and the things in front of it are measured."""

TURN_PER_S, STILL_PER_S = 0.05, 0.006
"""Picture widths a second: faster is a pan or tilt, slower is still; between, nothing is said."""

ZOOM_PER_S = 0.25
"""Growth a second; weaker zooms are too often a thing that comes nearer."""

SAME_MEAN, SAME_BLOCK = 1.5, 10.0
"""Luma steps of 255, over all and in the worst 4x4 block, that are only noise."""

COME, CLEARLY_COME = 1.25, 2.0
"""``Region.outlined`` from which a thing has come into an empty picture, or into one where somebody
moved who was there from the start."""

HIDING_SHARE = 0.15
"""Share of the picture: what moves over this much of it is there, whatever lies behind."""

CHANGES: frozenset[Kind] = frozenset({"appears", "gone", "moves"})
"""With any of these, nobody would call a picture unchanged."""


def with_cuts(frames: Iterable[Frame]) -> Iterator[tuple[Frame, list[Interval]]]:
    """Each sampled frame with the cuts since the one before, a moment late.

    A cut is told by what follows it, and with it begins another shot.
    """
    finder = CutFinder()
    waiting: deque[Frame] = deque()
    cuts: list[Interval] = []
    for frame in frames:
        waiting.append(frame)
        cuts += finder.find(frame.luma, frame.luma_s)
        while waiting and waiting[0].time_s <= finder.known_until_s:
            yield _taken(waiting, cuts)
    cuts += finder.finish()
    while waiting:
        yield _taken(waiting, cuts)


def _taken(waiting: deque[Frame], cuts: list[Interval]) -> tuple[Frame, list[Interval]]:
    """The first that waits, and the cuts up to it, which are taken out of the list."""
    frame = waiting.popleft()
    passed = [cut for cut in cuts if cut.start_s <= frame.time_s]
    del cuts[: len(passed)]
    return frame, passed


class FrameWatch:
    """Watches one video from its start."""

    def __init__(self) -> None:
        self._shot: _Shot | None = None
        self._unchanged = _Unchanged()
        self._before: Grey | None = None

    def watch(self, frame: Frame, cuts: Sequence[Interval]) -> list[Claim]:
        """What can be said of the next sampled frame, never nothing.

        Args:
            frame: The one after that of the call before.
            cuts: Those since then, as of ``CutFinder``.
        """
        claims: list[Claim] = []
        cut_s = cuts[-1].start_s if cuts else None
        if cuts:
            self._shot = None
        screen = screen_claim(grey_of(frame.image))
        unchanged_since_s = self._unchanged.since(frame)
        if screen.kind in {"black", "white"}:
            self._shot = None
            claims.append(screen)
        else:
            if screen.kind != "medium":
                claims.append(screen)
            if self._shot is None:
                self._shot = _Shot(frame)
            claims += self._shot.claims(frame, cut_s=cut_s)
            claims += colour_claims(_shrunk(frame.image, SCENE_WIDTH))
        grey, before = grey_of(frame.image), self._before
        self._before = grey
        if before is not None and not cuts and not shows_the_same(before, grey):
            # A clock's hand or digit moves once a second, and is too small for the measure above.
            claims = [one for one in claims if one.kind != "nothing moves"]
        is_lively = bool(cuts or {one.kind for one in claims} & CHANGES)
        if unchanged_since_s is not None and not is_lively:
            claims.append(Claim("unchanged", at_s=unchanged_since_s))
        return claims or [screen]


class _Shot:
    """What is known of the running shot: its camera, and what the empty scene looks like."""

    def __init__(self, frame: Frame) -> None:
        self._settle_on(frame)

    def _settle_on(self, frame: Frame) -> None:
        scene = _shrunk(frame.image, SCENE_WIDTH)
        self._first_s = self._last_s = frame.time_s
        self._shape = scene.shape
        self._anchor = Anchor(_grey(frame.image))
        self._empty = EmptyPicture(scene)
        self._is_fixed = False
        self._was_empty = self._was_inhabited = False
        self._present: list[Region] = []
        self._scene = scene

    def claims(self, frame: Frame, *, cut_s: float | None) -> list[Claim]:
        scene, grey = _shrunk(frame.image, SCENE_WIDTH), _grey(frame.image)
        if scene.shape != self._shape or is_other_light(self._scene, scene):
            self._settle_on(frame)
        earlier = self._earlier_in_shot(frame, cut_s)
        motion = None
        if earlier is not None and frame.earlier_s is not None:
            apart_s = frame.time_s - frame.earlier_s
            motion = measure_camera(_grey(earlier), grey, apart_s=apart_s)
        turns = _camera_kinds(motion)
        same_view = self._anchor.is_same_view(grey)
        if same_view is False or turns:
            self._settle_on(frame)
        elif same_view and frame.time_s > self._first_s:
            self._is_fixed = True
        if turns:
            return [Claim(kind) for kind in turns]
        claims = []
        if self._is_fixed or (same_view and motion is not None and _is_still(motion)):
            claims.append(Claim("camera still"))
        small_earlier = None if earlier is None else _shrunk(earlier, SCENE_WIDTH)
        moving = []
        if self._is_fixed:
            if small_earlier is not None:
                moving = join_regions(find_motion(small_earlier, scene))
            claims += self._presence_claims(scene, moving, since_s=frame.time_s - self._last_s)
        if moving:
            claims.append(_region_claim("moves", moving[0]))
        elif small_earlier is not None and is_unmoved(small_earlier, scene):
            claims.append(Claim("nothing moves"))
        self._last_s, self._scene = frame.time_s, scene
        return claims

    def _earlier_in_shot(self, frame: Frame, cut_s: float | None) -> Image | None:
        """The frame a moment before, unless a cut lies between the two."""
        if frame.earlier is None or frame.earlier_s is None:
            return None
        return None if cut_s is not None and frame.earlier_s < cut_s else frame.earlier

    def _presence_claims(
        self, scene: Image, moving: list[Region], *, since_s: float
    ) -> list[Claim]:
        present, holes = self._empty.find(scene, since_s=since_s)
        # What hides so much that the empty picture is lost is still there.
        things = join_regions(present) or [one for one in moving if one.share >= HIDING_SHARE]
        before = self._present
        if before and not things and not holes and not has_changed(self._scene, scene):
            # It has stayed put for so long that it was taken for part of the empty picture.
            things = before
        self._present = things
        if things:
            # From the first frame of a shot on nothing can be said to have come.
            is_first = self._was_inhabited or (self._was_empty and not before)
            least = CLEARLY_COME if self._was_inhabited else COME
            has_come = is_first and things[0].outlined >= least and not holes
            kind: Kind = "appears" if has_come else "present"
            # Else somebody was there from the start, and only moved.
            self._was_inhabited = is_first and not has_come and not holes
            self._was_empty = False
            return [_region_claim(kind, thing) for thing in things[:2]]
        left = [] if self._was_inhabited else before
        left = left or join_regions(holes)
        self._was_inhabited &= not holes
        gone = [_region_claim("gone", left[0])] if left else []
        if moving or self._was_inhabited:
            return gone
        self._was_empty = True
        return [*gone, Claim("empty")]


class _Unchanged:
    """Since when the picture has stayed as it is, down to a digit, in the frames between too."""

    def __init__(self) -> None:
        self._reference: Grey | None = None
        self._luma: NDArray[np.float32] | None = None
        self._since_s = 0.0

    def since(self, frame: Frame) -> float | None:
        grey, luma = grey_of(frame.image), frame.luma.astype(np.float32)
        if (
            self._reference is not None
            and self._luma is not None
            and all(_is_same_luma(self._luma, one) for one in luma)
            and shows_the_same(self._reference, grey)
        ):
            return self._since_s
        self._reference, self._luma, self._since_s = grey, luma[-1], frame.time_s
        return None


def _is_same_luma(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    differs = np.abs(one - other)
    return bool(differs.mean() < SAME_MEAN and cv2.blur(differs, (4, 4)).max() < SAME_BLOCK)


def _camera_kinds(motion: CameraMotion | None) -> list[Kind]:
    if motion is None:
        return []
    pan, tilt, zoom = motion.pan_per_s, motion.tilt_per_s, motion.zoom_per_s
    kinds: list[Kind] = []
    if abs(pan) > TURN_PER_S and abs(pan) > abs(tilt) / 2:
        kinds.append("pans left" if pan < 0 else "pans right")
    if abs(tilt) > TURN_PER_S and abs(tilt) > abs(pan) / 2:
        kinds.append("tilts up" if tilt > 0 else "tilts down")
    if abs(zoom) > ZOOM_PER_S and abs(zoom) > 4 * max(abs(pan), abs(tilt)):
        kinds.append("zooms in" if zoom > 0 else "zooms out")
    return kinds


def _is_still(motion: CameraMotion) -> bool:
    turn = max(abs(motion.pan_per_s), abs(motion.tilt_per_s))
    return turn < STILL_PER_S and abs(motion.zoom_per_s) < 4 * STILL_PER_S


def _region_claim(kind: Kind, region: Region) -> Claim:
    place = place_of(region.x, region.y, share=region.share)
    return Claim(kind, place=place, size="" if kind == "gone" else size_of(region.share))


def _grey(image: Image) -> Grey:
    return grey_of(_shrunk(image, CAMERA_WIDTH))


def _shrunk(image: Image, width: int) -> Image:
    height = max(1, round(width * image.shape[0] / image.shape[1]))
    small: Image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small
