"""What ``whenabouts eval qvhighlights`` measures without an LLM, in memory.

    python benchmarks/rank_queries.py [FOLDER] [--name val_slice]

Every query is asked of its own video and of one from another source, through the question reader,
the rules of order and the grounder, as ``ask`` does, but without store and graph. The first run
embeds every caption, which takes some minutes of CPU. Vectors are kept in the cache, so that later
runs only rank, in half a minute. The first mIoU is that of the window ranked first; that of the
answer, where "not found" is 0, stands after ``answered``. Captions with starts and ends, as those
of QVHighlights, have no half steps to be moved by: the figures are those of ``eval``.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.settings import load_settings
from evaluation.datasets.nulls import random_nulls
from evaluation.datasets.query import Query
from evaluation.datasets.qvhighlights_files import CaptionedVideo, read_captions, read_queries
from evaluation.figures.metrics import (
    auroc,
    bootstrap,
    expected_calibration_error,
    pairwise_iou,
    score_by_length,
    score_queries,
    summarise,
)
from evaluation.runs.vector_cache import CachedEmbedder
from tools.embedders.embedder import open_embedder
from tools.ranking import Ranking
from tools.retrieval.retrieval import rank

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "qvhighlights"

Floats = NDArray[np.float64]


def main() -> None:
    """Rank, print."""
    parser = argparse.ArgumentParser(description="Rank the windows of every query in memory.")
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    parser.add_argument("--name", default="val", help="of NAME.jsonl and NAME_captions.jsonl.gz")
    options = parser.parse_args()
    if not options.folder.exists():
        print(f"skipped: no data at {options.folder}; name the folder")
        return
    queries = read_queries(options.folder / f"{options.name}.jsonl")
    videos = read_captions(options.folder / f"{options.name}_captions.jsonl.gz")
    cache = load_settings().cache_folder
    embedder = CachedEmbedder(open_embedder("minilm", cache=cache), cache)
    durations_s = {query.video_id: query.known_duration_s for query in queries}

    def ask(pairs: Iterable[tuple[Query, str]]) -> list[Ranking]:
        return [
            ranked(query.text, videos[video_id], durations_s[video_id], embedder)
            for query, video_id in pairs
        ]

    own = ask((query, query.video_id) for query in queries)
    other = ask(zip(queries, random_nulls(queries, seed=0), strict=True))
    truth = [np.asarray(query.windows, np.float64) for query in queries]
    predicted = [windows_of(ranking) for ranking in own]
    scores = score_queries(predicted, truth)
    intervals = bootstrap(scores)
    for name, value in summarise(scores).items():
        low, high = intervals[name]
        print(f"{name}: {value:.1f} [{low:.1f}, {high:.1f}]")
    for length, part in score_by_length(predicted, truth).items():
        print(f"mAP, {length}: {summarise(part)['mAP']:.1f}")
    answered = [iou_of_answer(ranking, true) for ranking, true in zip(own, truth, strict=True)]
    print(f"answered: mIoU {100 * np.mean(answered):.1f}")
    for name, rankings in (("own video", own), ("another source", other)):
        said = [ranking.verdict for ranking in rankings]
        shares = {one: 100 * said.count(one) / len(said) for one in dict.fromkeys(said)}
        print(f"{name}: " + ", ".join(f"{one} {share:.0f}%" for one, share in shares.items()))
    here, elsewhere = (np.array([one.presence or 0.0 for one in many]) for many in (own, other))
    is_own = np.arange(len(here) + len(elsewhere)) < len(here)
    error = expected_calibration_error(np.concatenate([here, elsewhere]), is_own)
    print(f"presence: AUROC {auroc(here, elsewhere):.3f}, calibration error {error:.3f}")


def ranked(
    text: str, video: CaptionedVideo, duration_s: float, embedder: CachedEmbedder
) -> Ranking:
    """What the grounder says of a query and a video."""
    captions = video.captions(duration_s=duration_s)
    vectors = embedder.embed([caption.text for caption in captions])
    return rank(text, captions, vectors, embedder=embedder, duration_s=duration_s)


def windows_of(ranking: Ranking) -> Floats:
    """Start, end and score, in the ranking's order."""
    rows = [(one.span.start_s, one.span.end_s, one.score) for one in ranking.windows]
    return np.array(rows, np.float64).reshape(-1, 3)


def iou_of_answer(ranking: Ranking, truth: Floats) -> float:
    """Of the first interval of the answer; 0 where there is none."""
    if not ranking.events:
        return 0.0
    best = ranking.events[0].span
    return float(pairwise_iou(np.array([[best.start_s, best.end_s]]), truth).max())


if __name__ == "__main__":
    main()
