"""How well each caption fits an answered question, asked again of the stored captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.retrieval.retrieval import rank
from tools.timeline import Interval

if TYPE_CHECKING:
    from agent.grounding import Grounding
    from tools.embedders.embedder import Embedder
    from tools.store.store import CaptionStore


@dataclass(frozen=True, slots=True)
class RelevanceCurve:
    """One value for each caption, in time order.

    Attributes:
        spans: Over which it holds.
        values: On the grounder's own scale, which differs from question to question.
    """

    spans: tuple[Interval, ...]
    values: tuple[float, ...]


NO_CURVE = RelevanceCurve((), ())


def relevance_curve(answer: Grounding, store: CaptionStore, embedder: Embedder) -> RelevanceCurve:
    """Rank the captions that the question was answered from once more.

    The ranking is the LLM-free one, also where a text model decided. It is empty where the captions
    are not in the store any more.
    """
    models = answer.models
    track = next(
        (
            one.track
            for one in store.records(answer.video.id)
            if (one.track.model, one.track.mode) == (models.captioner, models.mode)
            and one.track.prompt_version == models.prompts.get("describe", "")
        ),
        None,
    )
    captions, vectors = store.read(answer.video.id, track) if track else ([], None)
    if not captions or vectors is None:
        return NO_CURVE
    ranking = rank(
        answer.query, captions, vectors, embedder=embedder, duration_s=answer.video.duration_s
    )
    return curve_of([caption.span for caption in captions], ranking.relevance.tolist())


def curve_of(spans: Sequence[Interval], values: Sequence[float]) -> RelevanceCurve:
    """A curve of captions in time order; of captions of one moment, the best stands for it."""
    best: dict[Interval, float] = {}
    for span, value in zip(spans, values, strict=True):
        best[span] = max(value, best.get(span, value))
    return RelevanceCurve(tuple(best), tuple(best.values()))
