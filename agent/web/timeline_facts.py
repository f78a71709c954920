"""What the timeline shows beside an answer: cuts, what is said, and how well each moment fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

from agent.plotting.relevance import relevance_curve
from tools.ranking import EvidenceKind
from tools.retrieval.tracks import BESIDE_MODES, is_measured, kind_of, of_copy
from tools.signals.claims import is_moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.api import Grounder
    from agent.grounding import Grounding
    from tools.store.store import VideoRecord

MOST_POINTS = 2000
"""More than a timeline has pixels; of neighbours the best then stands for them."""


class SaidLine(BaseModel):
    """A line of subtitles or speech, in seconds."""

    start_s: float
    end_s: float
    text: str


class TimelineFacts(BaseModel):
    """What is known of a video's course.

    Attributes:
        cuts_s: Times of its cuts; empty where nobody measured them.
        said: What is said, in time order.
    """

    cuts_s: list[float]
    said: list[SaidLine]


class RelevancePoint(BaseModel):
    """How well a stretch fits the question: 0 is the worst of this video, 1 the best.

    Attributes:
        of: The kind of evidence that it is of: the one that decided.
    """

    start_s: float
    end_s: float
    value: float
    of: EvidenceKind = "described"


def timeline_facts(grounder: Grounder, path: str, records: Sequence[VideoRecord]) -> TimelineFacts:
    """The cuts and lines of a video.

    Args:
        grounder: Holds its captions.
        path: Where it lies: of several copies, each has its own subtitles.
        records: Its indexed tracks.
    """
    cuts: set[float] = set()
    said: list[SaidLine] = []
    for record in of_copy([one for one in records if one.complete], path):
        if is_measured(record.track):
            captions, _ = grounder.store.read(record.video_id, record.track)
            cuts |= {one.start_s for one in captions if is_moment(one)}
        elif kind_of(record.track) in BESIDE_MODES:
            captions, _ = grounder.store.read(record.video_id, record.track)
            said += [
                SaidLine(start_s=one.start_s, end_s=one.end_s, text=one.text) for one in captions
            ]
    return TimelineFacts(cuts_s=sorted(cuts), said=sorted(said, key=lambda one: one.start_s))


def relevance_points(grounder: Grounder, answer: Grounding) -> list[RelevancePoint]:
    """The curve of an answer; empty where its captions are not there any more, or all fit alike."""
    curve = relevance_curve(answer, grounder.store, grounder.embedder)
    if not curve.values or max(curve.values) <= min(curve.values):
        return []
    worst, best = min(curve.values), max(curve.values)
    pairs = list(zip(curve.spans, curve.values, strict=True))
    step = -(-len(pairs) // MOST_POINTS)
    groups = [pairs[at : at + step] for at in range(0, len(pairs), step)]
    return [
        RelevancePoint(
            start_s=group[0][0].start_s,
            end_s=max(span.end_s for span, _ in group),
            value=(max(value for _, value in group) - worst) / (best - worst),
            of=curve.of,
        )
        for group in groups
    ]
