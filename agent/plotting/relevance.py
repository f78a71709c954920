"""How well each caption fits an answered question, asked again of the stored captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tools.retrieval.retrieval import rank
from tools.retrieval.tracks import evidence_kind, name_of
from tools.timeline import Interval

if TYPE_CHECKING:
    from agent.grounding import AskedSource, Grounding
    from tools.embedders.embedder import Embedder
    from tools.ranking import EvidenceKind
    from tools.store.store import CaptionStore
    from tools.timeline import Track


@dataclass(frozen=True, slots=True)
class RelevanceCurve:
    """One value for each caption, in time order.

    Attributes:
        spans: Over which it holds.
        values: On the grounder's own scale, which differs from question to question.
        of: What kind of evidence it is drawn from.
    """

    spans: tuple[Interval, ...]
    values: tuple[float, ...]
    of: EvidenceKind = "described"


NO_CURVE = RelevanceCurve((), ())


def relevance_curve(answer: Grounding, store: CaptionStore, embedder: Embedder) -> RelevanceCurve:
    """Rank the captions of the evidence that decided once more.

    The ranking is the LLM-free one, also where a text model decided. It is empty where the captions
    are not in the store any more, and where frames decided by their looks.
    """
    track = _deciding_track(answer, store)
    captions, vectors = store.read(answer.video.id, track) if track else ([], None)
    if not captions or vectors is None:
        return NO_CURVE
    ranking = rank(
        answer.query, captions, vectors, embedder=embedder, duration_s=answer.video.duration_s
    )
    curve = curve_of([caption.span for caption in captions], ranking.relevance.tolist())
    return replace(curve, of=evidence_kind(captions[0].track))


def deciding_source(answer: Grounding) -> AskedSource | None:
    """The source that the surest interval is made from; None where only one was asked."""
    answering = [one for one in answer.sources if one.answers]
    if not answering or not answer.intervals:
        return answering[0] if answering else None
    first = answer.intervals[0].span

    def shared_s(source: AskedSource) -> float:
        return first.overlap_s(Interval(*source.best)) if source.best else 0.0

    return max(answering, key=shared_s)


def _deciding_track(answer: Grounding, store: CaptionStore) -> Track | None:
    tracks = [one.track for one in store.records(answer.video.id)]
    source, models = deciding_source(answer), answer.models
    if source and source.kind != "described":
        known = [one for one in tracks if evidence_kind(one) == source.kind]
        return next((one for one in known if name_of(one) == source.name), None)
    return next(
        (
            one
            for one in tracks
            if (one.model, one.mode) == (models.captioner, models.mode)
            and one.prompt_version == models.prompts.get("describe", "")
        ),
        None,
    )


def curve_of(spans: Sequence[Interval], values: Sequence[float]) -> RelevanceCurve:
    """A curve of captions in time order; of captions of one moment, the best stands for it."""
    best: dict[Interval, float] = {}
    for span, value in zip(spans, values, strict=True):
        best[span] = max(value, best.get(span, value))
    return RelevanceCurve(tuple(best), tuple(best.values()))
