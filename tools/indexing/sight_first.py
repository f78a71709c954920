"""Chooses frames for an image model by what they show: one that looks alike is not described again.

A joint model tells frames apart by their content, so that a hand that shakes or light that flickers
makes nothing new of a picture. Each frame is compared with the last one that was described; the
caption of that one holds over those that look alike, as it does over near-duplicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.store.layout import rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.sight.joint_model import JointModel
    from tools.timeline import Frame

    Vector = NDArray[np.float32]

POLICY = "sight-first1"
"""Names what is chosen, in the tracks of captions; changes whenever other frames would be."""

NEW_SHARE = 0.3
"""Of the usual distance between two frames of the video, that is something new."""

KNOWN_FRAMES = 8
"""Until this many were seen, nobody knows what is usual, and all are described."""

COMPARED = 64
"""Earlier frames that the usual distance is taken from."""

MOST_HELD_S = 30.0
"""However alike, one frame in this time is described: a model may be blind to what changes."""


def policy_of(model: JointModel) -> str:
    """Names what is chosen, and by which model; a part of the mode of tracks."""
    return f"{POLICY}:{model.name.removeprefix('sight:')}"


class SightFirst:
    """Goes through the distinct frames of one video in time order.

    The same frames are chosen again when a run that was stopped goes on: vectors are the same
    whether they were stored or are made again, and nothing else counts.

    Args:
        model: Embeds frames.
        known: Vectors that are stored already, by the time of the frame. Those that are made are
            added, for the caller to store.

    Attributes:
        policy: See ``policy_of``.
        described: Frames that were chosen so far.
        alike: Those that were not.
    """

    def __init__(self, model: JointModel, known: dict[float, Vector]) -> None:
        self._model = model
        self.policy = policy_of(model)
        self.known = known
        self._earlier: list[Vector] = []
        self._last: tuple[float, Vector] | None = None
        self.described = 0
        self.alike = 0

    @property
    def told(self) -> str:
        """What was not described, in a line for who reads answers; empty where all was."""
        if not self.alike:
            return ""
        return (
            f"{self.described} of {self.described + self.alike} frames that differ were described; "
            f"the others look alike to {self._model.name}, and captions before them hold on"
        )

    def choose(self, frames: Sequence[Frame]) -> list[Frame]:
        """Those of these frames that show something new.

        Raises:
            SightError: If the model fails.
        """
        chosen = [frame for frame in frames if self._is_new(frame)]
        self.described += len(chosen)
        self.alike += len(frames) - len(chosen)
        return chosen

    def _is_new(self, frame: Frame) -> bool:
        vector = self.known.get(frame.time_s)
        if vector is None:
            # As it would be read from the store, so that a later run decides the same.
            vector = rounded(self._model.embed_pictures([frame.image])[0])
            self.known[frame.time_s] = vector
        is_new = self._last is None or self._differs(frame.time_s, vector, *self._last)
        self._earlier.append(vector)
        if is_new:
            self._last = frame.time_s, vector
        return is_new

    def _differs(self, at_s: float, vector: Vector, last_s: float, last: Vector) -> bool:
        if len(self._earlier) < KNOWN_FRAMES or at_s - last_s >= MOST_HELD_S:
            return True
        # Evenly over all that was seen: what is usual in a scene is little between scenes.
        step = -(-len(self._earlier) // COMPARED)
        some = np.stack(self._earlier[::step])
        usual = float(np.mean(1 - some @ some.T))
        return bool(1 - vector @ last >= NEW_SHARE * usual)
