"""What comes next to something: the time beside it where that is sure, else the sentence."""

import numpy as np

from tools.ranking import Ranking, Verdict, Window
from tools.retrieval.open_question import rank_beside
from tools.retrieval.question import read_question
from tools.timeline import Interval

ASKED = read_question("what does the man do after he opens the fridge")


def ranking(start_s: float, end_s: float, sure: float, *, found: bool = True) -> Ranking:
    window = Window(Interval(start_s, end_s), sure, sure)
    verdict: Verdict = "found" if found else "not_found"
    events = (window,) if found else ()
    return Ranking(verdict, (window,), events, np.zeros(2), "why", sure)


def ask(known: Ranking, whole: Ranking, end_s: float = 100.0) -> Ranking:
    answers = {ASKED.beside: known, ASKED.text: whole}

    def beside(span: Interval) -> Interval | None:
        return Interval(span.end_s, span.end_s + 4) if span.end_s < end_s else None

    return rank_beside(ASKED, answers.__getitem__, beside)


def test_the_time_after_what_is_sure_is_the_answer() -> None:
    answer = ask(ranking(10, 14, 0.8), ranking(8, 14, 0.9))
    assert [event.span for event in answer.events] == [Interval(14, 18)]
    assert [window.span for window in answer.windows] == [Interval(14, 18), Interval(8, 14)]
    assert answer.windows[1].confidence <= answer.windows[0].confidence
    assert "after “he opens the fridge”" in answer.reasoning


def test_the_sentence_answers_where_what_is_known_is_not_sure() -> None:
    assert ask(ranking(10, 14, 0.4), ranking(8, 14, 0.6)).events[0].span == Interval(8, 14)


def test_the_sentence_answers_where_nothing_comes_after() -> None:
    answer = ask(ranking(10, 14, 0.8), ranking(8, 14, 0.6), end_s=14.0)
    assert answer.events[0].span == Interval(8, 14)


def test_that_something_comes_next_is_taken_from_the_question() -> None:
    nothing = ranking(0, 1, 0.01, found=False)
    assert ask(nothing, ranking(8, 14, 0.21, found=False)).verdict == "found"


def test_nothing_is_believed_of_which_captions_say_too_little() -> None:
    nothing = ranking(0, 1, 0.01, found=False)
    assert ask(nothing, ranking(8, 14, 0.19, found=False)).verdict != "found"
