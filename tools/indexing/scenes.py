"""Scenes: the stretches between shot cuts, found while a video is decoded for its captions.

They group captions; they say nothing themselves. In the store they are spans without a caption, in
a track of their own, so no search finds them and no answer is made from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from tools.signals.cuts import CutFinder
from tools.store.store import CaptionGap
from tools.timeline import Interval, Track

if TYPE_CHECKING:
    from tools.store.store import CaptionStore, VideoRecord
    from tools.timeline import Caption, Frame

SCENES = Track("cuts-4", "", "scenes")
"""Their track; its version changes whenever other cuts would be found."""

MOST_AT_ONCE = 5000
"""Chroma takes a little more."""


class SceneFinder:
    """Finds the cuts of one video from the brightness of every decoded frame."""

    def __init__(self) -> None:
        self._finder = CutFinder()
        self._cuts_s: list[float] = []

    def watch(self, frame: Frame) -> None:
        """Look at the frames decoded up to this one, the next sampled one in time order."""
        self._cuts_s += [cut.start_s for cut in self._finder.find(frame.luma, frame.luma_s)]

    def scenes(self, until_s: float) -> list[Interval]:
        """The scenes of all that was watched, without a gap; the last one ends at ``until_s``."""
        self._cuts_s += [cut.start_s for cut in self._finder.finish()]
        bounds_s = [0.0, *(cut_s for cut_s in self._cuts_s if 0 < cut_s < until_s), until_s]
        return [Interval(start_s, end_s) for start_s, end_s in pairwise(bounds_s)]


def write_scenes(
    store: CaptionStore,
    video_id: str,
    scenes: Sequence[Interval],
    *,
    during: VideoRecord | None = None,
) -> None:
    """Put a whole video's scenes into the store, unless it has some already.

    Args:
        store: Receives them.
        video_id: Of the video.
        scenes: In time order.
        during: The record of the run that found them.

    Raises:
        ForgottenError: If that record is gone.
        StoreError: If they cannot be written.
    """
    if store.gaps(video_id, SCENES):
        return
    gaps = [CaptionGap(video_id, span, "a cut", SCENES) for span in scenes]
    for first in range(0, len(gaps), MOST_AT_ONCE):
        store.add_gaps(gaps[first : first + MOST_AT_ONCE], during=during)


def read_scenes(store: CaptionStore, video_id: str) -> list[Interval]:
    """A video's scenes in time order; none if it was never decoded to its end.

    Raises:
        StoreError: If the store cannot be read.
    """
    return [gap.span for gap in store.gaps(video_id, SCENES)]


def group_by_scene(
    captions: Sequence[Caption], scenes: Sequence[Interval]
) -> list[tuple[Interval, list[Caption]]]:
    """The captions of each scene, in time order; each is in the scene where most of it lies.

    Args:
        captions: In time order.
        scenes: In time order, without a gap between them.
    """
    groups: list[tuple[Interval, list[Caption]]] = [(scene, []) for scene in scenes]
    first = 0
    for caption in captions:
        while first < len(groups) - 1 and groups[first][0].end_s <= caption.start_s:
            first += 1
        best = first
        while best < len(groups) - 1 and groups[best + 1][0].overlap_s(caption.span) > groups[best][
            0
        ].overlap_s(caption.span):
            best += 1
        if groups:
            groups[best][1].append(caption)
    return groups
