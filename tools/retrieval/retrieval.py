"""Which captions matter for a query: the ranking of windows, and the captions that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import SightError
from tools.grounding.background import background_of
from tools.grounding.grounder import ground
from tools.grounding.occurrences import find_occurrences
from tools.grounding.presence import MINILM
from tools.grounding.seen_edges import SAID
from tools.kept_captions import edges_of, once
from tools.ranking import Ranking
from tools.retrieval.across import rank_across
from tools.retrieval.described import Described
from tools.retrieval.fusion import Voice, fuse
from tools.retrieval.left_open import without_guesses
from tools.retrieval.measured_need import split_measured
from tools.retrieval.ordered import rank_in_order
from tools.retrieval.question import Asked, read_question
from tools.retrieval.sight_evidence import OF_TWO_MODELS, PICTURE, SIGHT, told
from tools.retrieval.temporal_query import Single, split_query
from tools.retrieval.told_there import told_there
from tools.retrieval.tracks import is_blank
from tools.signals.literal import ground_words
from tools.signals.said_times import take_stretch
from tools.signals.signal_grounder import ground_signals
from tools.text import estimate_tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.embedders.embedder import Embedder
    from tools.ranking import Window
    from tools.retrieval.sight_evidence import SightEvidence
    from tools.timeline import Caption, Interval

EVIDENCE_LIMIT = 200
"""Captions handed to a reasoner: about 5,000 tokens of text; a video of 200 is shown whole."""

EVIDENCE_TOKENS = 8000
"""Most tokens of these captions; a caption of an image model is about 50 tokens."""

UNDESCRIBED = "Nobody described the frames (--captioner none), so captions can show nothing."

NO_CAPTIONS = "There is no caption of what is searched."

CAPTION_CHARS = 600
"""What is shown of one caption; a screen full of text is longer."""

CAPTION_FRAME_TOKENS = 16
"""Number, times and source of a caption."""

SEARCH_LIMIT = 12
"""Captions that one search gives."""

EDGE_CAPTIONS = 2
"""Captions kept on each side of each edge of a candidate window, so that the edge can be judged."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The captions worth reading for a query, in time order, and the grounder's view of them.

    Attributes:
        captions: At most ``EVIDENCE_LIMIT`` of them, within the limit of tokens, or the edges of
            every window.
        relevance: One per caption, on the grounder's own scale.
        ranking: Over all captions of the tracks, not only these.
        is_whole: Whether these are all the captions that say something of it.
    """

    captions: tuple[Caption, ...]
    relevance: tuple[float, ...]
    ranking: Ranking
    is_whole: bool = False


def retrieve(
    query: str,
    tracks: Sequence[tuple[Sequence[Caption], NDArray[np.float32]]],
    *,
    embedder: Embedder,
    duration_s: float,
    limit_tokens: int = EVIDENCE_TOKENS,
    evenly: bool = False,
    is_one_of_many: bool = False,
    every_time: bool = False,
    sight: SightEvidence | None = None,
    within: Interval | None = None,
) -> Retrieved:
    """Rank windows for a query and choose the captions to show with them.

    Args:
        query: What to look for.
        tracks: Captions of one video, each kind in time order with its embeddings, shape
            ``(n, d)``, by the same ``embedder``; the one that the question is answered from first.
        embedder: Embeds the query.
        duration_s: Length of the video.
        limit_tokens: Most tokens of the captions chosen; see ``caption_tokens``.
        evenly: Fill the budget with captions at even distances, whatever they say, in place of the
            most relevant ones.
        is_one_of_many: Whether other videos are asked too; see
            ``tools.retrieval.ordered.rank_in_order``.
        every_time: Whether all the times that it happens are the events, not only the best.
        sight: Compares the query with frames, if one of the tracks holds frames.
        within: The part of the video that the captions are of; None for the whole.
    """
    captions, ranking = _rank_all(
        query,
        tracks,
        embedder=embedder,
        duration_s=duration_s,
        is_one_of_many=is_one_of_many,
        every_time=every_time,
        sight=sight,
        within=within,
    )
    return take_evidence(captions, ranking, limit_tokens=limit_tokens, evenly=evenly)


def take_evidence(
    captions: Sequence[Caption],
    ranking: Ranking,
    *,
    limit_tokens: int = EVIDENCE_TOKENS,
    evenly: bool = False,
) -> Retrieved:
    """The captions to show with a ranking of them; arguments are those of ``retrieve``."""
    # A caller that wants them all is held back by the budget alone.
    limit = len(captions) if evenly else EVIDENCE_LIMIT
    chosen = choose_evidence(
        captions, ranking, limit=limit, limit_tokens=limit_tokens, evenly=evenly
    )
    # Of captions of one moment, the one that says what was asked for stands for it.
    chosen.sort(key=lambda i: (captions[i].start_s, -ranking.relevance[i]))
    return Retrieved(
        captions=tuple(captions[i] for i in chosen),
        relevance=tuple(float(ranking.relevance[i]) for i in chosen),
        ranking=ranking,
        is_whole=len(chosen) == len(captions),
    )


def rank(
    query: str,
    captions: Sequence[Caption],
    vectors: NDArray[np.float32],
    *,
    embedder: Embedder,
    duration_s: float,
    is_one_of_many: bool = False,
    every_time: bool = False,
    sight: SightEvidence | None = None,
    within: Interval | None = None,
) -> Ranking:
    """Ask captions by the grounder that understands them.

    Measured signals and text read off the screen are asked by what they can measure; everything
    else by meaning and words. The two are never mixed. A question with an order in it is asked in
    parts; see ``tools.retrieval.temporal_query``.

    Args:
        query: What to look for.
        captions: One kind of captions of one video, in time order.
        vectors: Shape ``(n, d)``, their embeddings.
        embedder: Made them; embeds the query.
        duration_s: Length of the video.
        is_one_of_many: As of ``retrieve``.
        every_time: As of ``retrieve``.
        sight: Where the captions are frames, compares the query with them.
        within: As of ``retrieve``.
    """
    is_undescribed = bool(captions) and all(is_blank(caption.track) for caption in captions)
    why = sight.why_unread(query) if sight else UNDESCRIBED if is_undescribed else ""
    why = why if captions else NO_CAPTIONS
    if why:
        return Ranking("cannot_tell", (), (), np.zeros(len(captions)), why)
    if all(caption.source in {"signal", "screen"} for caption in captions):
        return _rank_measured(
            query,
            captions,
            duration_s=duration_s,
            is_one_of_many=is_one_of_many,
            within=within,
        )
    if not sight and (literal := ground_words(query, captions)):
        return literal
    asked = Asked(query) if sight and sight.by_picture else read_question(query)
    if asked.is_open:
        moment = take_stretch(query)[1]
        read = captions if sight is None else ()
        return told_there(read, within, moment.moment_s if moment else None)
    compares = sight.words if sight else embedder
    spoken = all(caption.source in SAID for caption in captions)
    background = vectors[:0] if sight else background_of(embedder, spoken=spoken)
    others = sight.others if sight else None
    seen_as = PICTURE if sight and sight.by_picture else SIGHT
    calibration = seen_as if sight else MINILM

    @cache
    def embedded(text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = compares.embed([text])[0]
        if sight and vector.shape != vectors.shape[1:]:
            raise SightError(f"{compares.name} {OF_TWO_MODELS}")
        return vector

    def ask(text: str) -> Ranking:
        return ground(
            text,
            embedded(text),
            captions,
            vectors,
            duration_s=duration_s,
            background=background,
            place=asked.place,
            calibration=calibration,
            others=others,
        )

    def times_of(text: str, is_repeated: bool) -> Sequence[Window]:
        return find_occurrences(
            text,
            embedded(text),
            captions,
            vectors,
            duration_s=duration_s,
            background=background,
            is_repeated=is_repeated,
            calibration=calibration,
            others=others,
        )

    described = Described(captions, vectors, ask, times_of, names_things=not (sight or spoken))
    if sight and sight.by_picture:
        return described.rank_whole(query, every_time=every_time)
    return described.rank(asked, is_one_of_many=is_one_of_many, every_time=every_time)


def _rank_measured(
    query: str,
    captions: Sequence[Caption],
    *,
    duration_s: float,
    is_one_of_many: bool,
    within: Interval | None,
) -> Ranking:
    """Ask what is measured, or read off the screen, by what that can show; see ``rank``."""

    def ask(text: str) -> Ranking:
        return ground_signals(text, captions, duration_s=duration_s, within=within)

    # Words that stand on a screen may be of order too: a question they answer whole has none.
    whole = ask(query)
    if whole.verdict != "cannot_tell":
        return whole
    text = take_stretch(query)[0]
    part = split_query(text)
    return rank_in_order(
        text,
        (split_measured(text) or part) if isinstance(part, Single) else part,
        ask,
        lambda text, _: ask(text).events,
        is_one_of_many=is_one_of_many,
        are_apart=True,
    )


def inside(
    captions: Sequence[Caption], vectors: NDArray[np.float32], within: Interval | None
) -> tuple[Sequence[Caption], NDArray[np.float32]]:
    """The captions of a track that lie within a part of the video, and their embeddings.

    Where none does, those that reach into it: a still scene may have one caption for minutes.

    Args:
        captions: In time order.
        vectors: Shape ``(n, d)``.
        within: None for the whole video.
    """
    if within is None:
        return captions, vectors
    starts_s, ends_s = edges_of(captions)
    kept = np.flatnonzero((within.start_s <= starts_s) & (ends_s <= within.end_s))
    if not len(kept):
        kept = np.flatnonzero((starts_s < within.end_s) & (within.start_s < ends_s))
    return [captions[index] for index in kept.tolist()], vectors[kept]


def search_captions(
    text: str,
    tracks: Sequence[tuple[Sequence[Caption], NDArray[np.float32]]],
    *,
    embedder: Embedder,
    duration_s: float,
) -> list[Caption]:
    """The captions that fit other words best, in time order; none where none stands out.

    Arguments are those of ``retrieve``.
    """
    captions, ranking = _rank_all(text, tracks, embedder=embedder, duration_s=duration_s)
    relevance = ranking.relevance
    if not captions or relevance.max() <= relevance.min():
        return []
    best = np.argsort(-relevance, kind="stable")[:SEARCH_LIMIT]
    return [captions[i] for i in sorted(best) if relevance[i] > relevance.min()]


def _rank_all(
    query: str,
    tracks: Sequence[tuple[Sequence[Caption], NDArray[np.float32]]],
    *,
    embedder: Embedder,
    duration_s: float,
    is_one_of_many: bool = False,
    every_time: bool = False,
    sight: SightEvidence | None = None,
    within: Interval | None = None,
) -> tuple[Sequence[Caption], Ranking]:
    def ranked(
        text: str, captions: Sequence[Caption], vectors: NDArray[np.float32], all_times: bool
    ) -> tuple[Sequence[Caption], Ranking]:
        is_seen = sight is not None and bool(captions) and captions[0].source == "sight"
        ranking = rank(
            text,
            captions,
            vectors,
            embedder=embedder,
            duration_s=duration_s,
            is_one_of_many=is_one_of_many,
            every_time=all_times,
            sight=sight if is_seen else None,
            within=within,
        )
        if sight and is_seen:
            return told(captions, vectors, ranking, sight.words.embed([text])[0])
        return captions, ranking

    def voices(text: str, all_times: bool) -> list[Voice]:
        return without_guesses(
            text,
            [Voice.of(*ranked(text, captions, vectors, all_times)) for captions, vectors in tracks],
        )

    whole = fuse(voices(query, every_time))
    asked = read_question(query)
    part = split_query(asked.text)
    is_settled = whole[1].is_exact and whole[1].verdict == "found"
    if len(tracks) == 1 or asked.beside or isinstance(part, Single) or is_settled:
        return whole
    return (
        rank_across(
            asked.text,
            part,
            voices,
            whole[1],
            is_one_of_many=is_one_of_many,
            is_presupposed=asked.is_presupposed,
        )
        or whole
    )


def caption_tokens(caption: Caption) -> int:
    """About how many tokens it takes to show a caption; see ``estimate_tokens``."""
    return estimate_tokens(caption.text[:CAPTION_CHARS]) + CAPTION_FRAME_TOKENS


def fit(captions: Sequence[Sequence[Caption]], limit_tokens: int) -> bool:
    """Whether all captions of several tracks can be shown at once."""
    count, tokens = sum(map(len, captions)), sum(sum(_tokens(one)) for one in captions)
    return count <= EVIDENCE_LIMIT and tokens <= limit_tokens


def _tokens(captions: Sequence[Caption]) -> list[int]:
    return once(captions, "tokens", lambda: [caption_tokens(one) for one in captions])


def choose_evidence(
    captions: Sequence[Caption],
    ranking: Ranking,
    *,
    limit: int,
    limit_tokens: int = EVIDENCE_TOKENS,
    evenly: bool = False,
) -> list[int]:
    """Indices of the captions to show, in time order: the best windows, then the most relevant.

    Of the times that a part of the question may happen, the first and the last caption are shown,
    of the surest first, as long as they fit.

    More than either limit only where the edges of the answer's own windows are more. See
    ``retrieve``.
    """
    tokens = _tokens(captions)
    starts_s, ends_s = edges_of(captions)
    if len(captions) <= limit and sum(tokens) <= limit_tokens:
        return list(range(len(captions)))
    chosen: set[int] = set()

    def at_edges(window: Window) -> set[int]:
        beside: set[int] = set()
        for edge in _edges(starts_s, window.span):
            low, high = max(0, edge - EDGE_CAPTIONS), min(len(captions), edge + EDGE_CAPTIONS)
            beside.update(range(low, high))
        return beside | made_by(window)

    def made_by(window: Window) -> set[int]:
        # Among captions of several kinds, those that make the edges need not be the next ones.
        made = (starts_s == window.span.start_s) | (ends_s == window.span.end_s)
        return set(np.flatnonzero(made).tolist())

    ranked = (*ranking.events, *ranking.windows)
    for window in ranking.events or ranking.windows[:1]:
        chosen |= at_edges(window)
    spent = sum(tokens[index] for index in chosen)
    # The best windows first, each whole: what a worse one shows is worth less than their insides.
    is_full = False
    for window in ranked:
        held = (starts_s >= window.span.start_s) & (ends_s <= window.span.end_s)
        within = [] if evenly else np.flatnonzero(held).tolist()
        by_worth = sorted(set(within), key=lambda index: -ranking.relevance[index])
        for index in dict.fromkeys([*sorted(at_edges(window)), *by_worth]):
            if index in chosen:
                continue
            if len(chosen) >= limit or spent + tokens[index] > limit_tokens:
                is_full = True
                break
            spent += tokens[index]
            chosen.add(index)
        if is_full:
            break
    times = [window for part in ranking.parts for window in part.times]
    for time in sorted(times, key=lambda one: -one.confidence):
        more = made_by(time) - chosen
        spent += sum(tokens[index] for index in more)
        if len(chosen) + len(more) > limit or spent > limit_tokens:
            break
        chosen |= more
    order = _evenly(len(captions)) if evenly else np.argsort(-ranking.relevance, kind="stable")
    for index in map(int, order):
        if index in chosen:
            continue
        spent += tokens[index]
        if len(chosen) >= limit or spent > limit_tokens:
            break
        chosen.add(index)
    return sorted(chosen)


def _evenly(count: int) -> NDArray[np.intp]:
    """All indices, so that however many one takes they are spread out (van der Corput's order)."""
    bits = max(1, (count - 1).bit_length())
    indices = np.arange(1 << bits)
    turned = np.zeros_like(indices)
    for bit in range(bits):
        turned |= ((indices >> bit) & 1) << (bits - 1 - bit)
    return np.asarray(turned[turned < count], np.intp)


def _edges(starts_s: NDArray[np.float64], span: Interval) -> tuple[int, int]:
    first = int(np.searchsorted(starts_s, span.start_s, side="left"))
    after = int(np.searchsorted(starts_s, span.end_s, side="left"))
    return first, after
