"""Questions whose answer is "not there": queries asked of videos that they are not about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.datasets.query import Query
from evaluation.datasets.qvhighlights_files import source_of as segment_source
from evaluation.results import BenchmarkError, Kind

SourceOf = Callable[[str], str]
"""From a video's name, that of what it was cut from."""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question of a run: a query, and the video it is asked of.

    Attributes:
        kind: ``own`` for the query's own video; ``random`` or ``hard`` for one that it is not
            about.
        query: The query.
        video_id: The video asked.
    """

    kind: Kind
    query: Query
    video_id: str

    @property
    def key(self) -> str:
        """Names this question in the results of a run."""
        return f"{self.kind}:{self.query.qid}"


def draw_questions(
    queries: Sequence[Query],
    *,
    null_rate: float = 0.0,
    seed: int = 0,
    source_of: SourceOf = segment_source,
) -> list[AskedQuestion]:
    """Every query asked of its own video, then the null queries, random ones before hard ones.

    What a label says never happens is asked of its own video alone.

    Args:
        queries: In the order to ask them.
        null_rate: The share of the queries, in [0, 1], that is also asked of a random other video
            and, where there is one, of another segment of its own video's source.
        seed: Of which queries those are, and of the videos they are asked of.
        source_of: What a video was cut from.

    Raises:
        BenchmarkError: If there are to be null queries, and all videos come from one source.
    """
    questions = [
        AskedQuestion("own" if len(query.windows) else "labelled", query, query.video_id)
        for query in queries
    ]
    queries = [query for query in queries if len(query.windows)]
    count = round(null_rate * len(queries))
    if not count:
        return questions
    drawn = np.random.default_rng([seed, 1]).permutation(len(queries))[:count]
    asked = [queries[index] for index in sorted(drawn)]
    videos = list(dict.fromkeys(query.video_id for query in queries))
    others = random_nulls(asked, videos, seed=seed, source_of=source_of)
    questions += [AskedQuestion("random", *pair) for pair in zip(asked, others, strict=True)]
    segments = hard_nulls(asked, videos, seed=seed, source_of=source_of)
    questions += [
        AskedQuestion("hard", query, segment)
        for query, segment in zip(asked, segments, strict=True)
        if segment is not None
    ]
    return questions


def random_nulls(
    queries: Sequence[Query],
    videos: Sequence[str] | None = None,
    *,
    seed: int = 0,
    source_of: SourceOf = segment_source,
) -> list[str]:
    """For each query the name of a video from another source, drawn evenly.

    Args:
        queries: The queries.
        videos: Those to draw from; by default the queries' own.
        seed: Of the draw.
        source_of: What a video was cut from.

    Raises:
        BenchmarkError: If all videos come from one source.
    """
    rng = np.random.default_rng(seed)
    videos = videos or _videos_of(queries)
    sources = np.array([source_of(video_id) for video_id in videos])
    if len(set(sources.tolist())) < 2:
        raise BenchmarkError("null queries need videos from two sources at least; there is one")
    nulls = []
    for query in queries:
        others = np.flatnonzero(sources != source_of(query.video_id))
        nulls.append(videos[int(rng.choice(others))])
    return nulls


def hard_nulls(
    queries: Sequence[Query],
    videos: Sequence[str] | None = None,
    *,
    seed: int = 0,
    source_of: SourceOf = segment_source,
) -> list[str | None]:
    """For each query another segment of its source video, None where there is no other.

    The same people and places, and sometimes the very event: not every hard null is truly one.
    Arguments as of ``random_nulls``.
    """
    rng = np.random.default_rng(seed)
    segments: defaultdict[str, list[str]] = defaultdict(list)
    for video_id in videos or _videos_of(queries):
        segments[source_of(video_id)].append(video_id)
    nulls: list[str | None] = []
    for query in queries:
        others = [other for other in segments[source_of(query.video_id)] if other != query.video_id]
        nulls.append(others[int(rng.integers(len(others)))] if others else None)
    return nulls


def _videos_of(queries: Sequence[Query]) -> list[str]:
    return list(dict.fromkeys(query.video_id for query in queries))
