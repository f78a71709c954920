"""The LLM-free grounder: from a query and embedded captions to ranked windows and a verdict.

captions → moments → cells → relevance curve → candidates → scores → windows → events. Pure numpy on
given embeddings; nothing here loads a model. Beyond ``WHOLE_CELLS`` of captions only the promising
parts of a video, with their surroundings, are looked at closely: memory and time stay linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import CaptionError, EmbedderError
from tools.lexical import bm25
from tools.moments import CELL_S, Cells, Moments, cut, group_captions, name_caption
from tools.presence import (
    MINILM,
    Calibration,
    best_similarity,
    presence_probability,
    rarity,
    window_probability,
)
from tools.ranking import Ranking, Verdict, Window
from tools.relevance import (
    SMOOTHING_S,
    feed_back,
    first_guess,
    level,
    similarity,
    smooth,
    spread,
    standardise,
)
from tools.timeline import Interval
from tools.windows import (
    DUPLICATE_IOU,
    find_candidates,
    pairwise_iou,
    score_windows,
    select,
    spans_of,
    vote,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.timeline import Caption
    from tools.windows import Runs

WHOLE_CELLS = 600
"""Twenty minutes of captions are looked at whole; of more, the twenty most promising minutes."""

SURROUNDINGS_S = 75.0
"""What is looked at on each side of a promising moment of a long video."""

FOUND_PRESENCE = 0.5
"""From even odds on, "found": fewest wrong verdicts if either error costs the same."""

EVENT_SCORE_SHARE = 0.7
"""A further window is an event of its own if it scores this share of the best one."""


def ground(
    query: str,
    query_vector: NDArray[np.floating],
    captions: Sequence[Caption],
    vectors: NDArray[np.floating],
    *,
    duration_s: float,
    limit: int = 10,
    calibration: Calibration = MINILM,
) -> Ranking:
    """Rank the windows of a video in which a query's event may happen.

    Args:
        query: What to look for.
        query_vector: Shape ``(d,)``, its embedding.
        captions: One track of one video in time order; see ``tools.moments.group_captions`` for
            what may share a span.
        vectors: Shape ``(n, d)``, the captions' embeddings by the same model; any length but zero.
        duration_s: Length of the video.
        limit: Most windows wanted.
        calibration: Of the embedding model; decides the verdict and the confidences alone.

    Returns:
        Windows whose edges are edges of captions. The best window by plain cosine is always among
        them, the last if need be: what refines the ranking can lose the scene.

    Raises:
        ValueError: If the query is blank, ``limit`` below 1 or ``duration_s`` not positive.
        CaptionError: If captions are out of order or overlap, or an embedding is missing or not
            finite; the message names the caption.
        EmbedderError: If the query's embedding does not fit the captions'.
    """
    if not query.strip():
        raise ValueError("the query is empty; say what to look for")
    if limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")
    if not (np.isfinite(duration_s) and duration_s > 0):
        raise ValueError(f"duration_s must be positive and finite, not {duration_s}")
    if not captions:
        return Ranking("cannot_tell", (), (), np.zeros(0), "There are no captions to search.")
    moments = group_captions(captions, duration_s=duration_s)
    vectors = _moment_vectors(captions, np.asarray(vectors), moments)
    query_vector = _unit_query(np.asarray(query_vector), vectors)
    cosine = (vectors @ query_vector).astype(np.float64)
    lexical = bm25(query, moments.texts, (moments.end_s - moments.start_s) / CELL_S)

    every_cell = cut(moments)
    guess = first_guess(cosine[every_cell.moment], lexical[every_cell.moment], every_cell)
    looked_at = promising(guess, every_cell)
    cells = every_cell.take(looked_at)
    curve = refine(guess[looked_at], vectors[cells.moment], cells)
    runs, scores = rank(curve, cells, limit=limit)
    plain = best_by_cosine(cosine[cells.moment], cells)
    runs, scores = keep_in(runs, scores, plain, curve, cells, limit=limit)

    similar = best_similarity(cosine[every_cell.moment], every_cell.weight)
    present = presence_probability(similar, rarity(query), calibration)
    confidence = present * window_probability(scores, calibration)
    windows = tuple(
        Window(Interval(float(start_s), float(end_s)), float(score), float(sure))
        for (start_s, end_s), score, sure in zip(
            spans_of(runs, cells), scores, confidence, strict=True
        )
    )
    found = present >= FOUND_PRESENCE
    events = claim_events(windows) if found else ()
    verdict: Verdict = "found" if found else "not_found"
    relevance = _per_caption(guess, curve, looked_at, every_cell, moments)
    return Ranking(verdict, windows, events, relevance, _explain(query, windows, events, present))


def promising(guess: NDArray[np.float64], cells: Cells) -> NDArray[np.bool_]:
    """Which cells to look at closely: all, or in a long video the best with their surroundings."""
    if len(cells) <= WHOLE_CELLS:
        return np.ones(len(cells), dtype=bool)
    middle_s = cells.middle_s
    chosen = np.zeros(len(cells), dtype=bool)
    left = guess.copy()
    while (room := WHOLE_CELLS - int(chosen.sum())) > 0:
        peak = int(np.argmax(left))
        first = int(np.searchsorted(middle_s, middle_s[peak] - SURROUNDINGS_S))
        after = int(np.searchsorted(middle_s, middle_s[peak] + SURROUNDINGS_S, side="right"))
        # Around a peak of very dense captions there may be more cells than there is room.
        first, after = max(first, peak - room // 2), min(after, peak + max(room // 2, 1))
        chosen[first:after] = True
        left[first:after] = -np.inf
    return chosen


def refine(
    guess: NDArray[np.float64], vectors: NDArray[np.floating], cells: Cells
) -> NDArray[np.float64]:
    """The relevance curve: the first guess, spread to what is like its best moments."""
    likeness = similarity(vectors.astype(np.float32), cells.weight)
    fed = feed_back(standardise(guess, cells.weight), likeness, cells)
    return level(spread(fed, likeness, cells), cells)


def rank(
    curve: NDArray[np.float64], cells: Cells, *, limit: int
) -> tuple[Runs, NDArray[np.float64]]:
    """The best windows of a curve as runs of cells, best first, with their scores."""
    runs = find_candidates(curve, cells)
    scores = score_windows(runs, vote(curve, cells), curve, cells)
    best = select(spans_of(runs, cells), scores, limit=limit)
    return runs[best], scores[best]


def best_by_cosine(cosine: NDArray[np.float64], cells: Cells) -> Runs:
    """The best window of the plain cosine curve, shape ``(1, 2)``."""
    smoothed = standardise(smooth(cosine, cells, SMOOTHING_S), cells.weight)
    curve = level(smoothed, cells)
    runs = find_candidates(curve, cells)
    return runs[[int(np.argmax(score_windows(runs, runs[:0], curve, cells)))]]


def keep_in(
    runs: Runs,
    scores: NDArray[np.float64],
    plain: Runs,
    curve: NDArray[np.float64],
    cells: Cells,
    *,
    limit: int,
) -> tuple[Runs, NDArray[np.float64]]:
    """Make sure that a window is among those ranked; it takes the last place if it is not."""
    is_in = pairwise_iou(spans_of(runs, cells), spans_of(plain, cells)).max() > DUPLICATE_IOU
    if is_in or limit == 1:
        return runs, scores
    runs, scores = runs[: limit - 1], scores[: limit - 1]
    score = score_windows(plain, runs[:0], curve, cells)
    return np.concatenate([runs, plain]), np.append(scores, np.minimum(score, scores[-1]))


def claim_events(windows: Sequence[Window]) -> tuple[Window, ...]:
    """The windows claimed as the answer: the best, and others apart from it nearly as good."""
    events = [windows[0]]
    for window in windows[1:]:
        good = window.score >= EVENT_SCORE_SHARE * windows[0].score
        if good and all(window.span.overlap_s(event.span) == 0 for event in events):
            events.append(window)
    return tuple(events)


def _moment_vectors(
    captions: Sequence[Caption], vectors: NDArray[np.floating], moments: Moments
) -> NDArray[np.floating]:
    """Unit embeddings of moments, shape ``(m, d)``; zero where a caption's embedding is zero."""
    if vectors.ndim != 2:
        raise CaptionError(f"caption embeddings must be one row a caption, not {vectors.shape}")
    if len(vectors) < len(captions):
        missing = name_caption(captions[len(vectors)], len(vectors))
        raise CaptionError(f"{missing} has no embedding; index the video again")
    if len(vectors) > len(captions):
        raise CaptionError(
            f"there are {len(vectors)} embeddings for {len(captions)} captions, the last being "
            f"{name_caption(captions[-1], len(captions) - 1)}; index the video again"
        )
    broken = ~np.isfinite(np.einsum("ij,ij->i", vectors, vectors))
    if broken.any():
        index = int(np.argmax(broken))
        raise CaptionError(
            f"the embedding of {name_caption(captions[index], index)} is not finite; "
            "index the video again"
        )
    units = _unit(vectors)
    if len(moments.texts) == len(captions):
        return units
    first = np.flatnonzero(np.diff(moments.of_caption, prepend=-1))
    return _unit(np.add.reduceat(units, first, axis=0))


