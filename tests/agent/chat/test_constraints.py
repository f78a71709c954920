"""Order and time over intervals."""

import sys

import pytest

from agent.chat.constraints import Reference, fair_candidates, fits, nth, select, within_of
from agent.chat.follow_up import Relation
from agent.chat.turns import Moment, ReadCaption, read_captions
from agent.cli.chat_terminal import thin_out
from tools.timeline import Caption, Interval, Track


def moment(start_s: float, end_s: float, confidence: float = 0.5) -> Moment:
    return Moment(start_s=start_s, end_s=end_s, confidence=confidence)


EARLY, MIDDLE, LATE = moment(10, 20, 0.3), moment(40, 50, 0.6), moment(70, 80, 0.4)
FOUND = (MIDDLE, LATE, EARLY)  # Best first.


@pytest.mark.parametrize(
    ("relation", "reference", "expected"),
    [
        ("anywhere", None, True),
        ("after", Reference(30, 40), True),
        ("after", Reference(30, 40.1), False),
        ("before", Reference(50, 60), True),
        ("before", Reference(49.9, 60), False),
        ("during", Reference(49, 60), True),
        ("during", Reference(50, 60), False),
        ("during", Reference(30, 40), False),
        ("at", Reference(40, 40), True),
        ("at", Reference(50, 50), False),
    ],
)
def test_an_interval_fits_where_half_open_edges_say_so(
    relation: Relation, reference: Reference | None, expected: bool
) -> None:
    assert fits(MIDDLE, relation, reference) is expected


def test_the_nth_is_counted_in_time_order_from_either_end() -> None:
    assert nth(FOUND, 1) == (EARLY,)
    assert nth(FOUND, 2) == (MIDDLE,)
    assert nth(FOUND, -1) == (LATE,)
    assert nth(FOUND, -2) == (MIDDLE,)
    assert nth(FOUND, 4) == ()
    assert nth(FOUND, -4) == ()


def test_all_of_them_are_in_time_order() -> None:
    in_time_order = tuple(sorted(FOUND, key=lambda moment: moment.start_s))
    assert in_time_order != FOUND
    assert select(FOUND, relation="anywhere", reference=None, which=None) == (in_time_order, 3)


def test_the_next_after_an_interval_skips_what_overlaps_it() -> None:
    assert select(FOUND, relation="after", reference=Reference(15, 35), which=1) == ((MIDDLE,), 2)


def test_the_previous_is_the_nearest_before() -> None:
    assert select(FOUND, relation="before", reference=Reference(60, 65), which=-1) == ((MIDDLE,), 2)


def test_where_there_are_fewer_none_is_chosen_and_it_is_told_how_many_there_are() -> None:
    assert select(FOUND, relation="anywhere", reference=None, which=4) == ((), 3)


@pytest.mark.parametrize(
    ("relation", "stretch"),
    [("after", (20, sys.float_info.max)), ("before", (0, 10)), ("at", (10, 20))],
)
def test_what_is_searched_is_where_something_that_fits_can_lie(
    relation: Relation, stretch: tuple[float, float]
) -> None:
    assert within_of(relation, Reference(10, 20)) == stretch
    assert within_of("anywhere", None) is None


def test_candidates_that_are_unlikely_or_belong_to_an_answer_are_not_fair() -> None:
    weak, overlapping, small = moment(0, 5, 0.19), moment(19, 30, 0.5), moment(0, 5, 0.09)
    assert fair_candidates(FOUND, (weak, overlapping)) == []
    assert fair_candidates((moment(50, 60, 0.12),), (small,)) == []


TRACK = Track("file:t", "", "file")


def test_reading_joins_neighbours_that_say_the_same_and_keeps_their_edges() -> None:
    texts = ["road", "road", "dog", "road"]
    captions = [
        Caption("v", Interval(2.0 * i, 2.0 * i + 2), text, "vision", TRACK)
        for i, text in enumerate(texts)
    ]
    read = read_captions(captions, Interval(1.0, 6.0))
    assert [(one.start_s, one.end_s, one.text) for one in read] == [
        (0.0, 4.0, "road"),
        (4.0, 6.0, "dog"),
    ]


def test_thinning_keeps_the_first_and_the_last() -> None:
    read = [ReadCaption(start_s=i, end_s=i + 1, text=str(i)) for i in range(100)]
    thin = thin_out(read, 5)
    assert [one.text for one in thin] == ["0", "25", "50", "74", "99"]
    assert thin_out(read[:5], 5) == read[:5]
