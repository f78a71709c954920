"""The LLM-free grounder: from a query and embedded captions to ranked windows and a verdict.

captions → moments → cells → stretches → relevance curve → candidates → scores → windows → events.
Pure numpy on given embeddings; nothing here loads a model. A long video is looked at closely in its
most promising stretches only, so that memory and time stay linear in its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.act_edges import trim_to_act
from tools.grounding.place import Place
from tools.grounding.presence import (
    FOUND_PRESENCE,
    LITERAL_PRESENCE,
    MINILM,
    OPEN_PRESENCE,
    Calibration,
    presence_odds,
    presence_probability,
    share_of_best,
    window_probability,
)
from tools.grounding.query_fit import FittedTrack, read_track, unit
from tools.grounding.relevance import level, refine, smooth, standardise
from tools.grounding.segments import CELL_S, Cells, Moments
from tools.grounding.stretches import STRETCH_S, promising
from tools.grounding.windows import (
    DUPLICATE_IOU,
    NOTHING,
    best_of,
    distinct,
    find_candidates,
    pairwise_iou,
    score_windows,
    select,
    select_apart,
    spans_of,
    votes_of,
)
from tools.ranking import Ranking, Verdict, Window
from tools.timeline import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.grounding.other_frames import OtherFrames
    from tools.grounding.windows import Runs
    from tools.timeline import Caption

    Floats = NDArray[np.float64]

SCALES = (0.5, 1.0)
"""Over what shares of the usual time relevance is averaged: a window has to stand out in both
curves. The finer one keeps short events apart, the other one holds long ones together."""

EVENT_SHARE = 0.8
"""A further window is a separate event if it scores this share of the best one: from here on it is
likelier than not that a query's event happens several times (QVHighlights val: 52%; at 0.6, 49%).
Of what is claimed so, 56.6% is right (``benchmarks/count_times.py``); at 0.6 it is 53.3%."""


UNSURE = {
    "captions": (
        "Captions are too close to what is asked for to rule it out, and not close enough to show "
        "it."
    ),
    "frames": (
        "Frames are too much like what is asked for to rule it out, and too little to show it."
    ),
}

TOGETHER_SHARE = 4.5
"""Log-odds, between stretches, for the cosine of the query and of all that the best window says: a
query tells in one sentence what captions tell in several."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one stretch.

    Attributes:
        curve: Shape ``(n,)``, relevance per cell of the stretch, at the usual scale.
        spans: Shape ``(k, 2)``, windows in seconds, best first.
        probability: Shape ``(k,)``, that each is right if the event is in the stretch.
        plain: Shape ``(1, 2)``, the best window by cosine alone.
        log_odds: That the event is in this stretch rather than in another one.
    """

    curve: Floats
    spans: Floats
    probability: Floats
    plain: Floats
    log_odds: float


def ground(
    query: str,
    query_vector: NDArray[np.floating],
    captions: Sequence[Caption],
    vectors: NDArray[np.floating],
    *,
    duration_s: float,
    background: NDArray[np.floating],
    limit: int = 10,
    elsewhere_s: float = 0.0,
    place: Place | None = None,
    calibration: Calibration = MINILM,
    others: OtherFrames | None = None,
) -> Ranking:
    """Rank the windows of a video in which a query's event may happen.

    Args:
        query: What to look for.
        query_vector: Shape ``(d,)``, its embedding.
        captions: One track of one video in time order; see
            ``tools.grounding.segments.group_captions`` for what may share a span.
        vectors: Shape ``(n, d)``, the captions' embeddings by the same model; any length but zero.
        duration_s: Length of the video.
        background: Shape ``(b, d)``, embeddings of everyday things by the same model; see
            ``tools.grounding.background.background_of``.
        limit: Most windows wanted.
        elsewhere_s: How much more there is whose captions are not given, as they fit too badly.
        place: Where in the video the event is said to be, if that is said.
        calibration: Of the embedding model; decides verdict and confidences, and which stretches of
            a long video come first.
        others: Compares with them, where ``vectors`` are of frames and not of words; the background
            is not looked at then.

    Returns:
        Windows whose edges are edges of captions. Scores are in [0, 1] and do not grow with the
        video. The best window by plain cosine is always among them, the last if need be: what
        refines the ranking can lose the scene.

    Raises:
        ValueError: If the query is blank, ``limit`` below 1 or ``duration_s`` not positive.
        CaptionError: If captions are out of order or overlap, or an embedding is missing or not
            finite; the message names the caption.
        EmbedderError: If the query's embedding does not fit the captions'.
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")
    if not query.strip():
        raise ValueError("the query is empty; say what to look for")
    if not captions:
        return Ranking("cannot_tell", (), (), np.zeros(0), "There are no captions to search.")
    read = read_track(
        query,
        query_vector,
        captions,
        vectors,
        duration_s=duration_s,
        background=background,
        calibration=calibration,
        place=place,
        is_whole=elsewhere_s == 0,
        others=others,
    )
    track, clues = read.track, read.clues
    guess = track.guess
    stretches = promising(clues, guess, lambda stretch: track.take(stretch).cell_vectors)
    chosen = [Stretch.of(track, cells) for cells in stretches]
    curves = [
        refine(
            [one.track.guess_over(share * calibration.smoothing_s) for share in SCALES],
            one.vectors,
            one.track.cells,
            sharpness=calibration.sharpness,
        )
        for one in chosen
    ]
    axes = [one.track.cells for one in chosen for _ in SCALES]
    votes = votes_of([curve for both in curves for curve in both], axes)
    found = [
        search(
            one,
            curves[at],
            votes[at * len(SCALES) : (at + 1) * len(SCALES)],
            query_vector=np.asarray(query_vector),
            log_odds=clues.judge(one.cells),
            limit=limit,
            calibration=calibration,
        )
        for at, one in enumerate(chosen)
    ]
    spans, scores = merge(found, limit=limit)
    if place is None:  # Else windows are chosen by their place, and trimmed they may be elsewhere.
        spans = trim_to_act(query, spans, read.moments, track.cosine)
        # Trimmed, two windows may be one.
        kept = select(spans, scores, limit=limit)
        spans, scores = spans[kept], scores[kept]
    if len(read.moments.texts) == 1:
        # Nothing stands out where one thing is said throughout, but there is no other place either.
        spans, scores = spans[:1], np.ones(1)
    odds = presence_odds(clues.log_odds)
    captioned_s = float(track.cells.weight.sum()) * CELL_S
    present = presence_probability(
        odds, clues.weight, share=captioned_s / (captioned_s + elsewhere_s)
    )
    if read.is_literal:
        present = max(present, LITERAL_PRESENCE)
    # In a long video, what is there may still be in another stretch than the best one.
    here = present * share_of_best(odds, clues.weight, stretches=captioned_s / STRETCH_S)
    windows = tuple(
        Window(Interval(start_s, end_s), score, here * score)
        for (start_s, end_s), score in zip(spans.tolist(), scores.tolist(), strict=True)
    )
    is_found = present >= FOUND_PRESENCE
    events = claim_events(windows) if is_found else ()
    absent: Verdict = "not_found" if present < OPEN_PRESENCE else "cannot_tell"
    what = "captions" if others is None else "frames"
    return Ranking(
        "found" if is_found else absent,
        windows,
        events,
        _per_caption(guess, stretches, found, track.cells, read.moments),
        explain(events, what=what, is_one=len(read.moments.texts) == 1)
        if events or absent == "not_found"
        else UNSURE[what],
        present,
    )


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of a track.

    Attributes:
        cells: Which of the track's.
        track: What is said there.
        vectors: Shape ``(n, d)``: unit mean of what is said in each cell.
    """

    cells: slice
    track: FittedTrack
    vectors: NDArray[np.float32]

    @classmethod
    def of(cls, track: FittedTrack, cells: slice) -> Stretch:
        """These cells of a track."""
        some = track.take(cells)
        return cls(cells, some, some.cell_vectors)


def search(
    stretch: Stretch,
    curves: Sequence[Floats],
    votes: Sequence[Runs],
    *,
    query_vector: NDArray[np.floating],
    log_odds: float,
    limit: int,
    calibration: Calibration,
) -> Found:
    """Look closely at one stretch, whose log-odds by its best captions and words are known."""
    track, cells, said = stretch.track, stretch.track.cells, stretch.vectors
    plain = best_by_cosine(track.cosine[cells.moment], cells, calibration.smoothing_s)
    runs = distinct(np.concatenate([plain, *(find_candidates(curve, cells) for curve in curves)]))

    def score(known: slice) -> Floats:
        of_curves = [
            score_windows(runs, runs_voted, curve, cells, known=known)
            for runs_voted, curve in zip(votes, curves, strict=True)
        ]
        return np.asarray(np.mean(of_curves, axis=0))

    scores, spans = score(NOTHING), spans_of(runs, cells)
    beside = score(slice(*runs[best_of(spans, scores)]))
    best, left = select_apart(spans, scores, beside, limit=limit)
    together = unit(said[slice(*runs[best[0]])].mean(axis=0, keepdims=True))[0]
    agreement = float(together @ unit(query_vector[None].astype(np.float32))[0])
    return Found(
        curve=curves[-1],
        spans=spans[best],
        probability=window_probability(left, calibration),
        plain=spans_of(plain, cells),
        log_odds=log_odds + TOGETHER_SHARE * agreement,
    )


def best_by_cosine(cosine: Floats, cells: Cells, smoothing_s: float) -> Runs:
    """The best window of the plain cosine curve, shape ``(1, 2)``."""
    curve = level(standardise(smooth(cosine, cells, smoothing_s), cells.weight), cells)
    runs = find_candidates(curve, cells)
    return runs[[int(np.argmax(score_windows(runs, runs[:0], curve, cells)))]]


def merge(found: Sequence[Found], *, limit: int) -> tuple[Floats, Floats]:
    """The best windows of all stretches in seconds, shape ``(k, 2)``, and their scores.

    A window's score is its probability in its stretch, times the odds of that stretch relative to
    the best one's. The window of the best stretch by cosine alone is kept in, if need be as last.
    """
    best = max(found, key=lambda one: one.log_odds)
    spans = np.concatenate([one.spans for one in found])
    scores = np.concatenate(
        [one.probability * np.exp(one.log_odds - best.log_odds) for one in found]
    )
    kept = select(spans, scores, limit=limit)
    spans, scores = spans[kept], scores[kept]
    if limit == 1 or pairwise_iou(spans, best.plain).max() > DUPLICATE_IOU:
        return spans, scores
    spans, scores = spans[: limit - 1], scores[: limit - 1]
    return np.concatenate([spans, best.plain]), np.append(scores, scores[-1])


def claim_events(windows: Sequence[Window]) -> tuple[Window, ...]:
    """The windows claimed as the answer: the best, and others apart from it nearly as good."""
    events = [windows[0]]
    for window in windows[1:]:
        good = window.score >= EVENT_SHARE * windows[0].score
        if good and all(window.span.overlap_s(event.span) == 0 for event in events):
            events.append(window)
    return tuple(events)


def _per_caption(
    guess: Floats,
    stretches: Sequence[slice],
    found: Sequence[Found],
    cells: Cells,
    moments: Moments,
) -> Floats:
    """Relevance of each caption: what was not looked at keeps its order, below all that was."""
    looked_at = np.zeros(len(guess), dtype=bool)
    relevance = guess.copy()
    best_odds = max(one.log_odds for one in found)
    for stretch, one in zip(stretches, found, strict=True):
        # Odds make a less likely stretch's peak lower, as they do with its windows.
        curve = one.curve + (one.log_odds - best_odds)
        relevance[stretch] = np.where(
            looked_at[stretch], np.maximum(relevance[stretch], curve), curve
        )
        looked_at[stretch] = True
    if not looked_at.all():
        relevance[~looked_at] += relevance[looked_at].min() - guess[~looked_at].max()
    mass = np.bincount(cells.moment, relevance * cells.weight)
    return np.asarray((mass / np.bincount(cells.moment, cells.weight))[moments.of_caption])


def explain(events: Sequence[Window], *, what: str = "captions", is_one: bool = False) -> str:
    """Why these are the answer, or, where there is none, why not.

    Args:
        events: The windows claimed as the answer.
        what: What was compared: ``captions`` or ``frames``.
        is_one: Whether all captions say the same, so that nothing stands out.
    """
    if what == "frames":
        if not events:
            return "No frame looks enough like what is asked for to call it there."
        return "These frames look most like what is asked for, and stand out from others."
    if not events:
        return "No caption is close enough in meaning and words to call it there."
    if len(events) > 1:
        return (
            f"The captions of these {len(events)} stretches are the closest in meaning and words."
        )
    if is_one:
        return "Captions say one thing all through, and it is close in meaning and words."
    return "These captions are the closest in meaning and words, and stand out from the rest."
