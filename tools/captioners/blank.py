"""A captioner that says of frames only that they are there, for models that see them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING

from tools.captioners.protocol import Description

if TYPE_CHECKING:
    from tools.timeline import Frame

TEXT = "a frame"
BLANK = "none"
"""Its name."""


class BlankCaptioner:
    """Marks each sampled frame; the one-shot baseline is shown the frames themselves."""

    model, prompt_version, mode = BLANK, "", "frame"
    needs_every_frame = True
    """It costs nothing, and one caption is one frame to be shown."""

    def describe(self, frames: Iterable[Frame], *, seen: Container[float]) -> Iterator[Description]:
        """One caption a frame; see ``Captioner``."""
        for frame in frames:
            if frame.time_s not in seen:
                yield Description(frame.time_s, TEXT, "vision")
