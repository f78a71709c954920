"""All evidence on a video, asked together: what is described, measured, said and written.

Every source is a track, and a question is put to all of them. Each ranks by itself, on its own
scale: a spoken sentence and a description of a picture are alike in other ways. ``fuse`` is the one
place that decides which of them answers, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.windows import DUPLICATE_IOU
from tools.ranking import PartFound, Ranking, Testimony, Window
from tools.retrieval.agreement import Asked, OddsCurve, agrees, weighed
from tools.retrieval.tracks import evidence_kind, is_measured, name_of
from tools.sight.frame_track import is_sight
from tools.timeline import Caption, Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.ranking import EvidenceKind

MOST_WINDOWS = 10

RANK_OFFSET = 60
"""Of reciprocal-rank fusion (Cormack, Clarke and Buettcher, 2009), as published."""

SECOND_SHARE = 0.5
"""An event of another kind of captions is reported too if it is this sure next to the surest."""

LIKELY = 0.5
"""A window that is no surer than this gives way to what is measured of the same question."""

NEAR_MEASURED = 2
"""Measured captions that are told on each side of one that answers."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What one track says to a question.

    Attributes:
        captions: In time order.
        ranking: Of these captions.
        track: Theirs; None where there is no caption.
    """

    captions: Sequence[Caption]
    ranking: Ranking
    track: Track | None

    @classmethod
    def of(cls, captions: Sequence[Caption], ranking: Ranking) -> Voice:
        """The voice of these captions."""
        return cls(captions, ranking, captions[0].track if captions else None)

    @property
    def key(self) -> str:
        """Names its track; empty without captions."""
        return self.track.key if self.track else ""

    @property
    def is_measured(self) -> bool:
        """Whether it is what the classical describer measures."""
        return self.track is not None and is_measured(self.track)

    @property
    def has_read(self) -> bool:
        """Whether it found words on the screen, which count beside what others describe."""
        return self.ranking.verdict == "found" and any(
            caption.source == "screen" and self.ranking.relevance[index] > 0
            for index, caption in enumerate(self.captions)
        )


def fuse(voices: Sequence[Voice]) -> tuple[Sequence[Caption], Ranking]:
    """Decide which tracks answer, and put the rankings of all of them together.

    1. What is measured of the picture itself, and words that are read or heard as they were asked
       for, answer before anything that is alike: a cut is a cut, whatever is described.
    2. Otherwise what is described, said, written or seen answers: found where any of them finds it,
       by the one that is surest of its presence, with what others found elsewhere and are nearly as
       sure of. Where frames themselves show it too, by the one that is surest of its time: that it
       is there is then agreed.
    3. Otherwise, and where none of these is likely, what is measured of things, "something enters".
    4. Where nobody finds it, the first track decides, unless it cannot tell and what is measured
       can, or the picture itself is asked for and what is measured of it leaves it open.

    Windows to which several tracks point are surer for it, and may come before others; see
    ``tools.retrieval.agreement``.

    Args:
        voices: The track that the question is asked of first; at least one.

    Returns:
        The captions to be told, in time order, and one ranking of them. Those of a measured track
        beside another are told only where they answer. Relevance is by reciprocal rank within a
        track, so that no track's scale outweighs another's.
    """
    if len(voices) == 1:
        only = voices[0]
        if not (only.track and is_sight(only.track)):
            return only.captions, only.ranking
        # The captions of the video, whose record is asked of, were not asked.
        heard = _heard([only], {only.key}, only.ranking)
        return only.captions, replace(only.ranking, heard=heard)
    signed = _weighed([_signed(one) for one in voices])
    decider, others = _decide(signed)
    told = [signed[0], *map(_told, signed[1:])]
    captions = [caption for one in told for caption in one.captions]
    relevance = np.concatenate([_by_rank(one.ranking.relevance) for one in told])
    # By numbers: comparing spans themselves takes ten times as long.
    edges_s = [(one.start_s, one.end_s) for one in captions]
    order = sorted(range(len(captions)), key=lambda index: (edges_s[index], index))
    ranking = decider.ranking
    rankings = [ranking, *(one.ranking for one in others)]
    events = _events(rankings) if ranking.verdict == "found" else ()
    presences = [one.presence for one in rankings if one.presence is not None]
    answer = replace(ranking, events=events)
    return [captions[index] for index in order], Ranking(
        verdict=ranking.verdict,
        windows=_best(rankings),
        events=events,
        relevance=relevance[order],
        reasoning=ranking.reasoning,
        presence=max(presences, default=None),
        parts=_parts(rankings),
        is_exact=ranking.is_exact,
        heard=_heard(signed, {event.track for event in events} or {decider.key}, answer),
    )


def _decide(voices: Sequence[Voice]) -> tuple[Voice, list[Voice]]:
    """The track whose verdict counts, and those whose findings may stand beside it."""
    measuring = [one for one in voices if one.ranking.is_exact]
    exact = [one for one in measuring if one.ranking.verdict != "cannot_tell"]
    if exact:
        found = [one for one in exact if one.ranking.verdict == "found"]
        decider = max(found or exact, key=lambda one: _certainty(one.ranking))
        return decider, [one for one in found if one is not decider]
    measured = [one for one in voices if one.is_measured and not one.has_read]
    alike = [one for one in voices if not one.is_measured or one.has_read]
    found = [one for one in alike if one.ranking.verdict == "found"]
    things = [one for one in measured if one.ranking.verdict == "found"]
    is_unsure = all(_certainty(one.ranking)[1] < LIKELY for one in found)
    if things and is_unsure:
        return things[0], []
    if found:
        decider = max(found, key=lambda one: _certainty(one.ranking))
        if any(is_sight(one.track) for one in found if one.track):
            decider = max(found, key=lambda one: _certainty(one.ranking)[1])
        return decider, [one for one in alike if one is not decider]
    knowing = [one for one in measured if one.ranking.verdict == "not_found"]
    decider = voices[0]
    if measuring:
        return measuring[0], []
    if knowing and decider.ranking.verdict == "cannot_tell":
        decider = knowing[0]
    return decider, [one for one in alike if one is not decider]


def _signed(voice: Voice) -> Voice:
    """With the track's name on each of its windows."""

    def sign(windows: Sequence[Window]) -> tuple[Window, ...]:
        return tuple(replace(window, track=voice.key) for window in windows)

    windows, events = sign(voice.ranking.windows), sign(voice.ranking.events)
    return replace(voice, ranking=replace(voice.ranking, windows=windows, events=events))


