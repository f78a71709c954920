"""How the camera moves, from two frames about 0.1 s apart, and whether it is where it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]
    Points = NDArray[np.float32]

MIN_POINTS = 24
"""Fewer corners than this do not tell a camera from a moving thing."""

GRID = 4
MIN_CELLS = 7
"""The agreeing corners must lie in this many of 4x4 cells: a big object fills fewer."""


SAME_VIEW_SHARE, OTHER_VIEW_SHARE = 0.3, 0.1
"""Of an earlier view's corners: this share in place proves it, this share refutes it."""

BLOCK_PX = 16
EDGY = 2.0
"""Mean second difference of a block, of 255, in which there is an edge."""

SAME_LEVELS = 6.0
MIN_EDGY, STANDING_SHARE = 8, 0.6
"""Blocks with an edge: how many there must be, and what share of them must look the same."""


@dataclass(frozen=True, slots=True)
class CameraMotion:
    """Velocity of the camera.

    Attributes:
        pan_per_s: Picture widths a second; positive turns right.
        tilt_per_s: Picture widths a second; positive turns up.
        zoom_per_s: Growth of the picture, of 1, a second; positive zooms in.
    """

    pan_per_s: float
    tilt_per_s: float
    zoom_per_s: float


def measure_camera(earlier: Grey, now: Grey, *, apart_s: float) -> CameraMotion | None:
    """Fit one similarity transform to the corners that most of the picture agrees on.

    Corners by Shi and Tomasi, followed by pyramidal Lucas-Kanade, fitted by RANSAC.

    Args:
        earlier: Shape ``(height, width)``.
        now: The same shape, ``apart_s`` seconds later.
        apart_s: Seconds between the two.

    Returns:
        None where the picture has too few corners, or they do not agree.
    """
    before, after = _follow(earlier, now, _corners(earlier))
    if len(before) < MIN_POINTS:
        return None
    matrix, agreeing = cv2.estimateAffinePartial2D(before, after, ransacReprojThreshold=0.7)
    if matrix is None:
        return None
    kept = agreeing.ravel().astype(bool)
    height, width = now.shape
    if kept.mean() < 0.5 or _cells(before[kept], width, height) < MIN_CELLS:
        return None
    centre = np.array([width / 2, height / 2])
    shift_x, shift_y = matrix[:, :2] @ centre + matrix[:, 2] - centre
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    # The picture slides against the camera's turn: right when it turns left, down when it turns up.
    return CameraMotion(
        pan_per_s=float(-shift_x / width / apart_s),
        tilt_per_s=float(shift_y / width / apart_s),
        zoom_per_s=(scale - 1) / apart_s,
    )


class Anchor:
    """A view to compare with: says whether the camera still shows the same one."""

    def __init__(self, grey: Grey) -> None:
        self._grey = grey
        self._corners = _corners(grey)

    def is_same_view(self, grey: Grey) -> bool | None:
        """Whether enough corners stand where they stood, whatever walks in front of the others.

        Returns:
            None where too few corners are found again to tell: a plain picture, or a big thing in
            front of it.
        """
        before, after = _follow(self._grey, grey, self._corners)
        if len(before) < MIN_POINTS:
            return True if self._stands(grey) else None
        standing = float((np.abs(after - before).max(axis=1) < 1.0).sum()) / len(self._corners)
        if standing >= SAME_VIEW_SHARE:
            return True
        return False if standing < OTHER_VIEW_SHARE else None

    def _stands(self, grey: Grey) -> bool:
        """Whether the few edges stand where they stood: enough for a plain room."""
        then, now = (cv2.blur(one, (3, 3)).astype(np.float32) for one in (self._grey, grey))
        has_edges = _of_blocks(np.abs(cv2.Laplacian(then, cv2.CV_32F))) > EDGY
        is_same = _of_blocks(np.abs(then - now)) < SAME_LEVELS
        count = int(has_edges.sum())
        return count >= MIN_EDGY and int((has_edges & is_same).sum()) >= STANDING_SHARE * count


def _of_blocks(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of square blocks."""
    height, width = (side // BLOCK_PX * BLOCK_PX for side in values.shape)
    shape = (height // BLOCK_PX, BLOCK_PX, width // BLOCK_PX, BLOCK_PX)
    means: NDArray[np.float32] = values[:height, :width].reshape(shape).mean(axis=(1, 3))
    return means


def _corners(grey: Grey) -> Points:
    # None where there is no corner at all, which the type stubs do not say.
    found: Any = cv2.goodFeaturesToTrack(grey, 200, 0.01, 6)
    corners: Points = np.empty((0, 2), np.float32) if found is None else found.reshape(-1, 2)
    return corners


def _follow(earlier: Grey, now: Grey, corners: Points) -> tuple[Points, Points]:
    """The corners that are found again, and where."""
    if len(corners) == 0:
        return corners, corners
    guess = corners.reshape(-1, 1, 2).copy()
    moved, found, error = cv2.calcOpticalFlowPyrLK(
        earlier, now, corners.reshape(-1, 1, 2), guess, winSize=(15, 15), maxLevel=3
    )
    kept = (found.ravel() == 1) & (error.ravel() < 20)
    arrived: Points = moved.reshape(-1, 2)[kept].astype(np.float32)
    return corners[kept], arrived


def _cells(points: Points, width: int, height: int) -> int:
    columns = (points[:, 0] * GRID / width).astype(int)
    rows = (points[:, 1] * GRID / height).astype(int)
    return len(set(zip(columns.tolist(), rows.tolist(), strict=True)))
