"""Accuracy against what it takes, in dollars and in seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from evaluation.figures.answers import is_right, top_iou
from evaluation.report.axes import Plot, drawn, percent, plainly
from evaluation.report.costs import seconds_of, usd_of
from evaluation.report.means import Means, means
from evaluation.report.reported_runs import Run
from evaluation.report.svg import INK, RIGHT, WRONG, Margins, draw, run_colour
from evaluation.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Amount = Callable[[Result], float | None]


def cost_plots(runs: Sequence[Run]) -> list[Plot]:
    """Accuracy against dollars and seconds; of a single run, how its questions spread over them."""
    if len(runs) == 1:
        return drawn(
            [
                _spread(runs[0], usd_of, "US dollars", "cost"),
                _spread(runs[0], seconds_of, "seconds", "time"),
            ]
        )
    return drawn(
        [
            _accuracy_against(runs, usd_of, "US dollars", "cost"),
            _accuracy_against(runs, seconds_of, "seconds", "time"),
        ]
    )


def _accuracy_against(runs: Sequence[Run], amount: Amount, unit: str, about: str) -> Plot | None:
    """One point a run."""
    points: list[tuple[int, Means, Means]] = []
    unknown, partly = [], []
    for place, run in enumerate(runs):
        spent = [(one.qid, amount(one)) for one in run.results]
        known = [(qid, value) for qid, value in spent if value is not None]
        if not known:
            unknown.append(run.name)
        elif run.own:
            if len(known) < len(spent):
                partly.append(run.name)
            accuracy = means(100 * top_iou(run.results)[:, None], [one.qid for one in run.own])
            values = np.array([[value] for _, value in known])
            points.append((place, means(values, [qid for qid, _ in known]), accuracy))
    if not points:
        return None

    def paint(axes: Axes) -> None:
        for place, cost, accuracy in points:
            axes.errorbar(
                cost.value, accuracy.value, xerr=cost.whiskers, yerr=accuracy.whiskers, fmt="o",
                color=run_colour(place), ms=5, elinewidth=1, clip_on=False,
            )  # fmt: skip
        means_of = np.array([cost.value[0] for _, cost, _ in points])
        if _is_wide(means_of):
            axes.set_xscale("log")
        else:
            axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter(plainly)
        percent(axes, "mIoU, %")
        axes.set_xlabel(f"{unit} a question, mean")

    title = f"Accuracy against {about}"
    note = "One point a run, with 95% intervals both ways; null queries cost too."
    if unknown:
        note += f" Not shown, because it is not known: {', '.join(unknown)}."
    if partly:
        note += f" Over those questions alone for which it is known: {', '.join(partly)}."
    return Plot(title, draw(about, title, paint), note)


def _spread(run: Run, amount: Amount, unit: str, about: str) -> Plot | None:
    """How the questions of one run spread, and which of them were answered rightly."""
    known = [(value, is_right(one)) for one in run.results if (value := amount(one)) is not None]
    values = np.array([value for value, _ in known])
    right = np.array([is_good for _, is_good in known], dtype=bool)
    if not values.any():
        return None
    if _is_wide(values):
        edges = np.geomspace(values.min(), values.max(), 25)
    else:
        edges = np.linspace(0, values.max(), 25)

    def paint(axes: Axes) -> None:
        good, _ = np.histogram(values[right], edges)
        bad, _ = np.histogram(values[~right], edges)
        for counts, below, colour, label in (
            (good, 0 * good, RIGHT, "answered rightly"),
            (bad, good, WRONG, "wrongly"),
        ):
            axes.bar(
                edges[:-1], counts, np.diff(edges), bottom=below, align="edge", color=colour,
                label=label,
            )  # fmt: skip
        axes.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, handlelength=1,
            borderaxespad=0.2,
        )  # fmt: skip
        if _is_wide(values):
            axes.set_xscale("log")
        else:
            axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter(plainly)
        axes.set_ylim(top=1.15 * (good + bad).max())
        for quantile, label in ((50, "median"), (95, "95%")):
            at = float(np.percentile(values, quantile))
            axes.axvline(at, color=INK, lw=0.8, ls=(0, (3, 2)))
            axes.annotate(
                label, (at, 1), xycoords=("data", "axes fraction"), xytext=(3, -2),
                textcoords="offset points", va="top", fontsize=7,
            )  # fmt: skip
        axes.set(xlabel=f"{unit} a question", ylabel="questions")
        axes.grid(visible=False, axis="x")

    title = f"The {about} of a question"
    note = f"All {len(known):,} questions."
    if len(known) < len(run.results):
        note = f"The {len(known):,} of {len(run.results):,} questions for which it is known."
    return Plot(title, draw(about, title, paint, margins=Margins(top=0.3)), note)


def _is_wide(values: Floats) -> bool:
    """Whether values span so much that only a logarithmic axis shows them."""
    return bool(values.min() > 0 and values.max() > 20 * values.min())
