"""``whenabouts setup``: probes the loopback alone, plans by one rule, and writes the choice."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from agent.cli.main import main
from agent.settings import load_settings
from agent.setup.carry_out import listen
from agent.setup.plan import Machine, Plan, make_plan
from agent.setup.servers import Server, find_servers
from agent.setup.settings_lines import write_settings
from tests.listening import Handler, listening
from tests.patience import PATIENCE_S
from tools.errors import CaptionerError
from tools.speech.named_whisper import fitting

MACHINE = Machine(ram_gb=16.0, disk_gb=50.0, gpu=False, cores=4)
OLLAMA = Server("Ollama", "http://127.0.0.1:11434/v1", ("llama3", "qwen3-vl:2b"))


@contextmanager
def serving(content: bytes, status: int = 200) -> Iterator[int]:
    class Page(Handler):
        def do_GET(self) -> None:
            self.send(content, status)

    with listening(Page) as url:
        yield port_of(url)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (json.dumps({"data": [{"id": "llava:7b"}]}).encode(), [("llava:7b",)]),
        (b'{"data": null}', []),
        (b'{"data": [1]}', []),
        (b"<html>a page</html>", []),
        (b"[]", []),
        (b"[" * 100_000, []),
        (b'{"data": [{"id": "llava"}], "more": "' + b"." * 1_100_000 + b'"}', []),
        (b'{"data": [{"id": "llava\\nOPENAI_API_KEY=x"}, {"id": "llava:7b"}]}', [("llava:7b",)]),
    ],
)
def test_what_answers_like_a_model_server_is_one(
    content: bytes, expected: list[tuple[str, ...]]
) -> None:
    with serving(content) as port:
        found = find_servers({port: "LM Studio"}, deadline_s=5.0)
        assert [one.models for one in found] == expected


def test_a_list_without_an_end_is_not_read_on_and_a_redirect_is_not_followed() -> None:
    asked: list[str] = []
    stopped = Event()

    class Endless(Handler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if asked[1:]:
                self.send(b"", 302, location="/other")
                return
            try:
                self.send_response(200)
                self.end_headers()
                while True:
                    self.wfile.write(b" " * 65_536)
            except OSError:
                stopped.set()

    with listening(Endless) as url:
        port = port_of(url)
        assert find_servers({port: "vLLM"}, deadline_s=PATIENCE_S) == []
        assert stopped.wait(PATIENCE_S)
        assert find_servers({port: "vLLM"}, deadline_s=PATIENCE_S) == []
    assert asked == ["/v1/models"] * 2


def test_a_port_that_takes_connections_and_says_nothing_is_left_alone() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert find_servers({silent.getsockname()[1]: "vLLM"}, deadline_s=0.2) == []


def test_a_local_server_that_sees_comes_before_sight_and_a_service_before_both() -> None:
    settings = load_settings()
    assert make_plan(settings, MACHINE, []).choice == "sight"
    blind = Server("vLLM", "http://127.0.0.1:8000/v1", ("llama3",))
    assert make_plan(settings, MACHINE, [blind]).choice == "sight"
    plan = make_plan(settings, MACHINE, [blind, OLLAMA])
    assert plan.writes == {
        "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1",
        "WHENABOUTS_CAPTIONER": "openai:qwen3-vl:2b",
    }
    served = settings.model_copy(update={"openai_base_url": "https://models.example/v1"})
    assert make_plan(served, MACHINE, [OLLAMA]).writes == {}


def test_little_memory_gets_the_lighter_model_and_a_full_disk_none() -> None:
    small = Machine(ram_gb=4.0, disk_gb=50.0, gpu=False, cores=2)
    assert make_plan(load_settings(), small, []).writes == {"WHENABOUTS_SIGHT": "clip-vit-b32"}
    full = Machine(ram_gb=16.0, disk_gb=0.1, gpu=False, cores=2)
    plan = make_plan(load_settings(), full, [])
    assert (plan.choice, plan.writes, plan.download_mb) == ("none", {}, 0)


@pytest.mark.parametrize(
    ("ram_gb", "size"), [(4.0, "tiny"), (8.0, "base"), (16.0, "small"), (0.0, "base")]
)
def test_the_ear_fits_the_memory_and_is_base_where_that_is_not_known(
    ram_gb: float, size: str
) -> None:
    assert fitting(ram_gb) == size


@pytest.mark.slow
def test_an_ear_is_tried_before_it_is_written_down(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    from tests.tiny_whisper import convert, save_whisper

    tiny_whisper = convert(save_whisper(tmp_path / "checkpoint"), tmp_path / "whisper")
    plan = replace(make_plan(load_settings(), MACHINE, []), speech=str(tiny_whisper))
    file = tmp_path / ".env"
    assert "listened to a second of silence" in listen(plan, file)
    assert file.read_text() == f"WHENABOUTS_SPEECH={tiny_whisper}\n"
    file.unlink()
    with pytest.raises(CaptionerError, match="speech is left out"):
        listen(replace(plan, speech="tiny"), file)
    assert not file.exists()


def test_an_ear_is_written_only_where_it_was_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.cli.setting_up.find_servers", lambda **_: [OLLAMA])
    monkeypatch.setattr("agent.setup.carry_out.carry_out", lambda *_, **__: "saw it")
    heard: list[str] = []

    def hear(plan: Plan, _: Path) -> str:
        heard.append(plan.speech)
        return "heard it"

    monkeypatch.setattr("agent.setup.carry_out.listen", hear)
    monkeypatch.setattr(
        "agent.cli.setting_up.make_plan",
        lambda *given: replace(make_plan(*given), speech="base", speech_mb=145),
    )
    assert main(["setup", "--yes"]) == 0
    assert heard == []
    assert main(["setup", "--yes", "--speech"]) == 0
    assert heard == ["base"]
    told = capsys.readouterr()
    assert "Whisper base (MIT, 145 MB to fetch)" in told.out
    assert "setting it up, and trying it on one picture" in told.err
    assert "fetching Whisper base (145 MB), and trying it on one second" in told.err


def test_other_lines_of_the_settings_file_stay(tmp_path: Path) -> None:
    file = tmp_path / "home" / ".env"
    write_settings(file, {"WHENABOUTS_SIGHT": "off"})
    file.write_text("# mine\nWHENABOUTS_RATE_HZ=2\n" + file.read_text())
    write_settings(file, {"WHENABOUTS_SIGHT": "clip-vit-b32"})
    lines = file.read_text().splitlines()
    assert lines == ["# mine", "WHENABOUTS_RATE_HZ=2", "WHENABOUTS_SIGHT=clip-vit-b32"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_plan_prints_five_lines_and_writes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.cli.setting_up.find_servers", lambda **_: [])
    assert main(["setup", "--plan"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert not load_settings().settings_file.exists()


def test_without_the_hub_nothing_is_written_and_the_end_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.cli.setting_up.find_servers", lambda **_: [])
    assert main(["setup"]) == 2
    assert "--yes agrees" in capsys.readouterr().err
    assert main(["setup", "--yes"]) == 2
    assert "what works without it" in capsys.readouterr().err
    assert not load_settings().settings_file.exists()
