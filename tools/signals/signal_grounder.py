"""Answers questions from what the embedded senses measured, and says so where they cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from tools.ranking import Ranking, Window
from tools.signals.ask import Ask, Pick
from tools.signals.claims import (
    PRECISION,
    Claim,
    Kind,
    is_moment,
    is_passing,
    read_claims,
)
from tools.signals.explanations import (
    beyond_the_senses,
    heard_by_none,
    listed_times,
    missing_sense,
    read_nowhere,
    told,
)
from tools.signals.phrasing import Stage
from tools.signals.signal_query import understand
from tools.signals.text_worth import specks_of, text_worth
from tools.signals.visible_words import names_title, read_on_screen
from tools.signals.watched import why_unknown
from tools.timeline import Caption, Interval

BRIDGE_S = 1.05
"""Stretches of what comes and goes with noise are one when they are no farther apart."""

FLICKERING: frozenset[Kind] = frozenset(
    {
        "colour",
        "moves",
        "nothing moves",
        "unchanged",
        "pans left",
        "pans right",
        "tilts up",
        "tilts down",
        "zooms in",
        "zooms out",
    }
)

SHORTEST_MOVE_S = 0.75
"""A movement of the camera in a single frame is as often a jolt; longer ones come first."""

EDGE_SHARE, EDGE_S = 0.03, 3.0
"""The start or end of a video, as people say it: this share of it, and at least these seconds."""

WINDOWS_LIMIT = 10


@dataclass(frozen=True, slots=True)
class _Hits:
    """Which captions answer, by index, with the worth of each."""

    worth: dict[int, float]
    bridge_s: float


def ground_signals(query: str, captions: Sequence[Caption], *, duration_s: float) -> Ranking:
    """Find when the measured claims, or the text on the screen, say what is asked.

    Args:
        query: A question in English.
        captions: One track whose sources are ``signal`` and ``screen``, in any order.
        duration_s: Length of the video; no interval ends later.

    Returns:
        ``found``; ``not_found`` where the senses would have shown it; ``cannot_tell`` where a word
        asks for something that no sense measures, or the track lacks the sense.
    """
    ask = understand(query)
    claims = [read_claims(one.text) if one.source == "signal" else [] for one in captions]
    is_asked_as_text = ask.text is not None
    if ask.unknown:
        visible = read_on_screen(query, captions)
        if visible is None:
            return _cannot_tell(beyond_the_senses(ask.unknown, captions), len(captions))
        ask = visible
        # Words may stand on the screen and be meant as what they say; a number or title is itself.
        is_number = any(sign.isdigit() for sign in "".join(ask.text or ()))
        is_asked_as_text = is_number or names_title(query)
    if missing := missing_sense(ask, captions, claims):
        return _cannot_tell(missing, len(captions))
    hits = (
        _Hits(text_worth(query, ask, captions), BRIDGE_S)
        if ask.text is not None
        else _claim_hits(ask, captions, claims)
    )
    spans = _spans(ask, captions, claims, hits, duration_s)
    if why := _why_open(ask, [span for span, _ in spans], captions, claims, duration_s):
        is_measured = ask.is_of_picture and not ask.text
        return replace(_cannot_tell(why, len(captions)), is_exact=is_measured)
    windows = tuple(Window(span, score=worth, confidence=worth) for span, worth in spans)
    if windows and ask.stage:
        anywhere, windows = windows, _at_stage(windows, ask.stage, duration_s)
        if not windows:
            where = f"None of it is at the {ask.stage}."
            why = f"{told(ask, claims, len(hits.worth), anywhere)} {where}"
            return Ranking("not_found", (), (), np.zeros(len(captions)), why)
    # Of stretches the long ones count more; moments are told in their order.
    ranked = (
        windows if ask.wants in {"cut", "end", "shots"} else tuple(sorted(windows, key=_best_first))
    )
    events = ranked
    if ask.pick != "all" and windows:
        events = (picked(windows, ask.pick),)
        ranked = (*events, *(window for window in ranked if window not in events))
    relevance = np.zeros(len(captions))
    for index, worth in hits.worth.items():
        relevance[index] = worth
    return Ranking(
        verdict="found" if windows else "not_found",
        windows=ranked[:WINDOWS_LIMIT],
        events=events,
        relevance=relevance,
        reasoning=told(ask, claims, len(hits.worth), events),
        is_exact=not ask.form
        and (
            (ask.is_of_picture and ask.text is None)
            or (is_asked_as_text and (bool(windows) or not ask.is_spoken))
        ),
    )


def picked(windows: Sequence[Window], pick: Pick) -> Window:
    """The one that the question wants; of equally long ones the first."""
    in_time = sorted(windows, key=lambda window: window.span)
    if pick in {"longest", "shortest"}:
        choose = max if pick == "longest" else min
        return choose(in_time, key=lambda window: window.span.length_s)
    return in_time[0 if pick == "first" else -1]


def _why_open(
    ask: Ask,
    spans: Sequence[Interval],
    captions: Sequence[Caption],
    claims: Sequence[Sequence[Claim]],
    duration_s: float,
) -> str:
    """Why what was found, or that nothing was, is no answer; empty where it is one."""
    if spans:
        return ask.doubt and ask.doubt.format(times=listed_times(spans))
    if ask.text == () and (specks := specks_of(ask, captions)):
        return f"Two signs were read in a single frame, at {listed_times(specks)}: it may be none."
    if why := why_unknown(ask, captions, claims, duration_s):
        return why
    if ask.text and ask.is_said:
        return heard_by_none(ask)
    return read_nowhere(ask) if ask.text and ask.is_guess else ""


def _at_stage(windows: Sequence[Window], stage: Stage, duration_s: float) -> tuple[Window, ...]:
    """Those that lie in the first or the last part of the video, or fill it, for the most part."""
    part_s = min(duration_s, max(EDGE_S, EDGE_SHARE * duration_s))
    part = Interval(0.0, part_s) if stage == "start" else Interval(duration_s - part_s, duration_s)
    return tuple(
        one
        for one in windows
        if 2 * one.span.overlap_s(part) >= min(one.span.length_s, part.length_s)
    )


def _cannot_tell(reasoning: str, count: int) -> Ranking:
    return Ranking("cannot_tell", (), (), np.zeros(count), reasoning)


def _claim_hits(ask: Ask, captions: Sequence[Caption], claims: Sequence[Sequence[Claim]]) -> _Hits:
    worth = {
        index: max(PRECISION[claim.kind] for claim in fitting)
        for index, some in enumerate(claims)
        if (fitting := [claim for claim in some if _answers(claim, ask)])
    }
    if ask.kinds == ("empty",):
        worth = _emptied(worth, captions, claims)
    return _Hits(worth, BRIDGE_S if set(ask.kinds) & FLICKERING else 0.0)


def _answers(claim: Claim, ask: Ask) -> bool:
    least, most = ask.percent
    return (
        claim.kind in ask.kinds
        and (not ask.colour or claim.colour == ask.colour)
        and (_is_placed(claim, ask) or (ask.wants == "entrance" and claim.kind == "present"))
        and (claim.percent is None or least <= claim.percent <= most)
    )


def _is_placed(claim: Claim, ask: Ask) -> bool:
    return all(place in claim.place for place in ask.places)


def _emptied(
    worth: dict[int, float], captions: Sequence[Caption], claims: Sequence[Sequence[Claim]]
) -> dict[int, float]:
    """Only shots in which something comes or goes: a title card is not called empty.

    Nor is a room, until a person who was there from the start has moved or left.
    """
    shot = 0
    shot_of: dict[int, int] = {}
    lively: set[int] = set()
    kept = dict(worth)
    for index in sorted(range(len(captions)), key=lambda i: captions[i].start_s):
        kinds = {claim.kind for claim in claims[index]}
        shot += "cut" in kinds
        if kinds & {"gone", "present"} and "appears" not in kinds and shot not in lively:
            kept = {i: value for i, value in kept.items() if shot_of.get(i) != shot}
        shot_of[index] = shot
        if kinds & {"appears", "present", "gone"}:
            lively.add(shot)
    return {index: value for index, value in kept.items() if shot_of[index] in lively}


def _spans(
    ask: Ask,
    captions: Sequence[Caption],
    claims: Sequence[Sequence[Claim]],
    hits: _Hits,
    duration_s: float,
) -> list[tuple[Interval, float]]:
    """Disjoint stretches in time order, each with the worth of its best caption."""
    if ask.kinds == ("gone",):
        return _moments(captions, hits, duration_s)
    if ask.wants == "shots":
        return _shots(captions, hits, duration_s)
    runs: list[list[int]] = []
    for index in sorted(hits.worth, key=lambda i: captions[i].span):
        starts_anew = ask.wants == "entrance" and "appears" in {c.kind for c in claims[index]}
        if runs and not starts_anew:
            end_s = max(captions[i].end_s for i in runs[-1])
            if captions[index].start_s - end_s <= hits.bridge_s + 1e-6:
                runs[-1].append(index)
                continue
        runs.append([index])
    if ask.wants == "entrance":
        # What was there when the shot began did not enter.
        runs = [run for run in runs if _enters(claims[run[0]], ask)]
    spans = []
    for run in runs:
        start_s = captions[run[0]].start_s
        end_s = min(duration_s, max(captions[i].end_s for i in run))
        if ask.wants == "end" and ask.text is not None:
            last = captions[run[-1]]
            start_s = last.start_s
            end_s = min(duration_s, max(end_s, _end_of_next(captions, last)))
        if end_s > start_s:
            spans.append((Interval(start_s, end_s), max(hits.worth[i] for i in run)))
    return spans


def _enters(claims: Sequence[Claim], ask: Ask) -> bool:
    return any(claim.kind == "appears" and _is_placed(claim, ask) for claim in claims)


def _moments(
    captions: Sequence[Caption], hits: _Hits, duration_s: float
) -> list[tuple[Interval, float]]:
    """A departure lies between the caption that tells of it and the one before."""
    signals = sorted(
        (
            i
            for i, one in enumerate(captions)
            if one.source == "signal" and not (is_moment(one) or is_passing(one))
        ),
        key=lambda i: captions[i].span,
    )
    moments = []
    for place, index in enumerate(signals):
        if index not in hits.worth:
            continue
        before = signals[place - 1] if place and signals[place - 1] not in hits.worth else index
        end_s = min(captions[index].end_s, duration_s)
        if end_s > captions[before].start_s:
            moments.append((Interval(captions[before].start_s, end_s), hits.worth[index]))
    return moments


def _shots(
    captions: Sequence[Caption], hits: _Hits, duration_s: float
) -> list[tuple[Interval, float]]:
    """What lies between two cuts, from the first picture to the last."""
    cuts_s = sorted({captions[index].start_s for index in hits.worth})
    bounds_s = [0.0, *(cut_s for cut_s in cuts_s if 0 < cut_s < duration_s), duration_s]
    return [(Interval(*bounds), PRECISION["cut"]) for bounds in pairwise(bounds_s)]


def _end_of_next(captions: Sequence[Caption], last: Caption) -> float:
    later = [one.end_s for one in captions if one.start_s >= last.end_s - 1e-6]
    return min(later, default=last.end_s)


def _best_first(window: Window) -> tuple[bool, float, float, float]:
    long_enough = window.span.length_s >= SHORTEST_MOVE_S
    return not long_enough, -window.score, -window.span.length_s, window.span.start_s
