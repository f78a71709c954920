"""Scenes of long videos: where they lie, and what stands for each of them."""

import itertools

import numpy as np
import pytest

from tests.fakes import WordEmbedder
from tools.indexing.scene_summaries import (
    MOST_SCENES,
    CentralCaptions,
    summarise_scenes,
    summary_track,
)
from tools.timeline import Caption, Interval, Track

TRACK = Track("file:abc", "", "file")
EMBED = WordEmbedder().embed


def captions_of(texts: list[str], step_s: float = 10.0) -> list[Caption]:
    return [
        Caption("v", Interval(place * step_s, (place + 1) * step_s), text, "vision", TRACK)
        for place, text in enumerate(texts)
    ]


def summarise(texts: list[str], *cuts_s: float, step_s: float = 10.0) -> list[Caption]:
    captions = captions_of(texts, step_s)
    duration_s = len(texts) * step_s
    bounds = [0.0, *cuts_s, duration_s]
    cuts = [Interval(*pair) for pair in itertools.pairwise(bounds)]
    return summarise_scenes(
        captions, EMBED(texts), cuts, summariser=CentralCaptions(), duration_s=duration_s
    )


def test_scenes_lie_between_cuts_and_short_shots_are_joined() -> None:
    texts = ["a red barn"] * 6 + ["two dogs play"] * 1 + ["a boat on a lake"] * 5
    scenes = summarise(texts, 60.0, 70.0)
    assert [(one.start_s, one.end_s) for one in scenes] == [(0.0, 60.0), (60.0, 120.0)]
    assert scenes[0].text == "a red barn"
    assert "a boat on a lake" in scenes[1].text


def test_a_long_shot_is_parted_where_what_is_said_changes_most() -> None:
    texts = ["a red barn"] * 9 + ["two dogs play"] * 9
    scenes = summarise(texts)
    assert [(one.start_s, one.end_s) for one in scenes] == [(0.0, 90.0), (90.0, 180.0)]


def test_scenes_cover_all_captions_in_order_and_are_not_too_many() -> None:
    texts = [f"room {place // 7} with {place}" for place in range(2000)]
    scenes = summarise(texts)
    assert len(scenes) <= 2 * MOST_SCENES
    assert scenes[0].start_s == 0.0
    assert scenes[-1].end_s == 20_000.0
    assert all(one.end_s == after.start_s for one, after in itertools.pairwise(scenes))


def test_central_captions_are_the_nearest_to_all_and_not_alike() -> None:
    texts = ["a dog runs"] * 4 + ["a dog runs to a cat"] * 2 + ["an unrelated zebra"]
    said = CentralCaptions()(captions_of(texts), EMBED(texts))
    assert said.startswith("a dog runs")
    assert said.count("a dog runs /") <= 1


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_captions_are_a_scene_too(count: int) -> None:
    (scene,) = summarise(["a dog runs"] * count)
    assert (scene.start_s, scene.end_s, scene.text) == (0.0, 10.0 * count, "a dog runs")


def test_summaries_of_other_captions_or_by_others_are_kept_apart() -> None:
    by = CentralCaptions()
    assert summary_track(by, TRACK) != summary_track(by, Track("file:other", "", "file"))


def test_embeddings_of_nothing_do_no_harm() -> None:
    captions = captions_of(["a", "b", "c", "d"])
    vectors = np.zeros((4, 3), np.float32)
    scenes = summarise_scenes(captions, vectors, [], summariser=CentralCaptions(), duration_s=40.0)
    assert len(scenes) == 1
