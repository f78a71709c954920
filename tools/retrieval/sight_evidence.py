"""What the likeness of frames and words is worth, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.presence import Calibration
from tools.half_numbers import products
from tools.kept_captions import edges_of
from tools.text import main_script

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.embedders.embedder import Embedder
    from tools.grounding.other_frames import OtherFrames
    from tools.ranking import Ranking
    from tools.timeline import Caption

SIGHT = Calibration(
    presence_bias=-18.0,
    presence_fit=1.0,
    window_bias=-4.58,
    window_score=5.03,
    least_deviation=0.01,
    says_words=False,
    smoothing_s=0.5,
    sharpness=2.0,
    usual_log_odds=-12.0,
    best_cells=1.0,
)
"""Chosen on drawn videos and six tiny models trained on drawn pictures (``python -m
tests.sight_presence``). Likeness is counted from that of other frames and of other texts, and up to
that of a picture and its sentence, so that it means about the same for any model. How well this
holds for SigLIP 2 and CLIP has not been measured."""

PICTURE = replace(SIGHT, presence_bias=-4.6, presence_fit=1.9, usual_log_odds=-2.5)
"""The same where a picture is asked for: it is compared with other frames alone."""

OF_TWO_MODELS = (
    "makes vectors of words that are longer or shorter than those of pictures: its halves are not "
    "of one model; fetch it again"
)

NEAR = 2
"""Frames that are told on each side of what was found."""


@dataclass(frozen=True, slots=True)
class SightEvidence:
    """What is needed to compare a question with frames.

    Attributes:
        words: Embeds it in the space of the frames.
        others: What the question is usually not about.
        by_picture: Whether a picture is asked for; the words of the question are not read then.
        latin_alone: Whether the model learned no words in another script.
    """

    words: Embedder
    others: OtherFrames
    by_picture: bool = False
    latin_alone: bool = False

    def why_unread(self, query: str) -> str:
        """Why the model cannot read the words of a question; empty where it can."""
        script = "" if self.by_picture or not self.latin_alone else main_script(query)
        if script in {"", "LATIN"}:
            return ""
        named = script.capitalize() if len(script) > 3 else script
        return (
            f"{self.words.name} learned words in Latin script alone, and these are {named}; ask in "
            "English, or use --sight siglip2-base."
        )


def told(
    frames: Sequence[Caption],
    vectors: NDArray[np.floating],
    ranking: Ranking,
    query: NDArray[np.float32],
) -> tuple[list[Caption], Ranking]:
    """The frames in and beside what was found, with a text that says how well each fits.

    Nobody described them, and there may be one a second: the others say nothing to a reader.

    Args:
        frames: Of one track, in time order.
        vectors: Shape ``(n, d)``, of unit length.
        ranking: Of these frames.
        query: Shape ``(d,)``, of unit length.

    Returns:
        These frames, and the same ranking of them alone.
    """
    if not frames:
        return [], ranking
    starts_s, ends_s = edges_of(frames)
    is_kept = np.zeros(len(frames), dtype=bool)
    of_parts = [time for part in ranking.parts for time in part.times]
    for window in (*ranking.windows, *ranking.events, *of_parts):
        first = int(np.searchsorted(ends_s, window.span.start_s, side="right"))
        after = int(np.searchsorted(starts_s, window.span.end_s, side="left"))
        is_kept[max(0, first - NEAR) : after + NEAR] = True
    kept = np.flatnonzero(is_kept)
    cosine = products(vectors, query)
    usual = float(np.median(cosine))
    return [
        replace(
            frames[index],
            text=f"a frame whose likeness to what is asked for is {cosine[index]:.2f} (in this "
            f"video, {usual:.2f} is usual)",
        )
        for index in kept.tolist()
    ], replace(ranking, relevance=ranking.relevance[kept])
