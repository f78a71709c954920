"""Replies to questions with an order in them: what is asked is every part, and code orders them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import AnswerError
from agent.reasoning.answer import parse_answer
from agent.reasoning.ordered_answers import PARTS_SCHEMA, PartsReply, letters, parse_parts
from tools.retrieval.temporal_query import Part, split_query
from tools.timeline import Interval

SPANS = [Interval(2.0 * index, 2.0 * index + 2.0) for index in range(20)]
AFTER = split_query("the dog barks after the man leaves")
SECOND = split_query("the second time the dog barks")


def reply(**times: list[tuple[int, int]]) -> dict[str, Any]:
    return {
        "steps": [{"caption": 3, "role": "start", "why": "it begins"}],
        "parts": [
            {"part": letter, "events": [{"first": first, "last": last} for first, last in some]}
            for letter, some in times.items()
        ],
    }


def answered(part: Part, said: dict[str, Any]) -> tuple[list[tuple[int, int]], str]:
    answer, order = parse_parts(f"So: {json.dumps(said)}", part, shown=SPANS)
    assert answer.found == bool(answer.events)
    return [(event.first, event.last) for event in answer.events], order


def test_parts_go_by_letters_the_main_one_first() -> None:
    assert letters(AFTER) == {"A": "the dog barks", "B": "the man leaves"}
    assert letters(SECOND) == {"A": "the dog barks"}


def test_order_is_worked_out_from_the_times_of_the_parts() -> None:
    said = reply(A=[(1, 2), (9, 10), (15, 15)], B=[(5, 6)])
    assert answered(AFTER, said)[0] == [(9, 10), (15, 15)]
    before = split_query("the dog barks before the man leaves")
    assert answered(before, said)[0] == [(1, 2)]


def test_ordinals_are_counted_in_time_whatever_order_the_model_gives() -> None:
    events, order = answered(SECOND, reply(A=[(9, 10), (1, 2), (15, 15)]))
    assert events == [(9, 10)]
    assert order == "“the dog barks” was found 3 times; this is number 2."


def test_while_is_what_both_share_with_the_edges_that_were_named() -> None:
    part = split_query("while the man leaves, the dog barks")
    assert answered(part, reply(A=[(3, 8)], B=[(6, 12)]))[0] == [(6, 8)]


def test_what_never_stands_in_that_order_is_not_found_and_the_answer_says_so() -> None:
    assert answered(AFTER, reply(A=[(1, 2)], B=[(5, 6)])) == (
        [],
        "Each part was found, but never “the dog barks” after “the man leaves”.",
    )
    assert answered(AFTER, reply(A=[(1, 2)], B=[])) == ([], "“the man leaves” was not found.")
    told = "It was found once; there is no number 2. It is near 0:02.0."
    assert answered(SECOND, reply(A=[(1, 2)]))[1] == told


def test_which_time_a_part_is_of_is_told_in_words() -> None:
    part = split_query("after the man leaves, the first time the dog barks")
    told = answered(part, reply(A=[(9, 10)], B=[(5, 6)]))[1]
    assert told.startswith("“the dog barks” (the first time) after “the man leaves”")


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        ("the dog barks at #9", "no_json", '"parts": [{"part": "A"'),
        ('{"found": true, "events": [{"first": 1, "last": 2}]}', "wrong_schema", "parts"),
        (json.dumps(reply(A=[(1, 2)])), "wrong_schema", "give each of A, B once"),
        (json.dumps(reply(A=[], B=[], C=[])), "wrong_schema", "A, B, C"),
        (json.dumps(reply(A=[(1, 2)], B=[(21, 22)])), "unknown_caption", "#21, #22"),
        (json.dumps(reply(A=[(2, 1)], B=[])), "reversed", "#2 to #1"),
        (json.dumps(reply(A=[(1, 5), (4, 6)], B=[])), "contradiction", "overlap"),
    ],
)
def test_what_cannot_be_is_refused_and_the_model_is_told_why(
    said: str, kind: str, told: str
) -> None:
    with pytest.raises(AnswerError) as caught:
        parse_parts(said, AFTER, shown=SPANS)
    assert caught.value.kind == kind
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "parts",
    [
        {"A": [{"first": 9, "last": 10}], "B": {"first": 5, "last": 6}},
        {"A": "#9 to #10", "B": [[5, 6]]},
        [{"part": "A: the dog barks", "events": [[9, 10]]}, {"part": "part b", "events": [[5, 6]]}],
        [{"part": "The dog barks.", "events": [[9, 10]]}, {"part": "b)", "events": [[5, 6]]}],
    ],
)
def test_parts_may_be_named_in_other_ways(parts: Any) -> None:
    assert answered(AFTER, {"parts": parts})[0] == [(9, 10)]


def test_one_part_alone_needs_no_list() -> None:
    said = {"parts": {"part": "A", "events": [[1, 2], [9, 10]]}}
    assert answered(SECOND, said)[0] == [(9, 10)]


@pytest.mark.parametrize(
    "parts",
    [
        {"A": [[9, 10]], "a": [[1, 2]], "B": []},
        {"A": [[9, 10]]},
        [{"part": "the cat", "events": []}, {"part": "B", "events": []}],
        {},
    ],
)
def test_parts_that_are_unknown_missing_or_there_twice_are_refused(parts: Any) -> None:
    with pytest.raises(AnswerError, match="give each of A, B once, by the letter alone"):
        answered(AFTER, {"parts": parts})


def test_parts_may_overlap_each_other() -> None:
    assert answered(AFTER, reply(A=[(1, 6)], B=[(5, 8)]))[0] == []


TIMES = st.dictionaries(st.sampled_from([1, 5, 9, 13, 17]), st.integers(0, 3))
"""How many more captions each event has, by its first one; none overlap."""


@given(TIMES, TIMES, st.sampled_from(["after", "before"]))
def test_whatever_is_accepted_passes_every_check_of_a_whole_answer(
    dog: dict[int, int], man: dict[int, int], word: str
) -> None:
    dog_events, man_events = (
        [(one, one + more) for one, more in some.items()] for some in (dog, man)
    )
    said = reply(A=dog_events, B=man_events)
    part = split_query(f"the dog barks {word} the man leaves")
    answer, _ = parse_parts(json.dumps(said), part, shown=SPANS)
    assert parse_answer(answer.model_dump_json(), shown=SPANS) == answer
    assert {(event.first, event.last) for event in answer.events} <= set(dog_events)


def test_the_schema_that_services_are_given_has_the_fields_that_are_read() -> None:
    assert set(PARTS_SCHEMA["properties"]) == set(PartsReply.model_fields)
