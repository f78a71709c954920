"""The form that most datasets are published in: JSON by video, with sentences and their times.

``{"VIDEO": {"duration": 30.9, "timestamps": [[24.3, 30.4], …], "sentences": ["…", …]}, …}``
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from evaluation.datasets.annotation_files import Reading, read_text
from evaluation.datasets.query import Annotations, LineError, make_query
from evaluation.results import BenchmarkError

Clock = Callable[[dict[str, Any]], tuple[object, float]]
"""From a video's entry: its duration in seconds, and how many units of time a second has."""


def read_sentences(path: Path, clock: Clock, *, form: str) -> Annotations:
    """Read a file of this form; every sentence is a query.

    Args:
        path: The file.
        clock: Tells a video's duration; may raise KeyError or LineError.
        form: What an entry should look like.

    Raises:
        BenchmarkError: If the file cannot be read, or is not JSON by video.
    """
    reading = Reading(form)
    for where, video_id, entry in _entries(path, form):
        with reading.line(f"{where}: {video_id}"):
            if not isinstance(entry, dict):
                raise LineError("not a JSON object")
            duration_s, rate_hz = clock(entry)
            sentences, times = entry["sentences"], entry["timestamps"]
            if not (isinstance(sentences, list) and isinstance(times, list)):
                raise LineError("sentences and timestamps are no lists")
            if len(sentences) != len(times):
                raise LineError(f"{len(sentences)} sentences with {len(times)} timestamps")
            for index, (sentence, span) in enumerate(zip(sentences, times, strict=True)):
                place = f"{where}: {video_id}, sentence {index}"
                with reading.line(place):
                    query = make_query(
                        qid=f"{video_id}:{index}",
                        text=sentence,
                        video_id=video_id,
                        duration_s=duration_s,
                        windows=[_in_seconds(span, rate_hz)],
                        where=place,
                    )
                    reading.add(query)
    return reading.annotations(path)


def _in_seconds(span: Any, rate_hz: float) -> Any:
    """Anything that is no pair of numbers is left for the check to name."""
    if not isinstance(span, list):
        return span
    return [
        one / rate_hz if isinstance(one, int | float) and not isinstance(one, bool) else one
        for one in span
    ]


def _entries(path: Path, form: str) -> Iterator[tuple[str, str, Any]]:
    """File and line of every video's name, that name, and what is said of it."""
    content = read_text(path)
    try:
        videos = json.loads(content, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as exc:
        raise BenchmarkError(f"{path}: not JSON ({exc}); expected {form}") from exc
    if not isinstance(videos, dict):
        raise BenchmarkError(f"{path}: not a JSON object by video; expected {form}")
    line, position = 1, 0
    for video_id, entry in videos.items():
        # Names stand in the file in this order. One that is written with escapes is not found, and
        # then has the line of the name before it.
        found = content.find(json.dumps(video_id), position)
        if found >= 0:
            line += content.count("\n", position, found)
            position = found
        yield f"{path}:{line}", video_id, entry


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; ``json`` itself would keep the last of two with one name and lose the first.

    Raises:
        LineError: If a name stands twice.
    """
    read = dict(pairs)
    if len(read) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise LineError(f"{twice!r} stands twice in one object")
    return read
