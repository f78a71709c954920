"""One query to all indexed videos at once: the likeliest places first, then windows in those.

A library is asked as one long video would be. Its captions nearest in meaning, whichever video they
are of, say where to look; what is around those places is then grounded together, so that windows of
different videos compete on one scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.background import background_of
from tools.grounding.grounder import explain, ground
from tools.grounding.lexical import K1, Lexicon
from tools.grounding.presence import SIMILARITY_SHARE
from tools.grounding.seen_edges import SAID
from tools.grounding.segments import CELL_S
from tools.grounding.similarity import BEST_CELLS
from tools.grounding.stretches import STRETCH_S, WORDS_SHARE
from tools.kept_captions import edges_of
from tools.ranking import Ranking, Window
from tools.signals.explanations import beyond_the_senses
from tools.signals.signal_grounder import ground_signals
from tools.signals.signal_query import understand
from tools.store.layout import BLOCK_S
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.embedders.embedder import Embedder
    from tools.store.store import CaptionStore, VideoRecord

    Vectors = NDArray[np.float32]
    Seconds = NDArray[np.float64]

HITS = 300
"""Nearest captions that places are made of. On all of QVHighlights val (1,519 videos), the right
video is among them for 0.85 of the queries; with 100 for 0.74, with 600 for 0.91, but no more often
among the eight best places."""

PLACES = 8
"""Places whose surroundings are read and searched."""

MEASURED = frozenset({"signal", "screen"})
"""Sources that are asked by what they measure; see ``tools.retrieval.retrieval.rank``."""


@dataclass(frozen=True, slots=True)
class LibraryAnswer:
    """What one video of the library has for a query.

    Attributes:
        record: The track of the video.
        ranking: Windows in the video's own time. Confidence and presence are over the whole
            library, as if it were one long video, and can be compared between its videos.
        captions: What was read of the video, in time order; ``ranking.relevance`` is theirs.
    """

    record: VideoRecord
    ranking: Ranking
    captions: tuple[Caption, ...]


@dataclass(frozen=True, slots=True)
class LibraryRanking:
    """What a library has for a query.

    Attributes:
        answers: Best first, one for each video and kind of captions that has a window.
        left_out: Tracks of measured signals that cannot show what is asked for, and why.
    """

    answers: tuple[LibraryAnswer, ...] = ()
    left_out: tuple[tuple[VideoRecord, str], ...] = ()


@dataclass(slots=True)
class _Place:
    """Hits close together in one video, best first."""

    record: VideoRecord
    around: Interval
    hits: list[tuple[Caption, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Neighbouring captions of one video, and where they stand among those of others.

    Captions are moved as a whole: their original times are looked up, not calculated, so that edges
    stay edges of captions to the last bit.
    """

    record: VideoRecord
    captions: Sequence[Caption]
    vectors: Vectors
    from_s: float

    @property
    def length_s(self) -> float:
        return self.captions[-1].end_s - self.captions[0].start_s

    @property
    def moved_s(self) -> tuple[Seconds, Seconds]:
        """Shape ``(n,)`` each: where the captions, beginning at ``from_s``, start and end."""
        starts_s, ends_s = edges_of(self.captions)
        offset_s = self.captions[0].start_s
        return self.from_s + (starts_s - offset_s), self.from_s + (ends_s - offset_s)

    @property
    def moved(self) -> list[Caption]:
        """The captions, beginning at ``from_s``."""
        starts_s, ends_s = (edges_s.tolist() for edges_s in self.moved_s)
        return [
            Caption(
                caption.video_id,
                Interval(start_s, end_s),
                caption.text,
                caption.source,
                caption.track,
            )
            for caption, start_s, end_s in zip(self.captions, starts_s, ends_s, strict=True)
        ]

    def span_of(self, moved: Interval) -> Interval | None:
        """Where a window between moved captions lies in the video; None if it lies in none of them.

        Where all captions say the same, a window holds them all, also those of other shelves.
        """
        starts_s, ends_s = self.moved_s
        inside = np.flatnonzero((moved.start_s <= starts_s) & (ends_s <= moved.end_s))
        if not len(inside):
            return None
        return Interval(
            self.captions[int(inside[0])].start_s,
            max(self.captions[index].end_s for index in inside.tolist()),
        )


