"""The README's first commands, in its order, on its own video."""

import json
import shutil
from pathlib import Path

import pytest

from agent.api import Grounder
from agent.cli.main import main

pytestmark = pytest.mark.slow

LOBBY = Path(__file__).parents[3] / "examples" / "lobby"


@pytest.fixture
def lobby(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("lobby.mp4", "lobby.jsonl"):
        shutil.copy(LOBBY / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "lobby.mp4"


def test_what_captions_of_a_file_do_not_find_is_measured_when_it_is_asked_for(
    lobby: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blonde = "a blonde with very long hair comes to the table"
    assert main(["ask", lobby.name, blonde, "--captions", "lobby.jsonl"]) == 0
    before = capsys.readouterr().out
    assert main(["ask", lobby.name, "something enters", "--clip", "entering.mp4"]) == 0
    told = capsys.readouterr()
    assert "its picture is measured, once" in told.err
    (line,) = [line for line in told.out.splitlines() if "answered by:" in line]
    assert line.strip().startswith("answered by: measurement")
    # Six visits: all are listed, and only the first with all that proves it.
    shown = [line.split()[0] for line in told.out.splitlines() if line.startswith("     ")]
    assert (shown.count("before"), shown.count("start")) == (1, 6)
    assert Path("entering.mp4").stat().st_size > 0
    with Grounder() as grounder:
        answer = grounder.find(lobby.name, "something enters")
    assert len(answer.intervals) == 6
    assert main(["ask", lobby.name, blonde]) == 0
    after = capsys.readouterr()
    assert "is measured" not in after.err
    assert before.splitlines()[2] in after.out.splitlines()


def test_what_is_described_is_left_to_the_captions_and_nothing_is_measured(
    lobby: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fridge = "someone opens the fridge"
    assert main(["ask", lobby.name, fridge, "--captions", "lobby.jsonl", "--json"]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["verdict"] == "not_found"
    assert "is measured" not in told.err


def test_what_was_not_measured_is_not_denied(
    lobby: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", lobby.name, "a zebra", "--captions", "lobby.jsonl"]) == 1
    capsys.readouterr()
    assert main(["ask", lobby.name, "something enters", "--max-minutes", "0.001", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "cannot_tell"
    lobby.unlink()
    assert main(["ask", "--all", "something enters", "--json"]) == 1
    assert '"not_found"' not in capsys.readouterr().out
    assert main(["ask", "--all", "something enters"]) == 1
    assert capsys.readouterr().out.startswith("cannot tell")
