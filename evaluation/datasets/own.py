"""Labels of your own: JSON Lines or CSV of ``video, query, start, end``, in seconds or as 1:02.5.

Rows of the same video and query are one query with several true windows; one with an empty start
and end says that it never happens there. A fifth field, ``duration``, is needed only where neither
the video nor its captions tell. Videos may be named with the suffix of their file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.datasets.annotation_files import Reading, csv_rows, json_object, numbered_lines
from evaluation.datasets.query import (
    NEVER,
    Annotations,
    LineError,
    Query,
    by_file_name,
    make_query,
)
from evaluation.results import BenchmarkError

FIELDS = ("video", "query", "start", "end")

FORM = (
    '{"video", "query", "start", "end"}, or CSV with these columns; both times empty where '
    "it never happens"
)


def read(path: Path, durations_s: Mapping[str, float]) -> Annotations:
    """Read a file: JSON Lines if its first line begins with a bracket, otherwise CSV.

    Raises:
        BenchmarkError: If the file cannot be read, or is CSV without these columns.
    """
    reading = Reading(FORM)
    is_table = path.suffix.lower() in {".csv", ".tsv"} or not _is_json(path)
    rows = _csv_rows(path, reading) if is_table else _json_rows(path, reading)
    queries: dict[tuple[str, str], list[Query]] = {}
    for where, row in rows:
        with reading.line(where):
            query = make_query(
                qid="",
                text=row["query"],
                video_id=row["video"],
                duration_s=row.get("duration", by_file_name(durations_s, str(row["video"]))),
                windows=_windows(row["start"], row["end"]),
                where=where,
            )
            same = queries.setdefault((query.video_id, query.text), [])
            for earlier in same:
                if earlier.windows.tolist() == query.windows.tolist():
                    raise LineError(f"the same as {earlier.where}")
                if not (len(earlier.windows) and len(query.windows)):
                    raise LineError(
                        f"it never happens, and it does: one of the two is said by {earlier.where}"
                    )
                if earlier.duration_s != query.duration_s:
                    raise LineError(f"the duration is not that of {earlier.where}")
            same.append(query)
    numbers: Counter[str] = Counter()
    for (video_id, _), same in queries.items():
        if same:
            reading.add(_joined(same, qid=f"{video_id}:{numbers[video_id]}"))
            numbers[video_id] += 1
    return reading.annotations(path)


def _is_json(path: Path) -> bool:
    first = next((line for _, line in numbered_lines(path)), "{")
    return path.suffix.lower() in {".jsonl", ".json", ".ndjson"} or first.strip()[:1] in {"{", "["}


def _joined(rows: list[Query], *, qid: str) -> Query:
    """One query with the windows of all, in time order."""
    windows = np.array(sorted(window for row in rows for window in row.windows.tolist()))
    windows = windows.reshape(-1, 2)
    return replace(rows[0], qid=qid, windows=windows, cut_s=max(row.cut_s for row in rows))


def _windows(start: object, end: object) -> object:
    """The true window of a row; none where both are empty."""
    is_empty = [one is None or (isinstance(one, str) and not one.strip()) for one in (start, end)]
    if any(is_empty) and not all(is_empty):
        raise LineError("a start or an end alone; leave both empty where it never happens")
    return NEVER if all(is_empty) else [[_seconds(start), _seconds(end)]]


def _seconds(time: object) -> object:
    """The seconds of "1:02.5", as ``ask`` prints it, of "62,5" or "62.5 s"; else as it is."""
    if not isinstance(time, str):
        return time
    # A comma with three digits behind it may as well stand for thousands.
    time = re.sub(r"(?<=\d),(?=\d{1,2}\s*$)", ".", _UNIT.sub("", time))
    found = _CLOCK.fullmatch(time)
    if not found:
        return time
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


_UNIT = re.compile(r"(?<=\d)\s*s(?:ec(?:onds?)?)?\s*$", re.IGNORECASE)
_CLOCK = re.compile(r"\s*(?:(\d+):(?=\d\d:))?(\d+):([0-5]?\d(?:\.\d+)?)\s*")


def _json_rows(path: Path, reading: Reading) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, line in numbered_lines(path):
        with reading.line(where):
            yield where, json_object(line)


def _csv_rows(path: Path, reading: Reading) -> Iterator[tuple[str, dict[str, Any]]]:
    lines = (line for _, line in numbered_lines(path) if not line.lower().startswith("sep="))
    named = next(lines, "")
    if named and not any(name in named.lower() for name in FIELDS):
        raise BenchmarkError(
            f"{path}:1: the first line names no columns; it must be {', '.join(FIELDS)}"
        )
    for where, row in csv_rows(path):
        missing = [name for name in FIELDS if name not in row]
        if missing:
            raise BenchmarkError(
                f"{path}:1: no column {', '.join(missing)}; the first line must name the columns "
                f"{', '.join(FIELDS)}"
            )
        with reading.line(where):
            if None in row:
                raise LineError("more fields than columns; quote a text that holds a comma")
            if row["start"] is row["end"] is None:
                raise LineError("fewer fields than columns; is a quote not closed?")
            empty = ("start", "end")
            yield where, {name: value for name, value in row.items() if value or name in empty}
