"""What leaving out near-duplicate frames saves, costs, and loses, on the recorded videos.

    python benchmarks/near_duplicates.py ../shared/data/videos [--qvhighlights FOLDER] [--limit N]

Prints, for each rate, how many frames are kept and what the check costs a frame (bar: 1 ms); then
the bars: at one frame a second 60% saved on ``one_by_one`` and 40% on the car park that fills
``permissive_composite``, a caption begun within every labelled window, and fewer captions at two
frames a second than one a second without the check. Last, the labelled queries are asked of the
captions that were written by eye every two seconds, all of them and those of the kept frames (bar:
half a point less at most; one query of the 28 is 3.6 points). With ``--qvhighlights``, so are the
queries of ``val.jsonl`` there, of ``val_captions.jsonl.gz`` as they are and with equal neighbours
made one, which is what the check does to a picture that stays the same.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from numpy.typing import NDArray

from agent.api import Grounder
from agent.settings import load_settings
from benchmarks.refine_edges import RecordedCaptioner
from evaluation.datasets.query import Query
from evaluation.datasets.qvhighlights_files import read_captions, read_queries
from evaluation.figures.metrics import score_queries
from evaluation.figures.resampling import interval_95, resampled
from evaluation.runs.vector_cache import CachedEmbedder
from tools.embedders.embedder import open_embedder
from tools.grounding.background import background_of
from tools.grounding.grounder import ground
from tools.timeline import Caption, Interval
from tools.video.near_duplicates import DistinctFrames
from tools.video.reader import FrameReader, probe

NAMES = ("one_by_one", "sam2_gallery_concat", "permissive_composite")
RATES_HZ = (0.5, 1.0, 2.0)
EDGE_S = 0.05
"""Windows are labelled to a tenth of a second or so."""

Percents = NDArray[np.floating[Any]]
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


def best_iou(folder: Path, query: Query, store: Path, *, every_frame: bool) -> float:
    """IoU of the best-ranked window with the best true one."""
    captioner = RecordedCaptioner(folder / "captions" / f"{query.video_id}.jsonl")
    # At the rate of the captions: in between, a frame would be told what came before it.
    settings = load_settings(
        store=store, rate_hz=0.5, refine=False, reasoner="similarity", every_frame=every_frame
    )
    with Grounder(settings, captioner=captioner) as grounder:
        answer = grounder.find(folder / f"{query.video_id}.mp4", query.text)
    span = answer.candidates[0].span
    return max(span.iou(Interval(*window)) for window in query.windows.tolist())


def print_accuracy(folder: Path) -> None:
    """Ask the labelled queries, with and without the check."""
    queries = read_queries(folder / "ground_truth.jsonl")
    ious = {}
    for kind in ("every frame", "kept frames"):
        with tempfile.TemporaryDirectory() as store:
            every_frame = kind == "every frame"
            ious[kind] = 100 * np.array(
                [best_iou(folder, one, Path(store), every_frame=every_frame) for one in queries]
            )
        recall = ", ".join(f"{np.mean(ious[kind] >= bar):.1%}" for bar in (30, 50, 70))
        print(
            f"{len(queries)} queries, captions of {kind}: mIoU {ious[kind].mean():.1f}, "
            f"R@1 at IoU 0.3, 0.5, 0.7: {recall}"
        )
    print_lost("mIoU", ious["every frame"], ious["kept frames"])


def merged(captions: Sequence[Caption]) -> list[Caption]:
    """The captions, equal neighbours as one that holds over both."""
    kept: list[Caption] = []
    for one in captions:
        if kept and kept[-1].text == one.text:
            kept[-1] = replace(kept[-1], span=Interval(kept[-1].span.start_s, one.span.end_s))
        else:
            kept.append(one)
    return kept


def print_merging(folder: Path, limit: int | None) -> None:
    """Ask QVHighlights' queries of its captions, and of those with equal neighbours as one."""
    queries = read_queries(folder / "val.jsonl")[:limit]
    videos = read_captions(folder / "val_captions.jsonl.gz")
    cache = load_settings().cache_folder
    embedder = CachedEmbedder(open_embedder("minilm", cache=cache), cache)
    as_they_are: list[NDArray[np.float64]] = []
    as_one: list[NDArray[np.float64]] = []
    saved = total = 0
    for query in queries:
        video = videos[query.video_id]
        duration_s = query.duration_s or video.step_s * len(video.texts)
        captions = video.captions(duration_s=duration_s)
        vector = embedder.embed([query.text])[0]
        for used, windows in ((captions, as_they_are), (merged(captions), as_one)):
            vectors = embedder.embed([one.text for one in used])
            ranking = ground(
                query.text,
                vector,
                used,
                vectors,
                duration_s=duration_s,
                background=background_of(embedder),
            )
            windows.append(
                np.array([[one.span.start_s, one.span.end_s, one.score] for one in ranking.windows])
            )
        total += len(captions)
        saved += len(captions) - len(merged(captions))
    truth = [query.windows for query in queries]
    before, after = score_queries(as_they_are, truth), score_queries(as_one, truth)
    print(f"QVHighlights, {len(queries)} queries: {saved / total:.1%} of the captions saved")
    print_lost("mIoU", 100 * before.top_iou, 100 * after.top_iou)
    print_lost("R1@0.5", 100.0 * (before.top_iou >= 0.5), 100.0 * (after.top_iou >= 0.5))
    print_lost(
        "mAP",
        100 * before.average_precision.mean(axis=1),
        100 * after.average_precision.mean(axis=1),
    )


def print_lost(name: str, before: Percents, after: Percents) -> None:
    """What was lost, with its bootstrap interval over queries."""
    lost = np.asarray(before - after, np.float64)
    weights = np.concatenate(list(resampled(len(lost), draws=2000, seed=0)))
    low, high = interval_95(weights @ lost / len(lost))
    print(
        f"{name} {before.mean():.2f} without the check, {after.mean():.2f} with it: "
        f"{lost.mean():.2f} [{low:.2f}, {high:.2f}] points lost (bar 0.5)"
    )


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description="Measure the near-duplicate check.")
    parser.add_argument("videos", type=Path, help="folder of the recorded videos")
    parser.add_argument("--qvhighlights", type=Path, metavar="FOLDER", help="val and its captions")
    parser.add_argument("--limit", type=int, metavar="N", help="only N queries of QVHighlights")
    options = parser.parse_args()
    folder: Path = options.videos
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
    print_accuracy(folder)
    if options.qvhighlights:
        print_merging(options.qvhighlights, options.limit)


if __name__ == "__main__":
    main()
