"""What counts as a false answer to a question people ask."""

from typing import Any

import pytest

from evaluation.experiments.captioned_questions import CAPTIONED
from evaluation.experiments.labelled_questions import QUESTIONS, Labelled
from evaluation.experiments.natural_questions import outcome
from tools.timeline import Interval


class Answer:
    """As much of an answer as is judged."""

    def __init__(self, verdict: str, *spans: tuple[float, float], reasoning: str = "") -> None:
        self.verdict = verdict
        self.reasoning = reasoning
        self.intervals = [Found(span) for span in spans]


class Found:
    def __init__(self, span: tuple[float, float]) -> None:
        self.span = Interval(*span)


THERE = Labelled("v", "a dog", ((10, 20),))
NEVER = Labelled("v", "a cat")


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        (THERE, Answer("found", (9, 21)), "right"),
        (THERE, Answer("found", (9, 21), (40, 42)), "false"),
        (THERE, Answer("found", (0, 21)), "right"),
        (THERE, Answer("found", (0, 12)), "false"),
        (THERE, Answer("not_found"), "false"),
        (NEVER, Answer("not_found"), "right"),
        (NEVER, Answer("found", (0, 1)), "false"),
        (
            NEVER,
            Answer("found", (0, 1), reasoning="Unsure: no caption of it says “cat”."),
            "unsure",
        ),
        (THERE, Answer("found", (10, 20), reasoning="Unsure: no caption …"), "right"),
        (THERE, Answer("cannot_tell"), "unanswered"),
        (
            Labelled("v", "a dog", ((1, 2),), is_knowable=False),
            Answer("cannot_tell"),
            "open",
        ),
    ],
)
def test_false_is_what_lies_outside_of_the_truth_and_what_is_denied(
    question: Labelled, answer: Any, expected: str
) -> None:
    assert outcome(question, answer) == expected


@pytest.mark.parametrize("questions", [QUESTIONS, CAPTIONED])
def test_no_question_is_asked_twice_and_each_video_is_asked_of(
    questions: tuple[Labelled, ...],
) -> None:
    assert len({(one.video, one.query) for one in questions}) == len(questions) >= 150
    assert {one.video for one in questions} == {
        "one_by_one",
        "sam2_gallery_concat",
        "permissive_composite",
        "kitchen_ego",
    }
