"""All the times of something, as one list: what is counted is what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tools.grounding.lexical import terms_of
from tools.grounding.presence import LITERAL_PRESENCE
from tools.ranking import Ranking, Window
from tools.timeline import Caption, Interval

TOLD_SHARE = 0.7
"""A caption with at least this share of the words of a question says what it asks for."""

LONGER = 2.0
"""A time this many times as long as the captions that say the words holds something else too."""


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


def cut_to_told(
    times: Sequence[Window], text: str, captions: Sequence[Caption]
) -> tuple[Window, ...]:
    """The same, but of a time that is much longer than the captions that say the words, only those.

    Args:
        times: Found by likeness, in any order.
        text: What was asked for.
        captions: In time order.
    """
    wanted = set(terms_of(text))
    shares = [len(wanted & set(terms_of(one.text))) / max(1, len(wanted)) for one in captions]
    if max(shares, default=0.0) < 1.0:
        return tuple(times)  # Captions say it in other words.
    cut: list[Window] = []
    for time in times:
        held = [time.span.overlap_s(one.span) > 0 for one in captions]
        told = [share >= TOLD_SHARE and has for share, has in zip(shares, held, strict=True)]
        told_s = sum(one.span.length_s for one, does in zip(captions, told, strict=True) if does)
        if not told_s or time.span.length_s < LONGER * told_s:
            cut.append(time)
            continue
        spans: list[Interval] = []
        for index, one in enumerate(captions):
            is_on = index > 0 and told[index - 1] and shares[index] >= TOLD_SHARE
            told[index] = told[index] or is_on
            if not told[index]:
                continue
            if spans and index and told[index - 1]:
                spans[-1] = Interval(spans[-1].start_s, max(spans[-1].end_s, one.end_s))
            else:
                spans.append(one.span)
        cut += [replace(time, span=span) for span in spans]
    return tuple(cut)


def told_named(count: int, *, is_counted: bool = False, said: str = "") -> str:
    """What is said of times at which captions name something.

    Args:
        count: How many there are.
        is_counted: Whether the question asks how many.
        said: A number of them that captions say: "three red cups".
    """
    counted = f"Counted: {count}. " if is_counted else ""
    also = f" At once there may be more: captions say “{said}”." if said else ""
    if count == 1:
        return f"{counted}Captions name it in one stretch.{also}"
    return f"{counted}Captions name it in {count} stretches, and each counts as one time.{also}"


def told_unnamed(count: int, what: str, *, is_counted: bool = False) -> str:
    """What is said of times at which captions do not name something; see ``told_named``."""
    said = f"Counted: {count}. " if is_counted else ""
    if count == 1:
        return f"{said}In one stretch no caption names {what}."
    return f"{said}In {count} stretches no caption names {what}; each counts as one time."
