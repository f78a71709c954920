"""Questions with an order in them: how they are split, and which windows stand in that order."""

import pytest

from tools.retrieval.temporal_query import (
    LAST,
    Nth,
    Part,
    Related,
    Single,
    order_words,
    split_query,
)

DOG, MAN, DOOR = Single("the dog barks"), Single("the man leaves"), Single("the door opens")


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
        ("the dog barks after eating lunch", Related(DOG, "after", (Single("eating lunch"),))),
        ("the dog barks after it is fed", Related(DOG, "after", (Single("it is fed"),))),
        ("coffee after the pig", Related(Single("coffee"), "after", (Single("the pig"),))),
        ("Before the pancake, the dog barks", Related(DOG, "before", (Single("the pancake"),))),
        ("the dog barks right after the goal", Related(DOG, "after", (Single("the goal"),))),
        ("the third cut", Nth(Single("cut"), 3)),
        (
            "the last white car before the second pancake",
            Related(Nth(Single("white car"), LAST), "before", (Nth(Single("pancake"), 2),)),
        ),
        (
            "the dog barks after the man leaves and before the door opens",
            Related(DOG, "between", (MAN, DOOR)),
        ),
        (
            "the dog barks before the door opens but after the man leaves",
            Related(DOG, "between", (MAN, DOOR)),
        ),
        (
            "between the pancake and the man leaves, the dog barks",
            Related(DOG, "between", (Single("the pancake"), MAN)),
        ),
        (
            "the dog barks between chopping onions and opening the oven",
            Related(DOG, "between", (Single("chopping onions"), Single("opening the oven"))),
        ),
        ("when the dog barks for the third time", Nth(DOG, 3)),
        (
            "the first thing opened after the man leaves",
            Related(Nth(Single("something opened"), 1), "after", (MAN,)),
        ),
        (
            "a woman stands before a mirror after the man leaves",
            Related(Single("a woman stands before a mirror"), "after", (MAN,)),
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
        "she sits between sleeping dogs and a cat",
        "he switches between cutting onions and frying eggs",
        "A young girl relaxes in bed after her day and talks to the camera",
        "the first floor of a house",
        "the first two cars",
        "a judge speaks before the crowd",
        "a mother looks after her child",
        "children play after a while",
        "she talks while driving",
        "a man eats and then leaves",
        "before",
        "one after it",
        "and before it",
        "the last one",
        " after ".join(["he leaves"] * 500),
    ],
)
def test_sentences_without_an_order_of_events_stay_whole(query: str) -> None:
    assert split_query(query) == Single(query)


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


@pytest.mark.parametrize(
    ("query", "what", "number"),
    [
        ("third scene", "scene", 3),
        ("the 2nd shot", "shot", 2),
        ("last cut", "cut", LAST),
        ("scene 4", "scene", 4),
        ("shot number 12", "shot", 12),
        ("the second shot starts", "shot", 2),
        ("second scene change", "scene change", 2),
    ],
)
def test_scenes_and_cuts_are_counted_without_more_words(query: str, what: str, number: int) -> None:
    assert split_query(query) == Nth(Single(what), number)


def test_no_scene_is_number_0() -> None:
    assert split_query("scene 0") == Single("scene 0")
