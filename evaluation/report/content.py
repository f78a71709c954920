"""What a report says of some runs, before it takes the form of a page or of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evaluation.figures.decomposition import Outcome, decompose
from evaluation.report.accuracy_plots import accuracy_plots
from evaluation.report.axes import Plot
from evaluation.report.cost_plots import cost_plots
from evaluation.report.length_plots import length_plots
from evaluation.report.outcome_plots import outcome_plots
from evaluation.report.reported_runs import Run
from evaluation.report.tables import (
    Table,
    costs_table,
    figures_table,
    outcomes_table,
    provenance_table,
    times_table,
)
from evaluation.report.timelines import Timeline, worst
from evaluation.report.words import MEANINGS, NAMES, NULL_OUTCOMES, OWN_OUTCOMES
from evaluation.results import Result

_ERRORS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Section:
    """Plots and tables under a heading, for all runs together."""

    title: str
    plots: tuple[Plot, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """Some questions that had the same outcome."""

    name: str
    meaning: str
    count: int
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Closely:
    """What is said of one run alone.

    Attributes:
        run: The run.
        examples: Of every wrong outcome that came about.
        timelines: The worst answers.
        errors: The first questions that have no answer.
    """

    run: Run
    examples: tuple[Example, ...]
    timelines: tuple[Timeline, ...]
    errors: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is said.

    Attributes:
        runs: Whom it is about.
        warnings: Why figures cannot be taken as they are, in a sentence or two each.
        sections: About all runs.
        closely: About each run.
    """

    runs: tuple[Run, ...]
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]
    closely: tuple[Closely, ...]


def make_report(runs: Sequence[Run]) -> Report:
    """Work out all figures, tables and plots.

    Raises:
        BenchmarkError: If matplotlib is not installed.
    """
    sections = (
        Section("Accuracy", tuple(accuracy_plots(runs)), (figures_table(runs),)),
        Section("Why answers are wrong", tuple(outcome_plots(runs)), (outcomes_table(runs),)),
        Section("Lengths", tuple(length_plots(runs)), ()),
        Section("Cost and time", tuple(cost_plots(runs)), (costs_table(runs), times_table(runs))),
        Section("Where this comes from", (), (provenance_table(runs),)),
    )
    return Report(
        tuple(runs), tuple(_warnings(runs)), sections, tuple(_closely(run) for run in runs)
    )


def _warnings(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        of = run.summary.get("questions", {}).get("of", len(run.results))
        if len(run.results) < of:
            asked_of = f"{len(run.results):,} of {of:,} questions"
            yield f"{run.name} is not complete: {asked_of} were asked."
    # Figures of runs that were asked different things differ for that reason too.
    asked = [{(one.key, one.video) for one in run.results} for run in runs]
    common, every = set.intersection(*asked), set.union(*asked)
    if common != every:
        yield (
            f"These runs were not asked the same: {len(common):,} of {len(every):,} questions are "
            "in all of them. Differences between figures may come from the questions alone."
        )


_SPOKEN_OF: set[Outcome] = {"right", "right_null", "error"}
"""Outcomes that need no example, or, being errors, have a list of their own."""


def _closely(run: Run) -> Closely:
    parts = decompose(run.results)
    by_key = {one.key: one for one in run.results}
    examples = tuple(
        Example(
            NAMES[name], MEANINGS[name], count, tuple(by_key[key] for key in parts.examples[name])
        )
        for name in (*OWN_OUTCOMES, *NULL_OUTCOMES)
        if (count := parts.counts[name]) and name not in _SPOKEN_OF
    )
    return Closely(run, examples, tuple(worst(run)), tuple(run.errors[:_ERRORS_SHOWN]))
