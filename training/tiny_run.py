"""The whole of tuning on a drawn world, in minutes on two cores: does a model learn from our data?

A tiny model is made and first trained on drawn pictures. A teacher that knows what was drawn
describes frames of drawn videos through ``tune data``; models are tuned on that; and the arms of a
named experiment are asked about other drawn videos, as ``whenabouts eval experiment`` asks them::

    python -m training.tiny_run --out runs/tiny
    python -m training.tiny_run --experiment prompt --out runs/tiny

It shows that the pipeline learns. It says nothing about real video.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from evaluation.command import run as run_eval
from evaluation.experiments.catalog import open_experiment
from evaluation.figures.resampling import interval_95, resampled
from evaluation.results import read_results
from evaluation.runs.run_folder import RESULTS
from tools.timeline import Interval
from training.collect import Strategy
from training.conversations import read_data
from training.drawn_lessons import HUMAN, LABELS, draw_videos, make_lessons, write_prompts
from training.recipe import Recipe
from training.tiny_model import make_base
from training.train import Trained, train
from training.training_log import LOG, plot_log

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evaluation.results import Result

RECIPE = Recipe(rank=16, alpha=32, dropout=0.0, learning_rate=3e-3, epochs=12, batch=32, patience=8)
"""A tiny model takes larger steps than a large one."""

GRID_SHARE = 0.25
"""Of the pictures that a base is first trained on, if one of the arms shows grids."""

DRAWS = 2000
RATE_HZ = 2.0
"""Captions a second, where the experiment does not say."""


@dataclass(frozen=True, slots=True)
class TinyArm:
    """Which model answers, and how it is asked; it is tuned on what it is going to be asked.

    Attributes:
        teacher: Who wrote what it was tuned on; empty for the base.
        strategy: Which prompt it is asked with.
        mode: What it is shown at a time.
    """

    teacher: str = "drawn"
    strategy: Strategy = "activity"
    mode: str = "frame"

    @property
    def name(self) -> str:
        """Of the folders of its data and of its adapter."""
        return f"{self.teacher}-{self.strategy}-{self.mode}"


EXPERIMENTS: Mapping[str, Mapping[str, TinyArm]] = {
    "tuning": {"base": TinyArm(teacher=""), "tuned": TinyArm()},
    "prompt": {"general": TinyArm(strategy="general"), "activity": TinyArm()},
    "captioner-input": {
        "frame": TinyArm(strategy="general"),
        "grid4": TinyArm(strategy="general", mode="grid4"),
    },
    "teachers": {"human": TinyArm(teacher=HUMAN), "synthetic": TinyArm()},
}
"""Arms of experiments of ``whenabouts eval experiment``, of the same names; the first is what the
others are compared with."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is made and asked.

    Attributes:
        base_steps: Of the first training.
        videos: To tune on.
        questions: About other videos, three each.
        recipe: Of the tuning.
    """

    base_steps: int = 900
    videos: int = 40
    questions: int = 36
    recipe: Recipe = RECIPE


def main() -> None:
    """Read the options, run, print the figures as JSON."""
    parser = argparse.ArgumentParser(description="Try tuning on a drawn world.")
    parser.add_argument("--out", type=Path, required=True, help="a folder for all of it")
    parser.add_argument("--experiment", choices=sorted(EXPERIMENTS), default="tuning")
    parser.add_argument("--base-steps", type=int, default=900, help="of the first training")
    parser.add_argument("--videos", type=int, default=40, help="to tune on")
    parser.add_argument("--questions", type=int, default=36, help="of other videos, three each")
    options = parser.parse_args()
    size = Size(options.base_steps, options.videos, options.questions)
    figures = run(options.out, options.experiment, size)
    sys.stdout.write(f"{json.dumps(figures, indent=2)}\n")


def run(out: Path, name: str = "tuning", size: Size = Size()) -> dict[str, Any]:
    """Make, train, tune, ask; what is in ``out`` already is not done again.

    Args:
        out: A folder for all of it.
        name: Of the experiment.
        size: How much.

    Returns:
        Figures, with 95% intervals over questions drawn at random.
    """
    started_s = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    prompts = write_prompts(out / "prompts")
    shows_grids = any(arm.mode != "frame" for arm in EXPERIMENTS[name].values())
    base = out / ("base-grids" if shows_grids else "base")
    if not (base / "config.json").is_file():
        make_base(
            base,
            prompts,
            steps=size.base_steps,
            grid_share=GRID_SHARE if shows_grids else 0.0,
            report=_say_every("first training", 100),
        )
    trained = {
        label: tune(out, base, arm, size) for label, arm in EXPERIMENTS[name].items() if arm.teacher
    }
    draw_videos(out / "unseen", "unseen", -(-size.questions // 3), seed=2)
    experiment = _write_experiment(out, name, base, trained)
    results = out / "experiments" / name
    asked = ["--annotations", str(out / "unseen" / LABELS), "--videos", str(out / "unseen")]
    how = ["--limit", str(size.questions), "--out", str(results)]
    run_eval(["experiment", str(experiment), *asked, *how])
    figures = {
        "experiment": name,
        **_compared({label: results / label / RESULTS for label in EXPERIMENTS[name]}),
        "tuned": {label: _about(one) for label, one in trained.items()},
        "seconds": round(time.perf_counter() - started_s),
    }
    text = json.dumps(figures, indent=2)
    (results / "figures.json").write_text(f"{text}\n", encoding="utf-8")
    return figures


def tune(out: Path, base: Path, arm: TinyArm, size: Size) -> Trained:
    """Have an arm's teacher describe the videos to tune on, and tune a model on that.

    Args:
        out: The folder of the run.
        base: Of the model.
        arm: Who teaches what.
        size: How much.
    """
    videos = out / "seen"
    drawn = draw_videos(videos, "seen", size.videos, seed=1)
    prompts = write_prompts(out / "prompts")
    how: dict[str, Any] = {"teacher": arm.teacher, "mode": arm.mode, "strategy": arm.strategy}
    data = make_lessons(out / "data" / arm.name, videos, drawn, prompts, **how)
    tuned = out / "tuned" / f"{base.name}-{arm.name}"
    say = _say_every(f"tuning {arm.name}", 25)
    trained = train(
        str(base),
        read_data(data),
        tuned,
        size.recipe,
        device_batch=size.recipe.batch,
        report=lambda done: None if done.loss is None else say(done.step, done.loss),
    )
    plot_log(tuned / LOG, tuned / "loss.png")
    return trained


def _write_experiment(out: Path, name: str, base: Path, trained: Mapping[str, Trained]) -> Path:
    """The experiment as it is, with these models and without what is asked of services."""
    experiment = open_experiment(name)
    settings = {
        "rate_hz": RATE_HZ,
        "every_frame": True,
        **experiment.settings,
        "captioner": f"local:{base.absolute()}",
        "reasoner": "similarity",
        "prompts": str((out / "prompts").absolute()),
        "home": str((out / "home").absolute()),
        "subtitles": "off",
    }
    settings.pop("adapter", None)
    arms = {
        label: {
            **experiment.arms[label],
            "strategy": arm.strategy,
            "mode": arm.mode,
            "adapter": str(trained[label].adapter.absolute()) if label in trained else None,
        }
        for label, arm in EXPERIMENTS[name].items()
    }
    told = {"title": experiment.title, "question": experiment.question, "dataset": "own"}
    file = out / "experiments" / f"{name}.yaml"
    file.parent.mkdir(exist_ok=True)
    whole = {**told, "settings": settings, "arms": arms}
    file.write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
    return file


def _compared(files: Mapping[str, Path]) -> dict[str, Any]:
    """Mean IoU of each arm, in percent, and what the others have more than the first."""
    ious = {}
    for label, file in files.items():
        by_key = {one.key: _iou(one) for one in read_results(file)}
        ious[label] = np.array([by_key[key] for key in sorted(by_key)])
    first, *others = ious
    return {
        "questions": len(ious[first]),
        "miou": {label: round(100 * float(of.mean()), 1) for label, of in ious.items()},
        "gain": {f"{one} over {first}": _gain(ious[first], ious[one]) for one in others},
    }


def _gain(first: NDArray[np.float64], other: NDArray[np.float64]) -> dict[str, object]:
    gains = other - first
    blocks = resampled(len(gains), draws=DRAWS, seed=0)
    low, high = interval_95(np.concatenate([weights @ gains / len(gains) for weights in blocks]))
    return {
        "miou": round(100 * float(gains.mean()), 1),
        "interval_95": [round(100 * low, 1), round(100 * high, 1)],
    }


def _iou(result: Result) -> float:
    # The first of the list, whatever the verdict: how good captions are, not how sure.
    best = next(iter(result.intervals or result.candidates), None)
    if best is None:
        return 0.0
    found = Interval(best[0], best[1])
    return max(found.iou(Interval(*span)) for span in result.truth)


def _about(trained: Trained) -> dict[str, object]:
    return {
        "first_loss": round(trained.first_loss, 3),
        "last_loss": round(trained.last_loss, 4),
        "loss_fell_by": round(100 * (1 - trained.last_loss / trained.first_loss), 1),
        "steps": trained.steps,
    }


def _say_every(what: str, steps: int) -> Callable[[int, float], None]:
    def say(step: int, loss: float) -> None:
        if step % steps == 0:
            sys.stderr.write(f"{what}: step {step}, loss {loss:.4f}\n")
            sys.stderr.flush()

    return say


if __name__ == "__main__":
    main()
