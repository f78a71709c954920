"""Score the whole path on real videos with captions written by eye.

    python -m evaluation.recorded_captions ../shared/data/videos

The folder holds ``ground_truth.jsonl`` (annotations in QVHighlights form), ``VID.mp4`` and
``captions/VID.jsonl``. Prints one line a query, then R@1 at temporal IoU 0.3 and 0.5 and mIoU of
the first interval. An answer other than "found" counts as a miss.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from agent.api import Grounder, Grounding, load_settings
from evaluation.qvhighlights import Query, read_queries
from tools.timeline import Interval


def best_iou(grounding: Grounding, query: Query) -> float:
    """IoU of the first interval with the true window nearest to it; 0 where none was found."""
    if not grounding.intervals:
        return 0.0
    first = grounding.intervals[0].span
    return max(first.iou(Interval(start_s, end_s)) for start_s, end_s in query.windows)


def main() -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="videos, captions/ and ground_truth.jsonl")
    folder = parser.parse_args().folder
    ious = []
    with tempfile.TemporaryDirectory() as scratch:
        settings = load_settings(store=Path(scratch))
        with Grounder(settings) as grounder:
            for query in read_queries(folder / "ground_truth.jsonl"):
                grounding = grounder.find(
                    folder / f"{query.video_id}.mp4",
                    query.text,
                    captions=folder / "captions" / f"{query.video_id}.jsonl",
                )
                ious.append(best_iou(grounding, query))
                found = [f"{one.start_s:.1f}–{one.end_s:.1f} s" for one in grounding.intervals]
                print(f"{ious[-1]:5.2f}  {(found or [grounding.verdict])[0]:>15}  {query.text}")
    scores = np.array(ious)
    print(
        f"{len(scores)} queries: R@1 IoU 0.3 {np.mean(scores >= 0.3):.3f}, "
        f"IoU 0.5 {np.mean(scores >= 0.5):.3f}, mIoU {scores.mean():.3f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
