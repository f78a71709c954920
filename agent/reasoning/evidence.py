"""Which captions to leave out where a model cannot read them all: the least telling ones. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from agent.reasoning.brief import Brief, caption_numbers

FEWEST = 4
"""Captions; from fewer, no model can say when something begins and ends."""


def show_less(brief: Brief) -> Brief | None:
    """The same brief with about half of its captions hidden; None where that leaves too few.

    Scenes are left out first. Captions at the edges of the grounder's windows stay, best window
    first, then those inside the windows, then others at even distances. Numbers do not change.
    """
    if brief.overview:
        return replace(brief, overview=())
    shown = brief.opening - len(brief.hidden)
    keep = shown // 2
    if keep < FEWEST:
        return None
    kept: dict[int, None] = {}
    for number in _by_worth(brief):
        if len(kept) < keep:
            kept[number] = None
    hidden = frozenset(range(1, brief.opening + 1)) - kept.keys()
    return replace(brief, hidden=hidden)


def _by_worth(brief: Brief) -> Iterator[int]:
    captions = brief.captions[: brief.opening]
    edges = [caption_numbers(window, captions) for window in (*brief.events, *brief.windows)]
    for first, last in edges:
        yield from (first, last)
    for first, last in edges:
        yield from (max(1, first - 1), min(brief.opening, last + 1))
    for first, last in edges:
        yield from range(first, last + 1)
    # Every 2nd, then those halfway between, and so on: evenly spread wherever it stops.
    step = 1
    while step < brief.opening:
        step *= 2
    while step >= 1:
        yield from range(1, brief.opening + 1, step)
        step //= 2
