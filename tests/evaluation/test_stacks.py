"""Long videos are made of short ones: each has its place, and each query its own truth there."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from evaluation.datasets.query import Query
from evaluation.long_videos.stacks import Stack, stack_questions, stack_videos
from evaluation.results import BenchmarkError
from tools.timeline import Caption, Interval, Track

TRACK = Track("captions", "", "file")
DURATIONS_S = {f"v{n:02d}": 100.0 + n for n in range(20)}
QUARTER = 0.25


class TwoEach:
    """Two captions a video, one for each half."""

    are_of_frames = False

    digest = "two"

    def __contains__(self, video_id: object) -> bool:
        return video_id in DURATIONS_S

    def captions(self, video_id: str, *, duration_s: float, track: Track) -> list[Caption]:
        half_s = duration_s / 2
        return [
            Caption(video_id, Interval(0, half_s), f"{video_id} begins", "vision", track),
            Caption(video_id, Interval(half_s, duration_s), f"{video_id} ends", "vision", track),
        ]

    def rate_hz(self, video_id: str) -> float | None:
        return None if video_id else 1.0

    def duration_s(self, video_id: str) -> float | None:
        return DURATIONS_S[video_id]


def query(qid: str, video_id: str) -> Query:
    return Query(qid, f"query {qid}", video_id, DURATIONS_S[video_id], np.array([[5.0, 15.0]]))


def stacks_of(hours: float = QUARTER, *, seed: int = 0) -> list[Stack]:
    return stack_videos(DURATIONS_S, hours=hours, seed=seed)


def test_every_video_is_asked_about_in_one_stack_that_holds_it() -> None:
    stacks = stacks_of()
    asked = [name for stack in stacks for name in stack.asked]
    assert sorted(asked) == sorted(DURATIONS_S)
    assert all(stack.asked <= set(stack.starts_s) for stack in stacks)


def test_stacks_are_as_long_as_wanted_also_the_last_one() -> None:
    stacks = stacks_of()
    assert len(stacks) == 3
    for stack in stacks:
        assert QUARTER * 3600 - 120 < stack.duration_s <= QUARTER * 3600 + 1
    assert len(stacks[-1].asked) < len(stacks[-1].starts_s)


def test_parts_follow_each_other_without_gap_or_overlap() -> None:
    for stack in stacks_of():
        end_s = 0.0
        for name, start_s in stack.starts_s.items():
            assert start_s == end_s
            end_s += DURATIONS_S[name]
        assert end_s == stack.duration_s


def test_what_is_shorter_than_a_video_is_that_video_alone() -> None:
    stacks = stacks_of(0.001)
    assert len(stacks) == len(DURATIONS_S)
    assert {name: stack.duration_s for stack in stacks for name in stack.starts_s} == DURATIONS_S


def test_the_seed_decides_the_order() -> None:
    def order(stacks: list[Stack]) -> list[Mapping[str, float]]:
        return [stack.starts_s for stack in stacks]

    assert order(stacks_of(seed=1)) == order(stacks_of(seed=1))
    assert order(stacks_of(seed=1)) != order(stacks_of(seed=2))
    assert stacks_of(seed=1)[0].name != stacks_of(seed=2)[0].name


def test_captions_and_windows_move_by_the_same_time() -> None:
    stack = stacks_of()[1]
    captions = stack.captions(TwoEach(), DURATIONS_S, track=TRACK)
    assert {caption.video_id for caption in captions} == {stack.name}
    assert [caption.start_s for caption in captions] == sorted(c.start_s for c in captions)
    name = list(stack.starts_s)[2]
    begins = next(caption for caption in captions if caption.text == f"{name} begins")
    moved = stack.move(query("1", name))
    assert moved.windows.tolist() == [[begins.start_s + 5, begins.start_s + 15]]
    assert (moved.video_id, moved.duration_s) == (stack.name, stack.duration_s)


def test_every_query_is_asked_once_or_a_draw_of_them() -> None:
    queries = [query(str(n), name) for n, name in enumerate(DURATIONS_S)]

    def keys(limit: int | None, seed: int = 0) -> list[str]:
        questions = stack_questions(queries, stacks_of(), limit=limit, nulls=False, seed=seed)
        return [question.key for question in questions]

    assert keys(None) == [f"own:{n}" for n in range(20)]
    assert len(keys(5)) == 5
    assert set(keys(5)) < set(keys(None))
    assert keys(5) != keys(5, seed=1)


def test_null_queries_are_asked_where_their_own_video_is_not() -> None:
    queries = [query(str(n), name) for n, name in enumerate(DURATIONS_S)]
    stacks = stacks_of()
    parts = {stack.name: set(stack.starts_s) for stack in stacks}
    questions = stack_questions(queries, stacks, limit=None, nulls=True, seed=0)
    nulls = [question for question in questions if question.kind == "random"]
    assert len(nulls) == 20
    assert all(one.query.video_id not in parts[one.video_id] for one in nulls)
    whole = [replace(stacks[0], asked=frozenset(DURATIONS_S), starts_s=dict(DURATIONS_S))]
    assert len(stack_questions(queries, whole, limit=None, nulls=True, seed=0)) == 20


@pytest.mark.parametrize("hours", [0.0, -1.0, float("nan"), 3.0])
def test_impossible_lengths_are_named(hours: float) -> None:
    with pytest.raises(BenchmarkError, match=f"--hours {hours:g}|not {hours:g}"):
        stacks_of(hours)
