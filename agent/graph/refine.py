"""The refine step: closer looks at the edges of an accepted answer, which decide them again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from agent.errors import CaptionerError, VideoError
from agent.graph.plain_values import RefinedState
from agent.grounding import Cost
from agent.reasoning.answer import Answer, NumberedEvent
from agent.reasoning.edge_reply import EdgeLooks
from agent.reasoning.look_ups import Closer
from tools.embedders.embedder import Embedder
from tools.grounding.edges import begins_at, ends_after, likeness, look_rate_hz, marked
from tools.grounding.seen_edges import SAID, edges_of
from tools.store.store import VideoRecord
from tools.timeline import Caption, Interval

REFINED_EVENTS = 3
"""Only the first few events of an answer are looked at more closely: at most this many."""

REFERENCES = 2
"""Captions on each side of an edge that say what the event is like, and what it is not."""

DENIES = "Not shown."
"""How the activity prompt has a model begin where nothing of the query is visible."""


Looks = Literal["", "confirmed", "denied"]


@dataclass(frozen=True, slots=True)
class RefinedEvent:
    """An event after closer looks at its edges.

    Attributes:
        event: In numbers of all captions, those of the looks among them.
        looks: Whether the looks showed it; empty where there was none.
    """

    event: NumberedEvent
    looks: Looks = ""

    def as_dict(self) -> RefinedState:
        """Plain values only, for the graph's state."""
        return RefinedState(first=self.event.first, last=self.event.last, looks=self.looks)


@dataclass
class Refined:
    """The result of closer looks.

    Attributes:
        events: Those of the answer, with the edges that the looks show.
        captions: All captions by number: the earlier ones, then those of the looks.
        cost: What the looks took.
        note: Why there were none, or fewer; empty where all went well.
    """

    events: list[RefinedEvent]
    captions: list[Caption]
    cost: Cost = field(default_factory=Cost)
    note: str = ""


def refine_edges(
    answer: Answer,
    captions: Sequence[Caption],
    record: VideoRecord,
    query: str,
    *,
    closer: Closer,
    embedder: Embedder,
    edge_looks: EdgeLooks | None = None,
) -> Refined:
    """Look closer between the looks on both sides of each edge, and decide the edge again.

    An edge lies where the looks first show the event, or last. Where all of them show it, it lies
    further out, and there is one more look; where none does, it lies further in. An edge that
    cannot be looked at stays, and the note says why. The answer itself stays as it was said.

    Args:
        answer: An accepted one, its events in numbers of ``captions``.
        captions: What the reasoner was shown.
        record: The video.
        query: What is looked for.
        closer: Describes frames one by one, where ``edge_looks`` cannot.
        embedder: Tells what is then said in the event from what is said beside it.
        edge_looks: Looks at the frames around an edge in one request.
    """
    refined = Refined([RefinedEvent(event) for event in answer.events], list(captions))
    looking = _Looking(refined, record, query, closer, embedder, edge_looks, captions)
    for index, event in enumerate(answer.events[:REFINED_EVENTS]):
        try:
            moved = looking.refine(event)
        except (CaptionerError, VideoError) as exc:
            refined.note = str(exc)
            break
        others = [one.event for at, one in enumerate(refined.events) if at != index]
        is_sound = _is_apart(moved.event, others, refined.captions)
        refined.events[index] = moved if is_sound else RefinedEvent(event, moved.looks)
    return refined


def _is_apart(
    event: NumberedEvent, others: Sequence[NumberedEvent], captions: Sequence[Caption]
) -> bool:
    """Whether an event ends after it starts, and overlaps no other."""
    starts_s, ends_s = captions[event.first - 1].start_s, captions[event.last - 1].end_s
    if captions[event.last - 1].start_s < starts_s:
        return False
    return all(
        ends_s <= captions[one.first - 1].start_s or captions[one.last - 1].end_s <= starts_s
        for one in others
    )


