"""Charades-STA (Gao et al., "TALL: Temporal Activity Localization via Language Query", 2017).

Published as ``VIDEO start end##sentence``, without the videos' lengths: those are in Charades' own
``Charades_v1_test.csv``. Successors publish it as JSON Lines in QVHighlights' form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from evaluation.datasets.annotation_files import Reading, numbered_lines
from evaluation.datasets.query import Annotations, LineError, make_query
from evaluation.datasets.qvhighlights import read_rows

FORM = "VIDEO start end##sentence"


def read(path: Path, durations_s: Mapping[str, float]) -> Annotations:
    """Read a file; one whose name ends in ``.txt`` is in the first form, any other in the second.

    Raises:
        BenchmarkError: If the file cannot be read.
    """
    if path.suffix != ".txt":
        return read_rows(path, durations_s)
    reading = Reading(FORM)
    seen: Counter[str] = Counter()
    for where, line in numbered_lines(path):
        with reading.line(where):
            head, mark, sentence = line.partition("##")
            parts = head.split()
            if not mark or len(parts) != 3:
                raise LineError(f"not of the form {FORM}: {line[:60]!r}")
            video_id, start_s, end_s = parts
            index = seen[video_id]
            seen[video_id] += 1
            query = make_query(
                qid=f"{video_id}:{index}",
                text=sentence,
                video_id=video_id,
                duration_s=durations_s.get(video_id),
                windows=[[start_s, end_s]],
                where=where,
            )
            reading.add(query)
    return reading.annotations(path)
