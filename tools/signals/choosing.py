"""Which of the stretches that were found a question wants, and which part of each."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from tools.ranking import Window
from tools.signals.ask import Ask, Edge
from tools.signals.claims import Claim, is_moment, is_passing
from tools.signals.counting import nth_of
from tools.signals.phrasing import Stage
from tools.timeline import Caption, Interval

EDGE_SHARE, EDGE_S = 0.03, 3.0
"""The start or end of a video, as people say it: this share of it, and at least these seconds."""


UNREAD_S = 3.0
"""Text that was not read for no longer than this was there all the same, as often as not."""


def chosen(windows: Sequence[Window], ask: Ask) -> tuple[Window, ...]:
    """Those that the question wants; all in the order given where it wants no one in particular.

    Returns:
        None of them where there are fewer than the number that is asked for.
    """
    if ask.pick != "all":
        sign = -1 if ask.pick == "longest" else 1
        by_length = sorted(windows, key=lambda one: (sign * one.span.length_s, one.span))
        return _numbered(by_length, ask.numbers or (1,))
    if not ask.numbers:
        return tuple(windows)
    return _numbered(sorted(windows, key=lambda window: window.span), ask.numbers)


def _numbered(windows: Sequence[Window], numbers: Sequence[int]) -> tuple[Window, ...]:
    places = [nth_of(len(windows), number) for number in numbers]
    return tuple(windows[place] for place in places if place is not None)


def shots_between(cuts_s: Iterable[float], searched: Interval) -> list[Interval]:
    """What lies between two cuts, from the first picture that is searched to the last."""
    inner_s = sorted(cut_s for cut_s in {*cuts_s} if searched.start_s < cut_s < searched.end_s)
    return [Interval(*pair) for pair in pairwise([searched.start_s, *inner_s, searched.end_s])]


def inside_shots(
    numbers: Sequence[int], captions: Sequence[Caption], searched: Interval
) -> list[Interval]:
    """The shots of these numbers; fewer where there are not as many."""
    cuts_s = [one.start_s for one in captions if is_moment(one)]
    shots = shots_between(cuts_s, searched)
    places = [nth_of(len(shots), number) for number in numbers]
    return [shots[place] for place in places if place is not None]


def mostly_inside(windows: Sequence[Window], shots: Sequence[Interval]) -> tuple[Window, ...]:
    """Windows that lie in one of them, or fill it, for the most part."""
    return tuple(
        one
        for one in windows
        if any(
            2 * one.span.overlap_s(shot) >= min(one.span.length_s, shot.length_s) for shot in shots
        )
    )


def without_gaps(
    spans: list[tuple[Interval, float]], searched: Interval
) -> list[tuple[Interval, float]]:
    """Without short times between two in which text was read: it may only not have been read."""
    return [
        (span, worth)
        for span, worth in spans
        if span.length_s > UNREAD_S
        or span.start_s <= searched.start_s
        or span.end_s >= searched.end_s
    ]


def at_stage(windows: tuple[Window, ...], stage: Stage, searched: Interval) -> tuple[Window, ...]:
    """Those that lie in the first or last part of what is searched, or fill it, for the most."""
    part_s = min(searched.length_s, max(EDGE_S, EDGE_SHARE * searched.length_s))
    start_s = searched.start_s if stage == "start" else searched.end_s - part_s
    return mostly_inside(windows, [Interval(start_s, start_s + part_s)])


def at_edge(windows: Sequence[Window], ask: Ask, captions: Sequence[Caption]) -> tuple[Window, ...]:
    """The moments at which they start or end, as far as frames tell; a cut tells to the frame."""
    cuts = [one.span for one in captions if is_moment(one)]
    frames = sorted(
        one.span
        for one in captions
        if one.source == "signal" and not (is_moment(one) or is_passing(one))
    )
    moments = []
    for window in windows:
        edge_s = window.span.start_s if ask.edge == "start" else window.span.end_s
        span = next((cut for cut in cuts if cut.start_s == edge_s), None)
        if span is None:
            beside = [one for one in frames if one.start_s <= edge_s <= one.end_s]
            if not beside:
                continue
            span = Interval(beside[0].start_s, beside[-1].end_s)
        moments.append(replace(window, span=span))
    return tuple(moments)


def breaks(
    captions: Sequence[Caption], claims: Sequence[Sequence[Claim]], answering: Container[int]
) -> list[float]:
    """Where nothing stays as it was: cuts, and frames of a picture that is known to be another.

    Args:
        captions: In any order.
        claims: Of each caption.
        answering: The captions that say that it stays, by index.
    """
    return [
        one.start_s
        for index, one in enumerate(captions)
        if is_moment(one)
        or (
            claims[index]
            and index not in answering
            and not is_passing(one)
            and "camera still" not in {claim.kind for claim in claims[index]}
        )
    ]


def faded(
    windows: Sequence[Window], edge: Edge, captions: Sequence[Caption], searched: Interval
) -> tuple[Window, ...]:
    """Those that begin, or end, inside of what is searched and without a cut."""
    cuts_s = [one.start_s for one in captions if is_moment(one)]
    looks_s = [
        one.start_s
        for one in captions
        if one.source == "signal" and not (is_moment(one) or is_passing(one))
    ]

    def fades(span: Interval) -> bool:
        edge_s = span.start_s if edge == "start" else span.end_s
        before_s = max((look_s for look_s in looks_s if look_s < edge_s), default=edge_s)
        is_inside = searched.start_s < edge_s < searched.end_s
        return is_inside and not any(before_s < cut_s <= edge_s for cut_s in cuts_s)

    return tuple(one for one in windows if fades(one.span))
