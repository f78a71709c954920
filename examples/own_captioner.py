"""Your own captioner: anything that looks at frames, here how sharp each one is.

python examples/own_captioner.py clip.mp4 "a blurred picture"
"""

import sys
from collections.abc import Container, Iterable, Iterator

import cv2

from agent.api import Grounder
from tools.captioners.protocol import Description
from tools.timeline import Frame

BLURRED_BELOW = 100.0
"""Variance of the Laplacian; the usual bar for photographs."""


class SharpnessCaptioner:
    """Says whether a frame is sharp.

    ``model`` and ``prompt_version`` are part of each caption's identity: change one of them
    whenever the captions would change.
    """

    model = "sharpness"
    prompt_version = "1"
    mode = "frame"

    def describe(self, frames: Iterable[Frame], *, seen: Container[float]) -> Iterator[Description]:
        """Describe frames lazily and in order; those that are ``seen`` are described already."""
        for frame in frames:
            if frame.time_s not in seen:
                grey = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)
                is_blurred = cv2.Laplacian(grey, cv2.CV_64F).var() < BLURRED_BELOW
                text = "a blurred picture" if is_blurred else "a sharp picture"
                yield Description(frame.time_s, text, "vision")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(str(__doc__))
    with Grounder(captioner=SharpnessCaptioner()) as grounder:
        for interval in grounder.find(*sys.argv[1:]).intervals:
            print(f"{interval.start_s:.1f}–{interval.end_s:.1f} s")
