"""What the senses know and leave open is not answered by captions that say nothing of it."""

import numpy as np
import pytest

from tools.ranking import Ranking, Verdict, Window
from tools.retrieval.fusion import Voice
from tools.retrieval.left_open import without_guesses
from tools.timeline import Caption, Interval, Source, Track

FILE, SENSES = Track("file:1", "", "file"), Track("classical-4", "", "frame@1/s")
EVENT = Window(Interval(0.0, 1.0), 0.5, 0.5)


def voice(
    text: str, verdict: Verdict, *, source: Source = "vision", is_exact: bool = False
) -> Voice:
    track = SENSES if source == "signal" else FILE
    events = (EVENT,) if verdict == "found" else ()
    ranking = Ranking(verdict, events, events, np.zeros(1), "why", is_exact=is_exact)
    return Voice([Caption("v", Interval(0.0, 1.0), text, source, track)], ranking, track)


OPEN = voice("The camera is still.", "cannot_tell", source="signal", is_exact=True)


@pytest.mark.parametrize(
    ("query", "caption", "verdict"),
    [
        ("the camera pans", "two hands at letter blocks", "cannot_tell"),
        ("the camera pans", "the camera pans over a row of blocks", "found"),
        ("the camera moves to the left", "a man moves to the left", "cannot_tell"),
        ("the camera moves to the left", "the camera moves left along a wall", "found"),
        ("the screen freezes", "a hand at a phone with a black screen", "cannot_tell"),
        ("it becomes blue", "a blue mug fills the picture", "found"),
        ("it becomes blue", "a dog on a path", "cannot_tell"),
    ],
)
def test_captions_answer_what_the_senses_leave_open_if_they_say_it(
    query: str, caption: str, verdict: Verdict
) -> None:
    heard, _ = without_guesses(query, [voice(caption, "found"), OPEN])
    assert heard.ranking.verdict == verdict
    assert bool(heard.ranking.events) == (verdict == "found")


@pytest.mark.parametrize("beside", [None, "not_found", "cannot_tell"])
def test_where_the_senses_do_not_know_it_captions_answer_by_likeness(
    beside: Verdict | None,
) -> None:
    described = voice("two hands at letter blocks", "found")
    others = [voice("The camera is still.", beside, source="signal")] if beside else []
    assert without_guesses("somebody plays", [described, *others])[0] is described
