"""What the frames of a video are compared with, so that their likeness to a query has a scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.background import Usual

if TYPE_CHECKING:
    from numpy.typing import NDArray

MATCH = 18.0
"""Deviations that a frame has from other texts if it is as like a query as a picture is like the
sentence that tells what it shows."""

LEAST_MATCH = 3.0
"""How far that is at least, in standard deviations of what frames and other texts are like: a model
that cannot read the drawn cards says nothing of its scale by them."""

MOST_BY_QUERY = 3.0
"""Deviations of a frame from other frames that count at most beside these: of a few frames that are
all alike, any other one is dozens of deviations away."""


@dataclass(frozen=True, slots=True)
class OtherFrames:
    """Frames that a query is usually not about, and texts that they are usually not like.

    Attributes:
        frames: Shape ``(b, d)``, unit vectors; of other videos, or of the same one where there are
            no others.
        texts: Shape ``(t, d)``, unit vectors; none where it is a picture that is asked for.
        match: Cosine of a picture and its own sentence; see ``tools.retrieval.sight_scale``.
    """

    frames: NDArray[np.float32]
    texts: NDArray[np.float32]
    match: float

    def usual(self, query_vector: NDArray[np.floating], *, least_deviation: float) -> Usual:
        """How similar a query usually is to frames, and frames to texts.

        Pictures and words lie apart in the space that they share, so that texts say nothing of how
        similar a query usually is to a picture, and other frames do. Where these are few, or show
        what is asked for themselves, it still counts how far their likeness is on the way from that
        of texts about anything else to that of a picture and its sentence.

        Args:
            query_vector: Shape ``(d,)``.
            least_deviation: See ``tools.grounding.presence.Calibration``.
        """
        norm = float(np.linalg.norm(query_vector)) or 1.0
        by_query = (self.frames @ query_vector).astype(np.float64) / norm
        middle = float(np.median(by_query))
        # By the lower half alone: some of the others, above all of the same video, may show it.
        below = by_query[by_query <= middle]
        deviation = max(float(np.sqrt(np.mean((below - middle) ** 2))), least_deviation)
        if not len(self.texts):
            return Usual(middle, deviation, 0.0, float("inf"))
        by_text = (self.frames @ self.texts.T).astype(np.float64)
        mean = float(by_text.mean())
        way = max(self.match - mean, LEAST_MATCH * float(by_text.std()), MATCH * least_deviation)
        return Usual(middle, deviation, mean, way / MATCH, most_by_query=MOST_BY_QUERY)
