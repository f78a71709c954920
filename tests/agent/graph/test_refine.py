"""The refine step: edges of an accepted answer, looked at again more closely."""

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from agent.errors import VideoError
from agent.graph.refine import refine_edges
from agent.grounding import Cost
from agent.reasoning.answer import Answer, NumberedEvent
from agent.reasoning.edge_reply import EdgeLook
from tests.fakes import WordEmbedder
from tests.road import GOOD_REPLY, QUESTION, RECORD, ScriptedReasoner, ask, graph_with
from tests.tiers import first_fast
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Caption, Interval, Track
from tools.video.near_duplicates import POLICY

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
                Interval(start_s, min(start_s + step_s, 24.0)),
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


@pytest.mark.slow
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


class Together:
    """Looks at eight frames at once; the dog is there from ``start_s`` to ``end_s``."""

    def __init__(self, start_s: float, end_s: float, *, rng: random.Random | None = None) -> None:
        self.asked: list[Interval] = []
        self._seen = start_s, end_s
        self._rng = rng

    def __call__(self, record: VideoRecord, query: str, span: Interval) -> EdgeLook:
        self.asked.append(span)
        step_s = span.length_s / 7
        starts_s = [span.start_s + place * step_s for place in range(8)]
        starts_s = [start_s for start_s in starts_s if start_s < 24]
        shown = [self._seen[0] <= start_s < self._seen[1] for start_s in starts_s]
        if self._rng:
            shown = [self._rng.random() < self._rng.choice([0.0, 0.5, 1.0]) for _ in starts_s]
        track = Track("openai:tiny", "v3", f"frame@4/s together {span.start_s:g}-{span.end_s:g}")
        captions = [
            Caption(
                record.video_id,
                Interval(start_s, min(start_s + step_s, 24.0)),
                "Under way.",
                "vision",
                track,
            )
            for start_s in starts_s
        ]
        return EdgeLook(captions, shown, Cost(captions=1, tokens_in=100))


def test_one_request_decides_an_edge_and_the_answer_stays_as_it_was_said(
    store: CaptionStore,
) -> None:
    reply = {
        "steps": [{"caption": 4, "role": "before", "why": "empty"}],
        "found": True,
        "events": [{"first": 5, "last": 7}],
    }
    together, closer = Together(6.9, 12.7), Closer()
    reasoner = ScriptedReasoner(json.dumps(reply))
    answer = refined(store, reasoner, closer, edge_looks=together)
    (interval,) = answer.intervals
    assert interval.start_s == pytest.approx(6.9, abs=1 / 7)
    assert interval.end_s == pytest.approx(12.7, abs=1 / 7)
    assert interval.start_precision_s == pytest.approx(1 / 7)
    assert (together.asked, closer.asked) == ([Interval(6, 8), Interval(12, 14)], [])
    assert (answer.refusals, answer.attempts, len(reasoner.asked)) == ((), 1, 1)
    assert answer.usage.stages["captioner"].captions == 2


def test_an_edge_that_all_looks_show_walks_outward_once(store: CaptionStore) -> None:
    together = Together(0.0, 20.0)
    (interval,) = refined(
        store, ScriptedReasoner(GOOD_REPLY), Closer(), edge_looks=together
    ).intervals
    assert together.asked == [Interval(6, 8), Interval(4, 6), Interval(12, 14), Interval(14, 16)]
    assert interval.start_s <= 4.0
    assert interval.end_s >= 16.0


def test_an_edge_that_all_looks_deny_moves_to_the_other_side(store: CaptionStore) -> None:
    together = Together(8.5, 11.5)
    (interval,) = refined(
        store, ScriptedReasoner(GOOD_REPLY), Closer(), edge_looks=together
    ).intervals
    assert together.asked == [Interval(6, 8), Interval(8, 10), Interval(12, 14), Interval(10, 12)]
    assert 8.25 <= interval.start_s <= 8.5
    assert 11.25 <= interval.end_s <= 11.75
    assert interval.start_precision_s < 0.5, "it is decided there, and not put at the next caption"


def test_an_edge_that_looks_deny_further_in_too_lies_at_the_next_caption(
    store: CaptionStore,
) -> None:
    together = Together(10.2, 11.0)
    (interval,) = refined(
        store, ScriptedReasoner(GOOD_REPLY), Closer(), edge_looks=together
    ).intervals
    assert together.asked[:2] == [Interval(6, 8), Interval(8, 10)]
    assert 8.0 < interval.start_s <= 10.0


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "answers"), first_fast((3, 12), (4, 190)))
def test_whatever_looks_say_intervals_are_valid_and_calls_are_bounded(
    store: CaptionStore, seed: int, answers: int
) -> None:
    rng = random.Random(seed)
    for _ in range(answers):
        first = rng.randint(1, 12)
        last = rng.randint(first, 12)
        said = {"steps": [], "found": True, "events": [{"first": first, "last": last}]}
        together = Together(0, 0, rng=rng)
        reasoner = ScriptedReasoner(json.dumps(said))
        answer = refined(store, reasoner, Closer(), edge_looks=together)
        (interval,) = answer.intervals
        assert 0 <= interval.start_s < interval.end_s <= 24
        assert len(together.asked) <= 4
        assert answer.refusals == ()


def test_the_stretches_that_captions_are_held_over_are_looked_into() -> None:
    track = Track("openai:tiny", "v1", f"frame@1/s {POLICY}")
    said = [(0.0, 8.0, ROAD), (8.0, 9.0, DOG), (9.0, 16.0, DOG), (16.0, 24.0, ROAD)]
    captions = [
        Caption("video1", Interval(start_s, end_s), text, "vision", track)
        for start_s, end_s, text in said
    ]
    together = Together(3.0, 12.0)
    event = NumberedEvent(first=2, last=3)
    looked = refine_edges(
        Answer(steps=(), found=True, events=(event,)),
        captions,
        WATCHED,
        QUESTION.query,
        closer=Closer(),
        embedder=WordEmbedder(),
        edge_looks=together,
    )
    assert together.asked == [Interval(0, 8), Interval(9, 16)]
    first, last = (
        looked.captions[number - 1]
        for number in (looked.events[0].event.first, looked.events[0].event.last)
    )
    assert 3.0 <= first.start_s < 4.5, "it began in a stretch that was not described again"
    assert 11.0 <= last.start_s < 12.0, "and ended in one"
