"""Measure how long ``whenabouts eval score`` takes for many predictions.

Writes made-up annotations and predictions (ten ranked windows a query) to a temporary folder, and
scores them with the command's own code, from reading the files to printing the table::

    python benchmarks/score_predictions.py
    python benchmarks/score_predictions.py --queries 100000
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from evaluation.figures import score


def main() -> None:
    """Read the options, write the files, score them, print the seconds."""
    parser = argparse.ArgumentParser(description="Measure the scoring of predictions.")
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--draws", type=int, default=2000, help="of the bootstrap")
    options = parser.parse_args()
    scoring = argparse.ArgumentParser()
    score.add_parser(scoring.add_subparsers())
    with tempfile.TemporaryDirectory() as folder:
        annotations, predictions = Path(folder) / "val.jsonl", Path(folder) / "predictions.jsonl"
        write_files(annotations, predictions, queries=options.queries)
        arguments = ["score", str(predictions), "--annotations", str(annotations)]
        scored = scoring.parse_args([*arguments, "--draws", str(options.draws)])
        started = time.perf_counter()
        scored.run(scored)
        seconds = time.perf_counter() - started
    print(f"{options.queries} predictions, {options.draws} draws: {seconds:.1f} s")


def write_files(annotations: Path, predictions: Path, *, queries: int) -> None:
    """Two true and ten predicted windows a query, in a video of 150 s, always the same ones."""
    rng = np.random.default_rng(0)

    def windows(count: int) -> list[list[float]]:
        starts_s = rng.uniform(0, 120, count)
        ends_s = starts_s + rng.uniform(2, 30, count)
        return np.stack([starts_s, ends_s, rng.random(count)], axis=1).tolist()  # type: ignore[no-any-return]  # numpy's stub says Any

    with annotations.open("w") as truth, predictions.open("w") as guess:
        for qid in range(queries):
            true = [window[:2] for window in windows(2)]
            asked = {"qid": qid, "vid": f"v{qid}", "query": "it happens", "duration": 150}
            truth.write(json.dumps({**asked, "relevant_windows": true}) + "\n")
            guess.write(json.dumps({"qid": qid, "pred_relevant_windows": windows(10)}) + "\n")


if __name__ == "__main__":
    main()
