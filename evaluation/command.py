"""``whenabouts eval``: a dataset end to end with one command, and what to do with runs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType

from evaluation.datasets.registry import DATASETS
from evaluation.experiments import experiment_command as experiment
from evaluation.figures import compare, score
from evaluation.long_videos import haystack
from evaluation.report import report_command as report
from evaluation.results import BenchmarkError
from tools.terminal import Parser, complain
from tools.waiting import waiting_for

CORRECTIONS = "corrections"
"""In place of a file: what people corrected on the page."""

EXAMPLE = """\
examples:
  whenabouts eval own --annotations labels.csv --videos clips/ --out runs/mine
  whenabouts eval qvhighlights --annotations val.jsonl --captions val_captions.jsonl.gz \\
      --null-rate 1 --out runs/qvhighlights
  whenabouts eval charades-sta --annotations charades_sta_test.txt --videos Charades_v1_480/ \\
      --durations Charades_v1_test.csv --captioner openai:gpt-5-mini --max-usd 5 --out runs/paid

writes into --out, and goes on from there when started again:
  results.jsonl      a line for every question asked, with what was answered and what it cost
  summary.json       figures with 95% intervals, why answers are wrong, and where all this is from
  timing.json        how long things took
  predictions.jsonl  of qvhighlights: the form in which its authors' evaluation wants it

exit codes:
  0  everything was asked and answered
  1  stopped by --max-usd, or some questions failed; the same command goes on from there
  2  bad input, or a failure; the message says what to do
"""

ABOUT_RUNS: Mapping[str, ModuleType] = {
    "compare": compare,
    "score": score,
    "report": report,
    "haystack": haystack,
    "experiment": experiment,
}
"""What is not a dataset: modules with ``add_parser`` and ``run``."""


def build_parser() -> Parser:
    """The options of ``whenabouts eval``."""
    parser = Parser(
        prog="whenabouts eval",
        description="Measure on a dataset, through the graph that ask uses.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="DATASET | COMMAND", required=True)
    for name, dataset in DATASETS.items():
        one = commands.add_parser(
            name,
            help=dataset.says,
            description=f"Measure on {name}: {dataset.says}.",
            epilog=f"annotations:\n  {dataset.form}\n\n{EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _add_run_options(one)
    for module in ABOUT_RUNS.values():
        module.add_parser(commands)
    return parser


def run(argv: Sequence[str]) -> int:
    """Run ``whenabouts eval`` with its own arguments; returns the exit code."""
    options = build_parser().parse_args(argv)
    with waiting_for(f"loading what `eval {options.command}` needs", complain):
        if options.command in DATASETS:
            return _run_dataset(options)
        code: int = ABOUT_RUNS[options.command].run(options)
        return code


def _run_dataset(options: argparse.Namespace) -> int:
    # Late: help and bad options need no graph.
    from agent.api import load_settings
    from evaluation.runs.run import RunOptions, run_dataset

    given = {field.name: getattr(options, field.name) for field in fields(RunOptions)}
    run_options = RunOptions(**given)
    seeing = ("captioner", "rate", "mode", "strategy")
    for name in (name for name in seeing if options.captions and getattr(options, name)):
        raise BenchmarkError(f"--{name} is about videos, and --captions takes their place")
    settings = load_settings(
        options.env,
        captioner=options.captioner,
        reasoner=options.reasoner,
        rate_hz=options.rate,
        mode=options.mode,
        strategy=options.strategy,
    )
    if options.command == "own" and str(options.annotations) == CORRECTIONS:
        if not settings.corrections_file.exists():
            raise BenchmarkError(
                f"nothing was corrected on the page yet: there is no {settings.corrections_file}; "
                "`whenabouts serve FOLDER` shows the page"
            )
        run_options = replace(run_options, annotations=settings.corrections_file)
    return run_dataset(DATASETS[options.command], run_options, settings)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--annotations",
        type=Path,
        required=True,
        metavar="FILE",
        help=f"as below; for own, {CORRECTIONS!r} means what was corrected on the page",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--videos", type=Path, metavar="DIR", help="video files, named as in the annotations"
    )
    source.add_argument(
        "--captions",
        type=Path,
        metavar="FILE|DIR",
        help="captions in place of videos: {vid, step, captions} lines, or a folder of VIDEO.jsonl",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    parser.add_argument(
        "--durations", type=Path, metavar="FILE.csv", help="lengths of videos: id and length"
    )
    asking = parser.add_argument_group("who answers")
    asking.add_argument("--captioner", metavar="NAME", help="who describes frames")
    asking.add_argument("--reasoner", metavar="NAME", help="who decides from captions")
    asking.add_argument("--rate", type=float, metavar="HZ", help="frames to look at per second")
    asking.add_argument("--mode", metavar="MODE", help="frame, grid4 or clip4, for image models")
    asking.add_argument("--strategy", choices=("general", "activity"), help="as of ask")
    chosen = parser.add_argument_group("which questions")
    chosen.add_argument("--limit", type=int, metavar="N", help="only the first N queries")
    chosen.add_argument("--shuffle", action="store_true", help="in a seeded order, before --limit")
    chosen.add_argument("--seed", type=int, default=0, help="of --shuffle and of null queries")
    chosen.add_argument(
        "--null-rate",
        type=float,
        default=0.0,
        metavar="R",
        help="share of queries, 0 to 1, asked of a random other video too, and of another segment "
        "of the same source where there is one",
    )
    chosen.add_argument(
        "--skip-bad", action="store_true", help="leave out bad lines and videos, and count them"
    )
    running = parser.add_argument_group("how to run")
    running.add_argument(
        "--workers", type=int, default=1, metavar="N", help="questions at a time (default 1)"
    )
    running.add_argument(
        "--max-usd", type=float, metavar="USD", help="stop when the run has cost this much"
    )
    running.add_argument("--env", metavar="FILE", help="read settings from this file")
    running.add_argument("--json", action="store_true", help="print summary.json, not a table")
