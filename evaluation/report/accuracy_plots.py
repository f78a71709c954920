"""How right answers are: recall against IoU, the IoU histogram, risk against coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evaluation.figures.answers import top_iou
from evaluation.figures.measures import risk_coverage, risk_interval
from evaluation.report.axes import Plot, about_bands, band, beside, drawn, line, percent
from evaluation.report.means import means
from evaluation.report.reported_runs import Run
from evaluation.report.svg import draw, run_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def accuracy_plots(runs: Sequence[Run]) -> list[Plot]:
    """Recall against IoU, the IoU histogram, and risk against coverage."""
    return drawn([_recall(runs), _iou_histogram(runs), _risk(runs)])


_RECALL_AT = np.arange(1, 20) / 20


def _recall(runs: Sequence[Run]) -> Plot | None:
    asked = [(place, run) for place, run in enumerate(runs) if run.own]
    if not asked:
        return None
    ious = {run.name: top_iou(run.results) for _, run in asked}

    def paint(axes: Axes) -> None:
        for place, run in asked:
            reached = (ious[run.name][:, None] >= _RECALL_AT).astype(np.float64)
            recall = means(100 * reached, [one.qid for one in run.own])
            line(axes, place, _RECALL_AT, recall.value)
            band(axes, place, _RECALL_AT, recall.low, recall.high, of=len(asked))
        percent(axes, "R@1, % of queries")
        axes.set(xlim=(0, 1), xlabel="temporal IoU that counts as right", xticks=_TENTHS)

    title = "Recall against the IoU that counts as right"
    note = f"R@1: queries whose first interval reaches the IoU. {about_bands(len(asked))}"
    return Plot(title, draw("recall", title, paint), note)


_TENTHS = np.arange(0, 11, 2) / 10


def _iou_histogram(runs: Sequence[Run]) -> Plot | None:
    asked = [(place, run) for place, run in enumerate(runs) if run.own]
    if not asked:
        return None

    def paint(axes: Axes) -> None:
        for nth, (place, run) in enumerate(asked):
            iou = top_iou(run.results)
            shares = 100 * np.bincount(tenths(iou), minlength=11) / len(iou)
            middles = np.array([-0.1, *(np.arange(10) + 0.5) / 10]) + beside(nth, len(asked)) / 10
            axes.bar(middles, shares, 0.075 / len(asked), color=run_colour(place))
        axes.set(xlabel="temporal IoU of the first interval", ylabel="% of queries")
        axes.set_xticks([-0.1, *_TENTHS], ["none", *map(str, _TENTHS.tolist())])
        axes.set_xlim(-0.17, 1.02)
        axes.grid(visible=False, axis="x")

    title = "How well the first interval fits"
    note = "“none” is no interval at all, or one that overlaps no true window."
    return Plot(title, draw("iou", title, paint), note)


def tenths(iou: Floats) -> NDArray[np.intp]:
    """The bin of each IoU: 0 for no overlap at all, k for what is in ((k - 1) / 10, k / 10]."""
    # Rounded, so that 3 s of 10 s are in the bin that ends at 0.3, whatever the last bits say.
    return np.ceil(np.round(10 * iou, 9)).astype(np.intp)


_FIRST_ANSWER = 10
"""Of fewer answers, a share says little and jumps about."""


def _risk(runs: Sequence[Run]) -> Plot | None:
    curves = [(place, run, *risk_coverage(run.results)) for place, run in enumerate(runs)]
    curves = [curve for curve in curves if len(curve[2])]
    if not curves:
        return None

    def paint(axes: Axes) -> None:
        for place, run, coverage, risk in curves:
            low, high = risk_interval(run.results)
            shown = _thinned(min(_FIRST_ANSWER, len(coverage)) - 1, len(coverage))
            at = 100 * coverage[shown]
            line(axes, place, at, 100 * risk[shown])
            axes.plot(at[-1:], 100 * risk[-1:], "o", ms=4, color=run_colour(place))
            band(axes, place, at, 100 * low[shown], 100 * high[shown], of=len(curves))
        percent(axes, "risk, % of those answers that are wrong")
        axes.set(xlim=(0, 102), xlabel="coverage, % of all questions answered “found”")

    title = "Risk against coverage"
    note = (
        f"The most confident answers first, from the {_FIRST_ANSWER}th on; the dot is all of them. "
        "Wrong is an IoU below 0.5, or “found” where it is not there. "
        f"{about_bands(len(curves))}"
    )
    return Plot(title, draw("risk", title, paint), note)


def _thinned(first: int, end: int, most: int = 400) -> NDArray[np.intp]:
    """At most this many places in ``[first, end)``, both ends among them: a page shows no more."""
    return np.unique(np.linspace(first, end - 1, min(end - first, most)).round().astype(np.intp))
