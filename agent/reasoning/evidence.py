"""Which captions to leave out where a model cannot read them all: the least telling ones. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from agent.reasoning.brief import Brief, are_shown, caption_numbers

FEWEST = 4
"""Captions; from fewer, no model can say when something begins and ends."""


def show_less(brief: Brief) -> Brief | None:
    """The same brief with about half of its captions hidden; None where that leaves too few.

    Scenes are left out first. The grounder's windows stay, the best one first and whole, then
    others at even distances. Numbers do not change.
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
    windows = [one for one in (*brief.events, *brief.windows) if are_shown(one, captions)]
    edges = [caption_numbers(window, captions) for window in windows]
    for first, last in edges:
        yield from (first, last, max(1, first - 1), min(brief.opening, last + 1))
        yield from range(first, last + 1)
    # Every 2nd, then those halfway between, and so on: evenly spread wherever it stops.
    step = 1
    while step < brief.opening:
        step *= 2
    while step >= 1:
        yield from range(1, brief.opening + 1, step)
        step //= 2
