"""The graph with real LangGraph and real Chroma; only the reasoner is scripted."""

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

from agent.errors import QueryError, SettingsError
from agent.graph.dependencies import Dependencies
from agent.graph.graph import build_graph
from agent.graph.state import Options, Question
from agent.grounding import Cost
from agent.reasoning.brief import SimilarityReasoner
from tests.fakes import WordEmbedder
from tests.road import GOOD_REPLY, QUESTION, RECORD, ScriptedReasoner, ask, graph_with, watch
from tools.indexing.indexer import Report
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Interval

GOLDEN = Path(__file__).parents[2] / "golden" / "graph.mmd"


def test_the_llm_free_reasoner_finds_the_dog(store: CaptionStore) -> None:
    answer = ask(graph_with(store, SimilarityReasoner()))
    assert answer.verdict == "found"
    assert answer.by == "similarity"
    assert answer.intervals[0].span.iou(Interval(8, 14)) > 0.99


def test_caption_numbers_become_seconds_with_the_captions_around_each_edge(
    store: CaptionStore,
) -> None:
    answer = ask(graph_with(store, ScriptedReasoner(GOOD_REPLY)))
    interval = answer.intervals[0]
    assert (interval.start_s, interval.end_s) == (8.0, 14.0)
    assert (interval.start_precision_s, interval.end_precision_s) == (2.0, 2.0)
    assert [(one.role, one.start_s) for one in interval.evidence] == [
        ("before", 6.0),
        ("start", 8.0),
        ("end", 12.0),
        ("after", 14.0),
    ]
    assert answer.by == "llm"
    assert "the dog is there" in answer.reasoning


def test_a_refused_reply_is_told_to_the_reasoner_and_tried_again(store: CaptionStore) -> None:
    reasoner = ScriptedReasoner("at about four", GOOD_REPLY)
    answer = ask(graph_with(store, reasoner))
    assert answer.attempts == 2
    assert [refusal.kind for refusal in answer.refusals] == ["no_json"]
    assert reasoner.asked[1].refusals[0].reply == "at about four"
    assert "no JSON object" in reasoner.asked[1].refusals[0].message


def test_after_the_last_attempt_the_llm_free_answer_stands_in(store: CaptionStore) -> None:
    reversed_reply = '{"found": true, "events": [{"first": 7, "last": 5}]}'
    answer = ask(graph_with(store, ScriptedReasoner(*[reversed_reply] * 3)))
    assert answer.by == "fallback"
    assert [refusal.kind for refusal in answer.refusals] == ["reversed"] * 3
    assert answer.intervals[0].span.iou(Interval(8, 14)) > 0.99


def test_not_in_this_video_is_an_answer_and_carries_the_closest_window(
    store: CaptionStore,
) -> None:
    answer = ask(graph_with(store, ScriptedReasoner('{"found": false}')))
    assert answer.verdict == "not_found"
    assert answer.intervals == ()
    assert answer.closest_rejected is not None


def test_an_order_in_a_video_seen_in_part_is_one_of_that_part(store: CaptionStore) -> None:
    half = replace(RECORD, duration_s=60.0)
    last = QUESTION.model_copy(update={"query": "the last time a dog jumps"})
    parts = Dependencies(
        lambda *_, **__: (half, Cost()), store, WordEmbedder(), SimilarityReasoner()
    )
    answer = ask(build_graph(parts), last)
    assert answer.verdict == "found"
    assert "only 24 of 60 s were seen" in answer.warning
    assert ask(build_graph(parts)).warning == ""
    assert ask(graph_with(store, SimilarityReasoner()), last).warning == ""


def test_a_run_may_decide_how_often_and_by_whom_it_is_answered(store: CaptionStore) -> None:
    graph = graph_with(
        store, ScriptedReasoner("nonsense"), open_reasoner=lambda _: SimilarityReasoner()
    )
    once = graph.invoke(QUESTION, context=Options(max_attempts=1))["grounding"]
    assert (once["by"], once["attempts"]) == ("fallback", 1)
    other = graph.invoke(QUESTION, context=Options(reasoner="similarity"))["grounding"]
    assert (other["by"], other["models"]["reasoner"]) == ("similarity", "similarity")
    alone = graph_with(store, SimilarityReasoner())
    with pytest.raises(SettingsError, match="only by similarity, not by openai:tiny"):
        alone.invoke(QUESTION, context=Options(reasoner="openai:tiny"))


def test_a_graph_around_it_may_have_a_context_of_its_own(store: CaptionStore) -> None:
    @dataclass
    class Theirs:
        colour: str

    outer: Any = StateGraph(Theirs, context_schema=Theirs)
    inner = graph_with(store, SimilarityReasoner())
    found = []

    def ask_inside(_: Theirs) -> dict[str, str]:
        found.append(inner.invoke(QUESTION)["grounding"]["verdict"])
        return {}

    outer.add_node("ask", ask_inside)
    outer.add_edge(START, "ask")
    outer.compile().invoke(Theirs("red"), context=Theirs("blue"))
    assert found == ["found"]


