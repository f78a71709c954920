"""Long videos as scenes: stretches of related captions, each summed up in a few words.

Scenes lie between shot cuts where a video was decoded; short ones are joined, and long ones split
where what is said changes most. A summary is a caption of the whole scene, kept in a track of its
own: no answer is made from it, but a reader sees from it where to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tools.indexing.scenes import group_by_scene
from tools.text import shorten
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

LONG_S = 600.0
"""A shorter video has no summaries: its captions are overview enough."""

MOST_SCENES = 60
"""Of one video: an overview that can still be read; scenes of longer videos are longer."""

SHORTEST_S, LONGEST_S = 20.0, 120.0

CENTRAL_CAPTIONS = 3
"""Captions of a scene that stand for it."""

SUMMARY_CHARS = 400

MODE = "summaries"


class Summariser(Protocol):
    """Sums a scene up.

    Attributes:
        name: Names the summariser; changes whenever the words would.
    """

    @property
    def name(self) -> str: ...

    def __call__(self, captions: Sequence[Caption], vectors: Vectors) -> str:
        """A sentence or two.

        Args:
            captions: Of one scene, in time order; at least one.
            vectors: Shape ``(n, d)``, their embeddings.
        """
        ...


class CentralCaptions:
    """The captions of a scene that are nearest to all of it, no two of them alike."""

    name = "central-1"

    def __call__(self, captions: Sequence[Caption], vectors: Vectors) -> str:
        """See ``Summariser``."""
        unit = _unit(vectors)
        centre = _unit(unit.mean(axis=0, keepdims=True))[0]
        chosen: list[int] = []
        left = unit @ centre
        for _ in range(min(CENTRAL_CAPTIONS, len(captions))):
            index = int(np.argmax(left))
            if left[index] == -np.inf:
                break
            chosen.append(index)
            # What is as near to a chosen one as to the middle adds nothing.
            left = np.where(unit @ unit[index] >= unit @ centre, -np.inf, left)
            left[index] = -np.inf
        texts = dict.fromkeys(captions[index].text for index in sorted(chosen))
        return shorten(" / ".join(texts), SUMMARY_CHARS)


def summary_track(summariser: Summariser, track: Track) -> Track:
    """The track of the summaries of a track's scenes."""
    return Track(f"scenes:{summariser.name}", track.key, MODE)


def summarise_scenes(
    captions: Sequence[Caption],
    vectors: Vectors,
    cuts: Sequence[Interval],
    *,
    summariser: Summariser,
    duration_s: float,
) -> list[Caption]:
    """One caption for each scene of a video, in time order.

    Args:
        captions: One track of one video, in time order; at least one.
        vectors: Shape ``(n, d)``, their embeddings.
        cuts: The scenes between shot cuts; none where the video was not decoded.
        summariser: Sums each of them up.
        duration_s: Length of the video.
    """
    shots = group_by_scene(captions, cuts or [Interval(0.0, duration_s)])
    lengths = [len(group) for _, group in shots if group]
    bounds = np.cumsum([0, *lengths])
    track = summary_track(summariser, captions[0].track)
    shortest_s = max(SHORTEST_S, duration_s / MOST_SCENES)
    longest_s = max(LONGEST_S, 2 * shortest_s)
    return [
        Caption(
            captions[first].video_id,
            Interval(captions[first].start_s, max(one.end_s for one in captions[first:after])),
            summariser(captions[first:after], vectors[first:after]),
            captions[first].source,
            track,
        )
        for first, after in _parted(
            _joined(bounds.tolist(), captions, shortest_s), captions, vectors, longest_s
        )
    ]


def _joined(
    bounds: Sequence[int], captions: Sequence[Caption], shortest_s: float
) -> list[tuple[int, int]]:
    """Neighbouring shots put together until each scene is long enough."""
    scenes: list[tuple[int, int]] = []
    first = 0
    for after in bounds[1:]:
        if captions[after - 1].end_s - captions[first].start_s >= shortest_s:
            scenes.append((first, after))
            first = after
    if first < bounds[-1]:
        # What is left at the end is too short to stand alone.
        earlier = scenes.pop()[0] if scenes else first
        scenes.append((earlier, bounds[-1]))
    return scenes


def _parted(
    scenes: Sequence[tuple[int, int]],
    captions: Sequence[Caption],
    vectors: Vectors,
    longest_s: float,
) -> list[tuple[int, int]]:
    """Scenes split, where neighbouring captions are least alike, until none is too long."""
    unit = _unit(vectors)
    alike = np.einsum("ij,ij->i", unit[:-1], unit[1:])
    parted: list[tuple[int, int]] = []
    waiting = list(reversed(scenes))
    while waiting:
        first, after = waiting.pop()
        if captions[after - 1].end_s - captions[first].start_s <= longest_s or after - first < 4:
            parted.append((first, after))
            continue
        # In the middle half: pieces of a few captions are not scenes.
        low, high = first + (after - first) // 4, after - (after - first) // 4
        at = low + 1 + int(np.argmin(alike[low : max(low + 1, high - 1)]))
        waiting += [(at, after), (first, at)]
    return parted


def _unit(vectors: Vectors) -> Vectors:
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norm, 1e-9), np.float32)
