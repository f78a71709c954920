"""Several kinds of captions of one video asked together: what is seen, said and written.

Each kind is ranked by itself, on its own scale: a spoken sentence and a description of a picture
are alike in other ways. What they conclude is put together, never their scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.windows import DUPLICATE_IOU
from tools.ranking import PartFound, Ranking, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.timeline import Caption

MOST_WINDOWS = 10

RANK_OFFSET = 60
"""Of reciprocal-rank fusion (Cormack, Clarke and Buettcher, 2009), as published."""

SECOND_SHARE = 0.5
"""An event of another kind of captions is reported too if it is this sure next to the surest."""


def fuse(
    ranked: Sequence[tuple[Sequence[Caption], Ranking]],
) -> tuple[list[Caption], Ranking]:
    """Put the rankings of several tracks of one video together.

    Found where any of them finds it; otherwise the first track decides: what is said in a video, or
    written on the screen, seldom shows that something is not in the picture. The events are those
    of the track that is surest of the presence, and what others found elsewhere and are nearly as
    sure of.

    Args:
        ranked: The captions of each track in time order, and their ranking; at least one.

    Returns:
        All captions in time order, and one ranking of them. Relevance is by reciprocal rank within
        a track, so that no track's scale outweighs another's.
    """
    if len(ranked) == 1:
        captions, ranking = ranked[0]
        return list(captions), ranking
    captions = [caption for track, _ in ranked for caption in track]
    relevance = np.concatenate([_by_rank(ranking.relevance) for _, ranking in ranked])
    order = sorted(range(len(captions)), key=lambda index: (captions[index].span, index))
    rankings = [ranking for _, ranking in ranked]
    found = [ranking for ranking in rankings if ranking.verdict == "found"]
    decider = max(found, key=_certainty, default=rankings[0])
    return [captions[index] for index in order], Ranking(
        verdict=decider.verdict,
        windows=_best(rankings),
        events=_events(rankings, decider) if found else (),
        relevance=relevance[order],
        reasoning=decider.reasoning,
        presence=max((one.presence for one in rankings if one.presence is not None), default=None),
        parts=_parts(rankings),
    )


def layers(
    captions: Sequence[Caption], vectors: NDArray[np.float32]
) -> list[tuple[list[Caption], NDArray[np.float32]]]:
    """Captions in groups without overlaps: two people may speak at the same time.

    Args:
        captions: Of one track, in time order.
        vectors: Shape ``(n, d)``, their embeddings.
    """
    places: list[list[int]] = []
    for index, caption in enumerate(captions):
        free = (one for one in places if captions[one[-1]].end_s <= caption.start_s)
        layer = next(free, None)
        if layer is None:
            places.append([index])
        else:
            layer.append(index)
    return [([captions[index] for index in layer], vectors[layer]) for layer in places]


def _by_rank(relevance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Reciprocal ranks; captions of equal relevance share the best of theirs."""
    ordered = np.sort(-relevance)
    places = np.searchsorted(ordered, -relevance, side="left") + 1
    return np.asarray(1.0 / (RANK_OFFSET + places), np.float64)


def _certainty(ranking: Ranking) -> tuple[float, float]:
    best = max((window.confidence for window in ranking.windows), default=0.0)
    return ranking.presence or 0.0, best


def _best(rankings: Sequence[Ranking]) -> tuple[Window, ...]:
    """The surest windows of all tracks, no two of them alike."""
    kept: list[Window] = []
    everyone = [window for ranking in rankings for window in ranking.windows]
    for window in sorted(everyone, key=lambda one: -one.confidence):
        if len(kept) == MOST_WINDOWS:
            break
        if all(window.span.iou(one.span) <= DUPLICATE_IOU for one in kept):
            kept.append(window)
    return tuple(kept)


def _events(rankings: Sequence[Ranking], decider: Ranking) -> tuple[Window, ...]:
    events = list(decider.events)
    surest = max(event.confidence for event in events)
    others = [event for one in rankings if one is not decider for event in one.events]
    for event in sorted(others, key=lambda one: -one.confidence):
        is_apart = all(event.span.overlap_s(one.span) == 0 for one in events)
        if is_apart and event.confidence >= SECOND_SHARE * surest:
            events.append(event)
    return tuple(events)


def _parts(rankings: Sequence[Ranking]) -> tuple[PartFound, ...]:
    """What each part is taken to be in any of the tracks, in time order."""
    times: dict[str, list[Window]] = {}
    for ranking in rankings:
        for part in ranking.parts:
            there = times.setdefault(part.text, [])
            there += [
                one
                for one in part.times
                if all(one.span.overlap_s(other.span) == 0 for other in there)
            ]
    return tuple(
        PartFound(text, tuple(sorted(there, key=lambda one: one.span)))
        for text, there in times.items()
    )
