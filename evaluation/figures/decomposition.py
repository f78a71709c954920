"""Why an answer is wrong: every result has exactly one outcome.

The outcomes are tried in this order, and the first that fits is the result's:

==================  ==============================================================================
error               there is no answer at all: the question failed
right_null          a null query, answered "not found" or "cannot tell"
false_alarm         a null query, answered "found"
right               the first interval has an IoU at the bar with a true window
search_miss         no true window had half of it among the captions shown to the reasoner
refused             shown, but no reply was valid, and the fallback's answer is wrong
cannot_tell         shown, and answered "cannot tell": neither right nor wrong
missed_present      shown, but answered "not found"
edge_error          the right event, badly cut: some interval overlaps a true window, and the best
                    of them has an IoU below the bar
reasoning_miss      shown, but answered elsewhere (or the right interval was not put first)
==================  ==============================================================================

The order is that of the pipeline, so that a miss is put down to the first stage that failed: who
was not shown a thing cannot be blamed for not choosing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from evaluation.figures.answers import best_iou, is_right
from evaluation.results import Result, Span

Outcome = Literal[
    "right",
    "search_miss",
    "reasoning_miss",
    "edge_error",
    "refused",
    "false_alarm",
    "missed_present",
    "cannot_tell",
    "right_null",
    "error",
]

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

SHOWN_SHARE = 0.5
"""The share of a true window that must have been shown for it to count as retrieved."""


@dataclass(frozen=True, slots=True)
class Decomposition:
    """How often each outcome came about; all outcomes are there, some with nothing.

    Attributes:
        counts: Number of results.
        shares: Percent of all results given; they add up to 100. For shares of the own or of the
            null queries decompose those alone.
        examples: Keys of some results, those that were most confident first.
    """

    counts: dict[Outcome, int]
    shares: dict[Outcome, float]
    examples: dict[Outcome, tuple[str, ...]]


def outcome(result: Result, *, bar: float = 0.5) -> Outcome:
    """What became of one question, in the order of precedence of this module's table.

    Args:
        result: The question with its answer.
        bar: The temporal IoU from which on an answer is right.
    """
    if result.verdict == "error":
        return "error"
    if result.kind != "own":
        return "false_alarm" if result.verdict == "found" else "right_null"
    return "right" if is_right(result, bar=bar) else _miss(result, bar)


def decompose(results: Sequence[Result], *, bar: float = 0.5, examples: int = 5) -> Decomposition:
    """Outcomes of all results.

    Args:
        results: Own and null queries alike.
        bar: The temporal IoU from which on an answer is right.
        examples: How many keys to keep for each outcome.
    """
    having: dict[Outcome, list[Result]] = {name: [] for name in OUTCOMES}
    for one in results:
        having[outcome(one, bar=bar)].append(one)
    return Decomposition(
        counts={name: len(some) for name, some in having.items()},
        shares={name: 100 * len(some) / max(len(results), 1) for name, some in having.items()},
        examples={
            name: tuple(one.key for one in sorted(some, key=lambda one: -one.confidence)[:examples])
            for name, some in having.items()
        },
    )


def _miss(result: Result, bar: float) -> Outcome:
    """Why an own query was not answered rightly."""
    if not any(_is_shown(window, result.shown) for window in result.truth):
        return "search_miss"
    if result.by == "fallback":
        return "refused"
    if result.verdict != "found":
        return "cannot_tell" if result.verdict == "cannot_tell" else "missed_present"
    return "edge_error" if 0 < best_iou(result.intervals, result) < bar else "reasoning_miss"


def _is_shown(window: Span, shown: Sequence[Span]) -> bool:
    """Whether the shown stretches, which are disjoint, cover enough of the window."""
    start_s, end_s = window
    covered_s = sum(max(0.0, min(end_s, end) - max(start_s, start)) for start, end in shown)
    return covered_s >= SHOWN_SHARE * (end_s - start_s)
