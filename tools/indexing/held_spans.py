"""Where a caption is held: over frames that looked like the one it describes, and that nobody saw.

Near-duplicate frames are not described (``tools.video.near_duplicates``), nor are those that look
alike to a joint model where that chooses (``tools.indexing.sight_first``); the caption of the frame
before holds over them. What is said of such a stretch was concluded, not looked at.
"""

from __future__ import annotations

import re

from tools.indexing.sight_first import POLICY as SIGHT_FIRST
from tools.timeline import Caption, Interval
from tools.video.near_duplicates import ALIKE_POLICIES


def held_span(caption: Caption) -> Interval | None:
    """The end of a caption's span that only looked like the frame it describes.

    Returns:
        None where there is none, or where it cannot be told: of frames shown several at a time, and
        of captions that come from elsewhere.
    """
    step_s = _step_s(caption, rf" {ALIKE_POLICIES}(?: {SIGHT_FIRST}:\S+)?")
    if step_s is None:
        return None
    # Less than a step more is a frame that came late.
    if caption.span.length_s < 1.5 * step_s:
        return None
    return Interval(caption.start_s + step_s, caption.end_s)


def read_step_s(caption: Caption) -> float | None:
    """How far apart frames were read off the screen, for a caption of such text; otherwise None.

    Text is looked at in every frame, also where the caption of equal text goes on: an edge of it is
    as fine as the frames.
    """
    return _step_s(caption, "") if caption.source == "screen" else None


def _step_s(caption: Caption, chosen: str) -> float | None:
    match = re.fullmatch(rf"frame@([\d.e-]+)/s{chosen}", caption.track.mode)
    return 1 / float(match[1]) if match else None
