"""What is measured answers beside captions if it is asked for; else captions do."""

import numpy as np
import pytest

from tools.captioners.classical import VERSION
from tools.ranking import Ranking, Verdict, Window
from tools.retrieval.fusion import Voice, fuse
from tools.retrieval.measured_need import can_be_measured, may_be_read, measured_need
from tools.timeline import Caption, Interval, Source, Track

DESCRIBED = Track("file:abc", "", "file")
MEASURED = Track(VERSION, "", "frame@1/s")


def voice(track: Track, verdict: Verdict, at_s: float, *, is_exact: bool = False) -> Voice:
    source: Source = "signal" if track == MEASURED else "vision"
    captions = [
        Caption("video", Interval(second, second + 1), f"{source} {second}", source, track)
        for second in range(20)
    ]
    windows = (Window(Interval(at_s, at_s + 1), 0.9, 0.9),)
    relevance = np.zeros(20)
    relevance[int(at_s)] = 1.0
    events = windows if verdict == "found" else ()
    kept = () if verdict == "cannot_tell" else windows
    return Voice.of(
        captions, Ranking(verdict, kept, events, relevance, track.model, is_exact=is_exact)
    )


@pytest.mark.parametrize(
    ("described", "measured", "is_exact", "answers", "verdict"),
    [
        ("found", "found", True, MEASURED, "found"),
        ("found", "not_found", True, MEASURED, "not_found"),
        ("found", "found", False, DESCRIBED, "found"),
        ("not_found", "found", False, MEASURED, "found"),
        ("cannot_tell", "not_found", False, MEASURED, "not_found"),
        ("not_found", "cannot_tell", False, DESCRIBED, "not_found"),
    ],
)
def test_one_source_answers_and_is_named(
    described: Verdict, measured: Verdict, is_exact: bool, answers: Track, verdict: Verdict
) -> None:
    both = [voice(DESCRIBED, described, 3), voice(MEASURED, measured, 12, is_exact=is_exact)]
    captions, ranking = fuse(both)
    assert ranking.verdict == verdict
    assert [one.track for one in ranking.heard if one.answers] == [answers.key]
    assert {event.track for event in ranking.events} <= {answers.key}
    assert sum(one.source == "signal" for one in captions) < 20  # Only those near what answers.


@pytest.mark.parametrize(
    ("query", "need"),
    [
        ("the third cut", "picture"),
        ("the screen turns orange", "picture"),
        ("black screen", "picture"),
        ("a dog barks after the second cut", "picture"),
        ('the title "The End"', "text"),
        ("when does $48,230 appear?", "text"),
        ("something enters", None),
        ("a woman in a red coat", None),
    ],
)
def test_a_video_is_measured_beside_captions_only_where_that_is_asked_for(
    query: str, need: str | None
) -> None:
    assert measured_need(query) == need


@pytest.mark.parametrize(
    ("query", "is_hopeless"),
    [
        ("a woman dances", True),
        ("something enters", False),
        ("when is Anna here", False),
        ("the third cut", False),
    ],
)
def test_what_no_sense_can_know_is_known_before_one_looks(query: str, is_hopeless: bool) -> None:
    assert (not can_be_measured(query) and not may_be_read(query)) is is_hopeless
