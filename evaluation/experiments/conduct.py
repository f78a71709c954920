"""Carries out an experiment: a run for each arm, one after the other, then a report over all.

A run is what ``whenabouts eval DATASET`` is, with the settings of its arm, and what it writes is a
run like any other. Started again, an experiment goes on where it was: a run that is finished asks
nothing any more.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from agent.grounding import Cost
from evaluation.console import open_console
from evaluation.datasets.registry import DATASETS, Dataset
from evaluation.experiments.arms import Arm
from evaluation.experiments.catalog import Experiment
from evaluation.experiments.contrast import REPORTS, write_report
from evaluation.experiments.experiment_command import ALL
from evaluation.report.words import usd
from evaluation.results import BenchmarkError, read_results, sum_usd
from evaluation.runs.run import RunOptions, run_dataset
from evaluation.runs.run_folder import CAPTIONING, RESULTS, write_whole
from evaluation.runs.summary import as_json
from tools.errors import WhenaboutsError
from tools.output_files import refuse_strange_files

DONE, INCOMPLETE = 0, 1

PLAN = "experiment.json"

_NOT_OF_ANSWERS = {
    *("home", "store", "chroma_url", "prices", "device", "in_flight"),
    *("openai_api_key", "openai_base_url"),
}
"""Settings that answers do not depend on, or that nobody should read in a file."""


def conduct(experiment: Experiment, arms: Sequence[Arm], options: argparse.Namespace) -> int:
    """Run the arms that are not finished, and write the report.

    Returns:
        The exit code: 1 where questions are left without an answer.

    Raises:
        WhenaboutsError: If the options or the data are bad, or an arm cannot go on.
    """
    out: Path = options.out
    _check_adapters(options)
    _dataset(experiment, options)
    _check_plan(out, experiment, arms)
    console = open_console()
    code = DONE
    for number, arm in enumerate(arms, start=1):
        others = [out / other.name for other in arms if other is not arm]
        left_usd = _left_usd(options.max_usd, others)
        if left_usd is not None and left_usd <= 0:
            console.print(
                f"\n--max-usd {options.max_usd:g} is spent; a higher limit goes on from there",
                markup=False,
            )
            code = INCOMPLETE
            break
        heading = f"\narm {arm.name}, {number} of {len(arms)}"
        if left_usd is not None:
            heading += f", with {usd(left_usd)} of --max-usd {options.max_usd:g} left"
        console.print(heading, markup=False, style="bold")
        code = max(code, _run(experiment, arm, options, left_usd))
    write_report(experiment, arms, out)
    return code


def _check_adapters(options: argparse.Namespace) -> None:
    for adapter in options.adapter:
        if not Path(adapter).is_dir():
            raise BenchmarkError(f"--adapter {adapter} is no folder")
    elsewhere = [one for one in options.captioner if not one.startswith("local:")]
    if options.adapter and elsewhere:
        raise BenchmarkError(
            "--adapter goes with a model on this machine: --captioner local:MODEL, not "
            + ", ".join(elsewhere)
        )


def spent_usd(folder: Path) -> float | None:
    """What a run has cost so far, the one that was killed too; None where a price is not known."""
    results = read_results(folder / RESULTS) if (folder / RESULTS).exists() else []
    answered = {one.key: one for one in results}
    costs = [cost for one in answered.values() for cost in one.costs.values()]
    costs += [cost for key, cost in _captioning(folder / CAPTIONING) if key not in answered]
    return sum_usd(cost.usd for cost in costs)


def _captioning(path: Path) -> Iterator[tuple[str, Cost]]:
    """What captions cost, by question; a last line that was cut off in writing is left out."""
    content = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    for line in content.split("\n")[:-1]:
        plain = json.loads(line)
        yield plain["key"], Cost(usd=plain["usd"])


def _left_usd(max_usd: float | None, others: Sequence[Path]) -> float | None:
    if max_usd is None:
        return None
    left_usd = max_usd
    for folder in others:
        spent = spent_usd(folder)
        if spent is None:
            raise BenchmarkError(
                f"what arm {folder.name} cost is not known, so --max-usd {max_usd:g} cannot be "
                "kept; say what the models cost in a file, and name it in WHENABOUTS_PRICES"
            )
        left_usd -= spent
    return left_usd


def _run(
    experiment: Experiment, arm: Arm, options: argparse.Namespace, left_usd: float | None
) -> int:
    limit = options.limit or experiment.limit or ALL
    try:
        asked = RunOptions(
            annotations=options.annotations,
            out=options.out / arm.name,
            videos=options.videos,
            captions=options.captions,
            durations=options.durations,
            limit=None if limit == ALL else int(limit),
            shuffle=True,
            seed=experiment.seed if options.seed is None else options.seed,
            null_rate=options.null_rate,
            skip_bad=options.skip_bad,
            workers=options.workers,
            max_usd=left_usd,
        )
        return run_dataset(_dataset(experiment, options), asked, arm.load())
    except WhenaboutsError as exc:
        raise BenchmarkError(f"arm {arm.name}: {exc}") from exc


def _dataset(experiment: Experiment, options: argparse.Namespace) -> Dataset:
    name = options.dataset or experiment.dataset
    if name not in DATASETS:
        raise BenchmarkError(f"there is no dataset {name!r}; there are {', '.join(DATASETS)}")
    return DATASETS[name]


def _check_plan(out: Path, experiment: Experiment, arms: Sequence[Arm]) -> None:
    """Write down what is compared, or see to it that it is what was begun here.

    Raises:
        BenchmarkError: If a setting cannot be used, or the folder is another experiment's.
    """
    settings = {
        arm.name: arm.load().model_dump(mode="json", exclude=_NOT_OF_ANSWERS) for arm in arms
    }
    path = out / PLAN
    try:
        earlier: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        begun = earlier["experiment"], earlier["arms"]
    except FileNotFoundError:
        refuse_strange_files(out, REPORTS, marker=PLAN)
        plan = {
            "experiment": experiment.name,
            "title": experiment.title,
            "question": experiment.question,
            "arms": settings,
        }
        try:
            out.mkdir(parents=True, exist_ok=True)
            write_whole(path, as_json(plan))
        except OSError as exc:
            raise BenchmarkError(f"cannot write to {out}: {exc.strerror}") from exc
        return
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise BenchmarkError(f"cannot read {path}: {exc}") from exc
    if begun == (experiment.name, settings):
        return
    was, now = _first_difference(begun, (experiment.name, settings))
    raise BenchmarkError(f"{out} holds {was}, and this is {now}; give another --out")


def _first_difference(
    begun: tuple[str, dict[str, Any]], now: tuple[str, dict[str, Any]]
) -> tuple[str, str]:
    if begun[0] != now[0] or list(begun[1]) != list(now[1]):
        return tuple(
            f"experiment {name} with arms {', '.join(arms)}" for name, arms in (begun, now)
        )  # type: ignore[return-value]
    for arm, settings in now[1].items():
        for name, value in settings.items():
            if begun[1][arm].get(name) != value:
                return f"arm {arm} with {name} {begun[1][arm].get(name)}", f"{value}"
    raise AssertionError("they are the same")
