r"""Fit the constants of ``tools.grounding.presence`` and say how well they hold.

    python -m evaluation.experiments.calibrate --captions val_captions.jsonl.gz \
        --annotations val.jsonl

Every query is asked of its own video, of a video from another source (random null) and of another
segment of its own source (hard null). Presence is fitted on own against random null, windows on
own alone. Figures are printed for the constants just fitted, for those in the code, and for
constants fitted on one half of the sources and measured on the other.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation.datasets.nulls import hard_nulls, random_nulls
from evaluation.datasets.query import Query
from evaluation.datasets.qvhighlights_files import (
    CaptionedVideo,
    read_captions,
    read_queries,
    source_of,
)
from evaluation.figures.metrics import auroc, expected_calibration_error, pairwise_iou
from evaluation.runs.vector_cache import CachedEmbedder
from tools.embedders.embedder import Embedder, open_embedder
from tools.errors import WhenaboutsError
from tools.grounding.background import background_of, likeness_of_track, measure_usual
from tools.grounding.grounder import ground
from tools.grounding.presence import (
    FOUND_PRESENCE,
    MINILM,
    Calibration,
    presence_odds,
    window_probability,
)
from tools.grounding.segments import cut, group_captions
from tools.grounding.similarity import best_similarity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

UNCALIBRATED = Calibration(0.0, 0.0, 0.0, 1.0)
"""With it a window's score is the logistic function of what the calibration is fitted on."""


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """Queries asked of videos, one row a query.

    Attributes:
        deviations: Shape ``(n,)``, see ``tools.grounding.background.Usual``.
        score: Shape ``(n,)``, of the best window.
        right: Shape ``(n,)``, whether that window has an IoU of 0.5 with a true one.
    """

    deviations: Floats
    score: Floats
    right: NDArray[np.bool_]

    def take(self, rows: NDArray[np.bool_]) -> AskedQuery:
        """The queries where ``rows`` is true."""
        return AskedQuery(self.deviations[rows], self.score[rows], self.right[rows])


def ask_all(
    pairs: Iterable[tuple[Query, str]],
    videos: dict[str, CaptionedVideo],
    durations_s: dict[str, float],
    embedder: Embedder,
) -> AskedQuery:
    """Ask each query of the video beside it; a video that is not its own cannot be right."""
    background = background_of(embedder)
    rows = []
    for query, video_id in pairs:
        duration_s = durations_s[video_id]
        captions = videos[video_id].captions(duration_s=duration_s)
        vectors = embedder.embed([caption.text for caption in captions])
        query_vector = embedder.embed([query.text])[0]
        ranking = ground(
            query.text,
            query_vector,
            captions,
            vectors,
            duration_s=duration_s,
            background=background,
            calibration=UNCALIBRATED,
        )
        moments = group_captions(captions, duration_s=duration_s)
        cells = cut(moments)
        said = vectors[moments.first][cells.moment]
        similarity = best_similarity((said @ query_vector).astype(np.float64), cells.weight)
        usual = measure_usual(
            query_vector, background, likeness_of_track(background, [(said, cells.weight)])
        )
        best = ranking.windows[0]
        iou = pairwise_iou(np.array([[best.span.start_s, best.span.end_s]]), query.windows)
        rows.append(
            (
                float(usual.deviations(similarity)),
                float(np.log(best.score / (1 - best.score))),
                video_id == query.video_id and bool(iou.max() >= 0.5),
            )
        )
    deviations, score, right = map(np.array, zip(*rows, strict=True))
    return AskedQuery(deviations, score, right.astype(bool))


def fit(own: AskedQuery, null: AskedQuery) -> Calibration:
    """Both logistic models by maximum likelihood."""
    deviations = np.concatenate([own.deviations, null.deviations])
    is_own = np.arange(len(deviations)) < len(own.score)
    bias, presence_fit = _fit_logistic(deviations[:, None], is_own)
    window_bias, window_score = _fit_logistic(own.score[:, None], own.right)
    return Calibration(
        presence_bias=round(float(bias), 2),
        presence_fit=round(float(presence_fit), 2),
        window_bias=round(float(window_bias), 2),
        window_score=round(float(window_score), 2),
    )


