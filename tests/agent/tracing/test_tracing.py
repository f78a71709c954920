"""Tracing against real receivers: a file, LangSmith's own traffic, OpenTelemetry's own traffic."""

import base64
import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.langchain import LangChainTracer, wait_for_all_tracers
from langsmith import Client, get_current_run_tree, run_trees, trace, tracing_context

from agent.api import Grounder
from agent.graph.state import Question
from agent.reasoning.text_model import LLMReasoner
from agent.settings import load_settings
from agent.tracing import recorder
from agent.tracing import tracer as session
from agent.tracing.langsmith_sink import LangSmith
from agent.tracing.otel_sink import Otlp
from agent.tracing.trace_file import read_trace
from agent.tracing.tracer import TraceTargets, Tracing
from agent.watching import opened
from tests.drawing import draw_video, even_times
from tests.fakes import WordEmbedder
from tests.package.source_imports import ROOT
from tests.patience import PATIENCE_S
from tests.road import GOOD_REPLY, QUESTION, ScriptedReasoner, graph_with
from tests.servers import fails, says, serving
from tests.trace_servers import Received, nobody, receiving, silence
from tools.llm.prices import Price
from tools.store.store import CaptionStore

KEY = "sk-a-secret-of-the-user-0123456789"
LANGSMITH_KEY = "lsv2_pt_0123456789abcdef0123456789"
PRICES = {"tiny": Price(1.0, 10.0, "2026-01-31", "a test")}
REVERSED = '{"found": true, "events": [{"first": 7, "last": 5}]}'
LONG_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{200}")


class Everywhere:
    """A file, LangSmith and a collector, all of them real; and what was told of them."""

    def __init__(self, folder: Path, langsmith: Received, collector: Received) -> None:
        self.file = folder / "trace.jsonl"
        self.langsmith = langsmith
        self.collector = collector
        self.told: list[str] = []

    def tracing(self, **changed: Any) -> Tracing:
        given: dict[str, Any] = {
            "file": self.file,
            "langsmith": LangSmith(self.langsmith.url, LANGSMITH_KEY, "road"),
            "otlp": Otlp(f"{self.collector.url}/v1/traces"),
        }
        return Tracing(TraceTargets(**(given | changed)), tell=self.told.append)

    @property
    def sent(self) -> dict[str, bytes]:
        """All that went anywhere."""
        return {
            "file": self.file.read_bytes(),
            "LangSmith": self.langsmith.bodies,
            "OpenTelemetry": self.collector.bodies,
        }


@pytest.fixture
def everywhere(tmp_path: Path) -> Iterator[Everywhere]:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    with receiving() as langsmith, receiving() as collector:
        yield Everywhere(tmp_path, langsmith, collector)


def ask(tracing: Tracing, graph: Any, **metadata: Any) -> dict[str, Any]:
    inputs = {"video": "road.mp4", "query": "a dog jumps"}
    with tracing.step("find", inputs, metadata=metadata) as step:
        step.outputs = graph.invoke(QUESTION)
    return step.outputs


def refused_twice(store: CaptionStore, tracing: Tracing, **metadata: Any) -> dict[str, Any]:
    with serving([says("At about nine."), says(REVERSED), says(GOOD_REPLY)]) as server:
        reasoner = LLMReasoner("openai:tiny", api_key=KEY, base_url=server.url, prices=PRICES)
        return ask(tracing, graph_with(store, reasoner), **metadata)


