"""Answers questions from what the classical describer measured, and says so where it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tools.ranking import Ranking, Window
from tools.signals.ask import Ask
from tools.signals.bare_order import edge_named, rank_bare_order, read_bare_order
from tools.signals.choosing import (
    at_edge,
    at_stage,
    breaks,
    chosen,
    faded,
    inside_shots,
    mostly_inside,
    shots_between,
    without_gaps,
)
from tools.signals.claims import (
    PRECISION,
    Claim,
    Kind,
    is_moment,
    is_passing,
    read_claims,
)
from tools.signals.explanations import (
    NO_FADE,
    beyond_the_senses,
    heard_by_none,
    listed_times,
    missing_sense,
    number_missing,
    read_nowhere,
    side_unknown,
    told,
)
from tools.signals.phrasing import asks_length
from tools.signals.signal_query import understand
from tools.signals.text_worth import specks_of, text_worth
from tools.signals.visible_words import names_title, read_on_screen
from tools.signals.watched import PRESENCE, why_unknown, why_unwatched
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

STAYS: frozenset[Kind] = frozenset({"nothing moves", "unchanged"})

SHORTEST_MOVE_S = 0.75
"""A movement of the camera in a single frame is as often a jolt; longer ones come first."""

WINDOWS_LIMIT = 10

WAYS = ("left", "right", "top", "bottom")
"""Sides of the picture; the name of a corner has two of them."""

NOT_SO = 0.9
"""Confidence that a frame of which something is not said is not so."""


@dataclass(frozen=True, slots=True)
class _Hits:
    """Which captions answer, by index, with the worth of each."""

    worth: dict[int, float]
    bridge_s: float


def ground_signals(
    query: str,
    captions: Sequence[Caption],
    *,
    duration_s: float,
    within: Interval | None = None,
    limit: int = WINDOWS_LIMIT,
) -> Ranking:
    """Find when the measured claims, or the text on the screen, say what is asked.

    Args:
        query: A question in English.
        captions: One track whose sources are ``signal`` and ``screen``, in any order.
        duration_s: Length of the video; no interval ends later.
        within: The part that the captions are of; None for the whole video.
        limit: Most windows that are kept beside the events.

    Returns:
        ``found``; ``not_found`` where the senses would have shown it; ``cannot_tell`` where a word
        asks for something that no sense measures, or the track lacks the sense.
    """
    searched = within or Interval(0.0, duration_s)
    if (order := read_bare_order(query)) and not any(
        understand(text).unknown and not edge_named(text) for text in order.texts
    ):
        return rank_bare_order(
            order,
            lambda text: ground_signals(
                text, captions, duration_s=duration_s, within=within, limit=len(captions)
            ),
            searched,
            most=limit,
        )
    ask = understand(query)
    if asks_length(query):
        return _cannot_tell(f"The video is {duration_s:.1f} s long.", len(captions))
    if not ask.unknown:
        return _answer(query, ask, captions, searched, as_text=ask.text is not None, limit=limit)
    visible = read_on_screen(query, captions)
    if visible is None:
        return _cannot_tell(beyond_the_senses(ask.unknown, captions), len(captions))
    # Words may stand on the screen and be meant as what they say; a number or title is itself.
    is_number = any(sign.isdigit() for sign in "".join(visible.text or ()))
    is_itself = is_number or names_title(query)
    return _answer(query, visible, captions, searched, as_text=is_itself, limit=limit)


def _answer(
    query: str,
    ask: Ask,
    captions: Sequence[Caption],
    searched: Interval,
    *,
    as_text: bool,
    limit: int,
) -> Ranking:
    """What is measured or read of a question that is understood."""
    claims = [read_claims(one.text) if one.source == "signal" else [] for one in captions]
    if missing := missing_sense(ask, captions, claims):
        return _cannot_tell(missing, len(captions))
    hits = (
        _Hits(text_worth(query, ask, captions), BRIDGE_S)
        if ask.text is not None
        else _claim_hits(ask, captions, claims)
    )
    shown = _not_so(captions, claims, hits) if ask.is_negated else hits
    spans = _spans(ask, captions, claims, shown, searched)
    if ask.is_negated and ask.text is not None:
        spans = without_gaps(spans, searched)
    if why := _why_open(ask, [span for span, _ in spans], captions, claims, searched):
        is_measured = ask.is_of_picture and not ask.text
        return replace(_cannot_tell(why, len(captions)), is_exact=is_measured)
    anywhere = tuple(Window(span, score=worth, confidence=worth) for span, worth in spans)
    windows, where = _placed(anywhere, ask, captions, searched)
    if anywhere and not windows:
        why = f"{told(ask, claims, len(hits.worth), anywhere)} {where}"
        return Ranking("not_found", (), (), np.zeros(len(captions)), why)
    # Of stretches the long ones count more; moments are told in their order.
    ranked = (
        windows if ask.wants in {"cut", "end", "shots"} else tuple(sorted(windows, key=_best_first))
    )
    events = chosen(ranked, ask)
    if windows and ask.numbers:
        missed = "" if events else number_missing(ask, len(windows))
        doubted = why_unknown if missed else why_unwatched
        unseen = doubted(ask, captions, claims, searched)
        if unseen and (missed or {*ask.kinds} & PRESENCE):
            seen = missed or f"Seen {'once' if len(windows) == 1 else f'{len(windows)} times'}."
            return _cannot_tell(f"{seen} {unseen}", len(captions))
        if missed:
            why = f"{told(ask, claims, len(hits.worth), windows)} {missed}"
            unfit = Ranking("not_found", ranked[:WINDOWS_LIMIT], (), np.zeros(len(captions)), why)
            return replace(unfit, is_exact=True)
    if ask.edge:
        events = at_edge(events, ask, captions)
    ranked = (*events, *(window for window in ranked if window not in events))
    relevance = np.zeros(len(captions))
    for index, worth in shown.worth.items():
        relevance[index] = worth
    return Ranking(
        verdict="found" if windows else "not_found",
        windows=ranked[:limit],
        events=events,
        relevance=relevance,
        reasoning=told(ask, claims, len(hits.worth), events, count=len(windows)),
        is_exact=not ask.form
        and (
            (ask.is_of_picture and ask.text is None)
            or (as_text and (bool(windows) or not ask.is_spoken))
        ),
    )


def _placed(
    windows: tuple[Window, ...],
    ask: Ask,
    captions: Sequence[Caption],
    searched: Interval,
) -> tuple[tuple[Window, ...], str]:
    """Those that lie where, and come as, they are asked for, and what to say of none."""
    if windows and ask.in_shots:
        windows = mostly_inside(windows, inside_shots(ask.in_shots, captions, searched))
        if not windows:
            return (), "None of it is in that shot."
    if windows and ask.fades:
        windows = faded(windows, ask.fades, captions, searched)
        if not windows:
            return (), NO_FADE[ask.fades]
    if windows and ask.stage:
        windows = at_stage(windows, ask.stage, searched)
    return windows, f"None of it is at the {ask.stage}."


def _why_open(
    ask: Ask,
    spans: Sequence[Interval],
    captions: Sequence[Caption],
    claims: Sequence[Sequence[Claim]],
    searched: Interval,
) -> str:
    """Why what was found, or that nothing was, is no answer; empty where it is one."""
    corners = _in_corners(ask, captions, claims) if ask.is_way else []
    if corners and (not spans or ask.numbers or ask.sum == "count"):
        return side_unknown(ask, corners)
    if spans:
        return ask.doubt and ask.doubt.format(times=listed_times(spans))
    if ask.text == () and (specks := specks_of(ask, captions)):
        return f"Two signs were read in a single frame, at {listed_times(specks)}: it may be none."
    if why := why_unknown(ask, captions, claims, searched):
        return why
    if ask.text and ask.is_said:
        return heard_by_none(ask)
    return read_nowhere(ask) if ask.text and ask.is_guess else ""


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


def _in_corners(
    ask: Ask, captions: Sequence[Caption], claims: Sequence[Sequence[Claim]]
) -> list[Interval]:
    """Where something comes or goes in a corner of that side, so that it may be the other side."""
    return [
        one.span
        for one, some in sorted(zip(captions, claims, strict=True), key=lambda pair: pair[0].span)
        if any(
            claim.kind == ask.kinds[0]
            and not _is_placed(claim, ask)
            and all(place in claim.place for place in ask.places)
            for claim in some
        )
    ]


def _is_placed(claim: Claim, ask: Ask) -> bool:
    # What is seen in a corner may have come by either side.
    is_clear = not ask.is_way or len({*WAYS} & {*claim.place.split()}) == 1
    return is_clear and all(place in claim.place for place in ask.places)


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
    searched: Interval,
) -> list[tuple[Interval, float]]:
    """Disjoint stretches in time order, each with the worth of its best caption."""
    duration_s = searched.end_s
    if ask.kinds == ("gone",):
        return _moments(captions, hits, duration_s)
    if ask.wants == "shots":
        cuts_s = [captions[index].start_s for index in hits.worth]
        return [(span, PRECISION["cut"]) for span in shots_between(cuts_s, searched)]
    runs: list[list[int]] = []
    breaks_s = breaks(captions, claims, hits.worth) if {*ask.kinds} & STAYS else []
    for index in sorted(hits.worth, key=lambda i: captions[i].span):
        starts_anew = ask.wants == "entrance" and "appears" in {c.kind for c in claims[index]}
        if runs and breaks_s:
            before_s, now_s = captions[runs[-1][-1]].start_s, captions[index].start_s
            starts_anew = any(before_s < break_s <= now_s for break_s in breaks_s)
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


def _not_so(captions: Sequence[Caption], claims: Sequence[Sequence[Claim]], hits: _Hits) -> _Hits:
    """The sampled frames of which it is not said, nor of their time."""
    taken = [captions[index].span for index in hits.worth]
    worth = {
        index: NOT_SO
        for index, one in enumerate(captions)
        if claims[index]
        and not (is_moment(one) or is_passing(one))
        and not any(2 * span.overlap_s(one.span) > one.span.length_s for span in taken)
    }
    return _Hits(worth, 0.0)


def _end_of_next(captions: Sequence[Caption], last: Caption) -> float:
    later = [one.end_s for one in captions if one.start_s >= last.end_s - 1e-6]
    return min(later, default=last.end_s)


def _best_first(window: Window) -> tuple[bool, float, float, float]:
    long_enough = window.span.length_s >= SHORTEST_MOVE_S
    return not long_enough, -window.score, -window.span.length_s, window.span.start_s
