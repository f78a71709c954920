"""The benchmark run: through the real graph and a real store, stopped and gone on with."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent import api
from agent.cli import main
from agent.state import Question
from tests.fakes import WordEmbedder

SCENES = {
    "aaa_0.0_20.0": ["a dog on a lawn"] * 4 + ["a red kite aloft"] * 3 + ["a dog on a lawn"] * 3,
    "bbb_0.0_20.0": ["a bus in a street"] * 5 + ["a cook chops onions"] * 5,
    "bbb_20.0_40.0": ["a bus in a street"] * 10,
}
QUERIES = [
    (1, "a red kite", "aaa_0.0_20.0", [[8, 14]]),
    (2, "a cook chops onions", "bbb_0.0_20.0", [[10, 20]]),
    (3, "a bus", "bbb_20.0_40.0", [[0, 20]]),
]


@pytest.fixture(autouse=True)
def _word_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "open_embedder", lambda *_, **__: WordEmbedder())


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    captions, annotations = tmp_path / "captions.jsonl", tmp_path / "val.jsonl"
    captions.write_text(
        "".join(
            json.dumps({"vid": vid, "step": 2.0, "captions": texts}) + "\n"
            for vid, texts in SCENES.items()
        )
    )
    annotations.write_text(
        "".join(
            json.dumps(
                {"qid": qid, "query": text, "vid": vid, "duration": 20, "relevant_windows": windows}
            )
            + "\n"
            for qid, text, vid, windows in QUERIES
        )
    )
    return ["eval", "qvhighlights", "--captions", str(captions), "--annotations", str(annotations)]


def run(arguments: list[str], out: Path) -> dict[str, object]:
    assert main([*arguments, "--out", str(out)]) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert isinstance(summary, dict)
    return summary


def test_a_run_writes_figures_predictions_and_every_question(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = run(arguments, tmp_path / "run")
    assert json.loads(capsys.readouterr().out) == summary
    assert summary["queries"] == 3
    assert summary["metrics"]["R1@0.7"] == 100.0  # type: ignore[index]  # plain JSON
    assert set(summary["null_auroc"]) == {"random", "hard"}  # type: ignore[call-overload]  # ditto
    lines = (tmp_path / "run" / "predictions.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    assert list(first) == ["qid", "query", "vid", "pred_relevant_windows", "pred_saliency_scores"]
    assert first["pred_relevant_windows"][0][:2] == [8.0, 14.0]
    assert len(first["pred_saliency_scores"]) == 10


def test_a_run_that_was_stopped_goes_on_and_ends_the_same(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(arguments, tmp_path / "whole")
    answers = (tmp_path / "whole" / "answers.jsonl").read_bytes().splitlines(keepends=True)
    stopped = tmp_path / "stopped"
    stopped.mkdir()
    # Two answers and a half: what a kill in the middle of writing leaves.
    (stopped / "answers.jsonl").write_bytes(b"".join(answers[:2]) + answers[2][:40])
    asked: list[str] = []

    def note(video: str, query: str) -> Question:
        asked.append(query)
        return api.make_question(video, query)

    monkeypatch.setattr("evaluation.bench.make_question", note)
    again = run(arguments, stopped)
    assert len(asked) == len(answers) - 2
    for part in ("metrics", "interval_95", "null_auroc", "calibration_error", "found"):
        assert again[part] == whole[part]


def test_captions_are_embedded_once_for_all_runs(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(arguments, tmp_path / "one")
    embedded: list[str] = []

    class NotingEmbedder(WordEmbedder):
        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            embedded.extend(texts)
            return super().embed(texts)

    monkeypatch.setattr(api, "open_embedder", lambda *_, **__: NotingEmbedder())
    run(arguments, tmp_path / "two")
    assert set(embedded) == {text for _, text, _, _ in QUERIES}


def test_answers_to_other_questions_are_not_taken_for_these(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(arguments, tmp_path / "run")
    answers = tmp_path / "run" / "answers.jsonl"
    answers.write_text(answers.read_text().replace('"vid": "aaa_0.0_20.0"', '"vid": "zzz_0_1"'))
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    assert "give another --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (["--limit", "0"], "--limit must be at least 1"),
        (["--captions", "missing.jsonl"], "cannot read missing.jsonl"),
        (["--reasoner", "magic"], "no reasoner 'magic'"),
    ],
)
def test_bad_options_are_one_line_with_the_value(
    arguments: list[str],
    change: list[str],
    complaint: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*arguments, "--out", str(tmp_path / "run"), *change]) == 2
    assert complaint in capsys.readouterr().err


def test_a_video_without_captions_is_named(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions = Path(arguments[3])
    captions.write_text("\n".join(captions.read_text().splitlines()[:2]))
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    assert "bbb_20.0_40.0 for one" in capsys.readouterr().err