def collected(collector: Received) -> list[Any]:
    """The spans that OpenTelemetry sent, in however many requests."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    return [
        span
        for body in collector.posts("/v1/traces")
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_a_clock_that_is_set_back_makes_no_step_end_before_it_began(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    times = [datetime(2026, 10, 25, 2, 30, tzinfo=UTC) - timedelta(days=day) for day in range(9)]
    monkeypatch.setattr(recorder, "datetime", SimpleNamespace(now=lambda _: times.pop(0)))
    file = tmp_path / "trace.jsonl"
    tracing = Tracing(TraceTargets(file=file), tell=pytest.fail)
    with tracing.step("outer", {}), tracing.step("inner", {}):
        pass
    tracing.close()
    spans = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    starts = [one["start"] for one in spans if "end" not in one]
    ends = [one["end"] for one in spans if "end" in one]
    assert len(starts) == len(ends) == 2
    assert starts == sorted(starts)
    assert min(ends) >= max(starts)


def test_all_places_receive_the_same_tree_named_by_node(
    store: CaptionStore, everywhere: Everywhere
) -> None:
    with everywhere.tracing() as tracing:
        refused_twice(store, tracing)
    spans = read_trace(everywhere.file)
    names = {str(span.id): span.name for span in spans}
    tree = {(span.name, names.get(str(span.parent_id)), str(span.id)) for span in spans}
    assert [span.name for span in spans if span.parent_id == spans[1].id] == [
        *("watch", "retrieve", "reason", "check", "reason", "check", "reason", "check", "answer")
    ]
    runs = everywhere.langsmith.runs()
    assert tree == {
        (run["name"], names.get(run.get("parent_run_id", "")), run_id)
        for run_id, run in runs.items()
    }
    theirs = collected(everywhere.collector)
    named = {span.span_id: span.name for span in theirs}
    assert sorted((name, parent or "") for name, parent, _ in tree) == sorted(
        (span.name, named.get(span.parent_span_id, "")) for span in theirs
    )
    assert everywhere.told == []


def test_a_whole_question_tells_who_took_part_what_was_refused_and_what_it_cost(
    store: CaptionStore, everywhere: Everywhere
) -> None:
    with everywhere.tracing() as tracing:
        answer = refused_twice(store, tracing, thread_id="tuesday")["grounding"]
    (root,) = [run for run in everywhere.langsmith.runs().values() if "parent_run_id" not in run]
    facts = root["extra"]["metadata"]
    assert facts["video_id"] == "video1"
    assert (facts["reasoner"], facts["captioner"]) == ("openai:tiny", "file:test")
    assert facts["prompts"] == answer["models"]["prompts"]
    assert (facts["attempts"], facts["refusals"]) == (3, ["no_json", "reversed"])
    assert (facts["tokens_in"], facts["tokens_out"], facts["usd"]) == (300, 30, 0.0006)
    assert facts["thread_id"] == "tuesday"
    assert {"verdict:found", "by:llm", "refused:no_json", "refused:reversed"} <= set(root["tags"])
    assert root["session_name"] == "road"
    assert root["outputs"]["grounding"] == answer


def test_every_step_tells_its_own_cost_and_every_model_call_its_tokens(
    store: CaptionStore, everywhere: Everywhere
) -> None:
    with everywhere.tracing() as tracing:
        refused_twice(store, tracing)
    runs = everywhere.langsmith.runs().values()
    reasons = [run["extra"]["metadata"] for run in runs if run["name"] == "reason"]
    assert [(one["attempt"], one["tokens_in"], one["usd"]) for one in reasons] == [
        (1, 100, 0.0002),
        (2, 100, 0.0002),
        (3, 100, 0.0002),
    ]
    calls = [run for run in runs if run["run_type"] == "llm"]
    assert [call["extra"]["metadata"]["usage_metadata"]["total_tokens"] for call in calls] == [
        110
    ] * 3
    attributes = [
        {one.key: one.value for one in span.attributes}
        for span in collected(everywhere.collector)
        if span.name == "ServiceChatModel"
    ]
    assert [one["gen_ai.usage.input_tokens"].int_value for one in attributes] == [100] * 3


def test_prompts_are_whole_and_what_steps_hand_on_is_told_once(
    store: CaptionStore, everywhere: Everywhere
) -> None:
    with everywhere.tracing() as tracing:
        refused_twice(store, tracing)
    spans = read_trace(everywhere.file)
    last = [span for span in spans if span.kind == "llm"][-1]
    assert [one["role"] for one in last.inputs["messages"]] == [
        *("system", "user", "assistant", "user", "assistant", "user")
    ]
    assert "a brown dog jumps over a fence" in last.inputs["messages"][1]["content"]
    assert last.outputs["reply"]["content"] == GOOD_REPLY
    (reason, *_) = [span for span in spans if span.name == "reason"]
    assert reason.inputs["evidence"] == "(as in retrieve)"


# Frames and keys.


@pytest.fixture
def noisy_road(tmp_path: Path) -> Path:
    """Three seconds of noise, which no encoder makes small."""
    noise = np.random.default_rng(0)
    return draw_video(
        tmp_path / "road.mp4",
        even_times(12, 4.0),
        picture=lambda _: noise.integers(0, 255, (48, 64, 3), np.uint8),
    )


def test_frames_and_keys_travel_nowhere_at_no_level(
    noisy_road: Path, everywhere: Everywhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "open_embedder", lambda *_, **__: WordEmbedder())
    found = '{"steps": [], "found": true, "events": [{"first": 2, "last": 3}]}'
    with serving([fails(500, f"{KEY} is overworked"), says("no"), says(found)]) as server:
        settings = load_settings(
            captioner="none",
            reasoner="frames:openai:tiny",
            OPENAI_BASE_URL=server.url,
            OPENAI_API_KEY=KEY,
        )
        with everywhere.tracing(secrets=(KEY, LANGSMITH_KEY)) as tracing, Grounder(settings) as own:
            picture = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
            encoded = base64.b64encode(server_jpeg := picture.tobytes()).decode()
            inputs = {"frame": picture, "shown": f"data:image/png;base64,{encoded}", "key": KEY}
            with tracing.step("find", inputs) as step:
                answer = own.find(noisy_road, "it is grey")
                step.outputs = {"grounding": answer.model_dump(mode="json"), "at": [server_jpeg]}
    jpegs = [jpeg for asked in server.asked for jpeg in asked.jpegs]
    assert len(jpegs) == 6, "three frames, a failure, and the same again"
    assert min(map(len, jpegs)) > 1000
    for place, sent in everywhere.sent.items():
        assert not LONG_BASE64.search(sent), place
        assert not [jpeg for jpeg in jpegs if jpeg[200:260] in sent], place
        assert KEY.encode() not in sent, place
        assert LANGSMITH_KEY.encode() not in sent, place
    (call, *_) = [span for span in read_trace(everywhere.file) if span.kind == "llm"]
    shown = [
        block["image_url"]["url"]
        for block in call.inputs["messages"][1]["content"]
        if block["type"] == "image_url"
    ]
    assert [re.sub("[0-9a-f]{16}", "…", one) for one in shown] == [
        f"(image sha256:…, {len(jpeg)} bytes, at {time_s} s)"
        for time_s, jpeg in enumerate(jpegs[:3])
    ]
    posted = [
        headers for method, _, headers, _ in everywhere.langsmith.requests if method == "POST"
    ]
    assert {headers["x-api-key"] for headers in posted} == {LANGSMITH_KEY}, "where it belongs"


def test_hidden_text_is_hidden_at_every_level(store: CaptionStore, everywhere: Everywhere) -> None:
    with everywhere.tracing(text=False) as tracing:
        refused_twice(store, tracing)
        with pytest.raises(ValueError, match="a dog"), tracing.step("find", {"query": "a dog"}):
            raise ValueError("a dog is no fence")
    for place, sent in everywhere.sent.items():
        for word in (b"dog", b"road.mp4", b"/videos", b"At about nine", b"Look for", b"fence"):
            assert word not in sent, (place, word)
        assert b"no_json" in sent, place
        assert b"openai:tiny" in sent, place


# What a service can do to us: nothing.


def test_a_trace_that_is_open_around_a_question_is_its_parent(
    store: CaptionStore, everywhere: Everywhere
) -> None:
    ours = graph_with(store, ScriptedReasoner(GOOD_REPLY))
    with receiving() as other:
        client = Client(other.url, api_key="", auto_batch_tracing=False)
        with (
            everywhere.tracing() as tracing,
            tracing_context(enabled=True, client=client),
            trace("an agent of the user's", project_name="theirs") as around,
        ):
            ask(tracing, ours)
            assert get_current_run_tree() is around, "put back as it was"
        assert {json.loads(body)["name"] for body in other.posts("/runs")} == {around.name}
    runs = everywhere.langsmith.runs()
    (root,) = [run for run in runs.values() if run["name"] == "find"]
    assert root["parent_run_id"] == str(around.id)
    assert {run["trace_id"] for run in runs.values()} == {str(around.trace_id)}
    assert all(run["dotted_order"].startswith(around.dotted_order) for run in runs.values())
    assert {run["session_name"] for run in runs.values()} == {"theirs"}


def test_the_users_own_callbacks_go_on_and_langsmiths_tracer_sees_nothing(
    store: CaptionStore, everywhere: Everywhere
) -> None:
    ours = graph_with(store, ScriptedReasoner(GOOD_REPLY))
    with receiving() as other, everywhere.tracing() as tracing:
        client = Client(other.url, api_key="", auto_batch_tracing=False)
        theirs = LangChainTracer(client=client)
        larger: RunnableLambda[str, Any] = RunnableLambda(lambda _: ask(tracing, ours))
        larger.invoke("x", {"callbacks": [theirs]})
        client.flush()
        assert {json.loads(body)["name"] for body in other.posts("/runs")} == {"RunnableLambda"}
    names = [span.name for span in read_trace(everywhere.file)]
    assert names[:3] == ["find", "whenabouts", "watch"]


def complaints_about(targets: TraceTargets, store: CaptionStore) -> list[str]:
    told: list[str] = []
    with Tracing(targets, tell=told.append) as tracing:
        outputs = ask(tracing, graph_with(store, ScriptedReasoner(GOOD_REPLY)))
    assert outputs["grounding"]["verdict"] == "found"
    return told


@pytest.mark.slow
@pytest.mark.parametrize("text", [True, False])
def test_a_graph_that_is_run_by_itself_sends_no_frame_and_no_hidden_text_either(
    noisy_road: Path, monkeypatch: pytest.MonkeyPatch, *, text: bool
) -> None:
    monkeypatch.setattr(opened, "open_embedder", lambda *_, **__: WordEmbedder())
    monkeypatch.setattr(run_trees, "_CLIENT", None)
    found = '{"steps": [], "found": true, "events": [{"first": 2, "last": 3}]}'
    with serving([says(found)]) as server, receiving() as langsmith:
        settings = load_settings(
            captioner="none",
            reasoner="frames:openai:tiny",
            openai_base_url=server.url,
            openai_api_key=KEY,
            langsmith_tracing=True,
            langsmith_endpoint=langsmith.url,
            langsmith_api_key=LANGSMITH_KEY,
            trace_text=text,
        )
        with Grounder(settings) as own, tracing_context(enabled=True):
            own.graph.invoke(Question(video=str(noisy_road), query="purple zebras"))
        wait_for_all_tracers()
    run_trees.get_cached_client().session.close()
    (jpegs,) = [asked.jpegs for asked in server.asked]
    assert len(jpegs) == 3
    names = {run.get("name") for run in langsmith.runs().values()}
    assert {"whenabouts", "reason", "ServiceChatModel"} <= names
    sent = langsmith.bodies
    assert not LONG_BASE64.search(sent)
    assert not [jpeg for jpeg in jpegs if base64.b64encode(jpeg)[200:260] in sent]
    assert KEY.encode() not in sent
    assert (b"purple zebras" in sent) is text


@pytest.mark.parametrize("service", ["LangSmith", "OpenTelemetry"])
@pytest.mark.parametrize("address", [nobody, silence])
def test_a_service_that_does_not_answer_is_off_after_one_line(
    service: str, address: Any, store: CaptionStore, caplog: pytest.LogCaptureFixture
) -> None:
    with address() as url:
        targets = {
            "LangSmith": TraceTargets(langsmith=LangSmith(url, LANGSMITH_KEY)),
            "OpenTelemetry": TraceTargets(otlp=Otlp(f"{url}/v1/traces")),
        }
        (line,) = complaints_about(targets[service], store)
    assert line.startswith(f"traces off: no answer from {url}")
    assert caplog.records == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "refuses the key"), (500, "does not take traces"), (404, "does not take traces")],
)
def test_a_langsmith_that_refuses_is_off_after_one_line_without_the_key(
    status: int, said: str, store: CaptionStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="langsmith")
    with receiving(post_status=status) as server:
        target = LangSmith(server.url, LANGSMITH_KEY)
        (line,) = complaints_about(TraceTargets(langsmith=target), store)
    assert said in line
    assert LANGSMITH_KEY not in line + caplog.text
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


def test_a_service_that_falls_silent_is_not_waited_for(store: CaptionStore) -> None:
    told: list[str] = []
    until = threading.Event()
    with receiving(post_after=until) as server:
        target = LangSmith(server.url, LANGSMITH_KEY)
        with Tracing(TraceTargets(langsmith=target), tell=told.append) as tracing:
            ask(tracing, graph_with(store, ScriptedReasoner(GOOD_REPLY)))
        until.set()
    (line,) = told
    assert line.startswith(f"traces not sent in full: {target.url} did not take them in time;")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["find", "graph"])
@pytest.mark.parametrize("address", [nobody, silence])
def test_a_program_that_closes_nothing_ends_beside_a_service_that_does_not_answer(
    way: str, address: Any, noisy_road: Path, tmp_path: Path
) -> None:
    captions = tmp_path / "captions.jsonl"
    captions.write_text('{"t": 0, "caption": "a dog barks"}\n{"t": 1, "caption": "a red car"}\n')
    with address() as url:
        langsmith = {
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_ENDPOINT": url,
            "LANGSMITH_API_KEY": LANGSMITH_KEY,
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.agent.tracing.ask_alone", way, noisy_road, captions],
            cwd=ROOT,
            env=os.environ | langsmith | {"WHENABOUTS_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, "found\n")
    assert LANGSMITH_KEY not in done.stderr
    if way == "find":
        assert "\ntraces off: no answer from" in done.stderr
        assert done.stderr.startswith("traces go to 127.0.0.1:")
        assert done.stderr.count("\n") == 2


@pytest.mark.slow
def test_a_question_leaves_the_client_of_langsmiths_own_tracer_alone(
    noisy_road: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "open_embedder", lambda *_, **__: WordEmbedder())
    monkeypatch.setattr(run_trees, "_CLIENT", None)
    with receiving() as langsmith:
        settings = load_settings(
            captioner="classical",
            langsmith_tracing=True,
            langsmith_endpoint=langsmith.url,
            langsmith_api_key=LANGSMITH_KEY,
        )
        with Grounder(settings) as grounder:
            record = grounder.watch(noisy_road)
            grounder.find(noisy_road, "a red car")
            grounder.run(Question(video=record.video_id, query="a red car"))
        names = [run.get("name") for run in langsmith.runs().values()]
    assert names.count("find") == 2
    assert run_trees._CLIENT is None


def test_without_the_extra_a_collector_costs_one_line_that_names_it(
    store: CaptionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "is_installed", lambda: False)
    (line,) = complaints_about(TraceTargets(otlp=Otlp("http://localhost:4318/v1/traces")), store)
    assert "pip install 'whenabouts[otel]'" in line


def test_headers_that_are_none_are_told_without_what_is_in_them(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "s3cret nonsense")
    told: list[str] = []
    with (
        receiving() as received,
        Tracing(TraceTargets(otlp=Otlp(f"{received.url}/v1/traces")), tell=told.append) as tracing,
        tracing.step("find", {}),
    ):
        pass
    assert "OTEL_EXPORTER_OTLP_HEADERS is not a list of NAME=VALUE" in " ".join(told)
    assert "s3cret" not in caplog.text + " ".join(told)


def test_nothing_is_traced_by_default(store: CaptionStore) -> None:
    seen: list[Any] = []

    def note(messages: Any) -> Any:
        from langchain_core.runnables.config import var_child_runnable_config

        seen.append(var_child_runnable_config.get())
        return messages

    with Tracing(TraceTargets(), tell=lambda _: None) as tracing, tracing.step("find", {}):
        note(None)
    assert seen == [None]


# The file.


def test_what_is_under_way_is_on_the_disk(store: CaptionStore, tmp_path: Path) -> None:
    lines = 7  # Five begin and two end before the reasoner is asked.
    file = tmp_path / "trace.jsonl"
    seen: list[list[tuple[str, bool]]] = []

    class Looking(ScriptedReasoner):
        def reply(self, brief: Any) -> Any:
            # A thread of its own writes the lines, a little behind what they tell of.
            until_s = time.monotonic() + PATIENCE_S
            while file.read_bytes().count(b"\n") < lines and time.monotonic() < until_s:
                time.sleep(0.01)
            seen.append([(span.name, span.end is not None) for span in read_trace(file)])
            return super().reply(brief)

    with Tracing(TraceTargets(file=file), tell=lambda _: None) as tracing:
        ask(tracing, graph_with(store, Looking(GOOD_REPLY)))
    assert seen == [
        [
            ("find", False),
            ("whenabouts", False),
            ("watch", True),
            ("retrieve", True),
            ("reason", False),
        ]
    ]


def test_what_fails_is_in_the_trace_with_its_reason(store: CaptionStore, tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    graph = graph_with(store, ScriptedReasoner(GOOD_REPLY))
    tracing = Tracing(TraceTargets(file=file), tell=lambda _: None)
    with tracing, pytest.raises(AssertionError), tracing.step("find", {}):
        graph.invoke(QUESTION.model_copy(update={"video": "another"}))
    failed = [(span.name, span.error[:14]) for span in read_trace(file) if span.error]
    assert failed == [(name, "AssertionError") for name in ("find", "whenabouts", "watch")]


def test_many_questions_at_once_are_trees_of_their_own(store: CaptionStore, tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    graph = graph_with(store, ScriptedReasoner(*[GOOD_REPLY] * 8))
    with Tracing(TraceTargets(file=file), tell=lambda _: None) as tracing:
        threads = [threading.Thread(target=ask, args=(tracing, graph)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    spans = read_trace(file)
    by_trace: dict[Any, list[str]] = {}
    for span in spans:
        assert span.end is not None
        by_trace.setdefault(span.trace_id, []).append(span.name)
    assert len(by_trace) == 8
    assert {len(names) for names in by_trace.values()} == {7}


def test_a_full_disk_costs_the_rest_of_the_trace_and_no_answer(store: CaptionStore) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    told = complaints_about(TraceTargets(file=Path("/dev/full")), store)
    assert told == ["the trace ends early: /dev/full: No space left on device"]
