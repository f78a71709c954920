"""Trims a window to the captions that tell an act, where the question is about one change.

What is alike is more than what is asked: "someone opens the fridge" is like all that happens around
the fridge. What changes from one state to its opposite is over in a moment, and captions that say
so say when; those at the edges that do not are left out. Of what goes on for longer ("pours",
"dances") captions name the verb now and then only, so nothing can be learned from its absence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from tools.grounding.lexical import terms_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.grounding.segments import Moments

    Floats = NDArray[np.float64]

MOST_TERMS: Final = 4
"""Words that carry meaning in a question about one act; a longer one tells of more than the act."""

BRIDGED_S: Final = 2.0
"""For so long captions may fail to say an act that goes on."""

ACTS: Final = (
    "open opens opening opened",
    "close closes closing closed shut shuts shutting",
    "enter enters entering entered arrive arrives arriving arrived",
    "leave leaves leaving exit exits exiting exited",
    "pick picks picking picked lift lifts lifting lifted",
)
"""Words for each act; none that many other things are called too ("left", "put", "take")."""

_FAMILIES: Final = tuple(frozenset(terms_of(words)) for words in ACTS)

_SEVERAL: Final = re.compile(
    r"\b(?:and|while|as|then|before|after|not|never|without)\b|[,;]", re.IGNORECASE
)


def trim_to_act(query: str, spans: Floats, moments: Moments, cosine: Floats) -> Floats:
    """Windows without the captions at their edges that do not say the act that is asked for.

    A caption says it if it has a word for it and is at least half as close to the question as the
    closest one, measured from the lower quartile of all. A window is trimmed to the longest
    stretch of such captions, the earliest of equals. A window without any, and the windows of a
    question about anything but one change, stay as they are.

    Args:
        query: What is looked for.
        spans: Shape ``(k, 2)``, windows in seconds, whose edges are edges of moments.
        moments: What the captions say.
        cosine: Shape ``(m,)``, of the question and each moment.

    Returns:
        Shape ``(k, 2)``: each lies within the window that it was.
    """
    act = _act_of(query)
    if act is None or not len(spans):
        return spans
    near = cosine >= (np.quantile(cosine, 0.25) + cosine.max()) / 2
    says = np.array(
        [
            is_near and not act.isdisjoint(terms_of(text))
            for is_near, text in zip(near, moments.texts, strict=True)
        ]
    )
    return np.array([_trim(span, says, moments) for span in spans])


def _act_of(query: str) -> frozenset[str] | None:
    """The words for the one act that a question is about; None where it is about anything else."""
    terms = set(terms_of(query))
    acts = [family for family in _FAMILIES if family & terms]
    if len(acts) != 1 or len(terms) > MOST_TERMS or _SEVERAL.search(query):
        return None
    return acts[0]


def _trim(span: Floats, says: NDArray[np.bool_], moments: Moments) -> Floats:
    inside = (moments.start_s >= span[0]) & (moments.end_s <= span[1])
    saying = np.flatnonzero(says & inside)
    if not len(saying):
        return span
    starts_s, ends_s = moments.start_s[saying], moments.end_s[saying]
    breaks = np.flatnonzero(starts_s[1:] - ends_s[:-1] > BRIDGED_S - 1e-3) + 1
    firsts, lasts = np.append(0, breaks), np.append(breaks, len(saying)) - 1
    longest = int(np.argmax(ends_s[lasts] - starts_s[firsts]))
    return np.array([starts_s[firsts[longest]], ends_s[lasts[longest]]])
