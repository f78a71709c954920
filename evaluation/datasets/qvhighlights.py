"""QVHighlights, and other datasets in its JSON Lines form.

From Lei et al., "Detecting Moments and Highlights in Videos via Natural Language Queries", 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evaluation.datasets.annotation_files import Reading, json_object, numbered_lines
from evaluation.datasets.query import Annotations, LineError, make_query, shown

FORM = '{"qid", "query", "vid", "duration", "relevant_windows": [[start, end], …]}'


def read(path: Path, _: Mapping[str, float]) -> Annotations:
    """Read a split.

    Raises:
        BenchmarkError: If the file cannot be read.
    """
    return read_rows(path, {})


def read_rows(path: Path, durations_s: Mapping[str, float]) -> Annotations:
    """Read JSON Lines of this form.

    Args:
        path: The file.
        durations_s: Lengths of videos that the file itself says nothing of.

    Raises:
        BenchmarkError: If the file cannot be read.
    """
    reading = Reading(FORM)
    places: dict[str, str] = {}
    for where, line in numbered_lines(path):
        with reading.line(where):
            row = json_object(line)
            qid = row["qid"]
            if not isinstance(qid, int | str) or isinstance(qid, bool):
                raise LineError(f"the qid is {shown(qid)}")
            if str(qid) in places:
                raise LineError(f"the qid {qid} is that of {places[str(qid)]}")
            query = make_query(
                qid=str(qid),
                text=row["query"],
                video_id=row["vid"],
                duration_s=row.get("duration", durations_s.get(str(row["vid"]))),
                windows=row["relevant_windows"],
                where=where,
            )
            places[query.qid] = where
            reading.add(query)
    return reading.annotations(path)
