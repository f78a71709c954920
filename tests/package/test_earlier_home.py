"""What an earlier version stored answers today, with the same words and the same seconds."""

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
    """When it happens by an answer, and which moments prove it; how sure that is may change."""
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
def test_an_earlier_index_gives_the_same_answer_and_nothing_that_was_paid_is_described_again(
    name: str, earlier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query, source = QUESTIONS[name]
    words = ["ask", "demo.mp4", query, *source, "--reasoner", "similarity"]
    answer = answered(capsys, *words)
    assert answer["intervals"]
    assert told(answer) == told(told_before(earlier, name))
    # The built-in describer costs nothing, and has learnt to say more since.
    assert name == "black" or answer["usage"]["captions"] == 0


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_earlier_thread_is_replayed(
    name: str, earlier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = answered(capsys, "replay", name, "--from", "retrieve", "--reasoner", "similarity")
    before = told_before(earlier, name)
    assert told(both["before"]) == told(before)
    assert told(both["after"]) == told(before)
