"""What an earlier version stored answers today, with the same words and by the same moments."""

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

HALF_STEP_S = 0.5

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
    """What an answer says, and which moments prove it; how sure that is may change.

    So may its edges by half a step: they were those of captions, and lie between frames now.
    """
    return [
        answer["query"],
        answer["verdict"],
        answer["by"],
        [[said["start_s"] for said in one["evidence"]] for one in answer["intervals"]],
    ]


def edges(answer: Any) -> list[float]:
    return [one[name] for one in answer["intervals"] for name in ("start_s", "end_s")]


def test_an_earlier_index_is_listed(earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = answered(capsys, "list")
    assert {row["video_id"] for row in rows} == {told_before(earlier, "black")["video"]["id"]}
    assert sorted(row["captions"] for row in rows) == [15, 20]


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_earlier_index_gives_the_same_answer(
    name: str, earlier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query, source = QUESTIONS[name]
    words = ["ask", "demo.mp4", query, *source, "--reasoner", "similarity"]
    answer = answered(capsys, *words)
    assert answer["intervals"]
    before = told_before(earlier, name)
    assert told(answer) == told(before)
    assert edges(answer) == pytest.approx(edges(before), abs=HALF_STEP_S)


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_earlier_thread_is_replayed(
    name: str, earlier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = answered(capsys, "replay", name, "--from", "retrieve", "--reasoner", "similarity")
    before = told_before(earlier, name)
    assert told(both["before"]) == told(before)
    assert told(both["after"]) == told(before)
    assert edges(both["after"]) == pytest.approx(edges(before), abs=HALF_STEP_S)