def search_library(
    query: str,
    records: Sequence[VideoRecord],
    *,
    store: CaptionStore,
    embedder: Embedder,
    limit: int = 10,
    is_measured: Callable[[VideoRecord], bool] = lambda _: False,
    beside: Sequence[VideoRecord] = (),
) -> LibraryRanking:
    """Rank answers to a query over many videos, best first.

    Args:
        query: What to look for.
        records: The tracks to search, one a video; anything else in the store is ignored.
        store: Holds their captions.
        embedder: The one they were embedded with.
        limit: Most windows wanted, over all videos.
        is_measured: Whether a track is known to hold measured signals: likeness of words says
            nothing of them, so that each such track is asked.
        beside: Tracks of measured signals of the same videos, which are asked too; where they
            cannot tell, their video is not left out.

    Returns:
        The answers in the order of their best windows; none where nothing is indexed.

    Raises:
        ValueError: If the query is blank or ``limit`` below 1.
        StoreError, EmbedderError: If they cannot be used.
    """
    if not query.strip():
        raise ValueError("the query is empty; say what to look for")
    signals = [record for record in records if is_measured(record)]
    wanted = {(one.video_id, one.track): one for one in records if not is_measured(one)}
    answers = _ask_described(
        query, records, wanted, signals, store=store, embedder=embedder, limit=limit
    )
    measured = _ask_signals(query, [*signals, *beside], store=store)
    are_beside = {(one.video_id, one.track) for one in beside}
    return LibraryRanking(
        tuple(
            sorted(
                [*answers, *(one for one in measured if one.ranking.windows)],
                key=lambda answer: -answer.ranking.windows[0].confidence,
            )
        ),
        tuple(
            (one.record, one.ranking.reasoning)
            for one in measured
            if one.ranking.verdict == "cannot_tell"
            and (one.record.video_id, one.record.track) not in are_beside
        ),
    )


def _ask_described(
    query: str,
    records: Sequence[VideoRecord],
    wanted: dict[tuple[str, Track], VideoRecord],
    signals: list[VideoRecord],
    *,
    store: CaptionStore,
    embedder: Embedder,
    limit: int,
) -> list[LibraryAnswer]:
    """The answers of tracks that are alike or not; those that turn out measured join ``signals``.

    Args:
        query: What to look for.
        records: All tracks that are searched.
        wanted: Those that are asked here.
        signals: Those that are asked by what they measure.
        store: Holds their captions.
        embedder: The one they were embedded with.
        limit: Most windows wanted.
    """
    if not wanted:
        return []
    query_vector = embedder.embed([query])[0]
    hits = [
        (caption, cosine)
        for caption, cosine in store.search(query_vector, limit=HITS)
        if (caption.video_id, caption.track) in wanted
    ]
    ranked = _likeliest(query, _places(hits, wanted))[:PLACES]
    signals += [place.record for place in ranked if place.hits[0][0].source in MEASURED]
    told = [place for place in ranked if place.hits[0][0].source not in MEASURED]
    spoken = all(place.hits[0][0].source in SAID for place in told)
    return _ground_together(
        query,
        query_vector,
        told,
        records,
        store=store,
        background=background_of(embedder, spoken=spoken),
        limit=limit,
    )


def _places(
    hits: Sequence[tuple[Caption, float]], wanted: dict[tuple[str, Track], VideoRecord]
) -> list[_Place]:
    """Hits by where they are: each best one with those half a stretch around it."""
    by_track: dict[tuple[str, Track], list[_Place]] = {}
    for caption, cosine in hits:
        key = (caption.video_id, caption.track)
        there = by_track.setdefault(key, [])
        middle_s = (caption.start_s + caption.end_s) / 2
        place = next(
            (one for one in there if one.around.start_s <= middle_s < one.around.end_s), None
        )
        if place is None:
            start_s = max(0.0, min(caption.start_s, middle_s - STRETCH_S / 2))
            place = _Place(wanted[key], Interval(start_s, middle_s + STRETCH_S / 2))
            there.append(place)
        place.hits.append((caption, cosine))
    return [place for there in by_track.values() for place in there]


def _likeliest(query: str, places: list[_Place]) -> list[_Place]:
    """Places by the same clues as stretches of a video, as far as their hits show them.

    Anything else counts as similar as the last hit, which is the most it can be.
    """
    if not places:
        return []
    last = min(cosine for place in places for _, cosine in place.hits)
    similar = np.array([_best_similarity(place, last) for place in places])
    said = np.array(
        [
            (Lexicon([caption.text for caption, _ in place.hits]).match(query).counts > 0).sum(
                axis=0
            )
            for place in places
        ]
    )
    frequency = (said > 0).sum(axis=0)
    worth = np.log1p((len(places) - frequency + 0.5) / (frequency + 0.5))
    words = WORDS_SHARE * (said * (K1 + 1) / (said + K1)) @ worth
    odds = SIMILARITY_SHARE * similar + words
    return [places[index] for index in np.argsort(-odds, kind="stable").tolist()]


