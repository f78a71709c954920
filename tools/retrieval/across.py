"""Questions whose parts are known to different tracks: "the dog barks after the third cut".

Captions tell of the dog, and the cut is measured. Each part is found in the track that knows it,
and the order of their times decides, as it does within one track.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tools.ranking import Ranking, Testimony, Window
from tools.retrieval.fusion import Voice, fuse
from tools.retrieval.ordered import rank_in_order
from tools.retrieval.temporal_query import Part, texts_of
from tools.timeline import Caption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Fused = tuple[Sequence[Caption], Ranking]

AskTracks = Callable[[str, bool], Sequence[Voice]]
"""What each track says to some words; also told whether all the times are wanted, not the best."""


def rank_across(
    query: str,
    part: Part,
    ask: AskTracks,
    whole: Ranking,
    *,
    is_one_of_many: bool = False,
    is_presupposed: bool = False,
) -> Fused | None:
    """Find each part in the track that knows it, and compare their times.

    Args:
        query: The question, as a statement.
        part: Its parts; more than one, or one of several times.
        ask: Puts words to every track.
        whole: The ranking of the question as it stands, which counts where no order can be told.
        is_one_of_many: As of ``tools.retrieval.ordered.rank_in_order``.
        is_presupposed: The same.

    Returns:
        The captions to be told and the ranking of them; None where one track knows all the parts,
        or some part is not found in any.
    """
    fused = {text: fuse(ask(text, False)) for text in texts_of(part)}
    known_by = {text: _answering(ranking) for text, (_, ranking) in fused.items()}
    if len(set().union(*known_by.values())) < 2:
        return None
    if any(ranking.verdict != "found" for _, ranking in fused.values()):
        return None
    ranking = rank_in_order(
        query,
        part,
        lambda text: fused[text][1] if text in fused else whole,
        lambda text, _: _times(ask(text, True), known_by[text]),
        is_one_of_many=is_one_of_many,
        is_presupposed=is_presupposed,
        are_apart=True,
    )
    captions, relevance = _told_together(fused)
    main = fused[texts_of(part)[0]][1]
    settle = _Settle(captions, [*main.windows, *main.events])
    return captions, replace(
        ranking,
        windows=tuple(map(settle, ranking.windows)),
        events=tuple(map(settle, ranking.events)),
        relevance=relevance,
        heard=_heard([one for _, one in fused.values()]),
    )


def _answering(ranking: Ranking) -> set[str]:
    return {one.track for one in ranking.heard if one.answers}


def _times(voices: Sequence[Voice], known_by: set[str]) -> list[Window]:
    """All the times that the tracks which know it tell of, apart from each other."""
    times: list[Window] = []
    for voice in voices:
        if voice.key in known_by and voice.ranking.verdict == "found":
            times += [
                replace(one, track=voice.key)
                for one in voice.ranking.events
                if all(one.span.overlap_s(other.span) == 0 for other in times)
            ]
    return sorted(times, key=lambda one: one.span)


def _told_together(fused: Mapping[str, Fused]) -> tuple[list[Caption], NDArray[np.float64]]:
    """What is told of any part, in time order, with the best relevance that it has for one."""
    best: dict[str, tuple[Caption, float]] = {}
    for captions, ranking in fused.values():
        for caption, relevance in zip(captions, ranking.relevance.tolist(), strict=True):
            before = best.get(caption.id)
            if before is None or before[1] < relevance:
                best[caption.id] = (caption, relevance)
    told = sorted(best.values(), key=lambda one: one[0].span)
    return [caption for caption, _ in told], np.array([relevance for _, relevance in told])


class _Settle:
    """Gives a window the track that it is of; one that two tracks share takes the main part's."""

    def __init__(self, captions: Sequence[Caption], known: Sequence[Window]) -> None:
        self._starts = {(one.start_s, one.track.key) for one in captions}
        self._ends = {(one.end_s, one.track.key) for one in captions}
        self._known = known
        self._keys = {one.track.key for one in captions}

    def __call__(self, window: Window) -> Window:
        span = window.span
        same = [one for one in self._known if one.span == span]
        if same:
            return replace(window, track=same[0].track)
        for key in self._keys:
            if (span.start_s, key) in self._starts and (span.end_s, key) in self._ends:
                return replace(window, track=key)
        nearest = max(self._known, key=lambda one: one.span.overlap_s(span))
        return replace(window, span=nearest.span, track=nearest.track)


def _heard(rankings: Sequence[Ranking]) -> tuple[Testimony, ...]:
    """What each track said to the part that it knows."""
    heard: dict[str, Testimony] = {}
    for ranking in rankings:
        for one in ranking.heard:
            if one.track not in heard or (one.answers and not heard[one.track].answers):
                heard[one.track] = one
    return tuple(heard.values())
