"""Traces as a user sets them: by option or variable, of questions, chats and replays."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableLambda

from agent.api import Grounder
from agent.chat.session import ChatSession
from agent.cli.main import main
from agent.grounding import Cost
from agent.reasoning.reply import Reply
from agent.settings import load_settings
from agent.tracing.trace_file import TraceError, read_trace
from agent.tracing.tracer import trace_targets
from prompts.catalog import PACKAGED
from tests.drawing import draw_video, even_times
from tests.fakes import BrightnessCaptioner
from tests.road import ScriptedReasoner
from tests.servers import fails, says, serving

pytestmark = pytest.mark.usefixtures("word_embedder")


USED = {"prompt_tokens": 90, "completion_tokens": 8, "total_tokens": 98}
FOUND = '{"steps": [], "found": true, "events": [{"first": 1, "last": 2}]}'


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(24, 4.0))


def test_by_default_nothing_is_traced() -> None:
    targets = trace_targets(load_settings())
    assert (targets.file, targets.langsmith, targets.otlp) == (None, None, None)


def test_the_usual_variables_say_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGCHAIN_TRACING_V2", "true")
    monkeypatch.setenv("LANGSMITH_API_KEY", "lsv2-secret")
    monkeypatch.setenv("LANGSMITH_PROJECT", "mine")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/")
    monkeypatch.setenv("WHENABOUTS_TRACE_TEXT", "0")
    targets = trace_targets(load_settings())
    assert targets.langsmith is not None
    assert (targets.langsmith.project, targets.langsmith.api_key) == ("mine", "lsv2-secret")
    assert targets.otlp is not None
    assert targets.otlp.url == "http://localhost:4318/v1/traces"
    assert not targets.text
    assert "lsv2-secret" in targets.secrets
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert trace_targets(load_settings()).otlp is None


@pytest.mark.slow
def test_a_question_of_the_command_line_is_written_and_printed(
    road: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "road.trace.jsonl"
    with serving(lambda asked: says("a road" if asked.jpegs else FOUND)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
        models = ["--captioner", "openai:tiny", "--reasoner", "openai:tiny"]
        assert main(["ask", str(road), "a road", *models, "--trace", str(file)]) == 0
    capsys.readouterr()
    assert main(["trace", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "find: “a road”, found, by llm" in shown
    assert shown.index("watch:") < shown.index("reason: attempt 1") < shown.index("answer:")
    written = file.read_text()
    assert "sk-very-secret" not in written
    assert "base64" not in written


def test_every_call_of_the_image_model_is_a_span_with_placeholders_for_its_frames(
    road: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "road.trace.jsonl"
    seen: list[str] = []

    class Curious(BaseCallbackHandler):
        def on_chat_model_start(self, *_: Any, **__: Any) -> None:
            seen.append("a picture may be in it")

    with serving(lambda asked: says(f"road {asked.number}", usage=USED)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        models = {"captioner": "openai:tiny", "reasoner": "similarity"}
        settings = load_settings(**models, trace=file, refine=True)
        around: RunnableLambda[str, Any]
        with Grounder(settings) as grounder:
            around = RunnableLambda(lambda query: grounder.find(road, query))
            around.invoke("a road", {"callbacks": [Curious()]})
    spans = read_trace(file)
    (describe,) = [span for span in spans if span.name == "watch"]
    (refine,) = [span for span in spans if span.name == "refine"]
    (verify,) = [span for span in spans if span.name == "verify"]
    calls = [span for span in spans if span.kind == "llm" and span.parent_id == describe.id]
    looks = [span for span in spans if span.kind == "llm" and span.parent_id == refine.id]
    judged = [span for span in spans if span.kind == "llm" and span.parent_id == verify.id]
    assert (len(calls), len(calls) + len(looks) + len(judged)) == (6, len(server.asked))
    assert judged
    assert seen == []
    times = set()
    for call in calls:
        (message,) = call.inputs["messages"]
        prompt, picture = message["content"]
        assert prompt["text"] == PACKAGED.render("describe_general")
        found = re.fullmatch(
            r"\(image sha256:[0-9a-f]{16}, \d+ bytes, at (\d) s\)", picture["image"]
        )
        assert found
        times.add(found[1])
        assert call.outputs["reply"]["content"].startswith("road ")
        assert (call.metadata["tokens_in"], call.metadata["tokens_out"]) == (90, 8)
    assert times == set("012345")
    assert describe.metadata["tokens_in"] == 540
    assert main(["trace", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "… and 3 more calls (--prompts shows them all)" in shown


def test_of_many_calls_some_are_told_and_all_that_fail(
    road: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.captioners.traced_calls.MOST_CALLS", 2)
    file = tmp_path / "road.trace.jsonl"
    script = [*[says("a road")] * 3, fails(400, "no such picture"), says("a road")]
    with serving(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        settings = load_settings(
            captioner="openai:tiny", reasoner="similarity", trace=file, in_flight=1
        )
        with Grounder(settings) as grounder:
            assert "no such picture" in grounder.watch(road).warning
    calls = [span for span in read_trace(file) if span.kind == "llm"]
    assert [bool(call.error) for call in calls] == [False, False, True]
    assert "no such picture" in calls[-1].error


@pytest.mark.slow
def test_turns_of_a_chat_and_replays_carry_their_thread(
    road: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings(trace=tmp_path / "trace.jsonl")
    reasoner = ScriptedReasoner(FOUND, FOUND, FOUND)
    with Grounder(settings, captioner=BrightnessCaptioner(), reasoner=reasoner) as grounder:
        with ChatSession(grounder, thread="talk", videos=[str(road)]) as chat:
            chat.ask("brightness 0")
        grounder.find(road, "brightness 0", thread="kept")
        grounder.replay("kept", "reason")
    spans = read_trace(settings.trace or Path())
    assert all(span.end for span in spans), "no step is left open"
    by_name = {span.name: span for span in spans}
    threads = {span.metadata.get("thread_id") for span in spans if span.name in {"turn", "replay"}}
    assert threads == {"talk", "kept"}
    turn = by_name["turn"]
    inside = [span for span in spans if span.name == "find" and span.trace_id == turn.trace_id]
    assert len(inside) == 1, "the question of a turn is a part of it"
    assert main(["trace", str(settings.trace)]) == 0
    assert "turn: “brightness 0”" in capsys.readouterr().out


@pytest.mark.slow
def test_a_refused_reading_of_a_turn_stands_in_its_trace(
    road: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Confused(ScriptedReasoner):
        """Reads no turn as it should."""

        def converse(self, _: Sequence[BaseMessage], *, schema: dict[str, Any]) -> Reply:
            return Reply('{"kind": "banana"}', cost=Cost(tokens_in=5, tokens_out=1))

    settings = load_settings(trace=tmp_path / "trace.jsonl", max_attempts=2)
    with (
        Grounder(settings, captioner=BrightnessCaptioner(), reasoner=Confused(FOUND)) as grounder,
        ChatSession(grounder, thread="talk", videos=[str(road)]) as chat,
    ):
        chat.ask("brightness 0")
    spans = read_trace(settings.trace or Path())
    turn = next(span for span in spans if span.name == "turn")
    assert turn.metadata["refusals"] == ["wrong_schema", "wrong_schema"]
    assert turn.metadata["read_by"] == "fallback"
    assert turn.metadata["video_id"]
    assert set(turn.metadata["prompts"]) == {"chat_system", "chat_turn", "chat_refused"}
    assert {"outcome:found", "read_by:fallback", "refused:wrong_schema"} <= set(turn.tags)
    assert main(["trace", str(settings.trace)]) == 0
    told = capsys.readouterr().out
    assert "turn: “brightness 0”, found, read by fallback, refused (wrong_schema, wrong" in told
    assert told.count("check: refused (wrong_schema)") == 2
    assert told.count('said: {"kind": "banana"}') == 2
    assert told.count("told: The JSON object is wrong: kind:") == 2


def test_a_trace_file_that_cannot_be_written_or_read_is_said(
    road: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", str(road), "x", "--anyway", "--trace", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
    assert main(["trace", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl" in capsys.readouterr().err


@pytest.mark.slow
def test_a_trace_is_not_written_into_another_file(tmp_path: Path) -> None:
    captions = tmp_path / "captions.jsonl"
    captions.write_text('{"t": 0, "caption": "a road"}\n')
    with (
        Grounder(load_settings(trace=captions), captioner=BrightnessCaptioner()) as grounder,
        pytest.raises(TraceError, match="exists and is not a trace"),
    ):
        grounder.find(tmp_path / "road.mp4", "a road")
    assert captions.read_text() == '{"t": 0, "caption": "a road"}\n'
