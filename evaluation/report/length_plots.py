"""Accuracy against the length of the video, and of the event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from evaluation.figures.answers import top_iou
from evaluation.report.axes import Plot, beside, drawn, percent
from evaluation.report.means import means
from evaluation.report.reported_runs import Run
from evaluation.report.svg import Margins, draw, run_colour
from evaluation.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


def length_plots(runs: Sequence[Run]) -> list[Plot]:
    """Accuracy against the length of the video, and of the event."""
    videos = "Videos by how long they are."
    events = "Events by the length of the true window, the mean where a query has several."
    return drawn(
        [
            _accuracy_by_length(runs, "video length", videos, lambda one: one.duration_s),
            _accuracy_by_length(runs, "event length", events, _event_s),
        ]
    )


_UP_TO_S = (2, 5, 10, 20, 30, 60, 120, 300, 900, 3600, 4 * 3600)

LENGTHS = (
    "to 2 s", "2–5 s", "5–10 s", "10–20 s", "20–30 s", "30–60 s", "1–2 min", "2–5 min", "5–15 min",
    "15–60 min", "1–4 h", "over 4 h",
)  # fmt: skip


def bins_of(lengths_s: Sequence[float]) -> NDArray[np.intp]:
    """The place in ``LENGTHS`` of each; a bin is without its lower and with its upper bound."""
    return np.searchsorted(_UP_TO_S, lengths_s)


def _event_s(one: Result) -> float:
    """Mean length of the true windows."""
    return sum(end_s - start_s for start_s, end_s in one.truth) / max(len(one.truth), 1)


def _accuracy_by_length(
    runs: Sequence[Run], about: str, which: str, length_s: Callable[[Result], float]
) -> Plot | None:
    asked = [(place, run) for place, run in enumerate(runs) if run.own]
    if not asked:
        return None
    bins = {run.name: bins_of([length_s(one) for one in run.own]) for _, run in asked}
    shown = sorted(set(np.concatenate(list(bins.values())).tolist()))

    def paint(axes: Axes) -> None:
        for nth, (place, run) in enumerate(asked):
            of_run, iou = bins[run.name], 100 * top_iou(run.results)
            for x, bin_ in enumerate(shown):
                rows = np.flatnonzero(of_run == bin_)
                if len(rows):
                    accuracy = means(iou[rows, None], [run.own[row].qid for row in rows])
                    at = x + beside(nth, len(asked), member=0.12)
                    axes.errorbar(
                        at, accuracy.value, yerr=accuracy.whiskers, fmt="o", ms=4, elinewidth=1,
                        color=run_colour(place), clip_on=False,
                    )  # fmt: skip
        labels = [
            f"{LENGTHS[bin_]}\n{_counts([int(np.sum(of == bin_)) for of in bins.values()])}"
            for bin_ in shown
        ]
        axes.set_xticks(np.arange(len(shown)), labels)
        axes.set_xlim(-0.6, len(shown) - 0.4)
        axes.grid(visible=False, axis="x")
        percent(axes, "mIoU, %")
        axes.set_xlabel(about)

    title = f"Accuracy against {about}"
    note = f"{which} Below each bin, how many queries it holds; whiskers are 95% intervals."
    return Plot(title, draw(about, title, paint, margins=Margins(bottom=0.6)), note)


def _counts(counts: Sequence[int]) -> str:
    few, many = min(counts), max(counts)
    return f"n {few}" if few == many else f"n {few}–{many}"
