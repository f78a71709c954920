"""A folder of videos, and questions, to a CSV of moments.

python examples/moments_to_csv.py clips/ moments.csv "something enters" "the screen goes black"
"""

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.api import Grounder, WhenaboutsError

VIDEOS = {".mp4", ".mkv", ".mov", ".webm", ".avi"}
COLUMNS = ("video", "query", "verdict", "start_s", "end_s", "confidence", "why")


def moments(
    folder: Path, queries: Sequence[str], *, grounder: Grounder
) -> Iterator[dict[str, object]]:
    """A row for each time that something happens, and one for each question without an answer."""
    for video in sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEOS):
        for query in queries:
            row: dict[str, object] = {"video": video.relative_to(folder), "query": query}
            try:
                answer = grounder.find(video, query, every_time=True)
            except WhenaboutsError as exc:  # A broken file does not end the others.
                yield {**row, "verdict": "error", "why": str(exc)}
                continue
            row["verdict"] = answer.verdict
            if not answer.intervals:
                yield {**row, "why": answer.reasoning}
            for one in answer.intervals:
                yield {
                    **row,
                    "start_s": round(one.start_s, 3),
                    "end_s": round(one.end_s, 3),
                    # Unknown where a text model has decided.
                    "confidence": one.confidence,
                }


def no_formula(value: object) -> object:
    """What a spreadsheet takes for text: names and captions come from strangers."""
    if value is None or isinstance(value, float):
        return value
    return re.sub(r"((?:^|;)\s*)([=+@-])", r"\1'\2", str(value))


def write_csv(folder: Path, file: Path, queries: Sequence[str], *, grounder: Grounder) -> int:
    """Write the rows as they come; returns how many."""
    count = 0
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, COLUMNS)
        writer.writeheader()
        for row in moments(folder, queries, grounder=grounder):
            writer.writerow({name: no_formula(value) for name, value in row.items()})
            count += 1
    return count


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(str(__doc__))
    with Grounder() as of_all:
        rows = write_csv(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:], grounder=of_all)
    print(f"{sys.argv[2]}: {rows} rows")
