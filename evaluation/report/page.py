"""A report as one HTML page that needs nothing but itself: no script, no other file, no host."""

from __future__ import annotations

from importlib.resources import files

from evaluation.report.content import Report
from evaluation.report.svg import run_swatch
from evaluation.report.words import VERDICTS, span
from evaluation.results import BenchmarkError


def as_html(report: Report) -> str:
    """The page.

    Raises:
        BenchmarkError: If jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError as exc:
        raise BenchmarkError(
            "a report needs jinja2; install it with: pip install 'whenabouts[eval]'"
        ) from exc
    environment = Environment(
        # Queries, file names and replies of models are anybody's text.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page = environment.from_string(_packaged("page.html"))
    return page.render(
        report=report,
        style=_packaged("page.css"),
        swatches=[run_swatch(place) for place in range(len(report.runs))],
        verdicts=VERDICTS,
        span=span,
    )


def _packaged(name: str) -> str:
    return files("evaluation.report").joinpath(name).read_text(encoding="utf-8")
