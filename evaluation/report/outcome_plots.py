"""What became of the queries of runs, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evaluation.figures.decomposition import Outcome, outcome
from evaluation.report.axes import Plot, beside, drawn
from evaluation.report.means import means
from evaluation.report.reported_runs import Run
from evaluation.report.svg import INK, MUTED, Margins, draw, run_colour
from evaluation.report.words import NAMES, NULL_OUTCOMES, OWN_OUTCOMES
from evaluation.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def outcome_plots(runs: Sequence[Run]) -> list[Plot]:
    """What became of the queries asked of their own videos, and of the others."""
    own, nulls = [run.own for run in runs], [run.nulls for run in runs]
    return drawn([_outcomes(own, OWN_OUTCOMES, "own"), _outcomes(nulls, NULL_OUTCOMES, "null")])


def _outcomes(
    of_run: Sequence[Sequence[Result]], order: Sequence[Outcome], kind: str
) -> Plot | None:
    asked = [(place, results) for place, results in enumerate(of_run) if results]
    if not asked:
        return None
    height = 0.8 / len(asked)
    failed = any(one.verdict == "error" for _, results in asked for one in results)
    order = [name for name in order if failed or name != "error"]

    def paint(axes: Axes) -> None:
        rows = np.arange(len(order), dtype=np.float64)
        reach = 0.0
        for nth, (place, results) in enumerate(asked):
            names = [outcome(one) for one in results]
            is_outcome = np.array([[name == one for one in order] for name in names])
            shares = means(100.0 * is_outcome, [one.qid for one in results])
            at = rows + beside(nth, len(asked))
            axes.barh(at, shares.value, height * 0.9, color=run_colour(place))
            axes.errorbar(
                shares.value, at, xerr=shares.whiskers, fmt="none", ecolor=INK, elinewidth=0.8
            )
            counts = is_outcome.sum(axis=0)
            for y, high, count in zip(at, shares.high, counts, strict=True):
                axes.annotate(
                    f"{count}", (high, y), xytext=(4, 0), textcoords="offset points", va="center",
                    fontsize=7, color=MUTED,
                )  # fmt: skip
            reach = max(reach, float(shares.high.max()))
        axes.set_yticks(rows, [NAMES[name] for name in order])
        axes.set_ylim(len(order) - 0.45, -0.55)
        axes.set(xlim=(0, min(108.0, reach * 1.12)), xlabel=f"% of the {kind} queries")
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)

    whose = "their own" if kind == "own" else "other"
    title = f"What became of the {kind} queries"
    note = f"Share of all queries asked of {whose} videos, with 95% intervals, and their counts."
    inches = 0.55 + len(order) * (0.2 + 0.11 * len(asked))
    return Plot(
        title,
        draw(f"{kind} outcomes", title, paint, height_in=inches, margins=Margins(left=1.1)),
        note,
    )
