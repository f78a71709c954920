"""``whenabouts eval compare``: whether one run is better than another, over the questions of both.

Each bootstrap draw takes the same queries from both runs, so that what is hard for both cancels
out: the interval is that of the difference, and much narrower than the two runs' own.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from evaluation.console import open_console
from evaluation.figures.decomposition import OUTCOMES, Outcome, outcome
from evaluation.figures.figures import (
    FEWEST_FOR_INTERVAL,
    LOWER_IS_BETTER,
    NEITHER_IS_BETTER,
    OF_ONE,
)
from evaluation.figures.resampling import interval_95, resampled
from evaluation.figures.weighing import Statistics
from evaluation.results import BenchmarkError, Result, read_results
from tools.terminal import put_json

if TYPE_CHECKING:
    from argparse import _SubParsersAction

EXAMPLE = """\
example:
  whenabouts eval compare runs/similarity runs/gpt-5-mini

The difference is B - A over the questions that both runs answered, with its 95% interval from a
paired bootstrap. A run is called better where that interval excludes 0. With some thirty figures
one or two will exclude it by chance: say beforehand which one decides.
"""


_NOTHING = 1e-9
"""What sums in another order may differ by."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure in both runs.

    Attributes:
        a: In the first run, over the shared questions.
        b: In the second.
        difference: ``b - a``.
        count: How many results it is over, in the run that has fewer.
        low: 2.5th percentile of the paired bootstrap of the difference; None over too few results.
        high: 97.5th percentile, in the same way.
        excludes_0: Whether there is an interval, and it leaves no room for "no difference".
        better: Which run the interval speaks for; empty where it holds 0, or where neither more
            nor less of the figure is better.
    """

    a: float
    b: float
    difference: float
    count: int
    low: float | None
    high: float | None
    excludes_0: bool
    better: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs over the same questions.

    Attributes:
        shared: How many questions both runs have; everything else is over these.
        only_a: How many only the first run has.
        only_b: How many only the second has.
        differences: By name of the figure, those that are defined in both runs.
        not_in_both: Names of figures that are defined in one run alone.
        transitions: How often an outcome of the first run became one of the second.
    """

    shared: int
    only_a: int
    only_b: int
    differences: dict[str, Difference]
    not_in_both: tuple[str, ...]
    transitions: dict[tuple[Outcome, Outcome], int]


def compare_runs(
    a: Sequence[Result], b: Sequence[Result], *, draws: int = 2000, seed: int = 0
) -> Comparison:
    """Paired differences of all figures, and what became of each outcome.

    Raises:
        BenchmarkError: If the runs share no question, or the same key is not the same question.
    """
    of_a, of_b = {one.key: one for one in a}, {one.key: one for one in b}
    keys = [key for key in of_a if key in of_b]
    if not keys:
        raise BenchmarkError("the two runs share no question; compare runs over the same dataset")
    pairs = [(of_a[key], of_b[key]) for key in keys]
    for one, other in pairs:
        if (one.video, one.query, one.truth) != (other.video, other.query, other.truth):
            raise BenchmarkError(
                f"{one.key} is not the same question in both runs: {one.query!r} of {one.video} "
                f"and {other.query!r} of {other.video}; compare runs with the same --seed and split"
            )
    differences, not_in_both = _differences(
        Statistics([one for one, _ in pairs]),
        Statistics([other for _, other in pairs]),
        draws=draws,
        seed=seed,
    )
    return Comparison(
        shared=len(keys),
        only_a=len(of_a) - len(keys),
        only_b=len(of_b) - len(keys),
        differences=differences,
        not_in_both=not_in_both,
        transitions=dict(Counter((outcome(one), outcome(other)) for one, other in pairs)),
    )


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of ``whenabouts eval compare``."""
    parser = subparsers.add_parser(
        "compare",
        help="whether one run is better than another, with an interval",
        description="Paired differences between two runs, over the questions that both answered.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run_a", metavar="RUN_A", type=Path, help="folder with results.jsonl")
    parser.add_argument("run_b", metavar="RUN_B", type=Path, help="folder with results.jsonl")
    parser.add_argument("--draws", type=int, default=2000, help="of the bootstrap (default 2000)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    parser.add_argument("--json", action="store_true", help="print JSON rather than tables")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compare two runs and print what came out; returns the exit code."""
    if options.draws < 1:
        raise BenchmarkError(f"--draws must be at least 1, not {options.draws}")
    comparison = compare_runs(
        read_results(_results_file(options.run_a)),
        read_results(_results_file(options.run_b)),
        draws=options.draws,
        seed=options.seed,
    )
    if options.json:
        put_json(json.dumps(_as_json(comparison, options), indent=2, ensure_ascii=False))
    else:
        _show(comparison, options)
    return 0


