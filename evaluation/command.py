"""``whenabouts eval``: a benchmark, end to end, with one command."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.api import Grounder, load_settings
from evaluation.bench import (
    Report,
    answer_all,
    index_captions,
    provenance,
    questions_of,
    summarise_run,
)
from evaluation.qvhighlights import read_captions, read_queries
from evaluation.results import BenchmarkError

EXAMPLE = """\
example:
  whenabouts eval qvhighlights --captions val_captions.jsonl.gz --annotations val.jsonl --out run1

writes into --out:
  predictions.jsonl  one line a query, in QVHighlights submission form
  answers.jsonl      every question asked, null queries too; a stopped run goes on from here
  summary.json       the figures, with 95% intervals, and where they come from
"""


def build_parser() -> argparse.ArgumentParser:
    """The options of ``whenabouts eval``."""
    parser = argparse.ArgumentParser(
        prog="whenabouts eval", description="Measure on a benchmark, through the graph ask uses."
    )
    datasets = parser.add_subparsers(dest="dataset", metavar="DATASET", required=True)
    qvhighlights = datasets.add_parser(
        "qvhighlights",
        help="moment retrieval on captions of QVHighlights videos",
        description="Moment retrieval on captions of QVHighlights videos.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    qvhighlights.add_argument("--captions", type=Path, required=True, help="captions, JSON Lines")
    qvhighlights.add_argument("--annotations", type=Path, required=True, help="queries and windows")
    qvhighlights.add_argument("--out", type=Path, required=True, help="folder for the results")
    qvhighlights.add_argument("--reasoner", default="similarity", help="who decides")
    qvhighlights.add_argument("--limit", type=int, help="only the first N queries")
    qvhighlights.add_argument("--seed", type=int, default=0, help="of the null queries")
    return parser


def run(argv: Sequence[str]) -> int:
    """Run ``whenabouts eval`` with its own arguments; returns the exit code."""
    options = build_parser().parse_args(argv)
    queries, videos = read_queries(options.annotations), read_captions(options.captions)
    if options.limit is not None and options.limit < 1:
        raise BenchmarkError(f"--limit must be at least 1, not {options.limit}")
    queries = queries[: options.limit]
    uncaptioned = sorted({query.video_id for query in queries} - set(videos))
    if uncaptioned:
        raise BenchmarkError(
            f"{options.captions}: no captions for {len(uncaptioned)} of the videos asked about, "
            f"{uncaptioned[0]} for one"
        )
    durations_s = {query.video_id: query.duration_s for query in queries}
    asked = questions_of(queries, seed=options.seed)
    settings = load_settings(reasoner=options.reasoner)
    # A store of its own, so that benchmarks do not turn up among the user's videos.
    settings = settings.model_copy(update={"store": settings.home / "benchmarks"})
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise BenchmarkError(f"cannot write to {options.out}: {exc.strerror}") from exc
    console = Console(stderr=True)
    with Grounder(settings) as grounder, _bars(console) as report:
        index_captions(
            [videos[video_id] for video_id in durations_s],
            durations_s,
            captioner=_captioner(options.captions),
            grounder=grounder,
            report=report,
        )
        lines = answer_all(
            asked, grounder=grounder, answers=options.out / "answers.jsonl", report=report
        )
        summary = summarise_run(asked, lines) | provenance(
            (options.captions, options.annotations),
            grounder=grounder,
            captioner=_captioner(options.captions),
        )
    own = [line for question, line in zip(asked, lines, strict=True) if question.kind == "own"]
    predictions = "".join(json.dumps(_submission(line)) + "\n" for line in own)
    (options.out / "predictions.jsonl").write_text(predictions, encoding="utf-8")
    shown = json.dumps(summary, indent=2)
    (options.out / "summary.json").write_text(shown + "\n", encoding="utf-8")
    print(shown)
    return 0


SUBMITTED = ("qid", "query", "vid", "pred_relevant_windows", "pred_saliency_scores")


def _submission(line: dict[str, object]) -> dict[str, object]:
    return {name: line[name] for name in SUBMITTED}


def _captioner(captions: Path) -> str:
    """Names the captions by their file, as the summary and the store know them."""
    return f"captions:{captions.name}"


@contextmanager
def _bars(console: Console) -> Iterator[Report]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks = {name: progress.add_task(name, total=None) for name in ("captions", "questions")}

        def report(what: str, done: int, total: int) -> None:
            progress.update(tasks[what], completed=done, total=total)

        yield report