def test_a_stretch_is_judged_by_what_was_seen_of_it(store: CaptionStore) -> None:
    half = replace(RECORD, duration_s=60.0)
    graph = build_graph(
        Dependencies(lambda *_, **__: (half, Cost()), store, WordEmbedder(), SimilarityReasoner())
    )

    def asked(start_s: float, end_s: float) -> str:
        return ask(graph, QUESTION.model_copy(update={"within": (start_s, end_s)})).verdict

    assert asked(0, 20) == "found"
    assert asked(14, 24) == "not_found"
    assert asked(14, 60) == "cannot_tell"
    assert asked(30, 50) == "cannot_tell"
    with pytest.raises(QueryError, match="nothing is left to search from 60 s on"):
        asked(60, 70)


def test_a_second_question_on_the_same_thread_starts_clean(store: CaptionStore) -> None:
    reasoner = ScriptedReasoner("nonsense", GOOD_REPLY, GOOD_REPLY)
    graph = graph_with(store, reasoner, checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "one"}}
    first = ask(graph, QUESTION.model_copy(update={"captions": "mine.jsonl"}), config)
    second = ask(graph, QUESTION, config)
    assert first.attempts == 2
    assert second.attempts == 1
    assert second.refusals == ()
    assert reasoner.asked[2].refusals == []
    assert all(second.usage.seconds[node] < 60 for node in ("watch", "retrieve", "reason"))


def test_a_captions_file_is_not_inherited_by_the_next_question(store: CaptionStore) -> None:
    seen: list[str | None] = []

    def note(question: Question, *, report: Report) -> tuple[VideoRecord, Cost]:
        seen.append(question.captions)
        return watch(question, report=report)

    parts = Dependencies(
        watch=note, store=store, embedder=WordEmbedder(), reasoner=SimilarityReasoner()
    )
    graph: Any = build_graph(parts, checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "one"}}
    graph.invoke({"video": "video1", "query": "a dog", "captions": "mine.jsonl"}, config)
    graph.invoke({"video": "video1", "query": "a dog"}, config)
    assert seen == ["mine.jsonl", None]


def test_the_state_holds_plain_values_only(store: CaptionStore) -> None:
    graph = graph_with(store, SimilarityReasoner(), checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "one"}}
    graph.invoke(QUESTION, config)
    json.dumps(graph.get_state(config).values)


def test_streaming_tells_progress_and_refusals(store: CaptionStore) -> None:
    graph = graph_with(store, ScriptedReasoner("nonsense", GOOD_REPLY))
    events = list(graph.stream(QUESTION, stream_mode="custom"))
    assert [(event["event"], event["node"]) for event in events] == [
        ("progress", "watch"),
        ("refusal", "check"),
    ]


def test_asked_asynchronously_the_answer_is_the_same(store: CaptionStore) -> None:
    graph = graph_with(store, SimilarityReasoner())
    answer = asyncio.run(graph.ainvoke(QUESTION))["grounding"]
    assert answer["intervals"] == graph.invoke(QUESTION)["grounding"]["intervals"]


def test_the_picture_is_the_one_the_readme_shows(store: CaptionStore) -> None:
    picture = graph_with(store, SimilarityReasoner()).get_graph().draw_mermaid()
    assert picture == GOLDEN.read_text(encoding="utf-8")
    body = [line.strip() for line in picture.splitlines() if "-->" in line or "-.->" in line]
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    assert all(edge in readme for edge in body)


class EnglishEmbedder(WordEmbedder):
    """One by the name of the built-in one, which knows English alone."""

    name = "minilm"


@pytest.mark.parametrize(("by_model", "verdict"), [(False, "cannot_tell"), (True, "not_found")])
def test_a_question_in_other_letters_is_no_not_found_unless_a_text_model_read_it(
    by_model: bool, verdict: str, store: CaptionStore
) -> None:
    reasoner = ScriptedReasoner('{"found": false}') if by_model else SimilarityReasoner()
    graph = graph_with(store, reasoner, embedder=EnglishEmbedder())
    answer = ask(graph, QUESTION.model_copy(update={"query": "собака прыгает"}))
    assert answer.verdict == verdict
    assert ("--reasoner openai:MODEL" in answer.advice) == (not by_model)


def test_a_model_that_is_asked_how_many_has_its_events_counted(store: CaptionStore) -> None:
    reply = '{"reason": "two jumps", "found": true, "events": [[2, 3], [5, 6]]}'
    question = QUESTION.model_copy(update={"query": "how many times does the dog jump?"})
    answer = ask(graph_with(store, ScriptedReasoner(reply)), question)
    assert (len(answer.intervals), answer.reasoning) == (2, "Counted: 2. two jumps")
    plain = ask(graph_with(store, ScriptedReasoner(reply)))
    assert plain.reasoning == "two jumps"


def test_a_question_that_takes_it_for_granted_says_so_to_the_model(store: CaptionStore) -> None:
    model = ScriptedReasoner(GOOD_REPLY, GOOD_REPLY)
    ask(graph_with(store, model), QUESTION.model_copy(update={"query": "why does the dog jump?"}))
    ask(graph_with(store, model), QUESTION.model_copy(update={"query": "when does the dog jump?"}))
    assert [brief.is_granted for brief in model.asked] == [True, False]