def measure(
    own: AskedQuery, random: AskedQuery, hard: AskedQuery, calibration: Calibration
) -> dict[str, float]:
    """How well a calibration separates and how honest its probabilities are."""
    here, elsewhere, segment = (_presence(asked, calibration) for asked in (own, random, hard))
    confidence = np.concatenate(
        [
            here * window_probability(own.score, calibration),
            elsewhere * window_probability(random.score, calibration),
        ]
    )
    presence = np.concatenate([here, elsewhere])
    is_own = np.arange(len(presence)) < len(here)
    return {
        "auroc_random": auroc(here, elsewhere),
        "auroc_hard": auroc(here, segment),
        "auroc_random_by_confidence": auroc(confidence[: len(here)], confidence[len(here) :]),
        "ece_presence": expected_calibration_error(presence, is_own),
        "ece_confidence": expected_calibration_error(
            confidence, np.concatenate([own.right, random.right])
        ),
        "found_own": float((here >= FOUND_PRESENCE).mean()),
        "found_random": float((elsewhere >= FOUND_PRESENCE).mean()),
        "found_hard": float((segment >= FOUND_PRESENCE).mean()),
    }


def _presence(asked: AskedQuery, calibration: Calibration) -> Floats:
    odds = presence_odds(calibration.presence_bias + calibration.presence_fit * asked.deviations)
    return np.asarray(odds / (1 + odds))


def _fit_logistic(features: Floats, positive: NDArray[np.bool_]) -> Floats:
    """Bias and weights by Newton's method, with a ridge that only keeps it solvable."""
    design = np.column_stack([np.ones(len(features)), features])
    weights = np.zeros(design.shape[1])
    ridge = 1e-6 * np.eye(len(weights))
    for _ in range(50):
        probability = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (positive - probability) - ridge @ weights
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design + ridge
        weights += np.linalg.solve(curvature, slope)
    return weights


def _cross_fitted(
    own: AskedQuery,
    random: AskedQuery,
    hard: AskedQuery,
    halves: NDArray[np.bool_],
    has_hard: NDArray[np.bool_],
) -> dict[str, float]:
    folds = []
    for half in (halves, ~halves):
        calibration = fit(own.take(~half), random.take(~half))
        folds.append(
            measure(own.take(half), random.take(half), hard.take(half[has_hard]), calibration)
        )
    return {name: float(np.mean([fold[name] for fold in folds])) for name in folds[0]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print fitted constants and figures as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.experiments.calibrate",
        description=(__doc__ or "").split("\n")[0],
    )
    parser.add_argument("--captions", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--cache", type=Path, default=Path(".cache"), help="for embeddings")
    parser.add_argument("--seed", type=int, default=0, help="of the null queries")
    options = parser.parse_args(arguments)
    try:
        report = calibrate(
            options.captions,
            options.annotations,
            open_embedder(options.embedder, cache=options.cache),
            cache=options.cache,
            seed=options.seed,
        )
    except WhenaboutsError as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 2
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0


def calibrate(
    captions: Path, annotations: Path, embedder: Embedder, *, cache: Path, seed: int
) -> dict[str, object]:
    """Everything that ``main`` prints."""
    queries, videos = read_queries(annotations), read_captions(captions)
    durations_s = {query.video_id: query.known_duration_s for query in queries}
    cached = CachedEmbedder(embedder, cache, progress=_show)
    texts = [text for video_id in durations_s for text in videos[video_id].texts]
    cached.embed([*texts, *(query.text for query in queries)])

    hard_ids = hard_nulls(queries, seed=seed)
    has_hard = np.array([video_id is not None for video_id in hard_ids])
    asked = [
        ask_all(pairs, videos, durations_s, cached)
        for pairs in (
            [(query, query.video_id) for query in queries],
            list(zip(queries, random_nulls(queries, seed=seed), strict=True)),
            [(query, other) for query, other in zip(queries, hard_ids, strict=True) if other],
        )
    ]
    own, random, hard = asked
    sources = sorted({source_of(query.video_id) for query in queries})
    first_half = set(sources[::2])
    halves = np.array([source_of(query.video_id) in first_half for query in queries])
    fitted = fit(own, random)
    return {
        "queries": len(queries),
        "hard_nulls": int(has_hard.sum()),
        "embedder": embedder.name,
        "seed": seed,
        "fitted": asdict(fitted),
        "with_fitted": measure(own, random, hard, fitted),
        "with_code": measure(own, random, hard, MINILM),
        "cross_fitted": _cross_fitted(own, random, hard, halves, has_hard),
    }


def _show(done: int, total: int) -> None:
    sys.stderr.write(f"\rembedding {done} of {total} texts" + ("\n" if done == total else ""))


if __name__ == "__main__":
    raise SystemExit(main())