def _unit_query(
    query_vector: NDArray[np.floating], vectors: NDArray[np.floating]
) -> NDArray[np.floating]:
    if query_vector.shape != vectors.shape[1:]:
        raise EmbedderError(
            f"the query's embedding has shape {query_vector.shape}, the captions' "
            f"{vectors.shape[1:]}; index the video again with the embedder in use"
        )
    if not np.isfinite(query_vector).all():
        raise EmbedderError("the query's embedding is not finite")
    return np.asarray(_unit(query_vector[None, :])[0], dtype=vectors.dtype)


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norm > 0, norm, 1), dtype=vectors.dtype)


def _per_caption(
    guess: NDArray[np.float64],
    curve: NDArray[np.float64],
    looked_at: NDArray[np.bool_],
    cells: Cells,
    moments: Moments,
) -> NDArray[np.float64]:
    """Relevance of each caption: what was not looked at keeps its order, below all that was."""
    relevance = guess.copy()
    if not looked_at.all():
        relevance += curve.min() - guess[~looked_at].max()
    relevance[looked_at] = curve
    mean = np.bincount(cells.moment, relevance * cells.weight) / np.bincount(
        cells.moment, cells.weight
    )
    return np.asarray(mean[moments.of_caption])


def _explain(
    query: str, windows: Sequence[Window], events: Sequence[Window], present: float
) -> str:
    best = windows[0].span
    where = f"{best.start_s:.1f}–{best.end_s:.1f} s"
    if not events:
        return (
            f"No caption is close enough to “{query}” in meaning and words "
            f"({present:.0%} likely to be in the video); the closest is {where}."
        )
    others = f", and {len(events) - 1} more like it" if len(events) > 1 else ""
    return (
        f"Of all captions, those at {where} are closest to “{query}” in meaning and words and "
        f"stand out from the rest{others} ({present:.0%} likely to be in the video)."
    )
