"""What an earlier version stored is read today: it answers as what is stored today does."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from agent.cli.main import main

ARCHIVE = Path(__file__).parent / "data" / "home-before-rooms.tar.xz"
QUESTIONS = {
    "balloon": ("a hot-air balloon drifts", ["--captions", "demo.jsonl"]),
    "black": ("the screen goes black", ["--captioner", "classical"]),
}

pytestmark = pytest.mark.slow


@pytest.fixture
def earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the archive, in it its home, which is that of the test."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def told_before(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def told(answer: Any) -> Any:
    """What an answer says, and which moments prove it."""
    return [
        answer["query"],
        answer["verdict"],
        answer["by"],
        [
            (one["start_s"], one["end_s"], [said["start_s"] for said in one["evidence"]])
            for one in answer["intervals"]
        ],
    ]


def test_an_earlier_index_is_listed(earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = answered(capsys, "list")
    assert {row["video_id"] for row in rows} == {told_before(earlier, "black")["video"]["id"]}
    assert sorted(row["captions"] for row in rows) == [15, 20]


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_earlier_index_answers_as_one_that_is_made_today(
    name: str,
    earlier: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    query, source = QUESTIONS[name]
    words = ["ask", "demo.mp4", query, *source, "--reasoner", "similarity"]
    answer = answered(capsys, *words)
    assert answer["intervals"]
    monkeypatch.setenv("WHENABOUTS_HOME", str(earlier / "made today"))
    assert told(answer) == told(answered(capsys, *words))


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_earlier_thread_is_replayed(
    name: str, earlier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = answered(capsys, "replay", name, "--from", "retrieve", "--reasoner", "similarity")
    assert told(both["before"]) == told(told_before(earlier, name))
    (now,), (then,) = both["after"]["intervals"], both["before"]["intervals"]
    assert both["after"]["verdict"] == both["before"]["verdict"] == "found"
    # Edges are found better than then; the event is the same.
    assert then["start_s"] <= now["start_s"] < now["end_s"] <= then["end_s"]
