"""How a report names and writes things, the same on the page and in Markdown."""

from __future__ import annotations

import math

from evaluation.figures.decomposition import Outcome

UNKNOWN = "not known"
NOTHING = "–"

OWN_OUTCOMES: tuple[Outcome, ...] = (
    "right",
    "edge_error",
    "reasoning_miss",
    "missed_present",
    "cannot_tell",
    "refused",
    "search_miss",
    "error",
)
"""What can become of a query asked of its own video: from right, back along the pipeline."""

NULL_OUTCOMES: tuple[Outcome, ...] = ("right_null", "false_alarm", "error")
"""What can become of a query asked of another video."""

NAMES: dict[Outcome, str] = {
    "right": "right",
    "edge_error": "edge error",
    "reasoning_miss": "reasoning miss",
    "missed_present": "missed present",
    "cannot_tell": "cannot tell",
    "refused": "refused",
    "search_miss": "search miss",
    "right_null": "right: not there",
    "false_alarm": "false alarm",
    "error": "error",
}

MEANINGS: dict[Outcome, str] = {
    "right": "the first interval has an IoU of 0.5 or more with a true window",
    "edge_error": "the right event, badly cut: it overlaps, with an IoU below 0.5",
    "reasoning_miss": "the captions were shown, and the answer is elsewhere or not put first",
    "missed_present": "the captions were shown, and the answer is “not found”",
    "cannot_tell": "the captions were shown, and the answer is “cannot tell”",
    "refused": "shown, but no reply was valid, and what stood in for one is wrong",
    "search_miss": "less than half of every true window was among the captions shown",
    "right_null": "a null query, answered “not found” or “cannot tell”",
    "false_alarm": "a null query, answered “found”",
    "error": "no answer at all: the question failed",
}

VERDICTS = {
    "found": "found",
    "not_found": "not found",
    "cannot_tell": "cannot tell",
    "error": "error",
}


def number(value: float, digits: int = 1) -> str:
    """A number with this many decimals, a dash where it is not defined."""
    return f"{value:,.{digits}f}" if math.isfinite(value) else NOTHING


def usd(amount: float | None) -> str:
    """Dollars: cents to two places, less to two digits that say something."""
    if amount is None:
        return UNKNOWN
    if amount == 0 or amount >= 0.1:
        return f"${amount:,.2f}"
    return f"${amount:.{1 - math.floor(math.log10(amount))}f}"


def duration(spent_s: float) -> str:
    """Wall time in the unit that suits it."""
    if spent_s < 1:
        return f"{1000 * spent_s:.{2 if spent_s < 0.1 else 3}g} ms"
    if spent_s < 120:
        return f"{spent_s:.1f} s"
    if spent_s < 7200:
        return f"{spent_s / 60:.1f} min"
    return f"{spent_s / 3600:.1f} h"


def span(start_s: float, end_s: float) -> str:
    """A stretch of a video in seconds."""
    return f"{start_s:.1f}–{end_s:.1f} s"


def probability(value: float | None) -> str:
    """A probability with two decimals."""
    return UNKNOWN if value is None else f"{value:.2f}"
