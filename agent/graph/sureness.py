"""How sure an answer of a text model is, in words: no number has been calibrated for it.

What is combined: the model's own word, whether the LLM-free grounder puts it there too, what closer
looks say, the grounder's presence, and how precise the edges are.
"""

from collections.abc import Sequence
from typing import Final, Literal

from tools.ranking import Verdict, Window
from tools.timeline import Interval

Sure = Literal["certain", "likely", "unsure"]

_SAID: Final = {"certain": 2, "likely": 1, "": 1, "unsure": 0}
_LOOKED: Final = {"confirmed": 1, "": 0, "denied": -2}

AGREES_IOU = 0.5
LITTLE_PRESENCE = 0.3
CERTAIN_FROM, LIKELY_FROM = 3, 1

RANK: Final[dict[Sure, int]] = {"certain": 2, "likely": 1, "unsure": 0}


def sure_of(
    span: Interval,
    windows: Sequence[Window],
    *,
    said: str,
    looks: str,
    presence: float | None,
    precision_s: float,
    grounder: Verdict = "found",
) -> Sure:
    """One word for an interval.

    Args:
        span: The interval, between edges of captions.
        windows: The grounder's candidates.
        said: The model's own word, or nothing.
        looks: ``confirmed`` or ``denied`` by closer looks, or nothing.
        presence: The grounder's, if any.
        precision_s: Of the less precise edge.
        grounder: What the grounder says. One that cannot tell agrees where it has a window, and
            contradicts nobody.
    """
    best_iou = max((span.iou(window.span) for window in windows), default=0.0)
    points = _SAID.get(said, 1) + _LOOKED.get(looks, 0)
    points += best_iou >= AGREES_IOU
    if windows and grounder != "cannot_tell":
        points -= best_iou == 0
        points -= presence is not None and presence < LITTLE_PRESENCE
    points -= precision_s > span.length_s / 2
    if points >= CERTAIN_FROM:
        return "certain"
    return "likely" if points >= LIKELY_FROM else "unsure"
