"""Brightness of the whole screen, and large areas of a named colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tools.signals.claims import COLOURS, Claim, Kind, place_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

BLACK_LEVEL, WHITE_LEVEL = 40, 215
"""Of 255: a black screen's brightest thousandth is below, a white one's darkest is above."""

DARK_LEVEL, BRIGHT_LEVEL = 50, 195
"""Mean of the whole screen, of 255."""


class Swatch(NamedTuple):
    """Where a colour name is safe, on OpenCV's scales: hue to 180, the others to 255.

    Attributes:
        hues: From and to, inclusive; red goes round through 0.
        saturation, value: The least of each.
        below_value: Less than this; brown is dark orange.
    """

    hues: tuple[int, int]
    saturation: int
    value: int
    below_value: int = 256


SWATCHES = {
    "red": Swatch((174, 6), 150, 80),
    "orange": Swatch((9, 19), 170, 195),
    "brown": Swatch((6, 19), 115, 55, 160),
    "yellow": Swatch((22, 33), 120, 170),
    "green": Swatch((38, 84), 110, 60),
    "blue": Swatch((92, 128), 110, 60),
    "purple": Swatch((132, 152), 90, 60),
    "pink": Swatch((155, 172), 80, 140),
}
"""The gaps between them are on purpose: people disagree on the names of what lies there."""

MIN_AREA = 0.04
"""Of the picture: the smallest connected area worth a word."""


def grey_of(picture: Picture) -> NDArray[np.uint8]:
    """Brightness of each pixel, shape ``(height, width)``."""
    import cv2

    grey: NDArray[np.uint8] = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    return grey


def screen_claim(luma: NDArray[np.uint8]) -> Claim:
    """Black, white, dark, bright or neither.

    Args:
        luma: Brightness of the whole picture, shape ``(height, width)``.
    """
    low, high = np.percentile(luma, [0.1, 99.9])
    mean = float(luma.mean())
    kind: Kind = "medium"
    if high < BLACK_LEVEL:
        kind = "black"
    elif low > WHITE_LEVEL:
        kind = "white"
    elif mean < DARK_LEVEL:
        kind = "dark"
    elif mean > BRIGHT_LEVEL:
        kind = "bright"
    return Claim(kind)


def colour_claims(picture: Picture) -> list[Claim]:
    """The largest connected area of each colour, largest first, where it is large enough.

    Args:
        picture: Shape ``(height, width, 3)`` RGB, a few hundred pixels wide.
    """
    import cv2

    hsv: Picture = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV).astype(np.uint8, copy=False)
    claims = []
    for colour in COLOURS:
        mask = _colour_mask(hsv, SWATCHES[colour])
        if mask.mean() < MIN_AREA:
            continue
        # Compression breaks an area into crumbs; the closing joins them, and is not counted.
        joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        _, labels, stats, centres = cv2.connectedComponentsWithStats(joined)
        if len(stats) < 2:
            continue
        largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        share = float(mask[labels == largest].sum()) / mask.size
        if share >= MIN_AREA:
            height, width = mask.shape
            x, y = centres[largest]
            place = place_of(x / width, y / height, share=share)
            claims.append(Claim("colour", place=place, colour=colour, percent=round(100 * share)))
    return sorted(claims, key=lambda claim: -(claim.percent or 0))


def _colour_mask(hsv: Picture, swatch: Swatch) -> NDArray[np.uint8]:
    hue, saturation, value = hsv[..., 0], hsv[..., 1], hsv[..., 2]
    low, high = swatch.hues
    in_hue = (low <= hue) & (hue <= high) if low <= high else (hue >= low) | (hue <= high)
    in_value = (value >= swatch.value) & (value < swatch.below_value)
    mask = in_hue & in_value & (saturation >= swatch.saturation)
    return mask.astype(np.uint8)
