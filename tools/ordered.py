"""The ranking of a question in parts: each part is grounded by itself, then their order decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tools.grounder import claim_events
from tools.query_parts import LAST, Event, Nth, Part, Related, Scored, evaluate, texts_of
from tools.ranking import Ranking, Window

MOST_WINDOWS = 10


def rank_in_order(query: str, part: Part, ask: Callable[[str], Ranking]) -> Ranking:
    """Ask the parts of a question, and keep the windows that stand in the order it wants.

    Where a part is not found by itself, the question is asked as one sentence: there are no times
    to compare, and the sentence may still be said by one caption.

    Args:
        query: The whole question.
        part: What ``tools.query_parts.split_query`` makes of it.
        ask: Ranks windows for some words.
    """
    if isinstance(part, Event):
        return ask(query)
    rankings = {text: ask(text) for text in texts_of(part)}
    if any(ranking.verdict != "found" for ranking in rankings.values()):
        return ask(query)

    def windows_of(text: str) -> list[Scored]:
        return [(window.span, window.confidence) for window in rankings[text].windows]

    def events_of(text: str) -> list[Scored]:
        return [(event.span, event.confidence) for event in rankings[text].events]

    windows = tuple(
        Window(span, probability, probability)
        for span, probability in evaluate(part, windows_of, events_of)[:MOST_WINDOWS]
    )
    asked_for = rankings[_main_text(part)]
    presences = [one.presence for one in rankings.values() if one.presence is not None]
    return replace(
        asked_for,
        verdict="found" if windows else "not_found",
        windows=windows or asked_for.windows,
        events=claim_events(windows) if windows else (),
        reasoning=_explain(part, found=bool(windows), times=len(asked_for.events)),
        presence=min(presences, default=None),
    )


def _main_text(part: Part) -> str:
    """What the answer shows, as against what it is placed by."""
    return texts_of(part)[0]


def _explain(part: Part, *, found: bool, times: int) -> str:
    if isinstance(part, Nth):
        is_last = part.number == LAST
        seen = f"“{part.what.text}” was found {times} times" if times > 1 else "It was found once"
        if found:
            return f"{seen}; this is {'the last' if is_last else f'number {part.number}'}."
        return f"{seen}; there is no {'last' if is_last else f'number {part.number}'}."
    assert isinstance(part, Related)
    others = " and ".join(f"“{texts_of(one)[0]}”" for one in part.to)
    order = f"“{_main_text(part)}” {part.relation} {others}"
    if found:
        return f"{order}: the captions closest to each part, in this order."
    return f"Each part was found, but never {order}."
