"""Whether a query's event is in the video at all, and how sure a window is: calibrated odds.

The constants come from ``evaluation/calibrate.py``, which prints them anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.lexical import terms_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEST_CELLS = 5.0
"""Ten seconds: how much of the most similar time speaks for presence."""

BEST_TEXTS = 10

PRESENCE_BIAS, PRESENCE_SIMILARITY, PRESENCE_WORDS = -5.0, 1.6, 1.5
WINDOW_BIAS, WINDOW_STRENGTH = -3.0, 5.0
USUAL_BACKGROUND = (0.1, 0.09)
"""Mean and deviation of a query's cosine to unrelated sentences with all-MiniLM-L6-v2."""


def presence(
    cosine: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    coverage: float,
    background: NDArray[np.floating] | None,
) -> float:
    """Probability that the query's event is somewhere in the video.

    Args:
        cosine: Shape ``(n,)``, query and caption, per cell.
        weight: Shape ``(n,)``, duration of each cell.
        coverage: See ``word_coverage``.
        background: Shape ``(k,)``, query and unrelated sentences.
    """
    best = np.argsort(-cosine, kind="stable")
    share = np.clip(BEST_CELLS - (np.cumsum(weight[best]) - weight[best]), 0, weight[best])
    similarity = float(cosine[best] @ share / share.sum())
    if background is None:
        mean, deviation = USUAL_BACKGROUND
    else:
        mean, deviation = float(background.mean()), max(float(background.std()), 1e-3)
    return float(
        _logistic(
            PRESENCE_BIAS
            + PRESENCE_SIMILARITY * (similarity - mean) / deviation
            + PRESENCE_WORDS * coverage
        )
    )


def window_confidence(scores: NDArray[np.float64], *, total: float) -> NDArray[np.float64]:
    """Probability, if the event is in the video, that each window has an IoU of 0.5 with it.

    Args:
        scores: Of ``tools.windows.score_windows``; divided by the square root of ``total``, they no
            longer depend on the video's length.
        total: Duration of the curve they were made on, in cells of full length.
    """
    return _logistic(WINDOW_BIAS + WINDOW_STRENGTH * scores / np.sqrt(total))


def word_coverage(query: str, texts: Sequence[str], cosine: NDArray[np.float64]) -> float:
    """Share of the query's words that the most similar texts say, from 0 to 1."""
    wanted = set(terms_of(query))
    best = np.argsort(-cosine, kind="stable")[:BEST_TEXTS]
    said = [len(wanted.intersection(terms_of(texts[int(index)]))) for index in best]
    return float(np.mean(said)) / len(wanted) if wanted else 0.0


def _logistic(odds: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -50, 50))))
