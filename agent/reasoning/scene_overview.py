"""The scenes of a long video, summed up once and kept, for a reader to see where to look."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ValidationError

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
from tools.timeline import Caption

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tools.embedders.embedder import Embedder
    from tools.store.store import CaptionStore, VideoRecord

SCENE_CHARS = 6000
"""How much of a scene's captions a text model is shown to sum it up."""


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
    """

    model: Converses
    prompts: Prompts = PACKAGED
    cost: Cost = field(default_factory=Cost)

    @property
    def name(self) -> str:
        return f"{self.model.name}.{self.prompts.version('summarise_scene')}"

    def __call__(self, captions: Sequence[Caption], vectors: "NDArray[np.float32]") -> str:
        """See ``Summariser``."""
        lines = [f"[{seconds_span(one.span)}] {tame(one.text)}" for one in captions]
        shown = shorten("\n".join(lines), SCENE_CHARS)
        prompt = self.prompts.render("summarise_scene", captions=fence_lines(shown))
        reply = self.model.converse([HumanMessage(prompt)], schema=_Summary.model_json_schema())
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
        kept, _ = store.read(record.video_id, track)
        if kept:
            return kept
        made = summarise_scenes(
            captions,
            vectors,
            read_scenes(store, record.video_id),
            summariser=by,
            duration_s=record.duration_s,
        )
        store.add(made, embedder.embed([one.text for one in made]), during=record)
    return made
