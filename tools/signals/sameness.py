"""Whether two pictures are the same, down to a digit: judged by the worst spot, not by the mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.signals.camera import Grey

SPOT_PX = 5
"""Side of a spot: about a digit, where text is as small as can be read."""

SPOT_LEVELS = 12.0
"""Mean change of a spot, of 255 grey levels. A digit of six pixels that becomes another one changes
by 30 and more; what compression does to a still picture stays below 9."""

SCENE_LEVELS = 36.0
"""The same over the whole picture, blurred, where another scene is shown."""

SCENE_SIZE = (32, 18)


def changed_spots(one: Grey, other: Grey) -> NDArray[np.bool_]:
    """Where two grey pictures of one size differ: the middles of the spots that do."""
    change = cv2.absdiff(one, other).astype(np.float32)
    return np.asarray(cv2.blur(change, (SPOT_PX, SPOT_PX)) >= SPOT_LEVELS)


def shows_the_same(one: Grey, other: Grey) -> bool:
    """Whether not even a digit differs between two grey pictures."""
    return one.shape == other.shape and not changed_spots(one, other).any()


def is_another_scene(one: Grey, other: Grey) -> bool:
    """Whether two grey pictures have little in common, as before and after a cut."""
    small = [cv2.resize(grey, SCENE_SIZE, interpolation=cv2.INTER_AREA) for grey in (one, other)]
    return float(cv2.absdiff(*small).mean()) >= SCENE_LEVELS
