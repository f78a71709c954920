"""Which captions matter for a query: the ranking of windows, and the captions that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.grounder import ground
from tools.senses.grounder import ground_signals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.embedder import Embedder
    from tools.ranking import Ranking
    from tools.timeline import Caption, Interval

EVIDENCE_LIMIT = 200
"""Captions handed to a reasoner: about 5,000 tokens of text; a video of 200 is shown whole."""

EDGE_CAPTIONS = 2
"""Captions kept on each side of each edge of a candidate window, so that the edge can be judged."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The captions worth reading for a query, in time order, and the grounder's view of them.

    Attributes:
        captions: At most ``EVIDENCE_LIMIT`` and the edges of every window.
        relevance: One per caption, on the grounder's own scale.
        ranking: Over all captions of the track, not only these.
    """

    captions: tuple[Caption, ...]
    relevance: tuple[float, ...]
    ranking: Ranking


def retrieve(
    query: str,
    captions: Sequence[Caption],
    vectors: NDArray[np.float32],
    *,
    embedder: Embedder,
    duration_s: float,
) -> Retrieved:
    """Rank windows for a query and choose the captions to show with them.

    Measured signals and text read off the screen are asked by what they can measure; everything
    else by meaning and words. The two are never mixed.

    Args:
        query: What to look for.
        captions: One track of one video, in time order.
        vectors: Shape ``(n, d)``, the captions' embeddings by the same ``embedder``.
        embedder: Embeds the query.
        duration_s: Length of the video.
    """
    if all(caption.source in {"signal", "screen"} for caption in captions):
        ranking = ground_signals(query, captions, duration_s=duration_s)
    else:
        query_vector = embedder.embed([query])[0]
        ranking = ground(query, query_vector, captions, vectors, duration_s=duration_s)
    chosen = choose_evidence(captions, ranking, limit=EVIDENCE_LIMIT)
    return Retrieved(
        captions=tuple(captions[i] for i in chosen),
        relevance=tuple(float(ranking.relevance[i]) for i in chosen),
        ranking=ranking,
    )


def choose_evidence(captions: Sequence[Caption], ranking: Ranking, *, limit: int) -> list[int]:
    """Indices of the captions to show, in time order: all edges of windows, then the most relevant.

    More than ``limit`` only where the windows' edges alone are more.
    """
    if len(captions) <= limit:
        return list(range(len(captions)))
    starts_s = np.array([caption.start_s for caption in captions])
    chosen: set[int] = set()
    for window in (*ranking.events, *ranking.windows):
        for edge in _edges(starts_s, window.span):
            low, high = max(0, edge - EDGE_CAPTIONS), min(len(captions), edge + EDGE_CAPTIONS)
            chosen.update(range(low, high))
    for index in np.argsort(-ranking.relevance, kind="stable"):
        if len(chosen) >= limit:
            break
        chosen.add(int(index))
    return sorted(chosen)


def _edges(starts_s: NDArray[np.float64], span: Interval) -> tuple[int, int]:
    first = int(np.searchsorted(starts_s, span.start_s, side="left"))
    after = int(np.searchsorted(starts_s, span.end_s, side="left"))
    return first, after
