"""Where in a video something is said to be: "at the start", "in the middle", "near the end"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.grounding.segments import Cells

    Floats = NDArray[np.float64]

Place = Literal["start", "middle", "end"]

PLACES: dict[Place, tuple[float, float]] = {
    "start": (0.0, 0.2),
    "middle": (0.5, 0.15),
    "end": (1.0, 0.2),
}
"""Where the middle of each place is, and how far it reaches, as shares of the video."""

PLACE_SHARE = 4.0
"""What a place adds to relevance, which has a deviation of 1: nothing elsewhere can make up for it.
A user who says "at the end" has seen it there; captions decide only which moment of the end."""


def nearness(place: Place, cells: Cells, *, duration_s: float) -> Floats:
    """What a place adds to each cell's relevance, shape ``(n,)``: most in its middle.

    Args:
        place: Where to look.
        cells: The time axis.
        duration_s: Length of the video.
    """
    middle, reach = PLACES[place]
    away = (cells.middle_s / duration_s - middle) / reach
    return np.asarray(PLACE_SHARE * np.exp(-0.5 * away**2))
