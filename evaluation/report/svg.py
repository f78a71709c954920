"""Plots as inline SVG: text stays text, colours are the page's, equal plots are equal bytes.

matplotlib knows no CSS variables. So colours are drawn as stand-ins that nothing else uses, and the
finished SVG has them replaced: one plot then suits a light and a dark page.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from evaluation.results import BenchmarkError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RUN_COLOURS = 8
"""How many colours for runs the page defines."""

INK, MUTED, GRID, RIGHT, WRONG = (f"#0a0b{number:02x}" for number in range(5))

_VARIABLES = {
    **dict(
        zip((INK, MUTED, GRID, RIGHT, WRONG), "ink muted grid right wrong".split(), strict=True)
    ),
    **{f"#0a0c{number:02x}": f"run-{number}" for number in range(RUN_COLOURS)},
}

_DASHES: tuple[Any, ...] = ("-", (0, (4, 2)), (0, (1, 1.5)))


def run_colour(index: int) -> str:
    """The stand-in for the colour of a run, by its place among the runs; they repeat after 8."""
    return f"#0a0c{index % RUN_COLOURS:02x}"


def run_dashes(index: int) -> Any:
    """The line style that tells runs of one colour apart, as matplotlib takes it."""
    return _DASHES[index // RUN_COLOURS % len(_DASHES)]


_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    # Nothing in a plot is a formula, whatever dollar signs there are.
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0,
}


class Margins(NamedTuple):
    """Room around the axes for what is written there, in inches."""

    left: float = 0.55
    bottom: float = 0.45
    right: float = 0.1
    top: float = 0.1


MARGINS = Margins()
_WIDTH_IN = 5.0


def draw(
    name: str,
    description: str,
    paint: Callable[[Axes], None],
    *,
    height_in: float = 2.9,
    margins: Margins = MARGINS,
) -> str:
    """An ``<svg>`` element for a page that defines the colours.

    Args:
        name: Names the plot within its page; ids in it begin with something made from it.
        description: Read out in place of the plot.
        paint: Draws it.
        height_in: Height where the width is 5; the element takes the width that it is given.
        margins: Given, as having them worked out takes as long again as drawing does.

    Raises:
        BenchmarkError: If matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as exc:
        raise BenchmarkError(
            "a report needs matplotlib; install it with: pip install 'whenabouts[eval]'"
        ) from exc
    written = io.StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(_WIDTH_IN, height_in))
        figure.subplots_adjust(
            left=margins.left / _WIDTH_IN,
            bottom=margins.bottom / height_in,
            right=1 - margins.right / _WIDTH_IN,
            top=1 - margins.top / height_in,
        )
        paint(figure.add_subplot())
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    return _for_page(written.getvalue(), description)


def _for_page(svg: str, description: str) -> str:
    """Take off what only a file of its own needs, and hand the colours over to the page."""
    svg = svg[svg.index("<svg") :].rstrip()
    svg = re.sub(r"<!--.*?-->\s*|<style.*?</style>\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("xlink:href", "href")
    # Several plots share a page: only ids that something refers to stay, salted by the plot's name.
    referred = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda m: m[0] if m[1] in referred else "", svg)
    view = re.search(r'viewBox="[^"]*"', svg)
    assert view, "matplotlib writes a viewBox"
    label = html.escape(description)
    svg = re.sub(r"<svg[^>]*>", f'<svg {view[0]} role="img" aria-label="{label}">', svg, count=1)
    return re.sub(
        "|".join(_VARIABLES),
        lambda match: f"var(--{_VARIABLES[match[0]]})",
        svg,
        flags=re.IGNORECASE,
    )


def run_swatch(index: int) -> tuple[str, str]:
    """The page's colour of a run, and its line style as an SVG dash array."""
    dashes = run_dashes(index)
    array = "none" if isinstance(dashes, str) else " ".join(str(2 * part) for part in dashes[1])
    return f"var(--run-{index % RUN_COLOURS})", array
