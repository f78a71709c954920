"""The report of an experiment: that of its runs, and before it what each arm differs by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.table import Table as ConsoleTable

from evaluation.console import open_console
from evaluation.experiments.arms import SEEN_ALIKE, Arm, differing
from evaluation.experiments.catalog import Experiment
from evaluation.experiments.experiment_command import shown
from evaluation.figures.compare import Comparison, Difference, compare_runs
from evaluation.figures.figures import MEANINGS, OF_ONE
from evaluation.report.content import Section, make_report
from evaluation.report.markdown import as_markdown
from evaluation.report.page import as_html
from evaluation.report.reported_runs import Run, read_runs
from evaluation.report.tables import Cell, Table
from evaluation.report.words import NOTHING, number
from evaluation.results import BenchmarkError, Result
from evaluation.runs.run_folder import RESULTS, write_whole

REPORTS = ("report.html", "report.md")

HEADLINES = ("mIoU", "R@1 IoU=0.5")
"""What the terminal shows; the report has every figure."""


def write_report(experiment: Experiment, arms: Sequence[Arm], out: Path) -> None:
    """Write ``report.html`` and ``report.md`` over the arms that have results, and say the least.

    Raises:
        BenchmarkError: If results cannot be read, the report cannot be written, or what it is made
            with is not installed.
    """
    begun = [arm for arm in arms if _has_results(out / arm.name)]
    if not begun:
        return
    runs = read_runs([out / arm.name for arm in begun])
    first, *others = runs
    comparisons = {run.name: compare_runs(first.results, run.results) for run in others}
    report = make_report(runs)
    tables = (_arms_table(experiment, begun), *_differences_table(first, comparisons))
    report = replace(
        report,
        warnings=(*report.warnings, *_alike(runs), *_shared_captions(begun, runs)),
        sections=(Section(experiment.title, (), tables), *report.sections),
    )
    for name, text in zip(REPORTS, (as_html(report), as_markdown(report)), strict=True):
        try:
            write_whole(out / name, text)
        except OSError as exc:
            raise BenchmarkError(f"cannot write {out / name}: {exc.strerror}") from exc
    _show(first, comparisons)
    _show_costs(runs)
    open_console().print(f"\n{out / 'report.html'}", markup=False)


def _has_results(folder: Path) -> bool:
    return (folder / RESULTS).exists() and b"\n" in (folder / RESULTS).read_bytes()


def _arms_table(experiment: Experiment, arms: Sequence[Arm]) -> Table:
    # Those that are the same in all arms say under which conditions the others were compared.
    names = dict.fromkeys([*differing(arms), *(name for arm in arms for name in arm.settings)])
    names.pop("home", None)  # Where files lie on this machine is nothing to a reader.
    rows = [
        (Cell(name), *(Cell(shown(arm.settings.get(name, ...))) for arm in arms)) for name in names
    ]
    header = ("setting", *(arm.name for arm in arms))
    return Table("Arms", header, tuple(rows), experiment.question, is_numeric=False)


def _differences_table(first: Run, comparisons: dict[str, Comparison]) -> Iterator[Table]:
    """What figures differ by from the first arm's; nothing where there is no other."""
    if not comparisons:
        return
    names = [
        name for name in MEANINGS if any(name in one.differences for one in comparisons.values())
    ]
    rows = [(Cell("questions of both"), *(Cell(f"{one.shared:,}") for one in comparisons.values()))]
    rows += [
        (
            Cell(name),
            *(_difference(name, one.differences.get(name)) for one in comparisons.values()),
        )
        for name in names
    ]
    note = (
        f"What each arm has more than {first.name} over the questions that both were asked, with "
        "its 95% interval from a paired bootstrap; “better” and “worse” where that excludes 0. "
        "Among this many figures one or two exclude it by chance: the one that decides is to be "
        "named beforehand."
    )
    yield Table(f"Differences from {first.name}", ("", *comparisons), tuple(rows), note)


def _difference(name: str, one: Difference | None) -> Cell:
    if one is None:
        return Cell(NOTHING)
    digits = 3 if name in OF_ONE else 2 if name.endswith("(s)") else 1
    verdict = {"A": " worse", "B": " better"}.get(one.better, "")
    if one.low is None or one.high is None:
        return Cell(_signed(one.difference, digits), "too few for an interval")
    interval = f"[{_signed(one.low, digits)}, {_signed(one.high, digits)}]"
    return Cell(_signed(one.difference, digits), interval + verdict)


def _signed(value: float, digits: int) -> str:
    return f"+{number(value, digits)}" if value > 0 else number(value, digits)


def _alike(runs: Sequence[Run]) -> Iterator[str]:
    """Arms that differ in what made no difference at all: more often a mistake than a result."""
    names: dict[tuple[object, ...], list[str]] = {}
    for run in runs:
        answers = tuple(sorted((one.key, one.verdict, one.intervals) for one in run.results))
        names.setdefault(answers, []).append(run.name)
    for alike in names.values():
        if len(alike) > 1:
            yield (
                f"{', '.join(alike)} answered every question alike: look whether what they differ "
                "in reaches the reasoner."
            )


def _shared_captions(arms: Sequence[Arm], runs: Sequence[Run]) -> Iterator[str]:
    """Where costs of captions are not to be looked for in the arm that answered from them."""
    made_by: dict[tuple[str, ...], str] = {}
    for arm, run in zip(arms, runs, strict=True):
        if any(_cost_nothing(one) for one in run.results):
            continue
        settings = arm.load()
        seen = tuple(str(getattr(settings, name)) for name in SEEN_ALIKE)
        if seen in made_by:
            yield (
                f"{arm.name} answers from the captions of {made_by[seen]}: what those cost is "
                f"counted there, in the first run that needed them."
            )
        elif not any(cost.captions for one in run.results for cost in one.costs.values()):
            yield (
                f"{arm.name} made no captions: they were there before, and what they cost is not "
                "counted here."
            )
        made_by.setdefault(seen, arm.name)


def _cost_nothing(result: Result) -> bool:
    """Whether it is of captions of a file, or of the frames themselves."""
    return str(result.models.get("captioner", "")).startswith(("file:", "none"))


def _show(first: Run, comparisons: dict[str, Comparison]) -> None:
    if not comparisons:
        return
    table = ConsoleTable(f"minus {first.name}", box=None, pad_edge=False)
    for name in HEADLINES:
        table.add_column(name, justify="right")
    for arm, one in comparisons.items():
        cells = [_difference(name, one.differences.get(name)) for name in HEADLINES]
        table.add_row(arm, *(f"{cell.text} {cell.note}" for cell in cells))
    console = open_console()
    console.print()
    console.print(table, markup=False)


def _show_costs(runs: Sequence[Run]) -> None:
    """Requests and tokens that a question of each arm takes alone, over all stages."""
    table = ConsoleTable("a question", box=None, pad_edge=False)
    for name in ("calls", "captions", "tokens"):
        table.add_column(name, justify="right")
    for run in runs:
        of_stages = [list(one.costs_alone.values()) for one in run.results]
        sums = (
            sum(cost.calls for stages in of_stages for cost in stages),
            sum(cost.captions for stages in of_stages for cost in stages),
            sum(cost.tokens_in + cost.tokens_out for stages in of_stages for cost in stages),
        )
        table.add_row(run.name, *(f"{total / max(1, len(of_stages)):,.1f}" for total in sums))
    console = open_console()
    console.print()
    console.print(table, markup=False)
