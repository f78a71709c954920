"""All times that something happens: counted in a short video and in one of many stretches."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from tests.tools.grounding.test_grounder import captions_of, embed
from tools.grounding.background import BACKGROUND
from tools.grounding.occurrences import find_occurrences
from tools.ranking import Window

Script = Sequence[tuple[float, float, str]]


def times(script: Script, query: str = "a dog runs") -> list[tuple[float, float]]:
    return [(one.span.start_s, one.span.end_s) for one in windows(script, query)]


def windows(script: Script, query: str) -> tuple[Window, ...]:
    captions = captions_of(script)
    return find_occurrences(
        query,
        embed([query])[0],
        captions,
        embed([caption.text for caption in captions]),
        duration_s=max((caption.end_s for caption in captions), default=1.0),
        background=embed(BACKGROUND),
    )


def day(length_s: int, dogs_at_s: Sequence[int], step_s: int = 2) -> list[tuple[float, float, str]]:
    """A street, and now and then for ten seconds a dog; each caption a little different."""
    return [
        (float(at_s), float(at_s + step_s), f"a {_topic(at_s, dogs_at_s)}, look {at_s}")
        for at_s in range(0, length_s, step_s)
    ]


def _topic(at_s: int, dogs_at_s: Sequence[int]) -> str:
    return "dog" if any(dog_s <= at_s < dog_s + 10 for dog_s in dogs_at_s) else "street"


@pytest.mark.parametrize(
    ("length_s", "dogs_at_s"),
    [
        (150, [20, 60, 100]),
        (150, [0, 140]),
        (1200, [30, 140, 148 + 20, 400, 700, 905, 1000, 1100]),
        (3600, list(range(50, 3600, 120))),
    ],
)
def test_every_time_is_found_with_its_edges(length_s: int, dogs_at_s: list[int]) -> None:
    found = times(day(length_s, dogs_at_s))
    assert len(found) == len(dogs_at_s)
    for (start_s, end_s), dog_s in zip(found, dogs_at_s, strict=True):
        assert abs(start_s - dog_s) <= 4
        assert abs(end_s - dog_s - 10) <= 4


def test_what_is_not_there_has_no_times() -> None:
    assert times(day(600, []), "a horse on the beach") == []
    assert times([]) == []


def test_times_are_apart_in_order_and_never_cut_a_caption() -> None:
    # Long captions, whose cells stretches overlap in and judge each for itself.
    script = [(0.0, 30.0, "a dog 0"), (30.0, 100.0, "a kitchen 1"), (100.0, 104.0, "a kitchen 2")]
    script += [(104.0, 174.0, "a street 3"), (174.0, 178.0, "a street 4")]
    script += [(178.0, 248.0, "a dog in a street 5")]
    found = times(script)
    assert found
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(found))
    edges = {edge for start_s, end_s, _ in script for edge in (start_s, end_s)}
    assert {edge for time in found for edge in time} <= edges


def test_confidences_are_probabilities() -> None:
    assert all(0 <= one.confidence <= 1 for one in windows(day(600, [40, 300]), "a dog runs"))
