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
        told: What is said of them, where they are the answer and not only what it is placed by.
    """
    if not times:
        return ranking
    return replace(
        ranking,
        verdict="found",
        windows=tuple(times),
        events=tuple(times),
        presence=max(ranking.presence or 0.0, LITERAL_PRESENCE),
        reasoning=_counted(told, len(times)) if told else ranking.reasoning,
    )


def with_all(ranking: Ranking, times: Sequence[Window]) -> Ranking:
    """The same with all the times that were found by likeness, the surest first."""
    if not times or ranking.verdict != "found":
        return ranking
    surest = tuple(sorted(times, key=lambda one: -one.confidence))
    count = "once" if len(times) == 1 else f"{len(times)} times, the less sure ones too"
    return replace(ranking, events=surest, reasoning=f"It was found {count}.")


def _counted(told: str, count: int) -> str:
    if count == 1:
        return f"{told} one stretch."
    return f"{told} {count} stretches, and each counts as one time."
