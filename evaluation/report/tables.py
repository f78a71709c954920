"""The tables of a report: figures, outcomes, costs, times, and who took part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.grounding import Cost
from evaluation.figures.decomposition import decompose
from evaluation.figures.figures import MEANINGS as FIGURES
from evaluation.figures.figures import OF_ONE, Figure
from evaluation.figures.measures import measure
from evaluation.report.costs import nodes_of, stages_of, usd_of
from evaluation.report.reported_runs import Run
from evaluation.report.words import (
    MEANINGS,
    NAMES,
    NOTHING,
    NULL_OUTCOMES,
    OWN_OUTCOMES,
    UNKNOWN,
    duration,
    number,
    usd,
)
from evaluation.results import sum_usd


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says, and beside it, smaller, what qualifies that."""

    text: str
    note: str = ""


Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first column names the rows.

    Attributes:
        title: What it is about.
        header: One text for each column.
        rows: Cells, as many as the header has texts.
        note: How to read it.
        glossary: Names with what they mean, for those who ask.
        is_numeric: Whether the columns after the first hold numbers.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""
    glossary: tuple[tuple[str, str], ...] = ()
    is_numeric: bool = True


def figures_table(runs: Sequence[Run]) -> Table:
    """Every figure that any run has, with its 95% interval."""
    of_run = [measure(run.results) for run in runs]
    names = [name for name in FIGURES if any(name in figures for figures in of_run)]
    rows = tuple(
        (Cell(name), *(_figure(name, figures.get(name)) for figures in of_run)) for name in names
    )
    note = (
        "Percent where no unit is given; in brackets the 95% interval (bootstrap over queries); "
        "n is what a figure is over."
    )
    glossary = tuple((name, FIGURES[name]) for name in names)
    return Table("Figures", ("", *(run.name for run in runs)), rows, note, glossary)


def outcomes_table(runs: Sequence[Run]) -> Table:
    """Counts and shares of what became of the queries; own and null queries apart."""
    rows = []
    for kind, names, of_run in (
        ("own", OWN_OUTCOMES, [run.own for run in runs]),
        ("null", NULL_OUTCOMES, [run.nulls for run in runs]),
    ):
        parts = [decompose(results) for results in of_run]
        for name in names:
            counts = [part.counts[name] for part in parts]
            if any(counts) or (name != "error" and any(of_run)):
                cells = (
                    Cell(f"{count:,}", f"({number(part.shares[name])}%)" if results else "")
                    for count, part, results in zip(counts, parts, of_run, strict=True)
                )
                title = f"error ({kind})" if name == "error" else NAMES[name]
                rows.append((Cell(title, MEANINGS[name]), *cells))
    note = "Every question has exactly one outcome. Shares are of the own, or of the null queries."
    return Table("Outcomes", ("", *(run.name for run in runs)), tuple(rows), note)


def costs_table(runs: Sequence[Run]) -> Table:
    """Captions, calls, tokens and dollars by stage."""
    rows = tuple(row for run in runs for row in _cost_rows(run, runs))
    tokens = ("tokens in", "tokens out", "tokens a question")
    header = ("", "captions", "calls", "frames", *tokens, "USD", "USD a question")
    note = (
        "Calls are questions to a model beside captions, frames those that it was shown with them. "
        f"A sum over questions some of whose costs are {UNKNOWN} begins with “at least”. Captions "
        "made once for several questions count for the one that needed them first. Verdicts and "
        "direct replies that were kept from an earlier run count as what they cost when they were "
        "given, though nobody paid for them again."
    )
    return Table("Cost by stage", header, rows, note)


def times_table(runs: Sequence[Run]) -> Table:
    """Wall time by node of the graph."""
    of_run = [nodes_of(run.results) for run in runs]
    nodes = dict.fromkeys(node for times in of_run for node in times)
    rows = tuple((Cell(node), *(_time(times.get(node, [])) for times in of_run)) for node in nodes)
    note = "Wall time of a question: the median, and in brackets what 95% stay within and the sum."
    return Table("Time by graph node", ("", *(run.name for run in runs)), rows, note)


def provenance_table(runs: Sequence[Run]) -> Table:
    """What was asked, who took part, what went wrong, and where the run comes from."""
    facts = [_facts(run) for run in runs]
    names = dict.fromkeys(name for of_run in facts for name in of_run)
    rows = tuple(
        (Cell(name), *(Cell(of_run.get(name, NOTHING)) for of_run in facts)) for name in names
    )
    return Table("Provenance", ("", *(run.name for run in runs)), rows, is_numeric=False)


