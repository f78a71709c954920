"""Edges between two looks: how densely to look there, and where the best single change lies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.grounding.edges import (
    FRAMES_PER_EDGE,
    HIGHEST_RATE_HZ,
    begins_at,
    ends_after,
    likeness,
    look_rate_hz,
    marked,
)
from tools.timeline import Interval


@pytest.mark.parametrize(
    ("length_s", "rate_hz"), [(1.0, 8.0), (2.0, 4.0), (4.0, 2.0), (8.0, 2.0), (32.0, 0.5)]
)
def test_the_longer_the_time_between_looks_the_sparser_it_is_looked_at(
    length_s: float, rate_hz: float
) -> None:
    assert look_rate_hz(Interval(3.0, 3.0 + length_s)) == rate_hz


def test_an_edge_known_to_a_quarter_of_a_second_is_left_alone() -> None:
    assert look_rate_hz(Interval(1.0, 1.25)) is None


@given(st.floats(0.26, 1e5))
def test_no_edge_costs_more_than_its_frames(length_s: float) -> None:
    rate_hz = look_rate_hz(Interval(0.0, length_s))
    assert rate_hz is not None
    assert rate_hz <= HIGHEST_RATE_HZ
    assert rate_hz * length_s <= FRAMES_PER_EDGE + 1e-6


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ([-1, -1, 1, 1], 2),
        ([1, 1, 1], 0),
        ([-1, -1], 2),
        ([-1, 0.2, -1, 1, -0.2, 1], 3),
        ([0, 0, 0], 3),
    ],
)
def test_an_event_begins_at_the_best_single_change(values: list[float], first: int) -> None:
    assert begins_at(np.array(values, np.float64)) == first


def test_an_event_ends_as_it_begins_seen_backwards() -> None:
    assert ends_after(np.array([1.0, 1.0, -1.0])) == 2
    assert ends_after(np.array([-1.0, -1.0])) == 0


def test_a_look_is_like_the_event_by_what_is_said_there_and_by_the_query() -> None:
    event, beside = np.eye(3, dtype=np.float32)[:2]
    looks = np.stack([beside, event])
    scores = likeness(looks, inside=event[None], outside=beside[None], query=event)
    assert scores[0] < 0 < scores[1]


def test_a_look_that_the_model_denies_is_never_inside() -> None:
    scores = marked(np.array([2.0, 0.5]), denied=[True, False])
    assert scores[0] < 0 < scores[1]
    assert begins_at(scores) == 1
