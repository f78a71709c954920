"""Every miss is put down to one stage: the first that failed."""

import itertools
from typing import Any

import pytest

from evaluation.figures.decomposition import OUTCOMES, Outcome, decompose, outcome
from evaluation.figures.measures import is_right, top_iou
from evaluation.results import Result
from tests.made_results import made, missed, null

UNSEEN = ((60.0, 100.0),)
DENIED: dict[str, Any] = {"verdict": "not_found", "intervals": ()}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (made(), "right"),
        (made(by="fallback"), "right"),
        (made(shown=UNSEEN), "right"),
        (null(), "right_null"),
        (null(verdict="cannot_tell"), "right_null"),
        (null(found=True), "false_alarm"),
        (null(kind="hard", found=True, by="fallback"), "false_alarm"),
        (made(verdict="error", intervals=()), "error"),
        (null(verdict="error"), "error"),
        (missed(shown=UNSEEN), "search_miss"),
        (missed(shown=()), "search_miss"),
        (missed(shown=UNSEEN, by="fallback"), "search_miss"),
        (made(**DENIED, shown=UNSEEN), "search_miss"),
        (missed(by="fallback"), "refused"),
        (made(**DENIED, by="fallback"), "refused"),
        (made(**DENIED), "missed_present"),
        (made(verdict="cannot_tell", intervals=()), "cannot_tell"),
        (made(intervals=((28.0, 40.0, 0.8),)), "edge_error"),
        (made(intervals=((60.0, 70.0, 0.9), (29.0, 40.0, 0.8))), "edge_error"),
        (missed(), "reasoning_miss"),
        (made(intervals=((60.0, 70.0, 0.9), (20.0, 30.0, 0.8))), "reasoning_miss"),
        (made(intervals=((30.0, 40.0, 0.9),)), "reasoning_miss"),
    ],
)
def test_a_result_has_the_outcome_of_the_first_stage_that_failed(
    result: Result, expected: Outcome
) -> None:
    assert outcome(result) == expected


def test_half_of_one_true_window_is_enough_to_have_been_shown() -> None:
    two_stretches = ((18.0, 22.0), (27.0, 30.0))
    assert outcome(missed(shown=two_stretches)) == "reasoning_miss"
    assert outcome(missed(shown=((18.0, 24.9),))) == "search_miss"
    assert outcome(missed(shown=UNSEEN, truth=((20.0, 30.0), (61.0, 62.0)))) != "search_miss"


def test_the_bar_moves_right_answers_to_edge_errors() -> None:
    half = made(intervals=((20.0, 25.0, 0.8),))
    assert outcome(half) == outcome(half, bar=0.5) == "right"
    assert outcome(half, bar=0.7) == "edge_error"


def test_all_results_are_counted_once_and_right_ones_are_the_recall() -> None:
    results = [
        made(
            str(number),
            verdict=verdict,
            by=by,
            shown=shown,
            intervals=((start_s, start_s + 10, 0.5),) if verdict == "found" else (),
        )
        for number, (verdict, by, shown, start_s) in enumerate(
            itertools.product(
                ("found", "not_found", "cannot_tell", "error"),
                ("llm", "fallback", "similarity"),
                (UNSEEN, ((0.0, 40.0),)),
                (20.0, 22.0, 28.0, 70.0),
            )
        )
    ]
    nulls = [null(one.qid, found=one.verdict == "found", verdict=one.verdict) for one in results]
    parts = decompose([*results, *nulls])
    assert tuple(parts.counts) == OUTCOMES
    assert all(parts.counts.values())
    assert sum(parts.counts.values()) == len(results) + len(nulls)
    assert sum(parts.shares.values()) == pytest.approx(100)
    assert parts.counts["right"] == (top_iou(results) >= 0.5).sum()
    right = {"right", "right_null"}
    assert all((outcome(one) in right) == is_right(one) for one in (*results, *nulls))


def test_examples_are_the_most_confident_of_each_outcome() -> None:
    results = [missed(str(number), confidence=number / 10) for number in range(9)]
    parts = decompose([made("x"), *results], examples=2)
    assert parts.examples["reasoning_miss"] == ("own:8", "own:7")
    assert parts.examples["right"] == ("own:x",)
    assert parts.examples["refused"] == ()


def test_no_results_have_no_shares() -> None:
    assert set(decompose([]).shares.values()) == {0.0}
