"""Questions whose answer is "not there": each query asked of a video that it is not about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from evaluation.qvhighlights import Query, source_of


def random_nulls(queries: Sequence[Query], *, seed: int = 0) -> list[str]:
    """For each query the id of a video from another source, drawn evenly.

    Raises:
        ValueError: If all videos come from one source.
    """
    rng = np.random.default_rng(seed)
    videos = list(dict.fromkeys(query.video_id for query in queries))
    sources = np.array([source_of(video_id) for video_id in videos])
    if len(set(sources.tolist())) < 2:
        raise ValueError("null queries need videos from two sources at least")
    nulls = []
    for query in queries:
        others = np.flatnonzero(sources != source_of(query.video_id))
        nulls.append(videos[int(rng.choice(others))])
    return nulls


def hard_nulls(queries: Sequence[Query], *, seed: int = 0) -> list[str | None]:
    """For each query another segment of its source video, None where there is no other.

    The same people and places, and sometimes the very event: not every hard null is truly one.
    """
    rng = np.random.default_rng(seed)
    segments: defaultdict[str, list[str]] = defaultdict(list)
    for video_id in dict.fromkeys(query.video_id for query in queries):
        segments[source_of(video_id)].append(video_id)
    nulls: list[str | None] = []
    for query in queries:
        others = [other for other in segments[source_of(query.video_id)] if other != query.video_id]
        nulls.append(others[int(rng.integers(len(others)))] if others else None)
    return nulls
