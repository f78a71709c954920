"""Scenes: found in what was decoded, kept in the store, and captions put into them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import WordEmbedder
from tools.indexing.scenes import SceneFinder, group_by_scene, read_scenes, write_scenes
from tools.store.store import CaptionStore
from tools.timeline import Caption, Frame, Interval, Track

RATE_HZ = 10.0
TRACK = Track("tiny", "", "frame@1/s")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CaptionStore]:
    with CaptionStore.open(tmp_path, embedder=WordEmbedder.name) as opened:
        yield opened


def found(cuts_s: list[float], *, length_s: float, step_s: float) -> list[Interval]:
    """Scenes of pictures that change at ``cuts_s``, sampled every ``step_s``."""
    chance = np.random.default_rng(1)
    pictures = chance.integers(30, 220, (len(cuts_s) + 1, 36, 64), dtype=np.uint8)
    times_s = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    luma = pictures[np.searchsorted(cuts_s, times_s + 1e-6)]
    finder = SceneFinder()
    first = 0
    for last in range(0, len(times_s), round(step_s * RATE_HZ)):
        rows = slice(first, last + 1)
        image = np.zeros((4, 4, 3), np.uint8)
        finder.watch(Frame(times_s[last], image, None, None, luma[rows], times_s[rows]))
        first = last + 1
    return finder.scenes(length_s)


@pytest.mark.parametrize("step_s", [0.5, 1, 5])
def test_every_cut_begins_a_scene_however_far_apart_frames_are_sampled(step_s: float) -> None:
    assert found([2.5, 4.3, 7.7], length_s=10.1, step_s=step_s) == [
        Interval(0, 2.5),
        Interval(2.5, 4.3),
        Interval(4.3, 7.7),
        Interval(7.7, 10.1),
    ]


def test_a_video_without_a_cut_is_one_scene() -> None:
    assert found([], length_s=3.0, step_s=1) == [Interval(0, 3.0)]


@pytest.mark.slow
def test_scenes_are_kept_for_their_video_and_forgotten_with_it(store: CaptionStore) -> None:
    scenes = [Interval(0.1 * n, 0.1 * (n + 1)) for n in range(5200)]
    write_scenes(store, "long", scenes)
    write_scenes(store, "short", scenes[:1])
    assert read_scenes(store, "long") == scenes
    assert read_scenes(store, "short") == scenes[:1]
    assert read_scenes(store, "none") == []
    write_scenes(store, "short", scenes[:9])
    assert read_scenes(store, "short") == scenes[:1]
    store.forget("long")
    assert read_scenes(store, "long") == []


def caption(start_s: float, end_s: float) -> Caption:
    return Caption("v", Interval(start_s, end_s), "text", "vision", TRACK)


def test_a_caption_is_in_the_scene_where_most_of_it_lies() -> None:
    scenes = [Interval(0, 4.3), Interval(4.3, 4.8), Interval(4.8, 9)]
    early, across, late, at_the_end = (
        caption(0, 1), caption(4, 5), caption(4.1, 8), caption(8, 9.5),
    )  # fmt: skip
    assert group_by_scene([early, across, late, at_the_end], scenes) == [
        (scenes[0], [early]),
        (scenes[1], [across]),
        (scenes[2], [late, at_the_end]),
    ]
    assert group_by_scene([early], []) == []
