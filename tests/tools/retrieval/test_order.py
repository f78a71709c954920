"""Which windows stand in the order that a question wants; no other choice is worth more."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from tools.retrieval.order import (
    DROPPED,
    UNSEEN,
    Scored,
    Seen,
    evaluate,
    nearness,
    precedes,
    take_number,
)
from tools.retrieval.temporal_query import LAST, Nth, Part, Related, Single, texts_of
from tools.timeline import Interval

DOG, MAN, DOOR = Single("the dog barks"), Single("the man leaves"), Single("the door opens")


def find(part: Part, **times: Sequence[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """Times of the windows that a part means; each event has windows (start, end, probability)."""
    named = {"dog": DOG, "man": MAN, "door": DOOR}
    seen = {
        named[name].text: all_alike(
            [(Interval(start_s, end_s), probability) for start_s, end_s, probability in some]
        )
        for name, some in times.items()
    }
    return [(window.start_s, window.end_s) for window, _ in evaluate(part, seen)]


def all_alike(times: Sequence[Scored]) -> Seen:
    return Seen(windows=times, events=times, times=times)


BARKS = [(10.0, 14.0, 0.9), (50.0, 54.0, 0.6), (80.0, 84.0, 0.5)]
LEAVES = [(30.0, 35.0, 0.8)]


def test_after_and_before_choose_by_time_and_then_by_likelihood() -> None:
    assert find(Related(DOG, "after", (MAN,)), dog=BARKS, man=LEAVES) == [(50, 54), (80, 84)]
    assert find(Related(DOG, "before", (MAN,)), dog=BARKS, man=LEAVES) == [(10, 14)]


def test_between_wants_one_on_each_side() -> None:
    part = Related(DOG, "between", (MAN, DOOR))
    assert find(part, dog=BARKS, man=LEAVES, door=[(60, 63, 0.7)]) == [(50, 54)]
    assert find(part, dog=BARKS, man=LEAVES, door=[(36, 39, 0.7)]) == []


def test_a_part_of_which_nothing_is_seen_is_dropped_only_where_it_may_be() -> None:
    seen = {DOG.text: all_alike([(Interval(a, b), p) for a, b, p in BARKS])}
    seen[MAN.text] = all_alike([(Interval(30, 35), 0.8)])
    seen[DOOR.text] = all_alike([])
    part = Related(DOG, "between", (MAN, DOOR))
    assert evaluate(part, seen) == []
    dropped = evaluate(part, seen, may_drop=True)
    assert [span for span, _ in dropped] == [Interval(50, 54), Interval(80, 84)]
    assert dropped[0][1] == pytest.approx(0.6 * UNSEEN)
    while_missing = evaluate(Related(DOG, "while", (DOOR,)), seen, may_drop=True)
    assert [span for span, _ in while_missing] == [span for span, _ in seen[DOG.text].times]


def test_a_part_that_is_seen_in_the_wrong_order_is_not_dropped() -> None:
    seen = {DOG.text: all_alike([(Interval(10, 14), 0.9)])}
    seen[MAN.text] = all_alike([(Interval(30, 35), 0.8)])
    assert evaluate(Related(DOG, "after", (MAN,)), seen, may_drop=True) == []


def test_in_a_chain_of_one_direction_the_next_link_stands_for_one_that_is_not_seen() -> None:
    seen = {DOG.text: all_alike([(Interval(a, b), p) for a, b, p in BARKS])}
    seen[MAN.text] = all_alike([(Interval(30, 35), 0.8)])
    seen[DOOR.text] = all_alike([])
    chain = Related(DOG, "after", (Related(DOOR, "after", (MAN,)),))
    assert evaluate(chain, seen) == []
    found = [span for span, _ in evaluate(chain, seen, may_drop=True)]
    assert found == [Interval(50, 54), Interval(80, 84)]
    # After what comes before it: that may be any time.
    turned = Related(DOG, "after", (Related(DOOR, "before", (MAN,)),))
    assert evaluate(turned, seen, may_drop=True) == []


def test_while_is_the_time_that_both_share() -> None:
    part = Related(DOG, "while", (MAN,))
    assert find(part, dog=[(10, 40, 0.9), (60, 70, 0.9)], man=LEAVES) == [(30, 35)]


def test_the_nth_time_counts_in_time_and_not_by_likelihood() -> None:
    assert find(Nth(DOG, 1), dog=BARKS[::-1]) == [(10, 14)]
    assert find(Nth(DOG, 2), dog=BARKS[::-1]) == [(50, 54)]
    assert find(Nth(DOG, LAST), dog=BARKS) == [(80, 84)]
    assert find(Nth(DOG, 4), dog=BARKS) == []


def test_the_last_time_before_is_the_last_of_those_before() -> None:
    assert find(Related(Nth(DOG, LAST), "before", (MAN,)), dog=BARKS, man=[(70, 75, 0.8)]) == [
        (50, 54)
    ]
    assert find(Related(Nth(DOG, 1), "after", (MAN,)), dog=BARKS, man=LEAVES) == [(50, 54)]


def test_parts_nest() -> None:
    part = Related(MAN, "after", (Nth(DOG, 2),))
    assert find(part, dog=BARKS, man=[(30, 35, 0.9), (60, 65, 0.4)]) == [(60, 65)]
    assert texts_of(part) == ["the man leaves", "the dog barks"]


def test_an_answer_is_the_less_likely_the_weaker_what_places_it_is_beside_the_surest() -> None:
    seen = {
        DOG.text: all_alike([(Interval(50, 54), 0.6)]),
        MAN.text: all_alike([(Interval(30, 35), 0.2), (Interval(70, 75), 0.4)]),
    }
    ((window, probability),) = evaluate(Related(DOG, "after", (MAN,)), seen)
    assert window == Interval(50, 54)
    assert probability == pytest.approx(0.3)


def test_ordinals_count_all_times_and_what_places_is_an_event() -> None:
    window, event, time = [(Interval(start_s, start_s + 5.0), 0.5) for start_s in (0, 20, 40)]
    seen = {
        DOG.text: Seen(windows=[window, event, time], events=[event], times=[event, time]),
        MAN.text: Seen(windows=[(Interval(10, 15), 0.9)], events=[], times=[]),
    }
    assert evaluate(Nth(DOG, 1), seen) == [event]
    assert evaluate(DOG, seen, among="times") == [event, time]
    assert evaluate(Related(MAN, "before", (DOG,)), seen) == [(Interval(10, 15), 0.9)]
    assert evaluate(Related(DOG, "after", (MAN,)), seen) == []


@pytest.mark.parametrize(
    ("earlier", "later", "is_so"),
    [
        ((0, 10), (10, 20), True),
        ((0, 12), (10, 14), True),
        ((0, 13), (10, 14), False),
        ((10, 20), (0, 10), False),
        ((0, 10), (0, 10), False),
        ((0, 2), (900, 905), True),
    ],
)
def test_what_follows_may_share_half_of_the_shorter_one(
    earlier: tuple[float, float], later: tuple[float, float], is_so: bool
) -> None:
    assert precedes(Interval(*earlier), Interval(*later)) is is_so


def test_of_equally_likely_times_the_nearest_is_meant() -> None:
    barks = [(50.0, 54.0, 0.6), (200.0, 204.0, 0.65)]
    assert find(Related(DOG, "after", (MAN,)), dog=barks, man=LEAVES)[0] == (50, 54)
    clearly = [(50.0, 54.0, 0.1), (200.0, 204.0, 0.9)]
    assert find(Related(DOG, "after", (MAN,)), dog=clearly, man=LEAVES)[0] == (200, 204)


def test_a_time_that_hardly_fits_is_not_counted() -> None:
    barks = [(2.0, 4.0, 0.02), *BARKS]
    assert find(Nth(DOG, 1), dog=barks) == [(10, 14)]
    assert find(Nth(DOG, 2), dog=barks) == [(50, 54)]
    # Unless there are not enough others.
    assert find(Nth(DOG, 4), dog=barks) == [(80, 84)]


def drawn(rng: np.random.Generator, count: int) -> list[Scored]:
    pairs = np.cumsum(rng.uniform(1, 30, 2 * count)).reshape(-1, 2)
    return [
        (Interval(float(start), float(end)), float(sure))
        for (start, end), sure in zip(pairs, rng.uniform(0.01, 1, count), strict=True)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_no_other_taking_and_dropping_of_times_is_worth_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = drawn(rng, 6)
    surest = max(sure for _, sure in times)
    for number in (1, 2, 3, 6, LAST):
        ranked = []
        for kept in product((True, False), repeat=len(times)):
            counted = [one for one, is_kept in zip(times, kept, strict=True) if is_kept]
            worth = np.prod(
                [
                    sure / surest if is_kept else DROPPED
                    for (_, sure), is_kept in zip(times, kept, strict=True)
                ]
            )
            if len(counted) >= max(1, number):
                ranked.append((worth, counted[number if number == LAST else number - 1]))
        assert take_number(number, times) == [max(ranked)[1]]


@pytest.mark.parametrize("seed", range(20))
def test_no_other_choice_of_windows_for_all_parts_is_worth_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    dogs, men, doors = (drawn(rng, 4) for _ in range(3))
    seen = {DOG.text: all_alike(dogs), MAN.text: all_alike(men), DOOR.text: all_alike(doors)}
    ranked = [
        (one * two * three * nearness(man, dog) * nearness(dog, door), dog)
        for (dog, one), (man, two), (door, three) in product(dogs, men, doors)
        if precedes(man, dog) and precedes(dog, door)
    ]
    found = evaluate(Related(DOG, "between", (MAN, DOOR)), seen)
    assert [span for span, _ in found[:1]] == ([max(ranked)[1]] if ranked else [])
    # One placed by another that is itself placed.
    nested = Related(DOG, "after", (Related(MAN, "after", (DOOR,)),))
    ranked = [
        (one * two * three * nearness(door, man) * nearness(man, dog), dog)
        for (dog, one), (man, two), (door, three) in product(dogs, men, doors)
        if precedes(door, man) and precedes(man, dog)
    ]
    assert [span for span, _ in evaluate(nested, seen)[:1]] == ([max(ranked)[1]] if ranked else [])
