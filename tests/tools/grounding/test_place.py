"""Where something is said to be, and what is next to something."""

from typing import Literal

import numpy as np
import pytest

from tests.tools.grounding.test_grounder import captions_of, embed
from tools.grounding.background import BACKGROUND
from tools.grounding.grounder import ground
from tools.grounding.neighbours import next_to
from tools.grounding.place import Place
from tools.timeline import Interval


def twice(length_s: int = 150) -> list[tuple[float, float, str]]:
    """A dog at the start, in the middle, and at the end."""
    dogs = [
        at_s for first in (4, length_s // 2, length_s - 16) for at_s in range(first, first + 10)
    ]
    return [
        (float(at_s), at_s + 2.0, f"a {'dog' if at_s in dogs else 'street'}, look {at_s}")
        for at_s in range(0, length_s, 2)
    ]


@pytest.mark.parametrize("length_s", [150, 1200])
@pytest.mark.parametrize(("place", "share"), [("start", 0.05), ("middle", 0.53), ("end", 0.95)])
def test_a_place_decides_between_times_alike(place: Place, share: float, length_s: int) -> None:
    captions = captions_of(twice(length_s))
    ranking = ground(
        "a dog runs",
        embed(["a dog runs"])[0],
        captions,
        embed([caption.text for caption in captions]),
        duration_s=float(length_s),
        background=embed(BACKGROUND),
        place=place,
    )
    best = ranking.windows[0].span
    assert abs((best.start_s + best.end_s) / 2 - share * length_s) <= 0.07 * length_s


SCRIPT = [
    (0.0, 4.0, "a man in a kitchen"),
    (4.0, 6.0, "a dog at the fridge"),
    (6.0, 8.0, "a desk, one"),
    (8.0, 10.0, "a desk, two"),
    (10.0, 14.0, "a beach"),
]


def beside(start_s: float, end_s: float, side: Literal["before", "after"]) -> Interval | None:
    captions = captions_of(SCRIPT)
    vectors = embed([caption.text for caption in captions])
    assert side in {"before", "after"}
    return next_to(
        Interval(start_s, end_s), "after" if side == "after" else "before", captions, vectors
    )


def test_what_comes_next_ends_where_captions_change_most() -> None:
    assert beside(4, 6, "after") == Interval(6, 10)
    assert beside(6, 8, "before") == Interval(4, 6)


def test_what_comes_next_begins_with_the_nearer_half_of_what_is_known() -> None:
    assert beside(6, 10, "before") == Interval(4, 8)
    assert beside(0, 6, "after") == Interval(4, 10)


def test_next_to_an_edge_of_the_video_there_is_nothing() -> None:
    assert beside(10, 14, "after") is None
    assert beside(0, 4, "before") is None


def test_what_comes_next_lasts_no_longer_than_it_usually_does() -> None:
    captions = captions_of([(float(at_s), at_s + 1.0, "a desk") for at_s in range(60)])
    after = next_to(Interval(0, 5), "after", captions, embed(["a desk"] * 60))
    assert after is not None
    assert after.start_s == 3
    assert 1 <= after.length_s <= 12
    assert np.isfinite(after.end_s)
