"""How often something happens, counted: by the best windows, and by ``find_occurrences``.

    python benchmarks/count_times.py [FOLDER] [--limit N]

Of the queries of QVHighlights val whose event happens several times, each is counted in its own
video: how often the number is right, and the first and the last time at a temporal IoU of 0.5. All
times are found with and without the knowledge that there are several, which "the second time" and
"the last time" give. Of all other queries, the number is right where it is one. Beside them stands
what a constant number would reach: "once" always, and "twice" where there are several. Last, what
is claimed as the answer: how much of it is right, and how much of all that happens is in it.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from agent.settings import load_settings
from evaluation.datasets.qvhighlights_files import read_captions, read_queries
from evaluation.runs.vector_cache import CachedEmbedder
from tools.embedders.embedder import open_embedder
from tools.grounding.background import background_of
from tools.grounding.grounder import claim_events, ground
from tools.grounding.occurrences import find_occurrences
from tools.ranking import Window
from tools.timeline import Interval

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "qvhighlights"


def main() -> None:
    """Count, print."""
    parser = argparse.ArgumentParser(description="Measure how often something happens.")
    parser.add_argument(
        "folder", type=Path, nargs="?", default=FOLDER, help="val.jsonl and val_captions.jsonl.gz"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only N queries")
    options = parser.parse_args()
    if not options.folder.exists():
        print(f"skipped: no QVHighlights at {options.folder}; name the folder")
        return
    queries = read_queries(options.folder / "val.jsonl")[: options.limit]
    videos = read_captions(options.folder / "val_captions.jsonl.gz")
    cache = load_settings().cache_folder
    embedder = CachedEmbedder(open_embedder("minilm", cache=cache), cache)
    several: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    once: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    counts: list[int] = []
    claimed: list[tuple[int, int]] = []
    for query in queries:
        truth = joined(query.windows.tolist())
        counts.append(len(truth))
        video = videos[query.video_id]
        duration_s = query.duration_s or video.step_s * len(video.texts)
        captions = video.captions(duration_s=duration_s)
        vector = embedder.embed([query.text])[0]
        vectors = embedder.embed([caption.text for caption in captions])
        known: dict[str, Any] = {
            "duration_s": duration_s,
            "background": background_of(embedder),
        }
        count = partial(find_occurrences, query.text, vector, captions, vectors, **known)
        ranking = ground(query.text, vector, captions, vectors, **known)
        claims = ranking.events or claim_events(ranking.windows)
        claimed.append((len(claims), count_right(claims, truth)))
        right = several if len(truth) > 1 else once
        right["best windows"].append(judge(ranking.events or ranking.windows[:1], truth))
        right["all times"].append(judge(count(), truth))
        if len(truth) > 1:
            right["all times, several known"].append(judge(count(is_repeated=True), truth))
    twice = 100 * np.mean([count == 2 for count in counts if count > 1])
    print(f"always once: number right {100 * np.mean([one == 1 for one in counts]):.1f}% of all")
    print(f"always twice: number right {twice:.1f}% of those whose event happens several times")
    for name in ("best windows", "all times"):
        told = [row[0] for judged in (several, once) for row in judged[name]]
        print(f"{name}: number right {100 * np.mean(told):.1f}% of all")
    for judged, what in ((several, "several times"), (once, "once")):
        print(f"{len(judged['all times'])} queries whose event happens {what}")
        for name, rows in judged.items():
            count, first, last = 100 * np.mean(np.array(rows, float), axis=0)
            print(f"{name:>26}: number right {count:.1f}%, first {first:.1f}%, last {last:.1f}%")
    said, hits = np.sum(claimed, axis=0)
    print(
        f"{said} events claimed: {100 * hits / said:.1f}% are right at IoU 0.5, and are "
        f"{100 * hits / sum(counts):.1f}% of those that happen"
    )


def joined(windows: Sequence[list[float]]) -> list[Interval]:
    """Windows in time order; those that touch are one."""
    times: list[Interval] = []
    for start_s, end_s in sorted(windows):
        if times and start_s <= times[-1].end_s:
            times[-1] = Interval(times[-1].start_s, max(times[-1].end_s, end_s))
        else:
            times.append(Interval(start_s, end_s))
    return times


def count_right(claims: Sequence[Window], truth: Sequence[Interval]) -> int:
    """How many of the claims are right, each of another event."""
    left = list(truth)
    for claim in claims:
        hit = next((one for one in left if claim.span.iou(one) >= 0.5), None)
        if hit is not None:
            left.remove(hit)
    return len(truth) - len(left)


def judge(found: Sequence[Window], truth: Sequence[Interval]) -> tuple[bool, bool, bool]:
    """Whether the number is right, the first one and the last one."""
    spans = sorted(window.span for window in found)
    if not spans:
        return False, False, False
    return (
        len(spans) == len(truth),
        spans[0].iou(truth[0]) >= 0.5,
        spans[-1].iou(truth[-1]) >= 0.5,
    )


if __name__ == "__main__":
    main()
