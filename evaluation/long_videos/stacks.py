"""Videos of hours, put together from the captions of short ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from evaluation.datasets.nulls import AskedQuestion
from evaluation.datasets.query import Query
from evaluation.results import BenchmarkError
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from evaluation.runs.caption_files import CaptionFiles

HOUR_S = 3600.0

ROUND_S = 1.0
"""How much longer a stack may get: 24 videos of 150 s and a bit are an hour."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A long video made of short ones.

    Attributes:
        name: Says how long, by which seed, and which of them.
        starts_s: Where each short video starts, by name and in the order of time.
        duration_s: Length of the whole.
        asked: The short videos whose queries are asked of it.
    """

    name: str
    starts_s: Mapping[str, float]
    duration_s: float
    asked: frozenset[str]

    def captions(
        self, files: CaptionFiles, durations_s: Mapping[str, float], *, track: Track
    ) -> list[Caption]:
        """The captions of all its parts, each at its place in time."""
        return [
            replace(
                caption,
                video_id=self.name,
                span=Interval(start_s + caption.start_s, start_s + caption.end_s),
            )
            for name, start_s in self.starts_s.items()
            for caption in files.captions(name, duration_s=durations_s[name], track=track)
        ]

    def move(self, query: Query) -> Query:
        """A query about one of the parts as one about the whole."""
        return replace(
            query,
            video_id=self.name,
            duration_s=self.duration_s,
            windows=query.windows + self.starts_s[query.video_id],
        )


def stack_videos(durations_s: Mapping[str, float], *, hours: float, seed: int) -> list[Stack]:
    """Put short videos one after the other, in a seeded order, to long ones of ``hours``.

    Every short video is asked about in one long one. The last is filled up with the first short
    ones, which are not asked about there, so that all are about as long. What is to be shorter than
    a short video is that one alone.

    Raises:
        BenchmarkError: If ``hours`` is not positive, or more than all short videos together.
    """
    total_s = sum(durations_s.values())
    if not (math.isfinite(hours) and hours > 0):
        raise BenchmarkError(f"--hours must be positive, not {hours:g}")
    if hours * HOUR_S > total_s + ROUND_S:
        raise BenchmarkError(
            f"--hours {hours:g}: all videos together have {total_s / HOUR_S:.2f} hours"
        )
    names = sorted(durations_s)
    order = [names[index] for index in np.random.default_rng(seed).permutation(len(names))]
    stacks: list[Stack] = []
    first = 0
    while first < len(order):
        starts_s: dict[str, float] = {}
        end_s = 0.0
        for name in order[first:] + order[:first]:
            if starts_s and end_s + durations_s[name] > hours * HOUR_S + ROUND_S:
                break
            starts_s[name] = end_s
            end_s += durations_s[name]
        asked = frozenset(order[first : first + len(starts_s)])
        stacks.append(Stack(f"stack-{hours:g}h-{seed}-{len(stacks)}", starts_s, end_s, asked))
        first += len(starts_s)
    return stacks


def stack_questions(
    queries: Sequence[Query],
    stacks: Sequence[Stack],
    *,
    limit: int | None,
    nulls: bool,
    seed: int,
) -> list[AskedQuestion]:
    """Every query asked of the long video with its own part, or ``limit`` of them, drawn.

    Args:
        queries: About the short videos.
        stacks: The long ones.
        limit: How many queries to draw; None for all.
        nulls: Whether each is also asked of the next long video without its own part, if any.
        seed: Of the draw.
    """
    drawn = np.random.default_rng(seed).permutation(len(queries))[:limit]
    home = {name: number for number, stack in enumerate(stacks) for name in stack.asked}
    questions: list[AskedQuestion] = []
    absent: list[AskedQuestion] = []
    for index in sorted(drawn.tolist()):
        query = queries[index]
        number = home[query.video_id]
        questions.append(AskedQuestion("own", stacks[number].move(query), stacks[number].name))
        others = (*stacks[number + 1 :], *stacks[:number])
        other = next((one for one in others if query.video_id not in one.starts_s), None)
        if nulls and other:
            absent.append(AskedQuestion("random", query, other.name))
    return [*questions, *absent]
