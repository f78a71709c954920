"""Questions of two things, and of what lies beside one thing, over captions of a day at home."""

from typing import Literal

import numpy as np
import pytest

from tests.fakes import WordEmbedder
from tools.ranking import Ranking, Window
from tools.retrieval.retrieval import rank
from tools.retrieval.two_things import Two, joined, read_two
from tools.timeline import Caption, Interval, Track

SCENES = {
    "red cups": ["hands lift red cups", "red cups on a table", "red cups swap places"],
    "letter blocks": ["letter blocks on a mat", "hands push letter blocks", "letter blocks lie"],
    "kettle coffee": ["a kettle over a mug", "coffee from a kettle", "a kettle pours coffee"],
    "white football": ["a white football", "football flies", "knee hits football"],
}
"""Each of six seconds, in this order."""


def captions() -> list[Caption]:
    track = Track("file", "", "file")
    texts = [text for scene in SCENES.values() for text in scene]
    return [
        Caption("v", Interval(2.0 * at, 2.0 * at + 2.0), text, "vision", track)
        for at, text in enumerate(texts)
    ]


def ask(query: str) -> Ranking:
    told = captions()
    vectors = np.asarray(WordEmbedder().embed([one.text for one in told]))
    return rank(query, told, vectors, embedder=WordEmbedder(), duration_s=24.0)


def spans(ranking: Ranking) -> list[tuple[float, float]]:
    return [(one.span.start_s, one.span.end_s) for one in ranking.events]


@pytest.mark.parametrize(
    ("query", "span"),
    [
        ("between the red cups and the coffee", (6.0, 12.0)),
        ("what happens between the red cups and the coffee?", (6.0, 12.0)),
        ("between the letter blocks and the football", (12.0, 18.0)),
        ("between the start and the letter blocks", (0.0, 6.0)),
    ],
)
def test_between_two_things_is_from_the_end_of_one_to_the_start_of_the_other(
    query: str, span: tuple[float, float]
) -> None:
    ranking = ask(query)
    assert ranking.verdict == "found"
    [(start_s, end_s)] = spans(ranking)
    assert (start_s, end_s) == pytest.approx(span, abs=2.0)
    assert start_s >= span[0] - 0.1
    assert end_s <= span[1] + 0.1


@pytest.mark.parametrize(
    ("query", "span"),
    [
        ("from the letter blocks to the coffee", (6.0, 18.0)),
        ("everything from the letter blocks until the coffee", (6.0, 18.0)),
        ("from the coffee on", (12.0, 24.0)),
        ("until the coffee", (0.0, 12.0)),
        ("from the start to the letter blocks", (0.0, 12.0)),
    ],
)
def test_from_one_thing_to_another_holds_both_and_until_one_holds_it_not(
    query: str, span: tuple[float, float]
) -> None:
    ranking = ask(query)
    assert ranking.verdict == "found"
    [(start_s, end_s)] = spans(ranking)
    assert (start_s, end_s) == pytest.approx(span, abs=2.0)


@pytest.mark.parametrize(
    ("query", "span", "told"),
    [
        ("until the coffee", (0.0, 12.0), "all up to “the coffee”"),
        ("between the start and the coffee", (0.0, 12.0), "all up to “the coffee”"),
        (
            "between the letter blocks and the end",
            (12.0, 24.0),
            "the end of “the letter blocks” on",
        ),
        ("from the start to the coffee", (0.0, 18.0), "all up to the end of “the coffee”"),
        ("from the coffee on", (12.0, 24.0), "from the start of “the coffee” on"),
    ],
)
def test_the_first_and_the_last_caption_belong_to_what_reaches_to_an_edge_of_the_video(
    query: str, span: tuple[float, float], told: str
) -> None:
    ranking = ask(query)
    assert spans(ranking) == [span]
    assert told in ranking.reasoning


@pytest.mark.parametrize(
    ("query", "two"),
    [
        ("from the first cup to the third", ("through", "the first cup", "the third cup")),
        ("between the second man and the last", ("between", "the second man", "the last man")),
        ("between the first and the second dog", ("between", "the first dog", "the second dog")),
    ],
)
def test_a_number_alone_is_of_the_thing_that_is_named_beside_it(
    query: str, two: tuple[Literal["between", "through"], str, str]
) -> None:
    assert read_two(query) == Two(*two)


