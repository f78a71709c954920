"""What is said in a video, beside what is seen: one answer from both, each line with its source."""

import json
from dataclasses import replace
from pathlib import Path

from agent.grounding import Cost
from agent.reasoning.brief import SimilarityReasoner
from agent.reasoning.reply import Reply, Request
from tests.fakes import WordEmbedder
from tests.road import QUESTION, RECORD, ScriptedReasoner, ask, graph_with, stored
from tools.timeline import Caption, Interval, Track

SUBTITLES = Track("subtitles:abc", "", "subtitles")
CUES = {(3.0, 4.5): "welcome to the old road", (17.0, 19.0): "the ferry leaves at noon"}


def say(store: object, *, complete: bool = True) -> None:
    """Put the cues beside the captions of the road."""
    cues = [
        Caption(RECORD.video_id, Interval(*span), text, "subtitle", SUBTITLES)
        for span, text in CUES.items()
    ]
    store.add(cues, WordEmbedder().embed([cue.text for cue in cues]))  # type: ignore[attr-defined]
    store.put_record(  # type: ignore[attr-defined]
        replace(RECORD, track=SUBTITLES, complete=complete, captions=len(cues))
    )


def test_what_is_said_is_found_with_its_own_edges_and_its_source(tmp_path: Path) -> None:
    question = QUESTION.model_copy(update={"query": "the ferry leaves at noon"})
    with stored(tmp_path) as store:
        say(store)
        answer = ask(graph_with(store, SimilarityReasoner()), question)
    assert answer.verdict == "found"
    assert (answer.intervals[0].start_s, answer.intervals[0].end_s) == (17.0, 19.0)
    proof = [one for one in answer.intervals[0].evidence if one.role == "start"]
    assert [(one.source, one.text) for one in proof] == [("subtitle", "the ferry leaves at noon")]


def test_what_is_seen_is_found_as_before(tmp_path: Path) -> None:
    with stored(tmp_path) as store:
        before = ask(graph_with(store, SimilarityReasoner()))
        say(store)
        beside = ask(graph_with(store, SimilarityReasoner()))
    spans = [(one.start_s, one.end_s) for one in before.intervals]
    assert spans == [(one.start_s, one.end_s) for one in beside.intervals] == [(8.0, 14.0)]
    assert beside.intervals[0].start_precision_s == before.intervals[0].start_precision_s


def test_a_reasoner_is_shown_both_in_time_order_and_looks_up_both(tmp_path: Path) -> None:
    look = Request("read_captions", {"start_s": 16.0, "end_s": 20.0})
    found = json.dumps({"steps": [], "found": True, "events": [{"first": 5, "last": 5}]})
    reasoner = ScriptedReasoner(Reply("", (look,)), found)
    with stored(tmp_path) as store:
        say(store)
        answer = ask(graph_with(store, reasoner))
    shown = reasoner.asked[0].captions
    assert [one.source for one in shown].count("subtitle") == 2
    assert list(shown) == sorted(shown, key=lambda one: one.span)
    (told,) = answer.look_ups
    assert len(told.caption_ids) == 3


def test_cues_that_are_not_all_there_yet_are_not_used(tmp_path: Path) -> None:
    reasoner = ScriptedReasoner('{"steps": [], "found": false, "events": []}')
    with stored(tmp_path) as store:
        say(store, complete=False)
        answer = ask(graph_with(store, reasoner))
    assert {one.source for one in reasoner.asked[0].captions} == {"vision"}
    assert answer.usage.stages["captioner"] == Cost()
