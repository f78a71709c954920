"""``whenabouts eval score``: the same figures over predictions that somebody else published.

A span that cannot be one is a miss where it stands; it is counted by kind, never left out and never
repaired. So is a query without a prediction.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from evaluation.console import open_console
from evaluation.figures.figures import Figure
from evaluation.figures.measures import measure
from evaluation.figures.metrics import union_iou_area
from evaluation.figures.predictions import (
    Annotation,
    Predictions,
    read_annotations,
    read_predictions,
)
from evaluation.figures.resampling import interval_95, resampled
from evaluation.results import BenchmarkError, Result, ScoredSpan, Span
from tools.terminal import put_json

if TYPE_CHECKING:
    from argparse import _SubParsersAction

EXAMPLE = """\
example:
  whenabouts eval score predictions.jsonl --annotations val.jsonl

Reads the files of QVHighlights, TimeChat, VUE-TR and ActivityNet as they are published. Spans that
are empty, reversed, without length, before the start, past the end (by more than 1 s, since what is
published is rounded) or no numbers are counted by kind and are misses.
"""

MOST_SECONDS = 1e9
"""A time beyond is no time of a video."""

PAST_END_S = 1.0
"""How far past the end a span may reach: published durations and answers are rounded to seconds."""

VUE_TR = "VUE-TR IoU"

_NOT_PREDICTED = frozenset({"confidence calibration error"})
"""Figures about what published predictions do not say."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Published predictions as results, and what was wrong with them.

    Attributes:
        results: One for each annotated query that counts, in the annotations' order.
        missing: How many of those have no prediction.
        unknown: How many predictions are for no annotated query; they are left out.
        invalid: Number of spans by kind of what is wrong with them; ``empty`` counts answers
            without any span.
        invalid_queries: How many queries have an answer that is empty, or a span that is invalid.
        unchecked: How many queries have no known duration, so that nothing is past the end.
    """

    results: tuple[Result, ...]
    missing: int
    unknown: int
    invalid: dict[str, int]
    invalid_queries: int
    unchecked: int


def score_predictions(
    predictions: Predictions, annotations: Mapping[str, Annotation], *, predicted_only: bool = False
) -> Scored:
    """Put predictions beside their truth.

    Args:
        predictions: As published.
        annotations: By query.
        predicted_only: Leave queries without a prediction out, rather than count them as misses.

    Raises:
        BenchmarkError: If no prediction is for an annotated query.
    """
    if not predictions.spans.keys() & annotations.keys():
        raise BenchmarkError(
            "no prediction is for an annotated query; predictions are named like "
            f"{next(iter(predictions.spans), 'nothing')!r}, annotations like "
            f"{next(iter(annotations))!r}"
        )
    results, kinds, invalid_queries = [], Counter[str](), 0
    asked = [one for qid, one in annotations.items() if qid in predictions.spans]
    for one in asked if predicted_only else annotations.values():
        spans = predictions.spans.get(one.qid)
        windows = []
        wrong = ["empty"] if spans == () else []
        for rank, span in enumerate(spans or ()):
            window, kind = _checked(span, rank, one.duration_s)
            windows.append(window)
            wrong += [kind] if kind else []
        kinds.update(wrong)
        invalid_queries += bool(wrong)
        results.append(_result(one, windows))
    return Scored(
        results=tuple(results),
        missing=len(annotations) - len(asked),
        unknown=len(predictions.spans.keys() - annotations.keys()),
        invalid=dict(kinds.most_common()),
        invalid_queries=invalid_queries,
        unchecked=sum(one.duration_s is None for one in annotations.values()),
    )


def figures_of(
    scored: Scored, predictions: Predictions, *, draws: int = 2000, seed: int = 0
) -> dict[str, Figure]:
    """All figures that published predictions allow, with 95% intervals.

    The ranked list's own figures are there where spans have scores, VUE-TR's own for its form.
    """
    ranked = any(len(span) > 2 for span in _lists(predictions))
    figures = {
        name: figure
        for name, figure in measure(scored.results, draws=draws, seed=seed).items()
        if name not in _NOT_PREDICTED and (ranked or not name.startswith("QVHighlights"))
    }
    if predictions.form == "answer":
        figures[VUE_TR] = _vue_tr(scored, predictions, draws=draws, seed=seed)
    return figures


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of ``whenabouts eval score``."""
    parser = subparsers.add_parser(
        "score",
        help="the same figures over a published file of predictions",
        description="Score a published file of predictions with the figures of a run.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("predictions", metavar="PREDICTIONS", type=Path, help="JSON or JSON Lines")
    parser.add_argument("--annotations", type=Path, required=True, help="queries with their truth")
    parser.add_argument(
        "--predicted-only",
        action="store_true",
        help="leave queries without a prediction out (as some authors do); else they are misses",
    )
    parser.add_argument("--draws", type=int, default=2000, help="of the bootstrap (default 2000)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    parser.add_argument("--json", action="store_true", help="print JSON rather than a table")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Score a file and print what came out; returns the exit code."""
    if options.draws < 1:
        raise BenchmarkError(f"--draws must be at least 1, not {options.draws}")
    predictions = read_predictions(options.predictions)
    annotations = read_annotations(options.annotations)
    scored = score_predictions(predictions, annotations, predicted_only=options.predicted_only)
    figures = figures_of(scored, predictions, draws=options.draws, seed=options.seed)
    if options.json:
        put_json(json.dumps(_as_json(scored, figures, options), indent=2, ensure_ascii=False))
    else:
        _show(scored, figures, options)
    return 0


def _checked(span: object, rank: int, duration_s: float | None) -> tuple[ScoredSpan, str]:
    """The span with its score, and what is wrong with it.

    A wrong one becomes a window without length, which overlaps nothing, in its place in the list.
    """
    numbers = _numbers(span)
    kind = _invalid(numbers, duration_s) if numbers else "no numbers" if span else "empty"
    score = numbers[2] if len(numbers) > 2 else -float(rank)
    start_s, end_s = (float(rank), float(rank)) if kind else numbers[:2]
    return (start_s, end_s, score), kind


def _invalid(numbers: tuple[float, ...], duration_s: float | None) -> str:
    start_s, end_s = numbers[:2]
    if end_s < start_s:
        return "reversed"
    if end_s == start_s:
        return "zero-length"
    if start_s < 0:
        return "before the start"
    if duration_s is not None and end_s > duration_s + PAST_END_S:
        return "past the end"
    return ""


def _numbers(span: object) -> tuple[float, ...]:
    """Start and end, and the score if there is one; empty if it is no such thing."""
    if not isinstance(span, list) or len(span) not in {2, 3}:
        return ()
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in span):
        return ()
    # An integer of JSON may be larger than any float.
    return tuple(float(one) for one in span) if all(abs(one) < MOST_SECONDS for one in span) else ()


def _result(annotation: Annotation, windows: list[ScoredSpan]) -> Result:
    return Result(
        key=f"own:{annotation.qid}",
        kind="own",
        qid=annotation.qid,
        query=annotation.query,
        video=annotation.video,
        duration_s=annotation.duration_s or max(end_s for _, end_s in annotation.windows),
        truth=annotation.windows,
        verdict="found" if windows else "not_found",
        presence=None,
        confidence=0.0,
        intervals=tuple(windows),
        candidates=tuple(windows),
        shown=(),
        by="",
        attempts=0,
    )


def _vue_tr(scored: Scored, predictions: Predictions, *, draws: int, seed: int) -> Figure:
    """VUE-TR's own figure, over the spans as they were published."""
    areas = np.array(
        [
            union_iou_area(_spans(predictions.spans.get(one.qid, ())), one.truth)
            for one in scored.results
        ]
    )
    means = [
        weights @ areas / len(areas) for weights in resampled(len(areas), draws=draws, seed=seed)
    ]
    low, high = interval_95(np.concatenate(means))
    return Figure(100 * float(areas.mean()), 100 * low, 100 * high, len(areas))


def _spans(published: tuple[object, ...]) -> list[Span]:
    numbers = [_numbers(span) for span in published]
    return [(some[0], some[1]) for some in numbers if some]


def _lists(predictions: Predictions) -> list[list[Any]]:
    return [
        span for spans in predictions.spans.values() for span in spans if isinstance(span, list)
    ]


def _as_json(
    scored: Scored, figures: dict[str, Figure], options: argparse.Namespace
) -> dict[str, Any]:
    return {
        "predictions": str(options.predictions),
        "annotations": str(options.annotations),
        "predicted_only": options.predicted_only,
        "queries": len(scored.results),
        "missing": scored.missing,
        "unknown": scored.unknown,
        "invalid_queries": scored.invalid_queries,
        "invalid": scored.invalid,
        "durations_unknown": scored.unchecked,
        "draws": options.draws,
        "seed": options.seed,
        "figures": {name: asdict(figure) for name, figure in figures.items()},
    }


def _show(scored: Scored, figures: dict[str, Figure], options: argparse.Namespace) -> None:
    console = open_console()
    left_out = "left out" if options.predicted_only else "counted as misses"
    console.print(f"{options.predictions}", markup=False)
    console.print(
        f"{len(scored.results)} queries; {scored.missing} without a prediction are {left_out}; "
        f"{scored.unknown} predictions are for no annotated query"
    )
    predicted = len(scored.results) - (0 if options.predicted_only else scored.missing)
    by_kind = ", ".join(f"{count} {kind}" for kind, count in scored.invalid.items())
    console.print(
        f"{scored.invalid_queries} of {predicted} answers "
        f"({100 * scored.invalid_queries / predicted:.1f}%) are invalid"
        + (f": {by_kind}" if by_kind else "")
    )
    if scored.unchecked:
        console.print(f"past the end is not checked: {scored.unchecked} durations are not known")
    table = Table("figure", box=None, pad_edge=False)
    for heading in ("value", "95% interval", "over"):
        table.add_column(heading, justify="right")
    for name, one in figures.items():
        table.add_row(name, f"{one.value:.2f}", f"{one.low:.2f} to {one.high:.2f}", str(one.count))
    console.print(table)