def _best_similarity(place: _Place, otherwise: float) -> float:
    """Mean cosine of the six most similar seconds; see ``best_similarity``."""
    left, total = BEST_CELLS, 0.0
    for caption, cosine in place.hits:
        share = min(left, caption.span.length_s / CELL_S)
        total += share * cosine
        left -= share
    return (total + left * otherwise) / BEST_CELLS


def _ground_together(
    query: str,
    query_vector: Vectors,
    places: Sequence[_Place],
    records: Sequence[VideoRecord],
    *,
    store: CaptionStore,
    background: Vectors,
    limit: int,
) -> list[LibraryAnswer]:
    """Ground what is around all places as one video, with gaps that windows hardly bridge."""
    shelves = _read_shelves(places, store)
    if not shelves:
        return []
    captions = [caption for shelf in shelves for caption in shelf.moved]
    everything_s = sum(record.duration_s for record in records)
    read_s = sum(caption.span.length_s for caption in captions)
    ranking = ground(
        query,
        query_vector,
        captions,
        np.concatenate([shelf.vectors for shelf in shelves]),
        duration_s=captions[-1].end_s,
        background=background,
        limit=limit,
        elsewhere_s=max(0.0, everything_s - read_s),
    )
    answers = []
    first = 0
    for _, some in groupby(shelves, key=lambda shelf: shelf.record.video_id):
        its_shelves = list(some)
        its_captions = tuple(caption for shelf in its_shelves for caption in shelf.captions)
        its_windows = _in_own_time(ranking.windows, its_shelves)
        its_events = _in_own_time(ranking.events, its_shelves)
        if its_windows:
            its_ranking = replace(
                ranking,
                verdict="found" if its_events else "not_found",
                windows=its_windows,
                events=its_events,
                # How many there are, is said of this video alone.
                reasoning=explain(its_events) if ranking.events else ranking.reasoning,
                relevance=ranking.relevance[first : first + len(its_captions)],
            )
            answers.append(LibraryAnswer(its_shelves[0].record, its_ranking, its_captions))
        first += len(its_captions)
    return answers


def _read_shelves(places: Sequence[_Place], store: CaptionStore) -> list[_Shelf]:
    """The captions around places: by video, then in time order; each is read once."""
    ordered = sorted(places, key=lambda place: (place.record.video_id, place.around))
    around: list[tuple[VideoRecord, Interval]] = []
    for place in ordered:
        if around and around[-1][0] is place.record:
            before = around[-1][1]
            # Whole minutes are read: what is closer than two would be read twice.
            if place.around.start_s <= before.end_s + 2 * BLOCK_S:
                end_s = max(before.end_s, place.around.end_s)
                around[-1] = (place.record, Interval(before.start_s, end_s))
                continue
        around.append((place.record, place.around))
    read = store.read_around([(record.video_id, record.track, span) for record, span in around])
    shelves: list[_Shelf] = []
    from_s = 0.0
    for (record, _), (captions, vectors) in zip(around, read, strict=True):
        if captions:
            shelves.append(_Shelf(record, captions, vectors, from_s))
            from_s += shelves[-1].length_s + STRETCH_S
    return shelves


def _in_own_time(windows: Sequence[Window], shelves: Sequence[_Shelf]) -> tuple[Window, ...]:
    """Those of the windows that lie on these shelves, at the times of their video, best first."""
    return tuple(
        replace(window, span=span)
        for window in windows
        for shelf in shelves
        if (span := shelf.span_of(window.span))
    )


def _ask_signals(
    query: str, records: Sequence[VideoRecord], *, store: CaptionStore
) -> list[LibraryAnswer]:
    """Measured signals are asked video by video, by what they measure."""
    if unknown := understand(query).unknown:
        # Whatever a track holds: nothing of it has to be read to know that.
        why = Ranking("cannot_tell", (), (), np.zeros(0), beyond_the_senses(unknown, ()))
        return [LibraryAnswer(record, why, ()) for record in records]
    answers = []
    for record in dict.fromkeys(records):
        captions, _ = store.read(record.video_id, record.track)
        ranking = ground_signals(query, captions, duration_s=record.duration_s)
        answers.append(LibraryAnswer(record, ranking, tuple(captions)))
    return answers
