"""The lines of text on a picture that is held one way, and which of them have to be read again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.signals.palette import grey_of
from tools.signals.sameness import SPOT_PX, shows_the_same

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.signals.camera import Grey
    from tools.signals.ocr import Box, Part, TextReader
    from tools.timeline import Image

SAME_PLACE = 0.006
"""Of the picture's short side: a corner that is found no farther off is where it was."""

EDGE_PX = 4
"""A line that ends this close to the edge of what was searched may go on beyond it."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A place where text was found.

    Attributes:
        box: Its corners, in pixels.
        text: What was read there; empty where it is no text.
        grey: What it looked like then.
    """

    box: Box
    text: str
    grey: Grey


class Page:
    """What is known of the text on the last picture.

    Attributes:
        lines: Where text was found, and what it says.
    """

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._size_px = (1, 1)

    def texts(self) -> tuple[str, ...]:
        """The legible lines: rows from top to bottom, each from the left."""
        rows: list[tuple[float, list[Line]]] = []
        for line in sorted(filter(_is_legible, self.lines), key=_middle_px):
            # A line whose middle is above the foot of the row stands in it.
            if not rows or _middle_px(line) >= rows[-1][0]:
                rows.append((float(line.box[:, 1].max()), []))
            rows[-1][1].append(line)
        return tuple(
            line.text
            for _, row in rows
            for line in sorted(row, key=lambda line: float(line.box[:, 0].min()))
        )

    def search(self, read: TextReader, picture: Image, within: Part | None = None) -> None:
        """Look for text; what stands and looks as it did is not read.

        Args:
            read: Finds and reads it.
            picture: Of the size that the last one had, if only a part is searched.
            within: The part that changed; None for everywhere.
        """
        grey = grey_of(picture)
        boxes = read.find(picture, within)
        if within:
            # What only looks like text at the edge is no reason to look beyond it.
            cut_off = [box for box in boxes if _is_cut_off(box, within, grey)]
            if cut_off and any(read.read(picture, cut_off)):
                boxes, within = read.find(picture), None
            else:
                boxes = [box for box in boxes if not any(box is one for one in cut_off)]
        same = [line for line in self.lines if _looks_the_same(line, grey)]
        lines, new = [], []
        for box in boxes:
            known = next((line for line in same if _is_same_place(line.box, box, grey)), None)
            if known:
                lines.append(known)
            else:
                new.append(box)
        # A line that is still there was overlooked, unless it is now read as part of another one.
        found = [*new, *(line.box for line in lines)]
        lines += [
            line
            for line in same
            # What is no text is forgotten where nothing is found any more.
            if (line.text or (within and not _is_in(line.box, within)))
            and not any(_overlap(line.box, box) for box in found)
        ]
        texts = read.read(picture, new) if new else ()
        lines += [Line(box, text, _part(grey, box)) for box, text in zip(new, texts, strict=True)]
        self.lines, self._size_px = lines, (grey.shape[0], grey.shape[1])

    def look_again(self, read: TextReader, picture: Image) -> bool:
        """Read again the legible lines that look different.

        Returns:
            Whether text still stands where it stood; else it is time for a ``search``.
        """
        grey = grey_of(picture)
        changed = [line for line in self.lines if line.text and not _looks_the_same(line, grey)]
        texts = read.read(picture, [line.box for line in changed]) if changed else ()
        again = {
            id(line): Line(line.box, text, _part(grey, line.box))
            for line, text in zip(changed, texts, strict=True)
        }
        self.lines = [again.get(id(line), line) for line in self.lines]
        return all(texts)

    def drop(self, is_known: Callable[[str], bool]) -> None:
        """Forget the lines that another page has, and those that are no text."""
        self.lines = [line for line in self.lines if line.text and not is_known(line.text)]

    def mask(self, shape: Sequence[int]) -> NDArray[np.bool_]:
        """Where legible lines are in a picture of this height and width, with what is close by."""
        mask = np.zeros((shape[0], shape[1]), bool)
        down, along = shape[0] / self._size_px[0], shape[1] / self._size_px[1]
        reach = SPOT_PX // 2
        for line in filter(_is_legible, self.lines):
            left, top = line.box.min(axis=0) * (along, down)
            right, bottom = line.box.max(axis=0) * (along, down)
            rows = slice(max(0, int(top) - reach), int(bottom) + 1 + reach)
            mask[rows, max(0, int(left) - reach) : int(right) + 1 + reach] = True
        return mask


def _is_legible(line: Line) -> bool:
    return bool(line.text)


def _middle_px(line: Line) -> float:
    return float(line.box[:, 1].mean())


def _part(grey: Grey, box: Box) -> Grey:
    left, top = np.maximum(box.min(axis=0).astype(int), 0)
    right, bottom = np.ceil(box.max(axis=0)).astype(int) + 1
    return grey[top:bottom, left:right].copy()


def _looks_the_same(line: Line, grey: Grey) -> bool:
    return shows_the_same(line.grey, _part(grey, line.box))


def _is_same_place(one: Box, other: Box, grey: Grey) -> bool:
    return bool(np.abs(one - other).max() <= SAME_PLACE * min(grey.shape))


def _is_in(box: Box, part: Part) -> bool:
    return bool((box.min(axis=0) < part[2:]).all() and (box.max(axis=0) > part[:2]).all())


def _is_cut_off(box: Box, part: Part, grey: Grey) -> bool:
    """Whether a line goes on beyond the part of a picture in which it was found."""
    height_px, width_px = grey.shape
    (left, top), (right, bottom) = box.min(axis=0), box.max(axis=0)
    return bool(
        (part[0] > 0 and left <= part[0] + EDGE_PX)
        or (part[1] > 0 and top <= part[1] + EDGE_PX)
        or (part[2] < width_px and right >= part[2] - EDGE_PX)
        or (part[3] < height_px and bottom >= part[3] - EDGE_PX)
    )


def _overlap(one: Box, other: Box) -> bool:
    """Whether two boxes have a spot in common; their upright hulls, to be precise."""
    return bool(
        (one.min(axis=0) < other.max(axis=0)).all() and (other.min(axis=0) < one.max(axis=0)).all()
    )
