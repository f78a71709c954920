"""What closer looks are worth: edges of answers before and after the refine step.

    python benchmarks/refine_edges.py [FOLDER]

Indexes the real videos at a quarter of a frame a second from captions written by eye, and refines
with those same captions, which were written every one or two seconds. The folder holds videos,
``captions/`` and ``ground_truth.jsonl``; without it nothing is measured.
"""

import argparse
import json
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

import numpy as np

from agent.api import Grounder, load_settings
from evaluation.datasets.query import Query
from evaluation.datasets.qvhighlights_files import read_queries
from tools.captioners.protocol import Description
from tools.timeline import Frame, Interval

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "videos"


class RecordedCaptioner:
    """Says of a frame what was written of the last moment up to it."""

    model, prompt_version, mode = "recorded", "", "frame"

    def __init__(self, captions: Path) -> None:
        rows = [json.loads(line) for line in captions.read_text(encoding="utf-8").splitlines()]
        self._times_s = [float(row["t"]) for row in rows]
        self._texts = [str(row["caption"]) for row in rows]

    def describe(self, frames: Iterable[Frame], *, seen: Container[float]) -> Iterator[Description]:
        """Describe frames; see ``Captioner``."""
        for frame in frames:
            if frame.time_s not in seen:
                # Frames come a few hundredths beside the full second.
                last = bisect_right(self._times_s, frame.time_s + 0.05) - 1
                yield Description(frame.time_s, self._texts[max(0, last)], "vision")


def measure(
    folder: Path, query: Query, store: Path, rate_hz: float, *, refine: bool
) -> list[float]:
    """IoU with the best true window, and how far both edges are off; IoU 0 alone for a miss."""
    captioner = RecordedCaptioner(folder / "captions" / f"{query.video_id}.jsonl")
    settings = load_settings(store=store, rate_hz=rate_hz, refine=refine, reasoner="similarity")
    with Grounder(settings, captioner=captioner, closer=lambda _: captioner) as grounder:
        answer = grounder.find(folder / f"{query.video_id}.mp4", query.text)
    if not answer.intervals:
        return [0.0]
    span = answer.intervals[0].span
    truth = max((Interval(*window) for window in query.windows.tolist()), key=span.iou)
    if not span.overlap_s(truth):
        return [0.0]
    return [span.iou(truth), abs(span.start_s - truth.start_s), abs(span.end_s - truth.end_s)]


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    parser.add_argument("--rate", type=float, default=0.25, help="frames a second of the index")
    options = parser.parse_args()
    if not options.folder.is_dir():
        print(f"skipped: the real videos and their captions are not at {options.folder}")
        return 0
    queries = read_queries(options.folder / "ground_truth.jsonl")
    print(f"{len(queries)} queries, indexed at {options.rate:g} frames a second")
    with tempfile.TemporaryDirectory() as scratch:
        for refine in (False, True):
            rows = [
                measure(options.folder, query, Path(scratch), options.rate, refine=refine)
                for query in queries
            ]
            off_s = np.array([row[1:] for row in rows if len(row) == 3])
            start_s, end_s = np.median(off_s, axis=0)
            mean_iou = np.mean([row[0] for row in rows])
            print(
                f"{'refined' if refine else 'as indexed':>10}: mIoU {mean_iou:.3f}, "
                f"median edge error {start_s:.2f} s (start), {end_s:.2f} s (end) "
                f"of {len(off_s)} answers that overlap the truth"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
