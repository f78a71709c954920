"""The log of a training: written as it goes, read again, drawn."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG = "log.csv"
LOG_FIELDS = ("step", "epoch", "loss", "learning_rate", "held_out_loss")


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far training is.

    Attributes:
        step: Steps done.
        steps: In all, unless it ends early.
        loss: Of the last step; None before the first one.
    """

    step: int
    steps: int
    loss: float | None


def make_logger(file: Path, report: Callable[[TrainingProgress], None]) -> Any:
    """Writes the log as training goes; what a killed run wrote after its checkpoint is redone."""
    from transformers import TrainerCallback

    class Logger(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
        """See above."""

        def on_train_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
            rows = [row for row in read_log(file) if int(row["step"]) <= state.global_step]
            with file.open("w", newline="", encoding="utf-8") as log:
                writer = csv.DictWriter(log, LOG_FIELDS)
                writer.writeheader()
                writer.writerows(rows)

        def on_log(self, _args: Any, state: Any, _control: Any, logs: Any = None, **_: Any) -> None:
            if not state.is_world_process_zero or not logs:
                return
            row = {
                "step": state.global_step,
                "epoch": f"{state.epoch or 0:.4f}",
                "loss": logs.get("loss", ""),
                "learning_rate": logs.get("learning_rate", ""),
                "held_out_loss": logs.get("eval_loss", ""),
            }
            if row["loss"] == "" and row["held_out_loss"] == "":
                return
            with file.open("a", newline="", encoding="utf-8") as log:
                csv.DictWriter(log, LOG_FIELDS).writerow(row)
            report(TrainingProgress(state.global_step, state.max_steps, logs.get("loss")))

    return Logger()


def read_log(file: Path) -> list[dict[str, str]]:
    """The rows of ``log.csv``; none where there is no file yet."""
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as log:
        return [row for row in csv.DictReader(log) if (row.get("step") or "").isdigit()]


def plot_log(file: Path, picture: Path) -> None:
    """Draw the losses of a log."""
    from matplotlib.figure import Figure

    rows = read_log(file)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for column, label in (("loss", "training"), ("held_out_loss", "held out")):
        points = [(int(row["step"]), float(row[column])) for row in rows if row[column]]
        if points:
            axes.plot(
                *zip(*points, strict=True), label=label, marker="." if len(points) < 50 else ""
            )
    axes.set(xlabel="step", ylabel="loss", title="Loss on completions", ylim=(0, None))
    axes.legend()
    figure.savefig(picture, dpi=120)
