"""What leaving out near-duplicate frames saves, costs, and loses, on the recorded videos.

    python benchmarks/near_duplicates.py [VIDEOS] [--qvhighlights FOLDER] [--limit N]

Prints, for each rate, how many frames are kept and what the check costs a frame (bar: 1 ms); then
the bars: no labelled window without a frame of its own that is described, and the best IoU with it
that spans of described frames allow within 0.02 of that of every frame; the same of drawn events of
1 to 5% of the picture, thin ones too, that last 1 to 2 s, in rooms that are filmed in many ways
(``benchmarks.drawn_events``). Then what is saved: where the room of
``one_by_one`` is empty, in all of it, and in the car park that fills ``permissive_composite``; of
the first two also the most that could be saved, if nothing but the labelled edges were new. Last,
the labelled queries are asked of the captions that were written by eye every two seconds, all of
them and those of the kept frames (bar: half a point less at most; one query of the 28 is 3.6
points). With ``--qvhighlights``, so are the queries of ``val.jsonl`` there, of
``val_captions.jsonl.gz`` as they are and with equal neighbours made one, which is what the check
does to a picture that stays the same.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from numpy.typing import NDArray

from agent.api import Grounder
from agent.settings import load_settings
from benchmarks.drawn_events import CLIP_S, CONDITIONS, draw_clip
from benchmarks.refine_edges import FOLDER, RecordedCaptioner
from evaluation.datasets.query import Query
from evaluation.datasets.qvhighlights_files import read_captions, read_queries
from evaluation.figures.metrics import score_queries
from evaluation.figures.resampling import interval_95, resampled
from evaluation.runs.vector_cache import CachedEmbedder
from tools.embedders.embedder import open_embedder
from tools.grounding.background import background_of
from tools.grounding.grounder import ground
from tools.timeline import Caption, Interval
from tools.video.near_duplicates import LATE_S, MAX_SKIPPED_S, DistinctFrames
from tools.video.reader import FrameReader, probe

NAMES = ("one_by_one", "sam2_gallery_concat", "permissive_composite", "kitchen_ego")
LABELS = ("ground_truth.jsonl", "ground_truth_kitchen.jsonl")
RATES_HZ = (0.5, 1.0, 2.0)
EDGE_S = 0.05
"""Windows are labelled to a tenth of a second or so."""

Percents = NDArray[np.floating[Any]]
Sampled = tuple[NDArray[np.float64], NDArray[np.bool_]]


def sample(path: Path, rate_hz: float) -> Sampled:
    """Times of the sampled frames, and which are kept; prints what that costs."""
    distinct = DistinctFrames()
    times_s, kept_s, spent_ms = [], set[float](), []
    for frame in FrameReader(probe(path), rate_hz=rate_hz):
        started_s = time.perf_counter()
        kept_s |= {one.time_s for one in distinct.choose(frame)}
        spent_ms.append(1000 * (time.perf_counter() - started_s))
        times_s.append(frame.time_s)
    keeps = [time_s in kept_s for time_s in times_s]
    print(
        f"{path.stem:22s} {rate_hz:3g}/s: {sum(keeps):4d} of {len(keeps):4d} kept, "
        f"{1 - np.mean(keeps):4.0%} saved, {np.mean(spent_ms):.2f} ms a frame "
        f"(99 of 100 below {np.percentile(spent_ms, 99):.2f})"
    )
    return np.array(times_s), np.array(keeps)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def most_saved(times_s: NDArray[np.float64], edges_s: Sequence[float]) -> NDArray[np.bool_]:
    """Which frames have to be described, if both sides of each edge are all that is new."""
    new = {0} | {int(np.searchsorted(times_s, edge_s - EDGE_S)) for edge_s in edges_s}
    keeps = np.zeros(len(times_s), bool)
    described_s = 0.0
    for index, time_s in enumerate(times_s):
        is_due = time_s - described_s > MAX_SKIPPED_S + LATE_S
        if is_due or {index, index + 1} & new:
            keeps[index], described_s = True, time_s
    return keeps


def missed(sampled: Sampled, windows: list[tuple[float, float]]) -> int:
    """Labelled windows in which no caption begins."""
    kept_s = sampled[0][sampled[1]]
    begun = [bool(((kept_s >= start - EDGE_S) & (kept_s < end)).any()) for start, end in windows]
    return len(begun) - sum(begun)


def reachable_iou(edges_s: Sequence[float], window: Interval) -> float:
    """The best IoU with the window of all spans from one edge to another."""
    return max(Interval(*pair).iou(window) for pair in combinations(edges_s, 2))


def iou_lost(
    sampled: Sampled, windows: list[tuple[float, float]], duration_s: float
) -> list[tuple[float, float]]:
    """Of each window the best IoU that every frame allows, and that the kept ones do."""
    times_s, keeps = sampled
    # The kept ones are looked through whole; of the others those around the window matter.
    return [
        (
            reachable_iou(
                [t for t in (*times_s, duration_s) if start - 5 <= t <= end + 5],
                Interval(start, end),
            ),
            reachable_iou(
                [t for t in (*times_s[keeps], duration_s) if start - 5 <= t <= end + 5],
                Interval(start, end),
            ),
        )
        for start, end in windows
    ]


def print_drawn(rate_hz: float, condition: str, *, clips: int = 60) -> None:
    """Events drawn into a room: what has no frame of its own, and what is saved."""
    random = np.random.default_rng(7)
    lost, kept, total = 0, 0, 0
    pairs: list[tuple[float, float]] = []
    for _ in range(clips):
        clip = draw_clip(random, condition, rate_hz=rate_hz)
        window = (clip.event.start_s, clip.event.end_s)
        distinct, times_s, kept_s = DistinctFrames(), list[float](), set[float]()
        for frame in clip.frames:
            times_s.append(frame.time_s)
            kept_s |= {one.time_s for one in distinct.choose(frame)}
        drawn = np.array(times_s), np.isin(times_s, list(kept_s))
        lost += missed(drawn, [window])
        pairs += iou_lost(drawn, [window], CLIP_S)
        kept, total = kept + len(kept_s), total + len(times_s)
    print(
        f"{rate_hz:g}/s, {condition}: {lost} of {clips} drawn events without a caption of their "
        f"own, {1 - kept / total:.0%} of the frames saved"
    )
    print_reachable(pairs)


def print_reachable(pairs: list[tuple[float, float]]) -> None:
    """What leaving frames out costs of the best IoU there could be."""
    every, few = np.array(pairs).mean(axis=0)
    worst = max(one - other for one, other in pairs)
    print(f"     best reachable IoU {every:.3f} by every frame, {few:.3f} by the kept (bar 0.02)")
    print(f"     at worst {worst:.3f} less")


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
    parser.add_argument(
        "videos", type=Path, nargs="?", default=FOLDER, help="folder of the recorded videos"
    )
    parser.add_argument("--qvhighlights", type=Path, metavar="FOLDER", help="val and its captions")
    parser.add_argument("--limit", type=int, metavar="N", help="only N queries of QVHighlights")
    options = parser.parse_args()
    folder: Path = options.videos
    if not folder.exists():
        print(f"skipped: no videos at {folder}; name the folder")
        return
    sampled = {
        (name, rate_hz): sample(folder / f"{name}.mp4", rate_hz)
        for name in NAMES
        for rate_hz in RATES_HZ
    }
    rows = [row for name in LABELS for row in rows_of(folder / name)]
    for rate_hz in RATES_HZ:
        lost, pairs = 0, list[tuple[float, float]]()
        for row in rows:
            windows = [(start, end) for start, end in row["relevant_windows"]]
            lost += missed(sampled[row["vid"], rate_hz], windows)
            pairs += iou_lost(sampled[row["vid"], rate_hz], windows, row["duration"])
        print(
            f"{rate_hz:g}/s: {lost} of {len(pairs)} labelled windows without a caption of their own"
        )
        print_reachable(pairs)
        if rate_hz >= 1:
            for condition in CONDITIONS:
                print_drawn(rate_hz, condition)
    segments = json.loads((folder / "permissive_composite_segments.json").read_text())
    filler = [(one["start"], one["end"]) for one in segments if one["query"] == "filler"]
    empty = [(start, end) for start, end in rows[5]["relevant_windows"]]
    for rate_hz in RATES_HZ:
        for what, name, spans in (
            ("the empty room", "one_by_one", empty),
            ("all of one_by_one", "one_by_one", [(0.0, 999.0)]),
            ("the car park", "permissive_composite", filler),
        ):
            times_s, keeps = sampled[name, rate_hz]
            inside = [any(start <= t < end for start, end in spans) for t in times_s]
            most = ""
            if name == "one_by_one":
                labelled = [row for row in rows if row["vid"] == name]
                edges = [
                    edge for row in labelled for span in row["relevant_windows"] for edge in span
                ]
                most = f" (at most {1 - most_saved(times_s, edges)[inside].mean():.0%})"
            print(f"{rate_hz:g}/s: {1 - keeps[inside].mean():.0%} of {what} saved{most}")
    print_accuracy(folder)
    if options.qvhighlights:
        print_merging(options.qvhighlights, options.limit)


if __name__ == "__main__":
    main()