def _differences(
    a: Statistics, b: Statistics, *, draws: int, seed: int
) -> tuple[dict[str, Difference], tuple[str, ...]]:
    everyone = np.ones((1, len(a.queries)))
    value_a, value_b = a.at(everyone), b.at(everyone)
    names = [name for name in value_a if name in value_b]
    drawn: dict[str, list[Any]] = {name: [] for name in names}
    for weights in resampled(len(a.queries), draws=draws, seed=seed):
        block_a, block_b = a.at(weights), b.at(weights)
        for name in names:
            drawn[name].append(block_b[name] - block_a[name])
    differences = {}
    for name in names:
        low, high = interval_95(np.concatenate(drawn[name]))
        first, second = float(value_a[name][0]), float(value_b[name][0])
        count = min(a.counts[name], b.counts[name])
        is_told = count >= FEWEST_FOR_INTERVAL
        differences[name] = Difference(
            a=first,
            b=second,
            difference=second - first,
            count=count,
            low=low if is_told else None,
            high=high if is_told else None,
            excludes_0=is_told and (low > _NOTHING or high < -_NOTHING),
            better=_better(name, low, high) if is_told else "",
        )
    return differences, tuple(name for name in {**value_a, **value_b} if name not in differences)


def _better(name: str, low: float, high: float) -> str:
    if name in NEITHER_IS_BETTER or (low <= _NOTHING and high >= -_NOTHING):
        return ""
    return "B" if (low > 0) != (name in LOWER_IS_BETTER) else "A"


def _results_file(given: Path) -> Path:
    return given / "results.jsonl" if given.is_dir() else given


def _as_json(comparison: Comparison, options: argparse.Namespace) -> dict[str, Any]:
    return {
        "a": str(options.run_a),
        "b": str(options.run_b),
        "draws": options.draws,
        "seed": options.seed,
        **asdict(comparison),
        "transitions": [
            {"a": before, "b": after, "count": count}
            for (before, after), count in _by_count(comparison)
        ],
    }


def _show(comparison: Comparison, options: argparse.Namespace) -> None:
    console = open_console()
    console.print(f"A  {options.run_a}\nB  {options.run_b}", markup=False)
    console.print(
        f"{comparison.shared} shared questions; {comparison.only_a} only in A and "
        f"{comparison.only_b} only in B are left out"
    )
    figures = Table("figure", box=None, pad_edge=False)
    for heading in ("A", "B", "B - A", "95% interval", "excludes 0", "better"):
        figures.add_column(heading, justify="right")
    for name, one in comparison.differences.items():
        digits = 3 if name in OF_ONE else 2
        figures.add_row(
            name,
            f"{one.a:.{digits}f}",
            f"{one.b:.{digits}f}",
            f"{one.difference:+.{digits}f}",
            "too few"
            if one.low is None or one.high is None
            else f"{one.low:+.{digits}f} to {one.high:+.{digits}f}",
            "yes" if one.excludes_0 else "no",
            one.better,
        )
    console.print(figures)
    if comparison.not_in_both:
        console.print(f"in one run alone: {', '.join(comparison.not_in_both)}")
    moved = Table("outcome in A", "in B", box=None, pad_edge=False)
    moved.add_column("questions", justify="right")
    for (before, after), count in _by_count(comparison):
        moved.add_row(before, after, str(count), style="dim" if before == after else None)
    console.print()
    console.print(moved)


def _by_count(comparison: Comparison) -> list[tuple[tuple[Outcome, Outcome], int]]:
    """Transitions, those that changed something first, the most frequent first."""
    order = {name: index for index, name in enumerate(OUTCOMES)}

    def rank(item: tuple[tuple[Outcome, Outcome], int]) -> tuple[bool, int, int, int]:
        (before, after), count = item
        return before == after, -count, order[before], order[after]

    return sorted(comparison.transitions.items(), key=rank)
