"""A short name that few captions write out is where they write it out."""

import numpy as np
import pytest

from tests.fakes import WordEmbedder
from tools.ranking import Ranking
from tools.retrieval.named_times import where_named
from tools.retrieval.retrieval import rank
from tools.timeline import Caption, Interval, Track

TABLE = [
    "a hand lifts a red cup to show a small yellow ball on a white table",
    *["hands move the red cups on a table"] * 6,
    *["a man bounces the white ball on a lawn"] * 2,
    *["the ball is high in the air, and the ball falls on yellow grass"] * 6,
]
FRIDGE = [
    *["a hand opens the fridge"] * 8,
    "the fridge shows milk, a juice bottle and vegetables",
    *["a hand holds a milk jug with a blue cap on the counter"] * 12,
]


def captions(texts: list[str]) -> list[Caption]:
    track = Track("file", "", "file")
    return [
        Caption("v", Interval(at, at + 1.0), text, "vision", track) for at, text in enumerate(texts)
    ]


def ask(query: str, texts: list[str], *, every_time: bool = False) -> Ranking:
    return rank(
        query,
        captions(texts),
        np.asarray(WordEmbedder().embed(texts)),
        embedder=WordEmbedder(),
        duration_s=float(len(texts)),
        every_time=every_time,
    )


@pytest.mark.parametrize("every_time", [False, True])
@pytest.mark.parametrize(
    ("query", "texts", "span"),
    [
        ("the yellow ball", TABLE, (0, 1)),
        ("a juice bottle", FRIDGE, (8, 9)),
        ("a bottle of juice", FRIDGE, (8, 9)),
        ("juice", FRIDGE, (8, 9)),
        ("Vegetables", FRIDGE, (8, 9)),
    ],
)
def test_a_short_name_is_found_where_captions_write_it_out(
    query: str, texts: list[str], span: tuple[float, float], every_time: bool
) -> None:
    ranking = ask(query, texts, every_time=every_time)
    assert ranking.verdict == "found"
    assert [(one.span.start_s, one.span.end_s) for one in ranking.events] == [span]


def where(query: str, texts: list[str]) -> list[tuple[float, float]]:
    return [(one.span.start_s, one.span.end_s) for one in where_named(query, captions(texts))]


def test_what_is_said_of_something_else_in_a_caption_does_not_name_it() -> None:
    assert where("a white ball", TABLE) == [(7, 15)]


WATCHED = [
    *["a woman watches the dog"] * 2,
    *["a dog runs on a path"] * 9,
    "a hand with a watch holds a mug",
    *["a lawn"] * 5,
    *["a person pours coffee"] * 9,
    "the kettle keeps pouring coffee",
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("somebody wears a watch", [(11, 12)]),
        ("a person with a watch", [(11, 12)]),
        ("pour kettle", []),
        ("pouring coffee", []),
    ],
)
def test_a_deed_of_the_same_name_does_not_name_a_thing(
    query: str, expected: list[tuple[float, float]]
) -> None:
    assert where(query, WATCHED) == expected


@pytest.mark.parametrize(
    "query",
    [
        "the ball",  # many captions name it: the surest time is the answer
        "a small yellow ball on a white table",  # a description, and no short name
        "no juice",
        "an elephant",
    ],
)
def test_what_many_captions_name_or_none_is_left_to_likeness(query: str) -> None:
    assert where(query, TABLE) == where(query, FRIDGE) == []


def test_somebody_who_is_there_all_the_time_wears_it_where_captions_say_so() -> None:
    texts = [*["a man stands at a table"] * 5, "a man with a scarf", *["a man reads"] * 5]
    (window,) = where_named("a man with a scarf", captions(texts))
    assert window.span == Interval(5.0, 6.0)


def test_what_is_said_once_of_another_is_not_the_one_of_whom_it_is_said_often() -> None:
    texts = [
        *["a woman stands at a table"] * 4,
        "a woman with dark blonde hair",
        "nobody is there",
        *["a blonde woman reads"] * 3,
        *["an empty table"] * 40,
    ]
    assert [one.span.start_s for one in where_named("a blonde woman", captions(texts))] == [6.0]
