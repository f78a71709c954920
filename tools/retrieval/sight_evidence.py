"""What the likeness of frames and words is worth, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.presence import Calibration

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.sight.words import SightWords
    from tools.timeline import Caption

SIGHT = Calibration(
    presence_bias=-4.6,
    presence_fit=1.9,
    window_bias=-4.58,
    window_score=5.03,
    least_deviation=0.01,
    says_words=False,
    smoothing_s=0.5,
    sharpness=2.0,
)
"""Chosen on drawn videos and a tiny model trained on drawn pictures: similarities are counted in
deviations from those of other frames, so that they mean about the same for any model. How well this
holds for SigLIP 2 and CLIP has not been measured."""


@dataclass(frozen=True, slots=True)
class SightEvidence:
    """What is needed to compare a question with frames.

    Attributes:
        words: Embeds it in the space of the frames.
        others: Shape ``(b, d)``, frames that the question is usually not about: of other videos, or
            of the same one where there are no others.
    """

    words: SightWords
    others: NDArray[np.float32]


def told(
    frames: Sequence[Caption], vectors: NDArray[np.float32], query: NDArray[np.float32]
) -> list[Caption]:
    """The frames with a text that says how well each fits: nobody described them.

    Args:
        frames: Of one track.
        vectors: Shape ``(n, d)``, of unit length.
        query: Shape ``(d,)``, of unit length.
    """
    cosine = (vectors @ query).tolist()
    usual = float(np.median(cosine)) if cosine else 0.0
    return [
        replace(
            frame,
            text=f"a frame whose likeness to the question is {one:.2f} (in this video, {usual:.2f} "
            "is usual)",
        )
        for frame, one in zip(frames, cosine, strict=True)
    ]
