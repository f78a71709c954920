"""The scenes of a long video, summed up once and kept, for a reader to see where to look."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ValidationError

from agent.errors import UnansweredError
from agent.grounding import Cost
from agent.reasoning.brief import Converses
from agent.reasoning.conversation import fence_lines, seconds_span, tame
from agent.reasoning.reply import find_object
from prompts.catalog import PACKAGED, Prompts
from tools.indexing.scene_summaries import (
    LONG_S,
    SUMMARY_CHARS,
    CentralCaptions,
    Summariser,
    summarise_scenes,
    summary_track,
)
from tools.indexing.scenes import read_scenes
from tools.text import shorten
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tools.embedders.embedder import Embedder
    from tools.store.store import CaptionStore, VideoRecord

SCENE_CHARS = 6000
"""How much of a scene's captions a text model is shown to sum it up."""

FAILURES_IN_A_ROW = 3
"""After this many scenes in a row that a service did not sum up, no more are asked for."""


Overview = Callable[
    ["VideoRecord", Sequence[Caption], "NDArray[np.float32]"], tuple[list[Caption], Cost]
]
"""Sums the scenes of a long video up: a caption for each, and what that took."""


class _Summary(BaseModel):
    summary: str


@dataclass
class TextModelSummaries:
    """Sums scenes up with a text model; the central captions replace a reply that is no summary.

    Attributes:
        model: Is asked, once for each scene.
        prompts: What it is told.
        cost: What that has cost so far.
        failed: Scenes in a row that the service did not sum up; their captions stand in.
    """

    model: Converses
    prompts: Prompts = PACKAGED
    cost: Cost = field(default_factory=Cost)
    failed: int = 0

    @property
    def name(self) -> str:
        return f"{self.model.name}.{self.prompts.version('summarise_scene')}"

    def __call__(self, captions: Sequence[Caption], vectors: "NDArray[np.float32]") -> str:
        """See ``Summariser``."""
        lines = [f"[{seconds_span(one.span)}] {tame(one.text)}" for one in captions]
        shown = shorten("\n".join(lines), SCENE_CHARS)
        prompt = self.prompts.render("summarise_scene", captions=fence_lines(shown))
        try:
            reply = self.model.converse([HumanMessage(prompt)], schema=_Summary.model_json_schema())
        except UnansweredError as exc:
            # One scene that a service will not read is not the end of all others.
            self.failed += 1
            if not exc.of_this_one or self.failed >= FAILURES_IN_A_ROW:
                raise
            return CentralCaptions()(captions, vectors)
        self.failed = 0
        self.cost = self.cost.plus(reply.cost)
        try:
            said = _Summary.model_validate(find_object(reply.text, "summary").value).summary.strip()
        except ValidationError:
            said = ""
        return shorten(said, SUMMARY_CHARS) or CentralCaptions()(captions, vectors)


def overview_of(
    record: "VideoRecord",
    captions: Sequence[Caption],
    vectors: "NDArray[np.float32]",
    *,
    store: "CaptionStore",
    embedder: "Embedder",
    summariser: Callable[[], Summariser],
    longer_than_s: float = LONG_S,
) -> list[Caption]:
    """The summaries of a long video's scenes, made and kept if they are not there; else none.

    Args:
        record: Its captions.
        captions: Those, in time order.
        vectors: Shape ``(n, d)``, their embeddings.
        store: Keeps the summaries.
        embedder: Embeds them.
        summariser: Opens the summariser, if summaries have to be made.
        longer_than_s: Shorter videos are not summed up.
    """
    if record.duration_s < longer_than_s or not captions or not record.complete:
        return []
    by = summariser()
    track = summary_track(by, record.track)
    with store.claim(record.video_id, track, name=record.path):
        return summarise_scenes(
            captions,
            vectors,
            read_scenes(store, record.video_id),
            summariser=_KeptSummaries(by, record, track, store, embedder),
            duration_s=record.duration_s,
        )


class _KeptSummaries:
    """Asks for the summaries that are not kept yet, and keeps each at once: it is paid."""

    def __init__(
        self,
        by: Summariser,
        record: "VideoRecord",
        track: Track,
        store: "CaptionStore",
        embedder: "Embedder",
    ) -> None:
        self._by, self._record, self._track = by, record, track
        self._store, self._embedder = store, embedder
        kept, _ = store.read(record.video_id, track)
        self._kept = {one.span: one.text for one in kept}

    @property
    def name(self) -> str:
        return self._by.name

    def __call__(self, captions: Sequence[Caption], vectors: "NDArray[np.float32]") -> str:
        """See ``Summariser``."""
        span = Interval(captions[0].start_s, max(one.end_s for one in captions))
        if span not in self._kept:
            said = self._by(captions, vectors)
            one = Caption(self._record.video_id, span, said, captions[0].source, self._track)
            self._store.add([one], self._embedder.embed([said]), during=self._record)
            self._kept[span] = said
        return self._kept[span]
