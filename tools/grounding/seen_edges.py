"""Where the edges of an event lie, by the looks at the video on both sides of each of them.

An event that frames at t₁ … tₙ show began after the frame before t₁ and ended before the one after
tₙ. Its edges are put in the middle: half a step before t₁, and half a step after tₙ; or at the cut
that was measured there, with which all that is seen changes. Where captions hold over real spans
(grids, clips, what is said, a file with starts and ends), the edges are those of the captions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tools.indexing.held_spans import held_span, read_step_s
from tools.signals.claims import fills_picture, is_moment, is_passing
from tools.timeline import Caption, Interval, Track

SAID: Final = frozenset({"subtitle", "speech"})
"""Sources whose captions begin and end with the thing itself, not with a look at it."""

_SINGLE_FRAMES: Final = re.compile(r"(?:frame|file)@([\d.e-]+)/s(?: .*)?")

LATE_SHARE: Final = 0.25
"""A frame comes up to one frame interval after its slot: up to a quarter of a step."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge of an event.

    Attributes:
        at_s: Where it is put.
        earliest_s: The last time that is known to be before it.
        latest_s: The first time that is known to be after it; equal to the other two if exact.
    """

    at_s: float
    earliest_s: float
    latest_s: float

    @property
    def precision_s(self) -> float:
        """How far the true edge may be from ``at_s``, on either side."""
        return max(self.at_s - self.earliest_s, self.latest_s - self.at_s)

    @property
    def open_span(self) -> Interval | None:
        """The time in which the true edge lies; None where it is exact."""
        if self.latest_s <= self.earliest_s:
            return None
        return Interval(self.earliest_s, self.latest_s)


def edges_of(
    first: Caption, last: Caption, captions: Sequence[Caption], *, duration_s: float
) -> tuple[Edge, Edge]:
    """The start and the end of an event that two captions begin and end.

    Each look at the video is a caption's start: the event began after the look before its first
    caption, and ended before the look after its last. With one cut between two looks the edge is
    put at the cut: it can only lie there, or within its own shot. Frames that a caption is held
    over do not count as looks: something small may have begun in one. Only the video's own edges
    are exact, and the edges of what is said.

    Args:
        first: The first caption that shows it.
        last: The last one; it starts no earlier.
        captions: All that are known around it, these two among them.
        duration_s: Length of the video.
    """
    if first == last and is_moment(first):
        # A moment is as long as it is precise: the time since the frame before.
        fine_s = min(first.span.length_s, first.start_s)
        start = Edge(first.start_s, first.start_s - fine_s, first.start_s)
        return start, Edge(first.end_s, first.start_s, first.end_s)
    if first == last and is_passing(first):
        start_s, end_s = first.start_s, first.end_s
        return Edge(start_s, start_s, start_s), Edge(end_s, end_s, end_s)
    start, end = _start_of(first, captions), _end_of(last, duration_s=duration_s)
    if is_moment(first):
        start = _edge_at(first.span)
    elif cut := _cut_in(start, captions):
        # What does not fill the picture may come a little later than the cut.
        start = replace(
            _edge_at(cut), latest_s=cut.start_s if fills_picture(first) else first.start_s
        )
    if is_moment(last):
        end = _edge_at(last.span)
    elif cut := _cut_in(end, captions):
        fills = is_moment(first) or fills_picture(last)
        end = _edge_at(cut) if fills else Edge(cut.start_s, end.earliest_s, cut.start_s)
    return start, end


def window_span(
    window: Interval, captions: Sequence[Caption], *, track: Track, duration_s: float
) -> Interval:
    """A window between edges of captions, with its edges put where ``edges_of`` puts them.

    Args:
        window: From the start of a caption to the end of one, or to a cut.
        captions: The captions that are known. Where those at an edge are missing, half a step of
            the track is what the edge is moved by.
        track: What the question is answered from.
        duration_s: Length of the video.
    """
    first = next((one for one in captions if one.start_s == window.start_s), None)
    last = next((one for one in captions if one.end_s == window.end_s), None) or next(
        (one for one in captions if is_moment(one) and one.start_s == window.end_s), None
    )
    if first and last and first.start_s <= last.start_s:
        start, end = edges_of(first, last, captions, duration_s=duration_s)
        return Interval(start.at_s, end.at_s)
    # Never so far that an edge passes the middle of the shortest window.
    half_s = min((look_step_s(track) or 0.0), window.length_s) / 2
    end_s = window.end_s if window.end_s >= duration_s else window.end_s - half_s
    return Interval(max(0.0, window.start_s - half_s), end_s)


def look_step_s(track: Track) -> float | None:
    """Seconds between the frames of a track whose captions are each of one frame; else None."""
    match = _SINGLE_FRAMES.fullmatch(track.mode)
    return 1 / float(match[1]) if match else None


def shown_at(captions: Sequence[Caption], moment_s: float) -> list[Caption]:
    """The captions whose span, with its edges put half a look earlier, holds a moment.

    Args:
        captions: In time order.
        moment_s: Seconds.

    Returns:
        Where none does, as at the video's end, those whose own span holds it.
    """

    def holds(one: Caption) -> bool:
        half_s = min(look_step_s(one.track) or 0.0, one.span.length_s) / 2
        return one.start_s - half_s <= moment_s < one.end_s - half_s

    return [one for one in captions if holds(one)] or [
        one for one in captions if one.start_s <= moment_s < one.end_s
    ]


def _start_of(first: Caption, captions: Sequence[Caption]) -> Edge:
    at_s = first.start_s
    exact = Edge(at_s, at_s, at_s)
    if at_s <= 0 or first.source in SAID:
        return exact
    if step_s := read_step_s(first):
        return Edge(at_s - min(step_s, at_s) / 2, max(0.0, at_s - (1 + LATE_SHARE) * step_s), at_s)
    # Only those of the same kind: what is said between two looks does not bring them closer.
    earlier = [
        one
        for one in captions
        if one.start_s < at_s
        and one.source == first.source
        and not (is_moment(one) or is_passing(one))
    ]
    if not earlier:
        return exact
    before = max(earlier, key=lambda one: one.start_s)
    away_s = at_s - before.start_s
    if look_step_s(first.track) is None or not (step_s := look_step_s(before.track)):
        return Edge(at_s, before.start_s, at_s)
    is_next = before.end_s == at_s and not held_span(before)
    return Edge(at_s - (away_s if is_next else min(step_s, away_s)) / 2, before.start_s, at_s)


def _cut_in(edge: Edge, captions: Sequence[Caption]) -> Interval | None:
    """The one cut in the open time of an edge; None where there are none or several."""
    cuts = {
        one.span
        for one in captions
        if is_moment(one) and edge.earliest_s < one.start_s <= edge.latest_s
    }
    return cuts.pop() if len(cuts) == 1 else None


def _edge_at(cut: Interval) -> Edge:
    return Edge(cut.start_s, max(0.0, cut.start_s - cut.length_s), cut.start_s)


def _end_of(last: Caption, *, duration_s: float) -> Edge:
    at_s = last.end_s
    if at_s >= duration_s or last.source in SAID:
        return Edge(at_s, at_s, at_s)
    if step_s := read_step_s(last):
        earliest_s = max(last.start_s, at_s - (1 + LATE_SHARE) * step_s)
        return Edge(at_s - min(step_s, last.span.length_s) / 2, earliest_s, at_s)
    step_s = look_step_s(last.track)
    if step_s is None:
        return Edge(at_s, last.start_s, at_s)
    unseen_s = min(step_s, last.span.length_s) if held_span(last) else last.span.length_s
    return Edge(at_s - unseen_s / 2, last.start_s, at_s)
