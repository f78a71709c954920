"""What the plots of a report have in common: a run has the same colour in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evaluation.report.svg import run_colour, run_dashes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


_BANDS = 4
"""The bands of more runs would hide one another."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with what a reader has to know.

    Attributes:
        title: What it is about.
        svg: The element; safe markup, holding no text of a query, a file or a model.
        note: What is drawn, and what is not, in a sentence or two.
    """

    title: str
    svg: str
    note: str


def drawn(plots: Sequence[Plot | None]) -> list[Plot]:
    """Those plots for which there is something to show."""
    return [plot for plot in plots if plot]


def beside(nth: int, of: int, *, member: float = 0.8) -> float:
    """How far beside the middle of a group, at most 0.8 wide, the n-th of its members stands."""
    return min(0.8, member * of) * ((nth + 0.5) / of - 0.5)


def line(axes: Axes, place: int, x: Floats, y: Floats) -> None:
    """Draw the line of the run at this place."""
    axes.plot(x, y, color=run_colour(place), ls=run_dashes(place))


def band(axes: Axes, place: int, x: Floats, low: Floats, high: Floats, *, of: int) -> None:
    """Draw the interval around the line of a run, unless there are too many runs for that."""
    if of <= _BANDS:
        axes.fill_between(x, low, high, color=run_colour(place), alpha=0.15, lw=0)


def about_bands(of: int) -> str:
    """What a note says of the bands around the lines."""
    return "Bands are 95% intervals." if of <= _BANDS else "95% intervals are in the table below."


def percent(axes: Axes, label: str) -> None:
    """Let the vertical axis show a percentage, all of it."""
    axes.set(ylim=(0, 100), ylabel=label)


def plainly(value: float, _: float) -> str:
    """The label of a tick, without an exponent where it can do without."""
    return f"{value:g}"
