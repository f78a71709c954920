"""Runs over a dataset: through the real graph and a real store, killed and gone on with."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from agent import api
from agent.cli.main import main
from agent.errors import ReasonerError
from agent.graph.state import Question
from agent.grounding import Cost
from agent.reasoning.brief import Brief, SimilarityReasoner
from agent.reasoning.reply import Reply
from agent.watching import opened
from evaluation.results import read_results
from evaluation.runs.bench import ERRORS_IN_A_ROW
from tests.fakes import WordEmbedder
from tests.package.source_imports import ROOT
from tests.patience import PATIENCE_S
from tools.grounding.background import BACKGROUND

pytestmark = pytest.mark.usefixtures("word_embedder")


SCENES = {
    "aaa_0.0_20.0": ["a dog on a lawn"] * 4 + ["a red kite aloft"] * 3 + ["a dog on a lawn"] * 3,
    "bbb_0.0_20.0": ["a bus in a street"] * 5 + ["a cook chops onions"] * 5,
    "bbb_20.0_40.0": ["a bus in a street"] * 10,
    "ccc_0.0_20.0": ["an empty stage"] * 6 + ["a singer bows"] * 4,
}
QUERIES = [
    (1, "a red kite", "aaa_0.0_20.0", [[8, 14]]),
    (2, "a cook chops onions", "bbb_0.0_20.0", [[10, 20]]),
    (3, "a bus", "bbb_20.0_40.0", [[0, 20]]),
    (4, "a singer bows", "ccc_0.0_20.0", [[12, 20]]),
    (5, "a dog", "aaa_0.0_20.0", [[0, 8], [14, 20]]),
]

Arguments = list[str]


@pytest.fixture
def arguments(tmp_path: Path) -> Arguments:
    """A run with a null query of either kind for each query, where there can be one."""
    captions, annotations = tmp_path / "captions.jsonl", tmp_path / "val.jsonl"
    write_lines(
        captions,
        [{"vid": vid, "step": 2.0, "captions": texts} for vid, texts in SCENES.items()],
    )
    write_lines(
        annotations,
        [
            {"qid": qid, "query": text, "vid": vid, "duration": 20, "relevant_windows": windows}
            for qid, text, vid, windows in QUERIES
        ],
    )
    files = ["--captions", str(captions), "--annotations", str(annotations)]
    return ["eval", "qvhighlights", *files, "--null-rate", "1"]


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(arguments: Arguments, out: Path, *, code: int = 0) -> dict[str, Any]:
    assert main([*arguments, "--out", str(out)]) == code
    summary = json.loads((out / "summary.json").read_text())
    assert isinstance(summary, dict)
    return summary


def assert_same_bytes(out: Path, other: Path) -> None:
    for name in ("summary.json", "predictions.jsonl"):
        # The commit is that of the working tree, which may change meanwhile.
        content, expected = (
            re.sub(rb'"commit": ".*"', b"", (folder / name).read_bytes()) for folder in (out, other)
        )
        assert content == expected
    assert without_times(out) == without_times(other)


def without_times(out: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def alone(kill_at: int, arguments: Arguments, out: Path) -> int:
    command = [sys.executable, "-m", "tests.eval_alone", str(kill_at), *arguments]
    command += ["--out", str(out)]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=PATIENCE_S).returncode


class PaidReasoner:
    """Answers as the LLM-free grounder does, for a cent a reply.

    Args:
        usd: What a reply costs; None where nobody knows.
        fails: Queries that it does not answer.
    """

    name = "paid"
    by: Literal["llm", "similarity"] = "llm"

    def __init__(self, usd: float | None = 0.01, fails: Callable[[str], bool] = bool) -> None:
        self.asked: list[str] = []
        self._usd = usd
        self._fails = fails

    @property
    def prompts(self) -> dict[str, str]:
        return {"reason": "v1"}

    def reply(self, brief: Brief) -> Reply:
        self.asked.append(brief.query)
        if self._fails(brief.query):
            raise ReasonerError(f"no answer to\n{brief.query}")
        reply = SimilarityReasoner().reply(brief)
        return Reply(reply.text, cost=Cost(tokens_in=100, tokens_out=10, usd=self._usd))


def never(_: str) -> bool:
    return False


@pytest.fixture
def hire(monkeypatch: pytest.MonkeyPatch) -> Callable[..., PaidReasoner]:
    """Has a paid reasoner decide from now on."""

    def put_in_place(usd: float | None = 0.01, fails: Callable[[str], bool] = never) -> Any:
        reasoner = PaidReasoner(usd, fails)
        monkeypatch.setattr(opened, "open_reasoner", lambda *_, **__: reasoner)
        return reasoner

    return put_in_place


@pytest.mark.slow
def test_a_run_writes_figures_predictions_and_a_line_for_every_question(
    arguments: Arguments, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    summary = run(arguments, out)
    assert "R@1 IoU=0.7                         100.00" in capsys.readouterr().out
    assert summary["figures"]["mIoU"]["count"] == 5
    assert (
        summary["questions"] | {"asked": 12, "own": 5, "random": 5, "hard": 2, "of": 12}
        == (summary["questions"])
    )
    assert summary["provenance"]["reasoner"] == "similarity"
    assert set(summary["provenance"]["files"]) == {"captions.jsonl", "val.jsonl"}
    results = read_results(out / "results.jsonl")
    assert [one.key for one in results[:6]] == [*(f"own:{n}" for n in range(1, 6)), "random:1"]
    kite = results[0]
    assert (kite.verdict, kite.truth, kite.shown) == ("found", ((8.0, 14.0),), ((0.0, 20.0),))
    assert kite.intervals[0][:2] == (8.0, 14.0)
    assert kite.confidence == kite.intervals[0][2]
    assert len(kite.relevance) == 10
    assert set(kite.costs) == {"captioner", "reasoner", "judge", "direct"}
    assert set(kite.seconds) >= {"watch", "retrieve", "reason"}
    assert all(one.truth == () for one in results if one.kind != "own")
    hard = [one for one in results if one.kind == "hard"]
    assert {(one.query, one.video) for one in hard} == {
        ("a cook chops onions", "bbb_20.0_40.0"),
        ("a bus", "bbb_0.0_20.0"),
    }
    lines = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    assert [line["qid"] for line in lines] == [1, 2, 3, 4, 5]
    assert list(lines[0]) == [
        "qid",
        "query",
        "vid",
        "pred_relevant_windows",
        "pred_saliency_scores",
    ]
    assert lines[0]["pred_relevant_windows"][0][:2] == [8.0, 14.0]


@pytest.mark.slow
def test_a_run_killed_in_the_middle_of_a_line_and_restarted_gives_the_same_bytes(
    arguments: Arguments, tmp_path: Path
) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    assert alone(7, arguments, killed) == -signal.SIGKILL
    written = (killed / "results.jsonl").read_bytes()
    assert written.count(b"\n") == 6
    assert not written.endswith(b"\n")
    # What follows must not be joined to the half line, and is read when it goes on once more.
    assert alone(3, arguments, killed) == -signal.SIGKILL
    assert (killed / "results.jsonl").read_bytes().count(b"\n") == 8
    run(arguments, killed)
    run(arguments, whole)
    assert_same_bytes(killed, whole)


@pytest.mark.slow
def test_nothing_is_asked_twice(
    arguments: Arguments, tmp_path: Path, hire: Callable[..., PaidReasoner]
) -> None:
    first = hire()
    run(arguments, tmp_path / "run")
    assert len(first.asked) == 12
    path = tmp_path / "run" / "results.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]) + lines[3][:40])
    again = hire()
    summary = run(arguments, tmp_path / "run")
    assert len(again.asked) == 9
    assert summary["cost"]["reasoner"]["usd"] == pytest.approx(0.12)


@pytest.mark.slow
def test_four_at_a_time_answer_as_one_does(arguments: Arguments, tmp_path: Path) -> None:
    run(arguments, tmp_path / "one")
    run([*arguments, "--workers", "4"], tmp_path / "four")
    assert_same_bytes(tmp_path / "four", tmp_path / "one")


@pytest.mark.slow
def test_a_run_stops_at_its_limit_of_dollars_and_goes_on_with_a_higher_one(
    arguments: Arguments,
    tmp_path: Path,
    hire: Callable[..., PaidReasoner],
    capsys: pytest.CaptureFixture[str],
) -> None:
    reasoner = hire()
    stopped = run([*arguments, "--max-usd", "0.025"], tmp_path / "run", code=1)
    # Two questions had cost 0.02, so a third was asked; 0.03 is over the limit.
    assert len(reasoner.asked) == 3
    assert stopped["stopped"] == "$0.0300 of --max-usd 0.025 are spent"
    assert (stopped["questions"]["asked"], stopped["questions"]["of"]) == (3, 12)
    assert stopped["figures"]["mIoU"]["count"] == 3
    assert "stopped: $0.0300" in capsys.readouterr().out
    run([*arguments, "--max-usd", "0.025"], tmp_path / "run", code=1)
    assert len(reasoner.asked) == 3
    done = run([*arguments, "--max-usd", "0.12"], tmp_path / "run")
    assert len(reasoner.asked) == 12
    assert done["stopped"] == ""
    assert (
        done["cost"]["reasoner"] | {"tokens_in": 1200, "tokens_out": 120}
        == (done["cost"]["reasoner"])
    )


def test_a_limit_of_dollars_needs_prices(
    arguments: Arguments,
    tmp_path: Path,
    hire: Callable[..., PaidReasoner],
    capsys: pytest.CaptureFixture[str],
) -> None:
    reasoner = hire(usd=None)
    assert main([*arguments, "--max-usd", "5", "--out", str(tmp_path / "run")]) == 2
    assert len(reasoner.asked) == 1
    assert "what this costs is not known, so --max-usd 5" in capsys.readouterr().err


@pytest.mark.slow
def test_a_question_that_fails_is_counted_and_asked_again(
    arguments: Arguments, tmp_path: Path, hire: Callable[..., PaidReasoner]
) -> None:
    hire(fails=lambda query: query == "a bus")
    summary = run(arguments, tmp_path / "run", code=1)
    # Not asked again for want of money: it is still known to have failed.
    stopped = run([*arguments, "--max-usd", "0.01"], tmp_path / "run", code=1)
    assert (stopped["questions"]["errors"], stopped["questions"]["asked"]) == (3, 12)
    assert "are spent" in stopped["stopped"]
    assert summary["questions"]["errors"] == 3
    assert summary["figures"]["mIoU"]["count"] == 5
    failed = [one for one in read_results(tmp_path / "run/results.jsonl") if one.error]
    assert {(one.verdict, one.error) for one in failed} == {("error", "no answer to a bus")}
    assert summary["outcomes"]["error"] == 3
    again = hire()
    repaired = run(arguments, tmp_path / "run")
    assert again.asked == ["a bus"] * 3
    assert repaired["questions"]["errors"] == 0
    hire()
    assert repaired["figures"] == run(arguments, tmp_path / "whole")["figures"]


@pytest.mark.slow
def test_many_failures_in_a_row_end_the_run(
    arguments: Arguments,
    tmp_path: Path,
    hire: Callable[..., PaidReasoner],
    capsys: pytest.CaptureFixture[str],
) -> None:
    reasoner = hire(fails=lambda _: True)
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    assert len(reasoner.asked) == ERRORS_IN_A_ROW
    assert "10 questions in a row failed: no answer to a" in capsys.readouterr().err


@pytest.mark.slow
def test_captions_are_embedded_once_for_all_runs_of_the_same_file(
    arguments: Arguments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(arguments, tmp_path / "one")
    embedded: list[str] = []

    class NotingEmbedder(WordEmbedder):
        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            embedded.extend(texts)
            return super().embed(texts)

    monkeypatch.setattr(opened, "open_embedder", lambda *_, **__: NotingEmbedder())
    run(arguments, tmp_path / "two")
    # Beside the everyday texts that every query is compared with.
    assert set(embedded) - set(BACKGROUND) == {text for _, text, _, _ in QUERIES}
    # The same videos with other captions, and then the first ones again.
    captions = Path(arguments[3])
    before = captions.read_text()
    captions.write_text(before.replace("a red kite aloft", "a balloon"))
    changed = run(arguments, tmp_path / "three")
    assert changed["figures"]["mIoU"]["value"] < 100
    captions.write_text(before)
    assert run(arguments, tmp_path / "four")["figures"]["mIoU"]["value"] == 100


@pytest.mark.slow
def test_a_folder_of_captions_and_no_name_but_the_datasets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "captions"
    folder.mkdir()
    for name, texts in SCENES.items():
        write_lines(
            folder / f"{name}.jsonl",
            [{"t": 2.0 * index, "caption": text} for index, text in enumerate(texts)],
        )
    labels = tmp_path / "own.csv"
    rows = [f"{vid},{text},{start},{end},20" for _, text, vid, ws in QUERIES for start, end in ws]
    labels.write_text("\n".join(["video,query,start,end,duration", *rows]))
    arguments = ["eval", "own", "--annotations", str(labels), "--captions", str(folder)]
    summary = run([*arguments, "--json"], tmp_path / "run")
    assert json.loads(capsys.readouterr().out) == summary
    assert summary["figures"]["R@1 IoU=0.7"]["value"] == 100
    assert not (tmp_path / "run" / "predictions.jsonl").exists()
    (folder / "aaa_0.0_20.0.jsonl").write_text('{"t": 0, "caption": ""}\n')
    assert main([*arguments, "--out", str(tmp_path / "bad")]) == 2
    assert "aaa_0.0_20.0.jsonl:1: no caption text" in capsys.readouterr().err


@pytest.mark.slow
def test_bad_lines_and_missing_videos_are_left_out_only_when_that_is_said(
    arguments: Arguments, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions, annotations = Path(arguments[3]), Path(arguments[5])
    captions.write_text("\n".join(captions.read_text().splitlines()[:3]))
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    message = capsys.readouterr().err
    assert f"there is no ccc_0.0_20.0 in {captions} (1 of 5 queries are about it)" in message
    annotations.write_text(annotations.read_text() + '{"qid": 6}\n')
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    assert "val.jsonl:6: there is no 'query'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    summary = run([*arguments, "--skip-bad"], tmp_path / "run")
    assert summary["questions"]["own"] == 4
    assert len(summary["bad_lines"]) == 1
    assert summary["bad_videos"] == {
        "videos": 1,
        "queries": 1,
        "examples": [f"there is no ccc_0.0_20.0 in {captions}"],
    }
    printed = capsys.readouterr().out
    assert "bad lines left out: 1" in printed
    assert "queries about those left out: 1" in printed


def test_a_part_of_the_videos_is_enough_for_a_part_of_the_queries(
    arguments: Arguments, tmp_path: Path
) -> None:
    captions = Path(arguments[3])
    captions.write_text("\n".join(captions.read_text().splitlines()[:2]))
    assert run([*arguments, "--limit", "2"], tmp_path / "run")["questions"]["own"] == 2


@pytest.mark.slow
def test_a_larger_part_goes_on_from_a_smaller_one(
    arguments: Arguments, tmp_path: Path, hire: Callable[..., PaidReasoner]
) -> None:
    arguments = [*arguments[:-2], "--shuffle", "--seed", "3"]
    first = hire()
    run([*arguments, "--limit", "2"], tmp_path / "run")
    second = hire()
    run([*arguments, "--limit", "4"], tmp_path / "run")
    assert (len(first.asked), len(second.asked)) == (2, 2)
    assert set(first.asked + second.asked) < {text for _, text, _, _ in QUERIES}
    everything = hire()
    run(arguments, tmp_path / "all")
    assert everything.asked[:4] == first.asked + second.asked
    assert everything.asked != [text for _, text, _, _ in QUERIES]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (["--limit", "2"], "holds answers to other questions, own:3 about bbb_20.0_40.0"),
        (["--seed", "5"], "holds answers to other questions"),
    ],
)
def test_answers_to_other_questions_are_not_taken_for_these(
    arguments: Arguments,
    change: list[str],
    complaint: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(arguments, tmp_path / "run")
    assert main([*arguments, "--out", str(tmp_path / "run"), *change]) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.slow
def test_another_reasoner_or_truth_is_another_run(
    arguments: Arguments,
    tmp_path: Path,
    hire: Callable[..., PaidReasoner],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(arguments, tmp_path / "run")
    hire()
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    assert 'a run with reasoner "similarity", and this is "paid"' in capsys.readouterr().err
    annotations = Path(arguments[5])
    annotations.write_text(annotations.read_text().replace("[[8, 14]]", "[[8, 12]]"))
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    assert "holds a run with annotations" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (["--limit", "0"], "--limit must be at least 1"),
        (["--workers", "0"], "--workers must be at least 1"),
        (["--null-rate", "1.5"], "--null-rate must be from 0 to 1, not 1.5"),
        (["--max-usd", "0"], "--max-usd must be more than 0"),
        (["--seed", "-1"], "--seed must be 0 or more"),
        (["--rate", "2"], "--rate is about videos"),
        (["--captions", "missing.jsonl"], "cannot read missing.jsonl"),
        (["--reasoner", "magic"], "no reasoner 'magic'"),
    ],
)
def test_bad_options_are_one_line_with_the_value(
    arguments: Arguments,
    change: list[str],
    complaint: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*arguments, "--out", str(tmp_path / "run"), *change]) == 2
    message = capsys.readouterr().err
    assert complaint in message
    assert message.count("\n") == 1


@pytest.mark.slow
def test_two_runs_do_not_share_a_folder(
    arguments: Arguments,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = str(tmp_path / "run")
    codes: list[int] = []

    def ask_meanwhile(video: str, query: str) -> Question:
        if not codes:
            codes.append(main([*arguments, "--out", out]))
        return api.make_question(video, query)

    monkeypatch.setattr("evaluation.runs.bench.make_question", ask_meanwhile)
    assert main([*arguments, "--out", out]) == 0
    assert codes == [2]
    assert f"another whenabouts eval is writing to {out}" in capsys.readouterr().err


@pytest.mark.slow
def test_the_settings_of_who_describes_do_not_matter_where_captions_are_given(
    arguments: Arguments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHENABOUTS_STRATEGY", "activity")
    monkeypatch.setenv("WHENABOUTS_RATE_HZ", "4")
    run(arguments, tmp_path / "run")
    monkeypatch.delenv("WHENABOUTS_STRATEGY")
    run(arguments, tmp_path / "run")
    assert "OPENAI_API_KEY" not in os.environ
