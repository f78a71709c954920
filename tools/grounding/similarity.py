"""How similar the most similar time of a stretch of video is to a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEST_CELLS = 3.0
"""Six seconds: how much of the most similar time speaks for presence; events of five are no fewer
than of ten in what people ask, and those of a minute lose nothing by it."""


def best_similarity(
    cosine: NDArray[np.float64], weight: NDArray[np.float64], *, cells: float = BEST_CELLS
) -> NDArray[np.float64]:
    """Mean cosine of the most similar seconds, by default six, in [-1, 1].

    Six seconds are no fewer in an hour than in a minute, so it hardly grows with the video; the
    maximum would.

    Args:
        cosine: Shape ``(…, n)``, text and caption, per cell.
        weight: Shape ``(…, n)`` or one that broadcasts to it, duration of each cell; not all 0.
        cells: How much time it is, in cells.

    Returns:
        Shape ``(…,)``.
    """
    best = np.argsort(-cosine, axis=-1, kind="stable")
    by_rank = np.take_along_axis(np.broadcast_to(weight, cosine.shape), best, axis=-1)
    before = np.cumsum(by_rank, axis=-1) - by_rank
    share = np.clip(cells - before, 0, by_rank)
    ranked = np.take_along_axis(cosine, best, axis=-1)
    return np.asarray((ranked * share).sum(axis=-1) / share.sum(axis=-1))
