"""Windows of short questions about one change, trimmed to the captions that say it."""

import numpy as np
import pytest

from tools.grounding.act_edges import trim_to_act
from tools.grounding.segments import group_captions
from tools.timeline import Caption, Interval, Track

FRIDGE = (
    "The mug stands on the counter.",
    "Somebody stands in front of a steel refrigerator.",
    "Both hands grip the handles of the refrigerator doors.",
    "The doors of the refrigerator are starting to swing open.",
    "The open fridge shows a gallon of milk.",
    "A hand touches the milk jug in the fridge.",
    "A hand grabs the white jug.",
    "A hand holds the milk jug in front of the open refrigerator.",
    "The doors of the fridge are closing.",
    "The refrigerator is shut.",
    "View across the kitchen.",
    "The sink and white cupboards.",
    "The sink.",
    "The wall cupboard is open.",
)
LIKE_FRIDGE = np.array([0.2, 0.6, 0.6, 0.7, 0.6, 0.6, 0.3, 0.6, 0.7, 0.6, 0.2, 0.1, 0.1, 0.3])


def trimmed(query: str, window: tuple[float, float] = (1.0, 10.0)) -> tuple[float, float]:
    captions = [
        Caption("v", Interval(at, at + 1.0), text, "vision", Track("m", "", "frame@1/s"))
        for at, text in enumerate(FRIDGE)
    ]
    moments = group_captions(captions, duration_s=float(len(FRIDGE)))
    ((start_s, end_s),) = trim_to_act(query, np.array([window]), moments, LIKE_FRIDGE)
    return float(start_s), float(end_s)


@pytest.mark.parametrize(
    ("query", "span"),
    [
        ("someone opens the fridge", (3.0, 5.0)),
        ("when is the fridge opened?", (3.0, 5.0)),
        ("someone closes the fridge", (8.0, 10.0)),
        ("the fridge is being shut", (8.0, 10.0)),
    ],
)
def test_captions_at_the_edges_that_do_not_say_the_change_are_left_out(
    query: str, span: tuple[float, float]
) -> None:
    assert trimmed(query) == span


@pytest.mark.parametrize(
    "query",
    [
        "the milk jug in the fridge",
        "someone holds the milk jug",
        "someone opens the fridge and takes the milk",
        "someone opens the fridge, then closes it",
        "someone in a red shirt opens the big steel fridge",
        "someone enters the kitchen",
    ],
)
def test_a_window_stays_where_more_than_one_change_is_asked_for_or_none_is_told(query: str) -> None:
    assert trimmed(query) == (1.0, 10.0)


def test_the_same_word_of_something_else_does_not_draw_the_window_there() -> None:
    assert trimmed("someone opens the fridge", (10.0, 14.0)) == (10.0, 14.0)
