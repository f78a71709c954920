"""Reading the captions of a stretch: equal ones joined, and few enough to be read by a person."""

import itertools
from collections.abc import Sequence

from agent.chat.turns import ReadCaption
from tools.timeline import Caption, Interval

STRETCH_S = 30.0
"""What "and after that?" reads."""

AROUND_S = 3.0
"""What "at 2:10" reads on either side."""

SHOWN_CAPTIONS = 16


def read_captions(captions: Sequence[Caption], span: Interval) -> list[ReadCaption]:
    """What the captions that touch a span say, in time order; neighbours that say the same joined.

    Args:
        captions: One track of one video, in time order.
        span: The stretch; captions that reach past its edges keep their own.
    """
    inside = [caption for caption in captions if caption.span.overlap_s(span) > 0]
    read: list[ReadCaption] = []
    for text, same in itertools.groupby(inside, key=lambda caption: caption.text):
        run = list(same)
        read.append(ReadCaption(start_s=run[0].start_s, end_s=run[-1].end_s, text=text))
    return read


def thin_out(read: Sequence[ReadCaption], limit: int = SHOWN_CAPTIONS) -> list[ReadCaption]:
    """At most so many, evenly spread, the first and the last among them."""
    if len(read) <= limit:
        return list(read)
    step = (len(read) - 1) / (limit - 1)
    return [read[round(place * step)] for place in range(limit)]
