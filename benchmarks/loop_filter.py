"""What sampling without the decoder's loop filter would save, and what each sense would lose by it.

    python benchmarks/loop_filter.py [VIDEO ...] [--seconds 60] [--rate 1]

The loop filter smooths the edges of blocks; FFmpeg can leave it out (``skip_loop_filter``). The
first seconds of each video are sampled with it and without it, by turns, and both are described by
the classical describer. Printed are the CPU without it as a share of the CPU with it; how much
pixels differ; and of what is told with it, how much is told without it too: lines of text, captions
of what is measured, cuts, and frames that are not near-duplicates.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks.default_index import VIDEOS, Lines, frames_of, recall
from tools.captioners.classical import ClassicalCaptioner
from tools.signals.ocr import load_text_reader
from tools.signals.screen_reader import ScreenReader
from tools.timeline import Frame
from tools.video import decoding
from tools.video.near_duplicates import DistinctFrames

NAMES = ("one_by_one.mp4", "sam2_gallery_concat.mp4", "permissive_composite.mp4", "kitchen_ego.mp4")
ROUNDS = 3
FILTER = "skip_loop_filter"


class Told(NamedTuple):
    """What the senses make of a video's frames."""

    lines: Lines
    measured: list[tuple[float, str]]
    cuts_s: list[float]
    kept_s: list[float]


def without_filter(work: Callable[[], list[Frame]]) -> list[Frame]:
    """Do it with a decoder that leaves the filter out."""
    decoding.DECODER_OPTIONS[FILTER] = "all"
    try:
        return work()
    finally:
        del decoding.DECODER_OPTIONS[FILTER]


def listen(frames: Sequence[Frame], screen: ScreenReader) -> Told:
    """Describe frames by the classical describer."""
    said = list(ClassicalCaptioner(read_text=False).describe(frames, seen=frozenset()))
    distinct = DistinctFrames()
    return Told(
        lines=[screen.lines(frame) for frame in frames],
        measured=[(one.time_s, one.text) for one in said if one.exact is None],
        cuts_s=[round(one.exact.start_s, 3) for one in said if one.exact is not None],
        kept_s=[kept.time_s for frame in frames for kept in distinct.choose(frame)],
    )


def measure(path: Path, *, rate_hz: float, seconds: float) -> None:
    """Print what one video saves and loses."""
    spent_s: dict[bool, list[float]] = {True: [], False: []}
    frames: dict[bool, list[Frame]] = {}

    def work() -> list[Frame]:
        return frames_of(path, rate_hz=rate_hz, seconds=seconds)

    for _ in range(ROUNDS):
        for filters in (True, False):
            begun_s = time.process_time()
            frames[filters] = work() if filters else without_filter(work)
            spent_s[filters].append(time.process_time() - begun_s)
    engine = load_text_reader()
    whole, bare = (listen(frames[one], ScreenReader(lambda: engine)) for one in (True, False))
    apart = [
        np.abs(one.image.astype(np.int16) - other.image)
        for one, other in zip(frames[True], frames[False], strict=True)
    ]
    found, wanted = recall(bare.lines, whole.lines)
    print(
        f"{path.name}: {len(frames[True])} frames, "
        f"{min(spent_s[False]) / min(spent_s[True]):.2f} of the CPU; pixels differ by "
        f"{np.mean([one.mean() for one in apart]):.1f} and at most {max(map(np.max, apart))}"
    )
    print(
        f"  the same without it: lines {found} of {wanted}, captions "
        f"{shared(bare.measured, whole.measured)}, cuts {shared(bare.cuts_s, whole.cuts_s)}, "
        f"frames kept {shared(bare.kept_s, whole.kept_s)}"
    )


def shared(found: Sequence[object], wanted: Sequence[object]) -> str:
    """How many of those wanted are found, and how many are found besides."""
    hits = len(set(found) & set(wanted))
    return f"{hits} of {len(set(wanted))} (and {len(set(found)) - hits} others)"


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description="Measure sampling without the loop filter.")
    parser.add_argument("videos", type=Path, nargs="*", default=[VIDEOS / one for one in NAMES])
    parser.add_argument("--seconds", type=float, default=60.0, help="of each video")
    parser.add_argument("--rate", type=float, default=1.0, help="frames a second")
    options = parser.parse_args()
    for video in options.videos:
        if video.exists():
            measure(video, rate_hz=options.rate, seconds=options.seconds)
        else:
            print(f"skipped: no video at {video}; name the file")


if __name__ == "__main__":
    main()
