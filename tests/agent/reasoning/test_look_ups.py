"""Looking up: what the tools give, what they say where they cannot, and how numbers grow."""

import json
from dataclasses import replace
from typing import Any

import pytest

from agent.errors import CaptionerError
from agent.grounding import Cost
from agent.reasoning.reply import Reply, Request
from tests.road import (
    GOOD_REPLY,
    QUESTION,
    RECORD,
    TRACK,
    ScriptedReasoner,
    ask,
    graph_with,
)
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Caption, Interval, Track

CLOSER = Track("openai:tiny", "v2", "frame@2/s 6-9")
WATCHED = replace(RECORD, rate_hz=0.5)


def asks(tool: str, **arguments: Any) -> Reply:
    return Reply("", (Request(tool, arguments),))


class CloserLook:
    """Finds that the dog is there from 7 s on, half a second at a time."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[tuple[str, Interval, float]] = []
        self._error = error

    def __call__(
        self, record: VideoRecord, query: str, span: Interval, *, rate_hz: float
    ) -> tuple[list[Caption], Cost]:
        self.asked.append((query, span, rate_hz))
        if self._error:
            raise self._error
        starts_s = (6.0, 6.5, 7.0, 7.5)
        texts = ["an empty road"] * 2 + ["a dog begins to jump"] * 2
        return [
            Caption("video1", Interval(start_s, start_s + 0.5), text, "vision", CLOSER)
            for start_s, text in zip(starts_s, texts, strict=True)
        ], Cost(captions=4, tokens_in=40, tokens_out=8, usd=0.01)


def watched(*_: Any, **__: Any) -> tuple[VideoRecord, Cost]:
    return WATCHED, Cost()


def graph_of(store: CaptionStore, reasoner: ScriptedReasoner, **parts: Any) -> Any:
    return graph_with(store, reasoner, **({"watch": watched, "refine": False} | parts))


def test_a_closer_look_makes_an_edge_finer(store: CaptionStore) -> None:
    reply = {
        "steps": [
            {"caption": 4, "role": "before", "why": "empty"},
            {"caption": 14, "role": "before"},
        ],
        "found": True,
        "events": [{"first": 15, "last": 7}],
    }
    look = asks("look_closer", start_s=6, end_s=8, rate_hz=2)
    closer = CloserLook()
    answer = ask(graph_of(store, ScriptedReasoner(look, json.dumps(reply)), closer=closer))
    assert closer.asked == [(QUESTION.query, Interval(6, 8), 2.0)]
    assert answer.refusals == ()
    interval = answer.intervals[0]
    assert (interval.start_s, interval.end_s) == (6.75, 14.0)
    assert (interval.start_precision_s, interval.end_precision_s) == (0.25, 2.0)
    assert [(one.role, one.start_s) for one in interval.evidence] == [
        ("before", 6.5),
        ("start", 7.0),
        ("end", 12.0),
        ("after", 14.0),
    ]
    assert answer.usage.stages["captioner"] == Cost(
        captions=4, tokens_in=40, tokens_out=8, usd=0.01
    )
    assert (answer.usage.captions, answer.usage.usd) == (4, 0.01)


def test_numbers_grow_by_what_was_not_shown_before(store: CaptionStore) -> None:
    look = asks("look_closer", start_s=6, end_s=8, rate_hz=2)
    reasoner = ScriptedReasoner(look, look, GOOD_REPLY)
    answer = ask(graph_of(store, reasoner, closer=CloserLook()))
    assert [len(brief.captions) for brief in reasoner.asked] == [12, 16, 16]
    assert [brief.rounds_left for brief in reasoner.asked] == [3, 2, 1]
    assert all(brief.opening == 12 for brief in reasoner.asked)
    assert answer.look_ups[0].caption_ids == answer.look_ups[1].caption_ids


def test_the_same_look_twice_in_one_reply_gives_every_caption_one_number(
    store: CaptionStore,
) -> None:
    look = asks("look_closer", start_s=6, end_s=8, rate_hz=2)
    reasoner = ScriptedReasoner(replace(look, requests=look.requests * 2), GOOD_REPLY)
    ask(graph_of(store, reasoner, closer=CloserLook()))
    ids = [caption.id for caption in reasoner.asked[1].captions]
    assert len(ids) == len(set(ids)) == 16


def test_searching_gives_the_captions_that_fit_in_time_order(store: CaptionStore) -> None:
    reasoner = ScriptedReasoner(asks("search_captions", text="a fence"), GOOD_REPLY)
    found = ask(graph_of(store, reasoner)).look_ups[0].caption_ids
    captions = reasoner.asked[0].captions
    assert {one.id for one in captions[4:7]} <= set(found)
    assert list(found) == [one.id for one in captions if one.id in found]


def test_reading_gives_every_caption_of_a_stretch(store: CaptionStore) -> None:
    reasoner = ScriptedReasoner(asks("read_captions", start_s=3, end_s=8), GOOD_REPLY)
    found = ask(graph_of(store, reasoner)).look_ups[0].caption_ids
    assert list(found) == [one.id for one in reasoner.asked[0].captions[1:4]]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (asks("delete_captions"), "no tool of that name; there are search_captions, read_captions"),
        (asks("read_captions", start_s=8), "end_s: Field required"),
        (asks("read_captions", start_s=8, end_s=3), "must end after it starts"),
        (asks("read_captions", start_s=-1, end_s=3), "greater than or equal to 0"),
        (asks("read_captions", start_s=100, end_s=200), "No caption was found"),
        (asks("search_captions", text="x", page=2), "Extra inputs"),
        (asks("look_closer", start_s=6, end_s=8, rate_hz=2), "no tool of that name"),
    ],
)
def test_what_cannot_be_looked_up_is_said_and_costs_no_attempt(
    request_: Reply, told: str, store: CaptionStore
) -> None:
    answer = ask(graph_of(store, ScriptedReasoner(request_, GOOD_REPLY)))
    assert told in answer.look_ups[0].note
    assert answer.look_ups[0].caption_ids == ()
    assert (answer.by, answer.attempts) == ("llm", 1)


def test_a_closer_look_that_fails_is_said_and_the_answer_goes_on(store: CaptionStore) -> None:
    look = asks("look_closer", start_s=6, end_s=8, rate_hz=2)
    closer = CloserLook(CaptionerError("the file is gone"))
    answer = ask(graph_of(store, ScriptedReasoner(look, GOOD_REPLY), closer=closer))
    assert "the file is gone" in answer.look_ups[0].note
    assert answer.by == "llm"


@pytest.mark.parametrize(
    ("record", "closer", "offered"),
    [(WATCHED, CloserLook(), True), (WATCHED, None, False), (RECORD, CloserLook(), False)],
)
def test_a_closer_look_is_offered_only_where_frames_were_described(
    record: VideoRecord, closer: Any, offered: bool, store: CaptionStore
) -> None:
    reasoner = ScriptedReasoner(GOOD_REPLY)
    ask(graph_with(store, reasoner, watch=lambda *_, **__: (record, Cost()), closer=closer))
    names = [tool.name for tool in reasoner.asked[0].tools()]
    assert names[:2] == ["search_captions", "read_captions"]
    assert ("look_closer" in names) is offered


def test_nothing_is_offered_where_look_ups_are_off(store: CaptionStore) -> None:
    reasoner = ScriptedReasoner(asks("search_captions", text="a dog"), GOOD_REPLY)
    answer = ask(graph_of(store, reasoner, max_look_ups=0))
    assert list(reasoner.asked[0].tools()) == []
    assert answer.look_ups == ()
    assert [one.kind for one in answer.refusals] == ["no_json"]


def test_long_stretches_are_shown_in_part_and_that_is_said(store: CaptionStore) -> None:
    long = [
        Caption("video1", Interval(24.0 + i, 25.0 + i), f"screen {i} " * 99, "screen", TRACK)
        for i in range(30)
    ]
    vectors = [[1.0] * 64 for _ in long]
    store.add(long, vectors)
    record = replace(WATCHED, duration_s=54.0)
    reasoner = ScriptedReasoner(asks("read_captions", start_s=24, end_s=54), GOOD_REPLY)
    graph = graph_with(store, reasoner, watch=lambda *_, **__: (record, Cost()))
    note = ask(graph).look_ups[0].note
    assert "of 30 captions; ask for less" in note


def test_look_ups_can_be_followed_as_they_happen(store: CaptionStore) -> None:
    reasoner = ScriptedReasoner(asks("search_captions", text="a dog"), "nonsense", GOOD_REPLY)
    events = list(graph_of(store, reasoner).stream(QUESTION, stream_mode="custom"))
    assert [(one["event"], one["node"]) for one in events] == [
        ("look_up", "look_up"),
        ("refusal", "check"),
    ]
    assert events[0]["tool"] == "search_captions"
