"""The refine step: edges of an accepted answer, looked at again more closely."""

from dataclasses import replace
from typing import Any

import pytest

from agent.errors import VideoError
from agent.grounding import Cost
from tests.road import GOOD_REPLY, QUESTION, RECORD, ScriptedReasoner, ask, graph_with
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Caption, Interval, Track

WATCHED = replace(RECORD, rate_hz=0.5)
DOG = "a brown dog jumps over a fence"
ROAD = "an empty grey road"


class Closer:
    """Sees the dog from 7 s to 12.5 s; says so in the activity prompt's words, or in its own."""

    def __init__(self, *, denies: str = "", error: Exception | None = None) -> None:
        self.asked: list[tuple[Interval, float]] = []
        self._denies = denies
        self._error = error

    def __call__(
        self, record: VideoRecord, query: str, span: Interval, *, rate_hz: float
    ) -> tuple[list[Caption], Cost]:
        assert (record, query) == (WATCHED, QUESTION.query)
        self.asked.append((span, rate_hz))
        if self._error:
            raise self._error
        step_s = 1 / rate_hz
        starts_s = [
            span.start_s + index * step_s for index in range(round(span.length_s * rate_hz))
        ]
        track = Track("openai:tiny", "v2", f"frame@{rate_hz:g}/s {span.start_s:g}-{span.end_s:g}")
        looks = [
            Caption(
                record.video_id,
                Interval(start_s, start_s + step_s),
                DOG if 7.0 <= start_s < 12.5 else f"{self._denies}{ROAD}",
                "vision",
                track,
            )
            for start_s in starts_s
        ]
        return looks, Cost(captions=len(looks), tokens_in=10, usd=0.1)


def refined(store: CaptionStore, reasoner: ScriptedReasoner, closer: Closer, **parts: Any) -> Any:
    given = {"watch": lambda *_, **__: (WATCHED, Cost()), "closer": closer}
    return ask(graph_with(store, reasoner, **(given | parts)))


@pytest.mark.parametrize("denies", ["", "Not shown. "])
def test_both_edges_are_decided_again_and_say_how_fine_they_are(
    store: CaptionStore, denies: str
) -> None:
    closer = Closer(denies=denies)
    answer = refined(store, ScriptedReasoner(GOOD_REPLY), closer)
    assert closer.asked == [(Interval(6.0, 8.0), 4.0), (Interval(12.0, 14.0), 4.0)]
    (interval,) = answer.intervals
    assert (interval.start_s, interval.end_s) == (6.875, 12.375)
    assert (interval.start_precision_s, interval.end_precision_s) == (0.125, 0.125)
    assert (interval.start_by, interval.end_by) == ("closer_look", "closer_look")
    assert [(one.role, one.start_s) for one in interval.evidence][:2] == [
        ("before", 6.75),
        ("start", 7.0),
    ]
    assert (answer.by, answer.attempts) == ("llm", 1)
    assert answer.usage.stages["captioner"] == Cost(captions=16, tokens_in=20, usd=0.2)


def test_a_fallback_is_refined_and_stays_a_fallback(store: CaptionStore) -> None:
    answer = refined(store, ScriptedReasoner("no"), Closer(), max_attempts=1)
    assert (answer.by, answer.intervals[0].start_s) == ("fallback", 6.875)


def test_edges_that_cannot_be_looked_at_stay_and_the_answer_says_why(store: CaptionStore) -> None:
    closer = Closer(error=VideoError("road.mp4 is gone"))
    answer = refined(store, ScriptedReasoner(GOOD_REPLY), closer)
    assert (answer.intervals[0].start_s, answer.intervals[0].end_s) == (8.0, 14.0)
    assert (answer.intervals[0].start_by, answer.warning) == ("caption", "road.mp4 is gone")


def test_what_is_not_there_is_not_looked_at(store: CaptionStore) -> None:
    closer = Closer()
    answer = refined(store, ScriptedReasoner('{"steps": [], "found": false}'), closer)
    assert (answer.verdict, closer.asked) == ("not_found", [])


@pytest.mark.parametrize("off", [{"refine": False}, {"watch": lambda *_, **__: (RECORD, Cost())}])
def test_nothing_is_refined_where_it_is_off_or_captions_came_from_a_file(
    store: CaptionStore, off: dict[str, Any]
) -> None:
    closer = Closer()
    assert refined(store, ScriptedReasoner(GOOD_REPLY), closer, **off).intervals[0].start_s == 8.0
    assert closer.asked == []


def test_an_event_that_begins_with_the_video_keeps_that_edge(store: CaptionStore) -> None:
    reply = '{"steps": [], "found": true, "events": [{"first": 1, "last": 7}]}'
    closer = Closer()
    (interval,) = refined(store, ScriptedReasoner(reply), closer).intervals
    assert (interval.start_s, interval.start_by, interval.start_precision_s) == (0.0, "video", 0.0)
    assert (interval.end_s, len(closer.asked)) == (12.375, 1)
