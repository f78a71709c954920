"""What a judge's reply says, and what it does to the order of windows."""

import math
from typing import Any

import pytest

from agent.reasoning.judge import (
    MOST_CALLS,
    JudgedSpan,
    apart,
    frames_for,
    ranked,
    read_verdict,
    worth_judging,
)
from tests.servers import says
from tools.llm.completion import Completion, read_completion
from tools.ranking import Window
from tools.timeline import Interval

SPAN = Interval(4, 8)


def reply(text: str, *tokens: dict[str, float]) -> Completion:
    """A reply whose tokens had these alternatives; the first of each was said."""
    content = [
        {
            "token": next(iter(options)),
            "logprob": math.log(next(iter(options.values()))),
            "top_logprobs": [
                {"token": token, "logprob": math.log(share)} for token, share in options.items()
            ],
        }
        for options in tokens
    ]
    told: dict[str, Any] = {"content": content} if tokens else {}
    return Completion(text, "", "stop", thought=False, fault="", logprobs=told.get("content", ()))


@pytest.mark.parametrize(
    ("said", "shows"),
    [
        ("yes", 1.0),
        ("No.", 0.0),
        ("**Part**", 0.5),
        ("Partly", 0.5),
        ('{"shown": "yes"}', 1.0),
        ("No, the road is empty, and no dog is in any part of it.", 0.0),
        ("Answer: yes", 1.0),
    ],
)
def test_a_word_is_read_where_there_are_no_odds(said: str, shows: float) -> None:
    verdict = read_verdict(reply(said), SPAN, 4)
    assert verdict is not None
    assert (verdict.shows, verdict.by) == (shows, "word")


@pytest.mark.parametrize("said", ["", "a road", "yes or no", "I think that no part of it says yes"])
def test_what_is_no_verdict_is_none(said: str) -> None:
    assert read_verdict(reply(said), SPAN, 4) is None


def test_the_odds_of_the_first_token_count_however_it_is_spelt() -> None:
    odds = {"No": 0.5, " yes": 0.2, "YES": 0.1, "part": 0.1, "the": 0.1}
    verdict = read_verdict(reply("No", odds), SPAN, 4)
    assert verdict is not None
    assert verdict.shows == pytest.approx((0.3 + 0.05) / 0.9)
    assert (verdict.says, verdict.by) == ("no", "odds")


def test_odds_are_those_of_the_answer_and_not_of_the_thoughts_before_it() -> None:
    thought = [{"<think>": 1.0}, {"yes": 0.99}, {"</think>": 1.0}]
    verdict = read_verdict(reply("no", *thought, {"no": 0.8, "yes": 0.2}), SPAN, 4)
    assert verdict is not None
    assert verdict.shows == pytest.approx(0.2)


@pytest.mark.parametrize("huge", [10**400, -(10**400), 1e999, -1e999, float("nan"), True, None])
def test_odds_that_are_no_odds_do_no_harm(huge: Any) -> None:
    rows = [{"token": "yes", "logprob": -0.1}, {"token": "no", "logprob": huge}]
    token = {"token": "yes", "logprob": -0.1, "top_logprobs": rows}
    said = Completion("yes", "", "stop", thought=False, fault="", logprobs=[token])
    verdict = read_verdict(said, SPAN, 4)
    assert verdict is not None
    assert 0 <= verdict.shows <= 1


def test_a_stream_tells_the_odds_too() -> None:
    piece = (
        b'data: {"choices": [{"delta": {"content": "yes"}, "logprobs": {"content": [{"token": '
        b'"yes", "logprob": -0.1, "top_logprobs": []}]}}]}\n\n'
    )
    whole = read_completion("text/event-stream", piece + b"data: [DONE]\n\n")
    assert whole is not None
    assert len(whole.logprobs) == 1
    plain = read_completion("application/json", says("yes").body)
    assert plain is not None
    assert plain.logprobs == ()


WINDOWS = [
    Window(Interval(10.0 * place, 10.0 * place + 5), 5.0 - place, 0.9 - 0.2 * place)
    for place in range(4)
]


def judged(*shown: float) -> list[JudgedSpan]:
    return [
        JudgedSpan(window.span, one, "yes", "odds", 4)
        for window, one in zip(WINDOWS, shown, strict=False)
    ]


def test_the_judge_orders_windows_and_confidences_stay_with_the_ranks() -> None:
    order = ranked(WINDOWS, judged(0.2, 0.1, 0.9, 0.2))
    assert [window.span.start_s for window in order] == [20, 0, 30, 10]
    assert [window.confidence for window in order] == [one.confidence for one in WINDOWS]


def test_where_the_judge_tells_no_difference_the_grounders_order_stands() -> None:
    assert [one.span for one in ranked(WINDOWS, judged(1, 1, 1, 1))] == [
        one.span for one in WINDOWS
    ]
    assert ranked([], []) == []


def test_verdicts_that_differ_by_less_than_noise_leave_the_grounders_order() -> None:
    assert ranked(WINDOWS, judged(0.001, 0.002, 0.003, 0.009)) == list(WINDOWS)


@pytest.mark.parametrize("sure", [0.1, 0.9])
def test_a_window_that_was_not_judged_does_not_beat_the_best_of_those_that_were(
    sure: float,
) -> None:
    order = ranked(WINDOWS, judged(sure - 0.1, sure))
    assert order[0].span == WINDOWS[1].span
    assert ranked(WINDOWS, judged(sure)) == list(WINDOWS), "one verdict compares nothing"


def test_windows_much_like_a_better_one_are_not_judged_again() -> None:
    spans = [Interval(0, 10), Interval(0.5, 10), Interval(20, 30)]
    assert worth_judging(spans) == [spans[0], spans[2]]
    assert len(worth_judging([Interval(i, i + 1) for i in range(0, 60, 2)])) == MOST_CALLS


def test_two_to_four_frames_are_shown_by_length() -> None:
    assert [frames_for(Interval(0, end_s)) for end_s in (0.1, 2, 4, 100)] == [2, 2, 3, 4]


def test_events_chosen_by_rank_are_apart() -> None:
    overlapping = Window(Interval(2, 12), 1.0, 0.5)
    assert apart([WINDOWS[0], overlapping, WINDOWS[1]], 2) == [WINDOWS[0], WINDOWS[1]]