@dataclass(frozen=True, slots=True)
class _Looking:
    """What the edges of one answer are looked at with; ``refined`` gathers what is seen."""

    refined: Refined
    record: VideoRecord
    query: str
    closer: Closer
    embedder: Embedder
    edge_looks: EdgeLooks | None
    known: Sequence[Caption]

    def refine(self, event: NumberedEvent) -> RefinedEvent:
        """Decide both edges again; each takes one look, and one more where all of it shows it."""
        seen: list[bool] = []
        for is_start in (True, False):
            event, shown = self._edge(event, is_start=is_start)
            seen += shown
        if not seen:
            return RefinedEvent(event)
        return RefinedEvent(event, "confirmed" if any(seen) else "denied")

    def _edge(
        self, event: NumberedEvent, *, is_start: bool
    ) -> tuple[NumberedEvent, Sequence[bool]]:
        captions = self.refined.captions
        first, last = captions[event.first - 1], captions[event.last - 1]
        edges = edges_of(first, last, captions, duration_s=self.record.duration_s)
        span = edges[0 if is_start else 1].open_span
        if span is None or look_rate_hz(span) is None:
            return event, ()
        look = self._look(event, span, is_start=is_start)
        if look is None:
            return event, ()
        numbers, shown, is_typed = look
        if not any(shown):
            if is_typed:
                return self._moved_in(event, span, numbers, is_start=is_start)
            return event, shown
        edge = _outermost(numbers, shown, is_start=is_start)
        if is_typed and shown[0 if is_start else -1]:
            beyond = self._beyond(span, is_start=is_start)
            further = beyond and self._look(event, beyond, is_start=is_start)
            if further and any(further[1]):
                edge = _outermost(*further[:2], is_start=is_start)
        return event.model_copy(update={"first" if is_start else "last": edge}), shown

    def _moved_in(
        self, event: NumberedEvent, span: Interval, numbers: Sequence[int], *, is_start: bool
    ) -> tuple[NumberedEvent, Sequence[bool]]:
        """Where all looks deny it, also at the caption that was said to show it: further in.

        There is one look up to the next caption; where that denies it too, the edge lies there.
        """
        captions = self.refined.captions
        denied = [False] * len(numbers)
        said = captions[(event.first if is_start else event.last) - 1]
        looked_s = [captions[number - 1].start_s for number in numbers]
        tolerance_s = span.length_s / 8
        if min(abs(time_s - said.start_s) for time_s in looked_s) > tolerance_s:
            return event, denied
        start_s, until_s = captions[event.first - 1].start_s, captions[event.last - 1].start_s
        inside = [
            number
            for number, one in enumerate(captions, start=1)
            if start_s <= one.start_s <= until_s
            and one.track == said.track
            and (one.start_s > said.start_s if is_start else one.start_s < said.start_s)
        ]
        if not inside:
            return event, denied
        choose = min if is_start else max
        edge = choose(inside, key=lambda one: captions[one - 1].start_s)
        shown: Sequence[bool] = denied
        within = Interval(*sorted((said.start_s, captions[edge - 1].start_s)))
        closer = self._look(event, within, is_start=is_start)
        if closer and any(closer[1]):
            edge, shown = _outermost(*closer[:2], is_start=is_start), closer[1]
        return event.model_copy(update={"first" if is_start else "last": edge}), shown

    def _beyond(self, span: Interval, *, is_start: bool) -> Interval | None:
        """The stretch outside of one whose looks all show the event: until the next caption."""
        captions = [one for one in self.known if one.source not in SAID]
        if is_start:
            starts_s = [one.start_s for one in captions if one.start_s < span.start_s]
            return Interval(max(starts_s), span.start_s) if starts_s else None
        ends_s = [one.end_s for one in captions if one.start_s >= span.end_s]
        end_s = min(ends_s, default=0.0)
        return Interval(span.end_s, end_s) if end_s > span.end_s else None

    def _look(
        self, event: NumberedEvent, span: Interval, *, is_start: bool
    ) -> tuple[list[int], list[bool], bool] | None:
        """The numbers of the looks, whether each shows it, and whether a model said so.

        In time order; None without any look.
        """
        together = self.edge_looks(self.record, self.query, span) if self.edge_looks else None
        if together is not None:
            looks, shown, cost = list(together.captions), list(together.shown), together.cost
        else:
            one_by_one = self._describe(event, span, is_start=is_start)
            if one_by_one is None:
                return None
            looks, shown, cost = one_by_one
        self.refined.cost = self.refined.cost.plus(cost)
        if together is not None and together.failed:
            raise CaptionerError(together.failed)
        if not looks:
            return None
        known = {one.id: number for number, one in enumerate(self.refined.captions, start=1)}
        numbers = []
        for look in looks:
            if look.id not in known:
                self.refined.captions.append(look)
                known[look.id] = len(self.refined.captions)
            numbers.append(known[look.id])
        return numbers, shown, together is not None

    def _describe(
        self, event: NumberedEvent, span: Interval, *, is_start: bool
    ) -> tuple[list[Caption], list[bool], Cost] | None:
        """Frames described one by one; likeness to what is said in the event decides."""
        rate_hz = look_rate_hz(span)
        inside, outside = _references(event, self.refined.captions, is_start=is_start)
        if rate_hz is None or not outside:
            return None
        looks, cost = self.closer(self.record, self.query, span, rate_hz=rate_hz)
        if not looks:
            return looks, [], cost
        scores = _likeness(looks, inside, outside, self.query, self.embedder)
        if is_start:
            begin = begins_at(scores)
            return looks, [index >= begin for index in range(len(looks))], cost
        until = ends_after(scores)
        return looks, [index < until for index in range(len(looks))], cost


def _outermost(numbers: Sequence[int], shown: Sequence[bool], *, is_start: bool) -> int:
    """The first of the looks that show the event, or the last."""
    showing = [number for number, is_shown in zip(numbers, shown, strict=True) if is_shown]
    return showing[0 if is_start else -1]


def _references(
    event: NumberedEvent, captions: Sequence[Caption], *, is_start: bool
) -> tuple[list[Caption], list[Caption]]:
    """What is said just inside and just outside an edge."""
    start_s, end_s = captions[event.first - 1].start_s, captions[event.last - 1].end_s
    inside = [one for one in captions if start_s <= one.start_s and one.end_s <= end_s]
    if is_start:
        outside = [one for one in captions if one.end_s <= start_s]
        inside.sort(key=lambda one: one.start_s)
        outside.sort(key=lambda one: -one.end_s)
    else:
        outside = [one for one in captions if one.start_s >= end_s]
        inside.sort(key=lambda one: -one.end_s)
        outside.sort(key=lambda one: one.start_s)
    return inside[:REFERENCES], outside[:REFERENCES]


def _likeness(
    looks: Sequence[Caption],
    inside: Sequence[Caption],
    outside: Sequence[Caption],
    query: str,
    embedder: Embedder,
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    texts = [one.text for one in (*looks, *inside, *outside)]
    vectors = embedder.embed([*texts, query])
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    parts = np.split(vectors, np.cumsum([len(looks), len(inside), len(outside)]))
    scores = likeness(parts[0], inside=parts[1], outside=parts[2], query=parts[3][0])
    return marked(scores, denied=[one.text.startswith(DENIES) for one in looks])
