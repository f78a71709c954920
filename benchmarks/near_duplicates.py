"""What leaving out near-duplicate frames saves, costs, and loses, on the recorded videos.

    python benchmarks/near_duplicates.py ../shared/data/videos

Prints, for each rate, how many frames are kept and what the check costs a frame (bar: 1 ms); then
the bars: at one frame a second 60% saved on ``one_by_one`` and 40% on the car park that fills
``permissive_composite``, a caption begun within every labelled window, and fewer captions at two
frames a second than one a second without the check.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from numpy.typing import NDArray

from tools.near_duplicates import DistinctFrames
from tools.video import FrameReader, probe

NAMES = ("one_by_one", "sam2_gallery_concat", "permissive_composite")
RATES_HZ = (0.5, 1.0, 2.0)
EDGE_S = 0.05
"""Windows are labelled to a tenth of a second or so."""

Sampled = tuple[NDArray[np.float64], NDArray[np.bool_]]


def sample(path: Path, rate_hz: float) -> Sampled:
    """Times of the sampled frames, and which are kept; prints what that costs."""
    distinct = DistinctFrames()
    times_s, keeps, spent_ms = [], [], []
    for frame in FrameReader(probe(path), rate_hz=rate_hz):
        started_s = time.perf_counter()
        keeps.append(distinct.keeps(frame.image, frame.time_s))
        spent_ms.append(1000 * (time.perf_counter() - started_s))
        times_s.append(frame.time_s)
    print(
        f"{path.stem:22s} {rate_hz:3g}/s: {sum(keeps):4d} of {len(keeps):4d} kept, "
        f"{1 - np.mean(keeps):4.0%} saved, {np.mean(spent_ms):.2f} ms a frame "
        f"(99 of 100 below {np.percentile(spent_ms, 99):.2f})"
    )
    return np.array(times_s), np.array(keeps)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def missed(sampled: Sampled, windows: list[tuple[float, float]]) -> int:
    """Labelled windows in which no caption begins."""
    kept_s = sampled[0][sampled[1]]
    begun = [bool(((kept_s >= start - EDGE_S) & (kept_s < end)).any()) for start, end in windows]
    return len(begun) - sum(begun)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description="Measure the near-duplicate check.")
    parser.add_argument("videos", type=Path, help="folder of the recorded videos")
    folder: Path = parser.parse_args().videos
    sampled = {
        (name, rate_hz): sample(folder / f"{name}.mp4", rate_hz)
        for name in NAMES
        for rate_hz in RATES_HZ
    }
    queries = rows_of(folder / "ground_truth.jsonl")
    for rate_hz in RATES_HZ:
        lost = total = 0
        for name in NAMES:
            rows = [row["relevant_windows"] for row in queries if row["vid"] == name]
            windows = [(start, end) for row in rows for start, end in row]
            lost += missed(sampled[name, rate_hz], windows)
            total += len(windows)
        print(f"{rate_hz:g}/s: {lost} of {total} labelled windows without a caption of their own")
    segments = json.loads((folder / "permissive_composite_segments.json").read_text())
    filler = [(one["start"], one["end"]) for one in segments if one["query"] == "filler"]

    def in_filler(rate_hz: float) -> NDArray[np.bool_]:
        times_s, keeps = sampled["permissive_composite", rate_hz]
        return keeps[[any(start <= t < end for start, end in filler) for t in times_s]]

    one_by_one, car_park = sampled["one_by_one", 1.0][1], in_filler(1.0)
    print(f"one_by_one at 1/s:  {1 - one_by_one.mean():.0%} saved (bar 60%)")
    print(f"car park at 1/s:    {1 - car_park.mean():.0%} saved (bar 40%)")
    for name, once, twice in (
        ("one_by_one", one_by_one, sampled["one_by_one", 2.0][1]),
        ("car park", car_park, in_filler(2.0)),
    ):
        print(f"{name}: {twice.sum()} captions at 2/s with the check, {once.size} at 1/s without")


if __name__ == "__main__":
    main()
