"""The refine step: closer looks at the edges of an accepted answer, which decide them again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.errors import CaptionerError, VideoError
from agent.grounding import Cost
from agent.reasoning.answer import Answer, NumberedEvent
from agent.reasoning.look_ups import Closer
from tools.embedders.embedder import Embedder
from tools.grounding.edges import begins_at, ends_after, likeness, look_rate_hz, marked
from tools.grounding.seen_edges import edges_of
from tools.store.store import VideoRecord
from tools.timeline import Caption

REFINED_EVENTS = 3
"""Only the first few events of an answer are looked at more closely: at most this many."""

REFERENCES = 2
"""Captions on each side of an edge that say what the event is like, and what it is not."""

DENIES = "Not shown."
"""How the activity prompt has a model begin where nothing of the query is visible."""


@dataclass
class Refined:
    """The result of closer looks.

    Attributes:
        answer: With the edges that they show.
        captions: All captions by number: the earlier ones, then those of the looks.
        cost: What the looks took.
        note: Why there were none, or fewer; empty where all went well.
    """

    answer: Answer
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
) -> Refined:
    """Look closer between the looks on both sides of each edge, and decide the edge again.

    An edge that cannot be looked at stays, and the note says why.

    Args:
        answer: An accepted one, its events in numbers of ``captions``.
        captions: What the reasoner was shown.
        record: The video.
        query: What is looked for.
        closer: Looks.
        embedder: Tells what is said in the event from what is said beside it.
    """
    refined = Refined(answer, list(captions))
    events = list(answer.events)
    for index, event in enumerate(events[:REFINED_EVENTS]):
        try:
            events[index] = _refine_event(event, refined, record, query, closer, embedder)
        except (CaptionerError, VideoError) as exc:
            refined.note = str(exc)
            break
    refined.answer = answer.model_copy(update={"events": tuple(events)})
    return refined


def _refine_event(  # noqa: PLR0917  # one event of ``refine_edges``, whose arguments these are
    event: NumberedEvent,
    refined: Refined,
    record: VideoRecord,
    query: str,
    closer: Closer,
    embedder: Embedder,
) -> NumberedEvent:
    ends = refined.captions[event.first - 1], refined.captions[event.last - 1]
    edges = edges_of(*ends, refined.captions, duration_s=record.duration_s)
    for span, is_start in zip((edge.open_span for edge in edges), (True, False), strict=True):
        rate_hz = look_rate_hz(span) if span else None
        if span is None or rate_hz is None:
            continue
        inside, outside = _references(event, refined.captions, is_start=is_start)
        if not outside:
            continue
        looks, cost = closer(record, query, span, rate_hz=rate_hz)
        refined.cost = refined.cost.plus(cost)
        if not looks:
            continue
        first = len(refined.captions) + 1
        refined.captions += looks
        scores = _likeness(looks, inside, outside, query, embedder)
        if is_start:
            begin = begins_at(scores)
            if begin < len(looks):
                event = event.model_copy(update={"first": first + begin})
        else:
            last = ends_after(scores)
            if last:
                event = event.model_copy(update={"last": first + last - 1})
    return event


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