def _figure(name: str, figure: Figure | None) -> Cell:
    if figure is None:
        return Cell(NOTHING)
    digits = 3 if name in OF_ONE else 2 if name.endswith("(s)") else 1
    value, low, high = (number(one, digits) for one in (figure.value, figure.low, figure.high))
    interval = f"[{low}, {high}]" if figure.has_interval else "too few for an interval,"
    return Cell(value, f"{interval} n={figure.count:,}")


def _time(spent_s: Sequence[float]) -> Cell:
    if not spent_s:
        return Cell(NOTHING)
    median_s, late_s = np.percentile(spent_s, [50, 95]).tolist()
    return Cell(duration(median_s), f"[{duration(late_s)}; {duration(sum(spent_s))}]")


def _named(run: Run, part: str, runs: Sequence[Run]) -> Cell:
    """Names a row after a part of a run, and after the run where there are several."""
    return Cell(f"{run.name}: {part}" if len(runs) > 1 else part)


def _cost_rows(run: Run, runs: Sequence[Run]) -> Iterator[Row]:
    stages = stages_of(run.results)
    for stage, costs in stages.items():
        yield _cost_row(_named(run, stage, runs), costs, [cost.usd for cost in costs])
    every = [cost for costs in stages.values() for cost in costs]
    yield _cost_row(_named(run, "all stages", runs), every, [usd_of(one) for one in run.results])


def _cost_row(name: Cell, costs: Sequence[Cost], of_questions: Sequence[float | None]) -> Row:
    known = [amount for amount in of_questions if amount is not None]
    tokens = sum(cost.tokens_in + cost.tokens_out for cost in costs)
    total = sum_usd(of_questions)
    if total is not None:
        spent = Cell(usd(total))
    elif known:
        unknown = f"({len(of_questions) - len(known):,} of {len(of_questions):,} {UNKNOWN})"
        spent = Cell(f"at least {usd(sum(known))}", unknown)
    else:
        spent = Cell(UNKNOWN)
    each = Cell(usd(sum(known) / len(known)) if known else UNKNOWN)
    return (
        name,
        Cell(f"{sum(cost.captions for cost in costs):,}"),
        Cell(f"{sum(cost.calls for cost in costs):,}"),
        Cell(f"{sum(cost.frames for cost in costs):,}"),
        Cell(f"{sum(cost.tokens_in for cost in costs):,}"),
        Cell(f"{sum(cost.tokens_out for cost in costs):,}"),
        Cell(f"{tokens / max(1, len(of_questions)):,.0f}"),
        spent,
        each,
    )


def _facts(run: Run) -> dict[str, str]:
    kinds: Counter[str] = Counter(one.kind for one in run.results)
    refusals = Counter(one.get("kind", "") for result in run.results for one in result.refusals)
    facts = {
        "questions": _tally(kinds),
        "videos asked": f"{len({one.video for one in run.results}):,}",
        "errors": f"{len(run.errors):,}",
        "bad lines left out": _count(run.summary, "bad_lines"),
        "bad videos left out": _bad_videos(run.summary),
        "stopped early": str(run.summary.get("stopped") or "no"),
        "answered by": _tally(Counter(one.by or "nobody" for one in run.results)),
        "answers asked for": f"{sum(one.attempts for one in run.results):,}",
        "refused": _tally(refusals) or "none",
        "look-ups": f"{sum(one.look_ups for one in run.results):,}",
    }
    models: dict[str, Counter[str]] = {}
    for one in run.results:
        for name, value in _leaves(one.models):
            models.setdefault(name, Counter())[value] += 1
    for name, values in models.items():
        # One value for the whole run is the rule; where captions differ by video there are more.
        facts[name] = next(iter(values)) if len(values) == 1 else _several(values)
    origin = dict(_leaves(run.summary.get("provenance", {})))
    # What results say of the models is said already, question by question.
    return facts | {name: value for name, value in origin.items() if name not in facts}


def _several(values: Counter[str], most: int = 4) -> str:
    shown = ", ".join(f"{value} ({count})" for value, count in values.most_common(most))
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"


def _tally(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name or 'unnamed'} {count:,}" for name, count in counts.items())


def _count(summary: Mapping[str, Any], name: str) -> str:
    left_out = summary.get(name)
    return UNKNOWN if left_out is None else f"{len(left_out):,}"


def _bad_videos(summary: Mapping[str, Any]) -> str:
    left_out = summary.get("bad_videos", {}).get("videos")
    return UNKNOWN if left_out is None else f"{left_out:,}"


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Names and texts of all single values in nested ones."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name} {key}".strip())
    elif isinstance(value, list):
        yield name, ", ".join(map(str, value))
    else:
        yield name, NOTHING if value in {None, ""} else str(value)
