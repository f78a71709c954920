"""Where a caption is held: over frames that looked like the one it describes, and that nobody saw.

Near-duplicate frames are not described (``tools.video.near_duplicates``); the caption of the frame
before holds over them. What is said of such a stretch was concluded, not looked at.
"""

from __future__ import annotations

import re

from tools.timeline import Caption, Interval
from tools.video.near_duplicates import POLICY


def held_span(caption: Caption) -> Interval | None:
    """The end of a caption's span that only looked like the frame it describes.

    Returns:
        None where there is none, or where it cannot be told: of frames shown several at a time, and
        of captions that come from elsewhere.
    """
    match = re.fullmatch(rf"frame@([\d.e-]+)/s {POLICY}", caption.track.mode)
    if match is None:
        return None
    step_s = 1 / float(match[1])
    # Less than a step more is a frame that came late.
    if caption.span.length_s < 1.5 * step_s:
        return None
    return Interval(caption.start_s + step_s, caption.end_s)