def _weighed(voices: Sequence[Voice]) -> list[Voice]:
    """With the confidence that windows have beside what the other tracks say of their time.

    Two voices of one track, whose captions overlap, are one source.
    """
    duration_s = max((one.captions[-1].end_s for one in voices if one.captions), default=0.0)
    curves: dict[str, tuple[EvidenceKind, list[OddsCurve]]] = {}
    for one in voices:
        if one.track is not None:
            curve = OddsCurve(one.ranking, duration_s=duration_s)
            curves.setdefault(one.key, (evidence_kind(one.track), []))[1].append(curve)
    return [
        replace(
            one,
            ranking=_beside(
                one.ranking,
                evidence_kind(one.track),
                [its for key, its in curves.items() if key != one.key],
            ),
        )
        if one.track is not None and not one.ranking.is_exact
        else one
        for one in voices
    ]


def _beside(ranking: Ranking, kind: EvidenceKind, others: Sequence[Asked]) -> Ranking:
    windows = tuple(weighed(one, kind, others) for one in ranking.windows)
    events = tuple(weighed(one, kind, others) for one in ranking.events)
    presence = ranking.presence
    if presence is not None and events:
        presence = max(presence, *(one.confidence for one in events))
    # An order of times was compared already: which of them is meant stays as it was. Of what is
    # measured, nothing but the question itself says which is meant.
    if not ranking.parts and kind != "measured":
        windows, events = _ordered(windows), _ordered(events)
        if events and windows[0].confidence > events[0].confidence:
            apart = [one for one in events if not one.span.overlap_s(windows[0].span)]
            events = (windows[0], *apart)
    return replace(ranking, windows=windows, events=events, presence=presence)


def _ordered(windows: Sequence[Window]) -> tuple[Window, ...]:
    return tuple(sorted(windows, key=lambda one: -one.confidence))


def _told(voice: Voice) -> Voice:
    """Without the measured captions that do not answer: there is one every second."""
    if not voice.is_measured:
        return voice
    ranking = voice.ranking
    starts_s = {window.span.start_s for window in ranking.windows}
    ends_s = {window.span.end_s for window in ranking.windows}
    hits = [
        index
        for index, caption in enumerate(voice.captions)
        if ranking.relevance[index] > 0 or caption.start_s in starts_s or caption.end_s in ends_s
    ]
    # Of a run, its ends: while something stays, each second says the same of it once more, and a
    # text model would be shown that in place of what is described.
    in_run = set(hits)
    ends = [
        hit
        for hit in hits
        if not {hit - 1, hit + 1} <= in_run
        or voice.captions[hit].start_s in starts_s
        or voice.captions[hit].end_s in ends_s
    ]
    near = {at for end in ends for at in range(end - NEAR_MEASURED, end + NEAR_MEASURED + 1)}
    kept = sorted(near & set(range(len(voice.captions))))
    return replace(
        voice,
        captions=[voice.captions[index] for index in kept],
        ranking=replace(ranking, relevance=ranking.relevance[kept]),
    )


def _heard(voices: Sequence[Voice], answering: set[str], answer: Ranking) -> tuple[Testimony, ...]:
    """What each track said, once where its captions were asked in groups."""
    heard: dict[str, Testimony] = {}
    for voice in voices:
        if voice.track is None:
            continue
        before = heard.get(voice.key)
        if before is None or (voice.ranking.verdict == "found" and not before.agrees):
            kind, ranking = evidence_kind(voice.track), voice.ranking
            heard[voice.key] = Testimony(
                kind,
                name_of(voice.track),
                voice.key,
                ranking.verdict,
                voice.key in answering,
                agrees=agrees(kind, ranking, answer=answer),
                best=ranking.events[0].span if ranking.events else None,
            )
    return tuple(heard.values())


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


def _events(rankings: Sequence[Ranking]) -> tuple[Window, ...]:
    """Those of the first ranking, then what the others found elsewhere."""
    events = list(rankings[0].events)
    surest = max(event.confidence for event in events)
    others = [event for one in rankings[1:] for event in one.events]
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
