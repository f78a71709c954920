"""A question in parts: those that are there are put in order; else it is asked as it stands."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tools.ranking import Ranking, Verdict, Window
from tools.retrieval.order import UNSEEN
from tools.retrieval.ordered import rank_in_order
from tools.retrieval.temporal_query import split_query
from tools.timeline import Interval


def ranking(*windows: tuple[float, float, float], verdict: Verdict = "found") -> Ranking:
    ranked = tuple(Window(Interval(start, end), score, score) for start, end, score in windows)
    events = ranked if verdict == "found" else ()
    return Ranking(verdict, ranked, events, np.zeros(3), "as one sentence", 0.8)


KNOWN = {
    "the dog barks": ranking((10, 14, 0.9), (50, 54, 0.7), (80, 84, 0.3)),
    "the man leaves": ranking((30, 35, 0.8)),
    "the bell rings": ranking((1, 2, 0.2), verdict="not_found"),
}


def ask(query: str, known: Mapping[str, Ranking] = KNOWN) -> Ranking:
    answers = {query: ranking((0, 99, 0.5)), **known}
    return rank_in_order(
        query, split_query(query), answers.__getitem__, lambda text, _: answers[text].events
    )


def spans(answer: Ranking) -> list[tuple[float, float]]:
    return [(event.span.start_s, event.span.end_s) for event in answer.events]


def test_order_decides_against_likeness() -> None:
    answer = ask("the dog barks after the man leaves")
    assert spans(answer) == [(50, 54)]
    assert [window.span.start_s for window in answer.windows] == [50, 80]
    assert "after" in answer.reasoning


@pytest.mark.parametrize("sure", [0.5, 0.95])
def test_an_order_is_no_surer_than_what_it_is_placed_by(sure: float) -> None:
    known = {
        "the dog barks": ranking((10, 14, 0.9), (20, 24, 0.85)),
        "the man leaves": ranking((1, 3, sure), (5, 6, 0.2)),
    }
    answer = ask("after the man leaves, the dog barks", known)
    assert [one.confidence for one in answer.events] == [
        min(one.score, sure) for one in answer.events
    ]
    assert [one.score for one in answer.events] == [0.9, pytest.approx(0.77, abs=0.01)]


def test_all_events_in_the_right_order_are_claimed() -> None:
    known = {
        "the dog barks": ranking((10, 14, 0.9), (20, 24, 0.85), (80, 84, 0.3)),
        "the man leaves": ranking((1, 3, 0.8)),
    }
    query = "after the man leaves, the dog barks"
    assert spans(ask(query, known)) == [(10, 14), (20, 24)]


def test_what_happens_only_in_another_order_is_not_found_and_its_windows_are_kept() -> None:
    answer = ask("the man leaves before the dog barks for the first time")
    assert answer.verdict == "not_found"
    assert answer.events == ()
    assert answer.windows == KNOWN["the man leaves"].windows
    assert "never" in answer.reasoning


def test_a_time_that_does_not_come_is_not_found() -> None:
    assert spans(ask("the second time the dog barks")) == [(50, 54)]
    answer = ask("the fourth time the dog barks")
    assert answer.verdict == "not_found"
    assert "found 3 times; there is no number 4" in answer.reasoning


def test_where_a_part_is_not_found_the_sentence_is_asked_as_it_stands() -> None:
    answer = ask("the bell rings before the man leaves")
    assert spans(answer) == [(0, 99)]
    assert "without its order: “the bell rings” could not be found" in answer.reasoning


def test_a_part_that_is_not_found_is_left_out_where_another_one_still_tells_the_order() -> None:
    silent = KNOWN | {"the bell rings": replace(KNOWN["the bell rings"], presence=0.05)}
    answer = ask("between the man leaves and the bell rings, the dog barks", silent)
    assert spans(answer) == [(50, 54)]
    assert "“the bell rings” could not be found and was left out" in answer.reasoning
    assert answer.events[0].confidence == pytest.approx(0.7 * UNSEEN)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("the dog barks after the man leaves after the bell rings", [(50, 54)]),
        ("the dog barks after the bell rings after the man leaves", [(50, 54)]),
        ("after the bell rings, the dog barks after the man leaves", [(50, 54)]),
        ("the dog barks after the man leaves and before the bell rings", [(50, 54)]),
        # After what comes before the man leaves: that may be any time.
        ("the dog barks after the bell rings before the man leaves", [(0, 99)]),
        # Which time is the second depends on which of his the count begins with.
        ("the second time the dog barks after the man leaves after the bell rings", [(0, 99)]),
    ],
)
def test_a_link_of_a_chain_is_left_out_where_the_others_still_tell_an_order(
    query: str, expected: list[tuple[int, int]]
) -> None:
    silent = KNOWN | {"the bell rings": replace(KNOWN["the bell rings"], presence=0.05)}
    assert spans(ask(query, silent)) == expected


def test_a_number_does_not_count_from_a_part_that_is_not_found() -> None:
    silent = KNOWN | {"the bell rings": replace(KNOWN["the bell rings"], presence=0.05)}
    answer = ask("the second time the dog barks after the bell rings", silent)
    assert (answer.verdict, spans(answer)) == ("cannot_tell", [])
    assert "could not be found by itself" in answer.reasoning


def test_what_is_measured_or_cannot_be_told_is_not_left_out() -> None:
    query = "between the man leaves and the bell rings, the dog barks"
    for change in ({"is_exact": True}, {"verdict": "cannot_tell"}):
        silent = replace(KNOWN["the bell rings"], presence=0.05, **change)
        assert spans(ask(query, KNOWN | {"the bell rings": silent})) == [(0, 99)]


def test_what_places_something_is_taken_for_granted_where_it_is_likely_at_all() -> None:
    unsure = ranking((40, 45, 0.2), verdict="not_found")
    query = "the dog barks after the bell rings"
    answer = ask(query, KNOWN | {"the bell rings": replace(unsure, presence=0.15)})
    assert spans(answer) == [(50, 54)]


def test_what_nothing_places_is_no_answer_to_a_short_question_of_order() -> None:
    query = "the dog barks after the bell rings"
    silent = replace(ranking((40, 45, 0.2), verdict="not_found"), presence=0.05)
    answer = ask(query, KNOWN | {"the bell rings": silent})
    assert (answer.verdict, spans(answer)) == ("cannot_tell", [])
    assert "“the bell rings” could not be found by itself" in answer.reasoning


def test_what_happens_at_the_same_time_is_asked_as_one_sentence() -> None:
    answer = ask(
        "the dog barks after the man leaves",
        {"the dog barks": ranking((30, 36, 0.9)), "the man leaves": ranking((31, 35, 0.8))},
    )
    assert spans(answer) == [(0, 99)]
    assert "at the same time" in answer.reasoning


def test_ordinals_count_times_that_are_among_no_best_windows() -> None:
    found = ranking((10, 14, 0.9))
    times = [Window(Interval(start_s, start_s + 2.0), 0.1, 0.1) for start_s in range(0, 100, 5)]
    query = "the 13th cut"
    answer = rank_in_order(query, split_query(query), {"cut": found}.__getitem__, lambda *_: times)
    assert spans(answer) == [(60, 62)]
    assert "found 20 times" in answer.reasoning


def test_an_order_that_is_not_understood_is_told() -> None:
    answer = ask("a dog runs after a ball")
    assert "“after” is not read as an order in time" in answer.reasoning


def test_a_sentence_without_order_is_asked_as_it_stands() -> None:
    assert ask("a cat sleeps").reasoning == "as one sentence"


def test_presence_is_that_of_the_least_certain_part() -> None:
    known = {
        "the dog barks": KNOWN["the dog barks"],
        "the man leaves": replace(KNOWN["the man leaves"], presence=0.4),
    }
    query = "the dog barks after the man leaves"
    assert ask(query, known).presence == 0.4


def test_an_order_that_is_not_read_leaves_open_what_is_found() -> None:
    known = {"he waits until dark": replace(KNOWN["the dog barks"], presence=0.5)}
    answer = ask("he waits until dark", known)
    assert (answer.verdict, answer.events) == ("cannot_tell", ())
    assert "“until” is not read as an order in time" in answer.reasoning


def test_what_something_should_lie_beside_is_no_answer() -> None:
    query = "the bell rings after the man leaves"
    known = KNOWN | {query: KNOWN["the man leaves"]}
    answer = ask(query, known)
    assert (answer.verdict, answer.events) == ("not_found", ()), "as it is by itself"
    known |= {"the bell rings": ranking((1, 2, 0.2), verdict="cannot_tell")}
    answer = ask(query, known)
    assert (answer.verdict, answer.events) == ("cannot_tell", ())


def test_what_may_as_well_lie_in_what_it_should_follow_is_left_open_and_that_is_said() -> None:
    query = "he puts the mug down after he washes it"
    known = {
        "he puts the mug down": ranking((31, 41, 0.6), (10, 17, 0.5)),
        "he washes it": ranking((8, 17, 0.4)),
    }

    def where(known: Mapping[str, Ranking]) -> Ranking:
        return rank_in_order(
            query,
            split_query(query),
            known.__getitem__,
            lambda text, _: known[text].events,
            is_presupposed=True,
        )

    answer = where(known)
    assert (answer.verdict, answer.events) == ("cannot_tell", ())
    assert "may also be at 0:10.0–0:17.0" in answer.reasoning
    assert answer.windows[0].span == Interval(31, 41)
    unlike = {**known, "he puts the mug down": ranking((31, 41, 0.6), (10, 17, 0.3))}
    assert where(unlike).verdict == "found"
    assert ask(query, known).verdict == "found"
