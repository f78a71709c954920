"""A report as Markdown: its tables and its examples, for where a page cannot go."""

from __future__ import annotations

import re
from collections.abc import Iterator

from evaluation.report.content import Closely, Report
from evaluation.report.tables import Cell, Table
from evaluation.report.words import VERDICTS, span
from evaluation.results import Result


def as_markdown(report: Report) -> str:
    """The tables, then of each run examples of its misses and the first of its errors."""
    names = ", ".join(plain(run.name) for run in report.runs)
    blocks = [f"# whenabouts: {names}"]
    blocks += [f"**{plain(warning)}**" for warning in report.warnings]
    for section in report.sections:
        for table in section.tables:
            blocks += _table(table)
    for closely in report.closely:
        blocks += _closely(closely)
    return "\n\n".join(blocks) + "\n"


def plain(text: str) -> str:
    """Anybody's text on one line, with nothing in it that Markdown or HTML would act upon."""
    one_line = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>&#|~$!])", r"\\\1", one_line)


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.title}"
    align = "---:" if table.is_numeric else "---"
    lines = [
        _row([plain(text) for text in table.header]),
        _row(["---", *[align] * (len(table.header) - 1)]),
    ]
    # What a row means stands on the page; here it would make the first column too wide.
    lines += [_row([plain(row[0].text), *map(_cell, row[1:])]) for row in table.rows]
    yield "\n".join(lines)
    if table.note:
        yield table.note


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    return plain(f"{cell.text} {cell.note}")


def _closely(closely: Closely) -> Iterator[str]:
    for example in closely.examples:
        yield f"## {plain(closely.run.name)}: {example.name} ({example.count:,})"
        yield f"{example.meaning[0].upper()}{example.meaning[1:]}."
        yield "\n".join(f"- {_result(one)}" for one in example.results)
    if closely.errors:
        yield f"## {plain(closely.run.name)}: errors ({len(closely.run.errors):,})"
        yield "\n".join(
            f"- {plain(one.key)}, {plain(one.video)}: {plain(one.error)}" for one in closely.errors
        )


def _result(one: Result) -> str:
    truth = ", ".join(span(*window) for window in one.truth) or "nowhere"
    answer = span(*one.intervals[0][:2]) if one.intervals else VERDICTS[one.verdict]
    return f"“{plain(one.query)}” in {plain(one.video)}: true {truth}; answered {answer}"
