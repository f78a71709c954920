"""How well each moment of a video fits a query: the relevance curve.

Similarity of meaning and words in common, smoothed over time, then spread to moments that look like
the best ones (pseudo-relevance feedback) and to neighbours alike (a self-similarity graph). All
curves have one value per cell; cells weigh as much as they last. No function here keeps state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.segments import CELL_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.grounding.segments import Cells

    Curve = NDArray[np.float64]

LEXICAL_SHARE = 0.4
"""What words in common add to similarity of meaning, both standardised."""

FEEDBACK_S = 10.0
FEEDBACK_SHARE_OF_TIME = 0.2
"""How much of the best-fitting time is taken for an example of what is looked for: ten seconds, but
of a very short video no more than a fifth, or something else would be among the examples."""

FEEDBACK_ROUNDS = 2
FEEDBACK_SHARE = 1.5
FEEDBACK_SMOOTHING_S = 1.4

GRAPH_TEMPERATURE = 0.25
"""Two captions less alike than this (in cosine, after centring) hardly share relevance."""

GRAPH_REACH_S = 12.0
"""Standard deviation of how far in time relevance is shared."""

_GAUSSIAN_CUT_S = 6.0


def standardise(curve: Curve, weight: Curve) -> Curve:
    """Shift and scale to mean 0 and standard deviation 1 over time; a flat curve becomes 0."""
    total = weight.sum()
    off = curve - (curve * weight).sum() / total
    deviation = np.sqrt((off**2 * weight).sum() / total)
    if deviation < 1e-9:
        return np.zeros_like(curve)
    standard: Curve = off / deviation
    return standard


def smooth(curve: Curve, cells: Cells, sigma_s: float) -> Curve:
    """Average over time with a Gaussian, renormalised at borders and gaps.

    Costs the number of cells times the number of neighbours within 6 s.
    """
    weight, middle_s = cells.weight, cells.middle_s
    total = curve * weight
    norm = weight.copy()
    for offset in range(1, len(curve)):
        distance_s = middle_s[offset:] - middle_s[:-offset]
        near = distance_s <= _GAUSSIAN_CUT_S
        if not near.any():
            break
        kernel = np.where(near, np.exp(-0.5 * (distance_s / sigma_s) ** 2), 0.0)
        for here, there in (
            (slice(offset, None), slice(None, -offset)),
            (slice(None, -offset), slice(offset, None)),
        ):
            total[here] += kernel * weight[there] * curve[there]
            norm[here] += kernel * weight[there]
    smoothed: Curve = total / norm
    return smoothed


def first_guess(dense: Curve, lexical: Curve, cells: Cells, *, smoothing_s: float) -> Curve:
    """Meaning and words together; costs no more than linear time in the number of cells.

    Args:
        dense: Cosine of query and caption, per cell.
        lexical: BM25 of query and caption, per cell.
        cells: The time axis.
        smoothing_s: Standard deviation of the Gaussian over which a single slip is averaged out.
    """
    weight = cells.weight
    mixed = standardise(dense, weight) + LEXICAL_SHARE * standardise(lexical, weight)
    return standardise(smooth(mixed, cells, smoothing_s), weight)


def similarity(vectors: NDArray[np.float32], weight: Curve) -> NDArray[np.float32]:
    """Cosine between all cells after subtracting the video's mean vector, shape ``(n, n)``."""
    mean = np.average(vectors, axis=0, weights=weight).astype(np.float32)
    centred = vectors - mean
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    # Captions that are all equal leave nothing but rounding after centring: call them unrelated.
    centred = np.where(norm > 1e-4, centred / np.maximum(norm, 1e-4), 0)
    return np.asarray(centred @ centred.T, dtype=np.float32)


def feed_back(curve: Curve, likeness: NDArray[np.float32], cells: Cells) -> Curve:
    """Raise what is like the best-fitting moments: a query is short, captions say the same longer.

    Pseudo-relevance feedback (Rocchio, 1971) on the caption-to-caption similarity.
    """
    weight = cells.weight
    raised = curve
    for _ in range(FEEDBACK_ROUNDS):
        best = np.argsort(-raised, kind="stable")
        before = np.cumsum(weight[best]) - weight[best]
        wanted = min(FEEDBACK_S / CELL_S, FEEDBACK_SHARE_OF_TIME * float(weight.sum()))
        # By how well they fit: an event may be shorter than all that is wanted, and on still
        # footage the rest would be no examples of it but of its very opposite.
        share = np.clip(wanted - before, 0, weight[best]) * np.maximum(raised[best], 0)
        if not share.any():
            return raised
        examples = best[share > 0]
        found = likeness[:, examples] @ (share[share > 0] / share.sum())
        fed = standardise(smooth(found, cells, FEEDBACK_SMOOTHING_S), weight)
        raised = standardise(curve + FEEDBACK_SHARE * fed, weight)
    return raised


def ties(likeness: NDArray[np.float32], cells: Cells) -> NDArray[np.float32]:
    """How much each cell (row) hears from every other, shape ``(n, n)``; rows add up to 1.

    The graph exp((likeness - 1) / temperature - dt² / (2 reach²)).
    """
    middle_s = (cells.middle_s / GRAPH_REACH_S).astype(np.float32)
    edges = np.exp(
        (likeness - 1) / np.float32(GRAPH_TEMPERATURE)
        - 0.5 * (middle_s[:, None] - middle_s[None, :]) ** 2
    )
    edges *= cells.weight.astype(np.float32)
    edges /= edges.sum(axis=1, keepdims=True)
    return np.asarray(edges, dtype=np.float32)


def spread(curve: Curve, tied: NDArray[np.float32], cells: Cells) -> Curve:
    """Let similar neighbours in time share their relevance, so that a scene holds together.

    One step of a random walk on the graph of ``ties``.
    """
    return standardise(curve + tied @ curve, cells.weight)


def level(curve: Curve, cells: Cells) -> Curve:
    """Give all cells of a moment its mean, so that no window can cut a caption in two."""
    weight = cells.weight
    _, index = np.unique(cells.moment, return_inverse=True)
    means = np.bincount(index, curve * weight) / np.bincount(index, weight)
    levelled: Curve = means[index]
    return levelled


def refine(
    guesses: Sequence[Curve],
    vectors: NDArray[np.float32],
    cells: Cells,
    *,
    sharpness: float = 0.0,
) -> list[Curve]:
    """The relevance curve of each first guess, spread to what is like its best moments.

    Or, with ``sharpness``, raised where it is nearly as good as the best: frames that show half of
    what is asked for look much like those that show all of it, and what is spread reaches them.
    """
    if sharpness:
        sharp = [np.exp(sharpness * (guess - guess.max())) for guess in guesses]
        return [level(standardise(curve, cells.weight), cells) for curve in sharp]
    likeness = similarity(vectors, cells.weight)
    tied = ties(likeness, cells)
    fed = [feed_back(guess, likeness, cells) for guess in guesses]
    return [level(spread(curve, tied, cells), cells) for curve in fed]
