"""Traces as a user sets them: by option or variable, of questions, chats and replays."""

from pathlib import Path

import pytest

from agent.api import Grounder
from agent.chat.session import ChatSession
from agent.cli import main
from agent.settings import load_settings
from agent.tracing.targets import trace_targets
from agent.tracing.trace_file import TraceError, read_trace
from tests.fakes import BrightnessCaptioner
from tests.graph.road import ScriptedReasoner
from tests.media.drawing import draw_video, even_times
from tests.servers import says, serving

pytestmark = pytest.mark.usefixtures("word_embedder")


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
    assert (targets.text, targets.secrets) == (False, ("lsv2-secret",))
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert trace_targets(load_settings()).otlp is None


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
    assert shown.index("describe:") < shown.index("reason: attempt 1") < shown.index("answer:")
    written = file.read_text()
    assert "sk-very-secret" not in written
    assert "base64" not in written


def test_turns_of_a_chat_and_replays_carry_their_thread(road: Path, tmp_path: Path) -> None:
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


def test_a_trace_file_that_cannot_be_written_or_read_is_said(
    road: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", str(road), "x", "--trace", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
    assert main(["trace", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl" in capsys.readouterr().err


def test_a_trace_is_not_written_into_another_file(tmp_path: Path) -> None:
    captions = tmp_path / "captions.jsonl"
    captions.write_text('{"t": 0, "caption": "a road"}\n')
    with (
        Grounder(load_settings(trace=captions), captioner=BrightnessCaptioner()) as grounder,
        pytest.raises(TraceError, match="is there and holds something else"),
    ):
        grounder.find(tmp_path / "road.mp4", "a road")
    assert captions.read_text() == '{"t": 0, "caption": "a road"}\n'
