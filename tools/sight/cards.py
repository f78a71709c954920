"""Cards that are drawn and whose sentence is known: how alike a model finds what belongs together.

Every model has a scale of its own: of a picture and its sentence one says 0.3, and another 0.12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.timeline import Image

SIDE_PX = 96
RADIUS_PX = 20
GREY = 90

COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 180, 60),
    "blue": (50, 80, 230),
    "yellow": (230, 220, 50),
}
SHAPES = ("circle", "square", "triangle")


def cards() -> list[tuple[str, Image]]:
    """A sentence and its picture, RGB, for each colour and shape."""
    return [
        (f"a {colour} {shape}", _draw(shape, rgb))
        for colour, rgb in COLOURS.items()
        for shape in SHAPES
    ]


def _draw(shape: str, rgb: tuple[int, int, int]) -> Image:
    card = np.full((SIDE_PX, SIDE_PX, 3), GREY, np.uint8)
    card[_inside(shape)] = rgb
    return card


def _inside(shape: str) -> NDArray[np.bool_]:
    down, right = np.mgrid[:SIDE_PX, :SIDE_PX] - SIDE_PX // 2
    if shape == "circle":
        return np.asarray(down**2 + right**2 <= RADIUS_PX**2)
    is_low = (abs(down) <= RADIUS_PX) & (abs(right) <= RADIUS_PX)
    if shape == "square":
        return np.asarray(is_low)
    return np.asarray(is_low & (2 * abs(right) <= down + RADIUS_PX))
