"""All the times of something, as one list: what is counted is what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tools.grounding.presence import LITERAL_PRESENCE
from tools.ranking import Ranking, Window


def as_named(ranking: Ranking, times: Sequence[Window], *, told: str = "") -> Ranking:
    """The ranking of something that captions name at these times; as it was where they do not.

    Args:
        ranking: By likeness.
        times: See ``tools.retrieval.named_times``.
        told: The reasoning, where they are the answer and not only what it is placed by.
    """
    if not times:
        return ranking
    return replace(
        ranking,
        verdict="found",
        windows=tuple(times),
        events=tuple(times),
        presence=max(ranking.presence or 0.0, LITERAL_PRESENCE),
        reasoning=told or ranking.reasoning,
    )


def with_all(ranking: Ranking, times: Sequence[Window]) -> Ranking:
    """The same with all the times that were found by likeness, the surest first."""
    if not times or ranking.verdict != "found":
        return ranking
    surest = tuple(sorted(times, key=lambda one: -one.confidence))
    count = "once" if len(times) == 1 else f"{len(times)} times, the less sure ones too"
    return replace(ranking, events=surest, reasoning=f"It was found {count}.")


def told_named(count: int, *, is_counted: bool = False) -> str:
    """What is said of times at which captions name something.

    Args:
        count: How many there are.
        is_counted: Whether the question asks how many.
    """
    said = f"Counted: {count}. " if is_counted else ""
    if count == 1:
        return f"{said}Captions name it in one stretch."
    return f"{said}Captions name it in {count} stretches, and each counts as one time."


def told_unnamed(count: int, what: str, *, is_counted: bool = False) -> str:
    """What is said of times at which captions do not name something; see ``told_named``."""
    said = f"Counted: {count}. " if is_counted else ""
    if count == 1:
        return f"{said}In one stretch no caption names {what}."
    return f"{said}In {count} stretches no caption names {what}; each counts as one time."
