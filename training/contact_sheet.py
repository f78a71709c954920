"""``whenabouts tune inspect``: a picture of random samples of a data set, to look at."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Iterable
from pathlib import Path

from tools.output_files import check_place, write_whole
from training.conversations import TuningData, TuningRow

COLUMNS = 4


def draw_contact_sheet(data: TuningData, file: Path, *, count: int, seed: int) -> int:
    """Draw conversations by chance, each with its first picture; returns how many.

    Args:
        data: From ``read_data``.
        file: A PNG, which is new.
        count: How many, at most.
        seed: Of the choice.

    Raises:
        VideoError: If the file is there already, or cannot be written.
    """
    what = "pictures"
    check_place(file, what=what)
    from matplotlib.figure import Figure
    from matplotlib.image import imread

    rows = [*data.train, *data.held_out]
    chosen = random.Random(seed).sample(rows, min(count, len(rows)))
    lines = -(-len(chosen) // COLUMNS)
    figure = Figure(figsize=(4.2 * COLUMNS, 4.4 * lines), layout="constrained")
    grid = figure.subplots(lines, COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, row in zip(grid.flat, chosen, strict=False):
        axes.imshow(imread(data.image(row.images[0])))
        more = f", and {len(row.images) - 1} more" if len(row.images) > 1 else ""
        state = "inside" if row.inside else "outside"
        head = f"{row.video_id} at {row.time_s:g} s ({row.kind}, {state}{more})"
        asked = textwrap.shorten(particular(row, rows), 160, placeholder=" …")
        said = textwrap.shorten(row.completion, 260, placeholder=" …")
        text = "\n".join(
            [head, *textwrap.wrap(f"Q: {asked}", 58), *textwrap.wrap(f"A: {said}", 58)]
        )
        # What a teacher wrote is no formula, whatever signs are in it.
        axes.set_title(text, fontsize=7, loc="left", parse_math=False)

    def fill(part: Path) -> None:
        figure.savefig(part, dpi=100, format="png")

    write_whole(file, fill, what=what)
    return len(chosen)


def particular(row: TuningRow, rows: Iterable[TuningRow]) -> str:
    """What tells a prompt from the others of its kind: most of it is the same in all of them."""
    prompts = sorted({one.prompt for one in rows if one.kind == row.kind})
    if len(prompts) == 1:
        return row.prompt
    shared = set.intersection(*(set(one.splitlines()) for one in prompts))
    own = [line for line in row.prompt.splitlines() if line not in shared]
    return " ".join(own) or row.prompt
