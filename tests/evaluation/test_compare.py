"""Two runs against each other: over shared questions, in pairs, with an interval."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from evaluation.figures import compare
from evaluation.figures.compare import compare_runs
from evaluation.figures.figures import FEWEST_FOR_INTERVAL
from evaluation.figures.measures import measure
from evaluation.results import BenchmarkError, Result
from tests.made_results import made, missed, null


def hard_and_easy(easy: int, hard: int, *, better_on: int = 0) -> list[Result]:
    """Right on the easy questions, and on the first few of the hard ones."""
    return [made(str(number)) for number in range(easy + better_on)] + [
        missed(str(number)) for number in range(easy + better_on, easy + hard)
    ]


def ask(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    compare.add_parser(parser.add_subparsers())
    options = parser.parse_args(["compare", *arguments])
    code = options.run(options)
    assert isinstance(code, int)
    return code


def write(folder: Path, results: Sequence[Result]) -> str:
    folder.mkdir()
    (folder / "results.jsonl").write_text("".join(one.as_line() for one in results))
    return str(folder)


@pytest.mark.slow
def test_the_difference_is_taken_in_pairs() -> None:
    a, b = hard_and_easy(100, 100), hard_and_easy(100, 100, better_on=10)
    one = compare_runs(a, b).differences["R@1 IoU=0.5"]
    assert (one.a, one.b, one.difference) == pytest.approx((50, 55, 5))
    assert one.excludes_0
    assert one.better == "B"
    # Ten of two hundred changed: the spread is theirs alone, and apart the runs overlap.
    assert one.low is not None
    assert one.high is not None
    assert (one.high - one.low) / 2 == pytest.approx(196 * np.sqrt(0.05 * 0.95 / 200), rel=0.15)
    assert measure(a)["R@1 IoU=0.5"].high > measure(b)["R@1 IoU=0.5"].low
    assert compare_runs(b, a).differences["R@1 IoU=0.5"].better == "A"


def test_a_run_does_not_differ_from_itself_whatever_its_order() -> None:
    run = [*hard_and_easy(20, 20, better_on=3), null("1"), null("2", found=True)]
    comparison = compare_runs(run, run[::-1])
    for one in comparison.differences.values():
        assert (one.difference, one.excludes_0, one.better) == (0, False, "")
        expected = None if one.count < FEWEST_FOR_INTERVAL else pytest.approx(0, abs=1e-12)
        assert (one.low, one.high) == (expected, expected)
    assert all(before == after for before, after in comparison.transitions)


def test_less_is_better_where_it_counts_errors_and_neither_where_it_counts_answers() -> None:
    sure = [made(str(n), intervals=((21.0, 30.0, 0.9),)) for n in range(50)]
    sloppy = [made(str(n), intervals=((24.0, 30.0, 0.9),)) for n in range(50)]
    shy = [made(str(n), verdict="not_found", intervals=()) for n in range(50)]
    assert compare_runs(sloppy, sure).differences["start error (s)"].better == "B"
    answered = compare_runs(sure, shy).differences["answered"]
    assert answered.excludes_0
    assert answered.better == ""


def test_of_a_handful_of_questions_neither_run_is_called_better() -> None:
    comparison = compare_runs([missed(str(n)) for n in range(9)], [made(str(n)) for n in range(9)])
    one = comparison.differences["R@1 IoU=0.5"]
    assert (one.difference, one.count) == (100, 9)
    assert (one.low, one.high, one.excludes_0, one.better) == (None, None, False, "")


def test_only_shared_questions_count_and_the_others_are_said() -> None:
    a, b = [missed("1"), made("2"), made("3")], [made("2"), made("3"), missed("4"), missed("5")]
    comparison = compare_runs(a, b)
    assert (comparison.shared, comparison.only_a, comparison.only_b) == (2, 1, 2)
    assert comparison.differences["mIoU"].a == comparison.differences["mIoU"].b == 100


def test_outcomes_are_followed_from_run_to_run() -> None:
    unseen = missed("1", shown=((60.0, 70.0),))
    comparison = compare_runs([unseen, made("2"), null()], [made("1"), made("2"), null(found=True)])
    assert comparison.transitions == {
        ("search_miss", "right"): 1,
        ("right", "right"): 1,
        ("right_null", "false_alarm"): 1,
    }


def test_a_figure_of_one_run_alone_is_named_and_not_compared() -> None:
    comparison = compare_runs([made(presence=None), null(presence=None)], [made(), null()])
    assert "presence AUROC (random)" in comparison.not_in_both
    assert "presence AUROC (random)" not in comparison.differences


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        ([made("2")], "share no question"),
        ([made("1", video="harbour")], "own:1 is not the same question"),
        ([made("1", truth=((1.0, 2.0),))], "own:1 is not the same question"),
    ],
)
def test_runs_over_other_questions_are_not_compared(other: list[Result], complaint: str) -> None:
    with pytest.raises(BenchmarkError, match=complaint):
        compare_runs([made("1")], other)


def test_the_command_prints_tables_or_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = write(tmp_path / "a", hard_and_easy(20, 20))
    b = write(tmp_path / "b", hard_and_easy(20, 20, better_on=9)[:-1])
    assert ask(a, b, "--draws", "200") == 0
    shown = capsys.readouterr().out
    assert "39 shared questions; 1 only in A and 0 only in B are left out" in shown
    recall = next(line.split() for line in shown.splitlines() if line.startswith("R@1 IoU=0.5"))
    assert recall[2:5] == ["51.28", "74.36", "+23.08"]
    assert recall[-2:] == ["yes", "B"]
    assert "reasoning_miss  right" in shown

    assert ask(a, f"{b}/results.jsonl", "--draws", "200", "--json") == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["differences"]["R@1 IoU=0.5"]["better"] == "B"
    assert plain["transitions"][0] == {"a": "reasoning_miss", "b": "right", "count": 9}


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    run = write(tmp_path / "a", [made()])
    with pytest.raises(BenchmarkError, match=r"cannot read .*nowhere"):
        ask(run, str(tmp_path / "nowhere"))
    with pytest.raises(BenchmarkError, match="--draws must be at least 1, not 0"):
        ask(run, run, "--draws", "0")
