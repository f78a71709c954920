"""``whenabouts eval report``: what came out of runs, as a page and as Markdown."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from evaluation.results import BenchmarkError
from tools.output_files import check_place, write_whole
from tools.terminal import put

_WHAT = "a report"
_BEGINNING_BYTES = 2_000

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
        VideoError: If a file is there already that is no earlier report.
    """
    from evaluation.report.content import make_report
    from evaluation.report.markdown import as_markdown
    from evaluation.report.page import as_html
    from evaluation.report.reported_runs import read_runs

    page: Path = options.out
    if page.suffix.lower() not in {".html", ".htm"}:
        raise BenchmarkError(f"--out must name an HTML page, such as report.html, not {page}")
    report = make_report(read_runs(options.runs))
    texts = {page: as_html(report), page.with_suffix(".md"): as_markdown(report)}
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise BenchmarkError(f"cannot write {page}: {exc.strerror}") from exc
    for path in texts:
        check_place(path, what=_WHAT, overwrite=_is_report(path))
    for path, text in texts.items():
        write_whole(path, partial(_fill, text), what=_WHAT, overwrite=_is_report(path))
        put(str(path))
    return 0


def _fill(text: str, part: Path) -> None:
    part.write_text(text, encoding="utf-8", newline="\n")


def _is_report(path: Path) -> bool:
    """Whether an earlier report is there, which a newer one may replace."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING_BYTES).lstrip()
    return beginning.startswith(b"# whenabouts: ") or b"<title>whenabouts: " in beginning
