"""``whenabouts eval report``: what came out of runs, as a page and as Markdown."""

from __future__ import annotations

import argparse
from pathlib import Path

from evaluation.results import BenchmarkError
from tools.terminal import put

EXAMPLE = """\
example:
  whenabouts eval report runs/similarity runs/model --out report.html

writes the page, which needs no other file and no network, and its tables as report.md beside it
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``report`` to the commands of ``whenabouts eval``."""
    parser = subparsers.add_parser(
        "report",
        help="a page and Markdown tables from the results of runs",
        description="A self-contained HTML page and Markdown tables from the results of runs.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="folder that holds results.jsonl"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("report.html"), help="the page (default: report.html)"
    )


def run(options: argparse.Namespace) -> int:
    """Write the report; returns the exit code.

    Raises:
        BenchmarkError: If a run cannot be read, the report cannot be written, or matplotlib or
            jinja2 is not installed.
    """
    from evaluation.report.content import make_report
    from evaluation.report.markdown import as_markdown
    from evaluation.report.page import as_html
    from evaluation.report.reported_runs import read_runs

    page: Path = options.out
    if page.suffix.lower() not in {".html", ".htm"}:
        raise BenchmarkError(f"--out must name an HTML page, such as report.html, not {page}")
    report = make_report(read_runs(options.runs))
    for path, text in (
        (page, as_html(report)),
        (page.with_suffix(".md"), as_markdown(report)),
    ):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        except OSError as exc:
            raise BenchmarkError(f"cannot write {path}: {exc.strerror}") from exc
        put(str(path))
    return 0
