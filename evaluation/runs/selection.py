"""Which questions a run asks: those of a dataset that can be asked here, or a part of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluation.datasets.nulls import AskedQuestion, SourceOf, draw_questions
from evaluation.datasets.query import Annotations, LineError, Query, fit_windows
from evaluation.results import BenchmarkError
from evaluation.runs.videos import Videos

HINT = "; mend it, or leave out what is bad with --skip-bad"


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked, and what was left out.

    Attributes:
        questions: In the order to ask them.
        bad_lines: Annotations that are malformed, with file and line.
        bad_videos: Why videos cannot be asked, by name.
        left_out: Good annotations of such videos.
    """

    questions: tuple[AskedQuestion, ...]
    bad_lines: tuple[str, ...]
    bad_videos: dict[str, str]
    left_out: int

    @property
    def queries(self) -> list[Query]:
        """What is asked, each query once."""
        return [one.query for one in self.questions if one.kind == "own"]


def select(
    annotations: Annotations,
    videos: Videos,
    *,
    source_of: SourceOf,
    limit: int | None = None,
    shuffle: bool = False,
    seed: int = 0,
    null_rate: float = 0.0,
    skip_bad: bool = False,
) -> Selection:
    """Choose the questions of a run.

    Args:
        annotations: The dataset.
        videos: What can be asked.
        source_of: What a video was cut from.
        limit: Only the first queries, this many. A greater one adds to them.
        shuffle: Put them into a random order before that.
        seed: Of that order, and of the null queries.
        null_rate: See ``evaluation.datasets.nulls.draw_questions``.
        skip_bad: Leave out what cannot be asked.

    Raises:
        BenchmarkError: If nothing is left to ask, or something is bad and not to be left out; names
            the first of it.
    """
    queries: Sequence[Query] = annotations.queries
    if not skip_bad:
        queries = annotations.all_or_error(hint=HINT)
    missing = _missing(queries, videos)
    if skip_bad:
        queries = [query for query in queries if query.video_id not in missing]
    if shuffle:
        order = np.random.default_rng(seed).permutation(len(queries))
        queries = [queries[index] for index in order]
    queries = list(queries[:limit])
    # Without --skip-bad a part can be asked where the rest is not there.
    bad_videos = missing if skip_bad else _missing(queries, videos)
    bad_videos |= videos.problems(name for name in _names(queries) if name not in bad_videos)
    if bad_videos and not skip_bad:
        name, why = next(iter(bad_videos.items()))
        raise BenchmarkError(_complaint(name, why, bad_videos, queries))
    good = [query for query in queries if query.video_id not in bad_videos]
    fitted, bad_windows = _fitted(good, videos)
    if bad_windows and not skip_bad:
        raise BenchmarkError(bad_windows[0] + HINT)
    if not fitted:
        raise BenchmarkError(f"there is no query left to ask of what is in {videos.place}")
    return Selection(
        questions=tuple(
            draw_questions(fitted, null_rate=null_rate, seed=seed, source_of=source_of)
        ),
        bad_lines=annotations.bad + bad_windows,
        bad_videos=bad_videos,
        left_out=sum(query.video_id in bad_videos for query in annotations.queries),
    )


def _fitted(queries: Iterable[Query], videos: Videos) -> tuple[list[Query], tuple[str, ...]]:
    """The queries, windows checked against videos that the annotations do not know the length of.

    Returns:
        fitted: Those whose windows are good.
        bad: What is wrong with the others.
    """
    fitted, bad = [], []
    durations_s: dict[str, float | None] = {}
    for query in queries:
        if query.duration_s is not None:
            fitted.append(query)
            continue
        name = query.video_id
        if name not in durations_s:
            durations_s[name] = videos.duration_s(name)
        if not len(query.windows):
            fitted.append(replace(query, duration_s=durations_s[name]))
            continue
        try:
            windows, cut_s = fit_windows(query.windows, durations_s[name])
        except LineError as exc:
            bad.append(f"{query.where}: {exc}")
            continue
        fitted.append(replace(query, windows=windows, cut_s=cut_s, duration_s=durations_s[name]))
    return fitted, tuple(bad)


def _missing(queries: Iterable[Query], videos: Videos) -> dict[str, str]:
    return {
        name: f"there is no {name} in {videos.place}"
        for name in _names(queries)
        if name not in videos
    }


def _names(queries: Iterable[Query]) -> list[str]:
    return list(dict.fromkeys(query.video_id for query in queries))


def _complaint(name: str, why: str, bad: dict[str, str], queries: Sequence[Query]) -> str:
    asked = Counter(query.video_id for query in queries)
    if len(bad) == 1:
        return f"{why} ({asked[name]} of {len(queries)} queries are about it){HINT}"
    about = sum(asked[one] for one in bad)
    return (
        f"{why}; {len(bad)} of {len(asked)} videos cannot be asked, and {about} of "
        f"{len(queries)} queries are about them{HINT}"
    )