def test_from_a_later_thing_to_an_earlier_one_is_never() -> None:
    assert ask("from the football to the red cups").verdict == "not_found"


@pytest.mark.parametrize("query", ["from left to right", "from red to blue", "from Paris to Rome"])
def test_from_one_place_to_another_tells_no_time(query: str) -> None:
    assert read_two(query) is None


def test_it_is_the_thing_that_was_named_before() -> None:
    two = read_two("from opening the fridge until closing it")
    assert two == Two("through", "opening the fridge", "closing the fridge")


def test_what_few_captions_of_its_scene_name_is_there_for_the_whole_scene() -> None:
    assert "follow directly" in ask("between the letter blocks and the coffee").reasoning
    [(_, end_s)] = spans(ask("before the coffee"))
    assert end_s == 12.0


def test_between_two_things_named_the_other_way_round_says_that_they_are() -> None:
    ranking = ask("between the coffee and the red cups")
    assert ranking.verdict == "found"
    assert "“the red cups” is first" in ranking.reasoning


def test_between_two_things_that_touch_nothing_is_found_and_the_reason_is_said() -> None:
    ranking = ask("between the red cups and the letter blocks")
    assert (ranking.verdict, ranking.events) == ("cannot_tell", ())
    assert "follow directly" in ranking.reasoning


def test_between_something_and_what_is_not_there_cannot_be_told() -> None:
    ranking = ask("between the elephant and the coffee")
    assert (ranking.verdict, ranking.events) == ("cannot_tell", ())
    assert "“the elephant” could not be found" in ranking.reasoning


@pytest.mark.parametrize(
    ("query", "scene"),
    [
        ("after the letter blocks", 2),
        ("just after the letter blocks", 2),
        ("2 seconds after the letter blocks", 2),
        ("before the letter blocks", 0),
        ("the part right before the letter blocks", 0),
    ],
)
def test_before_or_after_something_alone_is_what_lies_there_and_not_the_thing(
    query: str, scene: int
) -> None:
    ranking = ask(query)
    assert ranking.verdict == "found"
    [(start_s, end_s)] = spans(ranking)
    assert 6.0 * scene <= start_s < end_s <= 6.0 * scene + 6.0


def test_after_what_was_not_found_cannot_be_told() -> None:
    assert ask("after the pancake").verdict == "cannot_tell"


def test_everything_except_what_was_not_found_cannot_be_told() -> None:
    ranking = ask("everything except the elephant")
    assert (ranking.verdict, ranking.events) == ("cannot_tell", ())
    assert "“the elephant” could not be found" in ranking.reasoning


def test_either_of_two_things_is_the_times_of_both() -> None:
    ranking = ask("red cups or letter blocks")
    assert ranking.verdict == "found"
    assert min(start_s for start_s, _ in spans(ranking)) < 6.0
    assert max(end_s for _, end_s in spans(ranking)) > 6.0
    ranking = ask("the football or the elephant")
    assert ranking.verdict == "found"
    assert "“the elephant” could not be found" in ranking.reasoning


def test_one_thing_and_then_another_is_found_in_that_order_only() -> None:
    assert ask("first the red cups then the letter blocks").verdict == "found"
    ranking = ask("first the football then the red cups")
    assert ranking.verdict == "not_found"
    assert "never first “the football”" in ranking.reasoning
    assert ask("the football, then the red cups").verdict == "not_found"


@pytest.mark.parametrize(
    "text",
    [
        "a man or woman walks",
        "red or blue cups",
        "a man near a car or a house",
        "is the light on or off",
        "whether or not he comes",
        "a woman cuts an onion and then fries it",
        "a man between two cars",
        "between the two cars",
    ],
)
def test_a_sentence_that_has_no_two_things_of_its_own_is_left_whole(text: str) -> None:
    assert read_two(text) is None


def test_the_two_things_are_read_as_they_are_named() -> None:
    assert read_two("red cups OR coffee") == Two("either", "red cups", "coffee")
    assert read_two("between the frog and the dog") == Two("between", "the frog", "the dog")


def test_times_that_overlap_become_one_as_sure_as_the_surer() -> None:
    some = [Window(Interval(0, 4), 0.2, 0.2), Window(Interval(3, 6), 0.7, 0.7)]
    apart = Window(Interval(6, 7), 0.1, 0.1)
    assert joined([apart, *some]) == (Window(Interval(0, 6), 0.7, 0.7), apart)
