"""Questions with an order in them: how they are split, and which windows stand in that order."""

from collections.abc import Sequence

import pytest

from tools.retrieval.temporal_query import (
    LAST,
    Event,
    Nth,
    Part,
    Related,
    Scored,
    Seen,
    evaluate,
    order_words,
    precedes,
    split_query,
    texts_of,
)
from tools.timeline import Interval

DOG, MAN, DOOR = Event("the dog barks"), Event("the man leaves"), Event("the door opens")


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("After the man leaves, the dog barks.", Related(DOG, "after", (MAN,))),
        ("the dog barks before the man leaves", Related(DOG, "before", (MAN,))),
        ("While the man leaves,  the dog barks", Related(DOG, "while", (MAN,))),
        ("the second time the man leaves", Nth(MAN, 2)),
        ("the 11th time that the man leaves", Nth(MAN, 11)),
        ("The last time the man leaves?", Nth(MAN, LAST)),
        ("the man leaves for the first time", Nth(MAN, 1)),
        (
            "after the second time the man leaves, the dog barks",
            Related(DOG, "after", (Nth(MAN, 2),)),
        ),
        (
            "between the man leaves and the door opens, the dog barks",
            Related(DOG, "between", (MAN, DOOR)),
        ),
        (
            "the last time the dog barks before the man leaves",
            Related(Nth(DOG, LAST), "before", (MAN,)),
        ),
        ("the dog barks after eating lunch", Related(DOG, "after", (Event("eating lunch"),))),
        ("the dog barks after it is fed", Related(DOG, "after", (Event("it is fed"),))),
        ("coffee after the pig", Related(Event("coffee"), "after", (Event("the pig"),))),
        ("Before the pancake, the dog barks", Related(DOG, "before", (Event("the pancake"),))),
        ("the dog barks right after the goal", Related(DOG, "after", (Event("the goal"),))),
        ("the third cut", Nth(Event("cut"), 3)),
        (
            "the last white car before the second pancake",
            Related(Nth(Event("white car"), LAST), "before", (Nth(Event("pancake"), 2),)),
        ),
        (
            "between the pancake and the man leaves, the dog barks",
            Related(DOG, "between", (Event("the pancake"), MAN)),
        ),
        (
            "a woman stands before a mirror after the man leaves",
            Related(Event("a woman stands before a mirror"), "after", (MAN,)),
        ),
    ],
)
def test_rules_of_the_grammar(query: str, part: Part) -> None:
    assert split_query(query) == part


@pytest.mark.parametrize(
    "query",
    [
        "a man in a red coat",
        "A woman stands before a mirror and discusses her pink outfit",
        "a dog runs after a ball",
        "Chefs are cooking food on a grill after dark",
        "a woman sits between a bookcase and a plant",
        "A young girl relaxes in bed after her day and talks to the camera",
        "the first floor of a house",
        "the first two cars",
        "a judge speaks before the crowd",
        "a mother looks after her child",
        "children play after a while",
        "she talks while driving",
        "a man eats and then leaves",
        "before",
        " after ".join(["he leaves"] * 500),
    ],
)
def test_sentences_without_an_order_of_events_stay_whole(query: str) -> None:
    assert split_query(query) == Event(query)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("a dog runs after a ball", ["after"]),
        ("the dome of the first skyscraper", ["the first"]),
        ("he waits until dark", ["until"]),
        ("the first floor", []),
        ("the dog barks after the man leaves", []),
    ],
)
def test_words_of_order_that_no_rule_took_are_told(query: str, words: list[str]) -> None:
    assert order_words(split_query(query)) == words


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
