"""``whenabouts eval experiment``: several runs over the same questions, compared."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.console import open_console
from evaluation.results import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evaluation.experiments.arms import Arm
    from evaluation.experiments.catalog import Experiment

EXAMPLE = """\
examples:
  whenabouts eval experiment --list
  whenabouts eval experiment captioner-input --plan
  whenabouts eval experiment prompt --annotations charades_sta_test.txt --videos Charades_v1_480/ \\
      --captioner openai:gpt-5-mini --reasoner openai:gpt-5-mini --max-usd 20 --out runs/prompt
  whenabouts eval experiment context --dataset qvhighlights --annotations val.jsonl \\
      --captions val_captions.jsonl.gz --reasoner openai:gpt-5-mini --out runs/context

writes into --out, and goes on from there when started again:
  ARM/             the run of each arm, as of `whenabouts eval DATASET`
  experiment.json  what was compared: all settings of each arm
  report.html      all arms, and how each differs from the first, with intervals; also report.md

exit codes:
  0  everything was asked and answered
  1  stopped by --max-usd, or some questions failed; the same command goes on from there
  2  bad input, or a failure; the message says what to do
"""

ALL = "all"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``experiment`` to the commands of ``whenabouts eval``."""
    parser = subparsers.add_parser(
        "experiment",
        help="several runs over the same questions, compared: named experiments",
        description="Ask the same questions in several ways, and compare the answers.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="see --list; or a YAML file")
    shown = parser.add_argument_group("to look first")
    shown.add_argument("--list", action="store_true", help="the experiments, and what each needs")
    shown.add_argument("--plan", action="store_true", help="the arms, and the settings that differ")
    asked = parser.add_argument_group("what is asked")
    asked.add_argument("--dataset", metavar="NAME", help="in place of the experiment's own")
    asked.add_argument("--annotations", type=Path, metavar="FILE")
    source = asked.add_mutually_exclusive_group()
    source.add_argument("--videos", type=Path, metavar="DIR", help="as of eval DATASET")
    source.add_argument("--captions", type=Path, metavar="FILE|DIR", help="as of eval DATASET")
    asked.add_argument("--durations", type=Path, metavar="FILE.csv", help="as of eval DATASET")
    asked.add_argument(
        "--limit",
        type=_limit,
        metavar="N",
        help="ask only N queries (by default as many as the experiment says)",
    )
    asked.add_argument(
        "--seed", type=int, metavar="N", help="of the order in which queries are taken"
    )
    asked.add_argument(
        "--null-rate", type=float, default=0.0, metavar="R", help="as of eval DATASET"
    )
    asked.add_argument("--skip-bad", action="store_true", help="as of eval DATASET")
    who = parser.add_argument_group("models; each option may be given several times")
    who.add_argument("--captioner", action="append", default=[], metavar="NAME")
    who.add_argument("--reasoner", action="append", default=[], metavar="NAME")
    who.add_argument("--adapter", action="append", default=[], metavar="FOLDER")
    who.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="ARM.SETTING=VALUE",
        dest="changes",
        help="change a setting of an arm, or of every arm: '*.rate_hz=2'",
    )
    running = parser.add_argument_group("how to run")
    running.add_argument("--out", type=Path, metavar="DIR", help="for the results")
    running.add_argument("--workers", type=int, default=1, metavar="N", help="as of eval DATASET")
    running.add_argument(
        "--max-usd", type=float, metavar="USD", help="stop when all arms together cost this much"
    )


def run(options: argparse.Namespace) -> int:
    """List, plan or carry out experiments; returns the exit code.

    Raises:
        WhenaboutsError: If the options or the data are bad, or it cannot go on.
    """
    from evaluation.experiments.arms import plan_arms
    from evaluation.experiments.catalog import open_experiment

    if options.list:
        _show_list()
        return 0
    if options.name is None:
        raise BenchmarkError("name an experiment; whenabouts eval experiment --list shows them")
    experiment = open_experiment(options.name)
    if options.out is None and not options.plan:
        raise BenchmarkError("--out DIR is missing: a folder for the results")
    arms = plan_arms(
        experiment,
        {
            "captioner": options.captioner,
            "reasoner": options.reasoner,
            "adapter": options.adapter,
            "out": [str(options.out)] if options.out else [],
        },
        changes=options.changes,
        recorded=options.captions is not None,
        draft=options.plan,
    )
    if options.plan:
        _show_plan(experiment, arms)
        return 0
    if options.annotations is None or not (options.videos or options.captions):
        raise BenchmarkError("give --annotations FILE, and --videos DIR or --captions FILE")
    from evaluation.experiments.conduct import conduct

    return conduct(experiment, arms, options)


def _limit(text: str) -> int | str:
    if text == ALL:
        return ALL
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, or {ALL}, not {text}")
    return int(text)


def _show_list() -> None:
    from rich.table import Table

    from evaluation.experiments.arms import needs
    from evaluation.experiments.catalog import experiment_names, open_experiment

    table = Table("name", "question it answers", "arms", "needs", box=None, pad_edge=False)
    for name in experiment_names():
        experiment = open_experiment(name)
        table.add_row(
            name,
            experiment.question,
            ", ".join(experiment.arms),
            f"{experiment.dataset}, {', '.join(needs(experiment))}",
        )
        table.add_row()
    open_console().print(table, markup=False)


def _show_plan(experiment: Experiment, arms: Sequence[Arm]) -> None:
    from rich.table import Table
    from rich.text import Text

    from evaluation.experiments.arms import differing

    console = open_console()
    names = differing(arms)
    console.print(f"{experiment.title}\n{experiment.question}\n", markup=False)
    for name, value in arms[0].settings.items():
        if name not in names:
            console.print(f"{name}: {shown(value)}", markup=False)
    table = Table("arm", *names, box=None, pad_edge=False)
    for arm in arms:
        # Anybody's words are no markup.
        table.add_row(*(Text(one) for one in (arm.name, *settings_of(arm, names))))
    console.print()
    console.print(table, markup=False)


def settings_of(arm: Arm, names: Sequence[str]) -> list[str]:
    """What an arm says of each of these settings."""
    return [shown(arm.settings.get(name, ...)) for name in names]


def shown(value: object) -> str:
    """A setting as it is written in YAML; a dash where an arm says nothing of it."""
    if value is ...:
        return "–"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
