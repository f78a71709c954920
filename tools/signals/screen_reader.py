"""Reads the text of frames one after another; what did not change is not read again."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np

from tools.signals.page import Page
from tools.signals.palette import grey_of
from tools.signals.sameness import changed_spots, is_another_scene

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.signals.camera import Grey
    from tools.signals.ocr import Part, TextReader
    from tools.timeline import Frame, Image

READING = "r5"
"""Changes whenever the same frames would be read differently."""

ALIKE = 0.6
"""Share of letters in common from which a line of the turned picture was read before."""

AROUND = 0.12
"""Of the picture's short side: what is searched around a change, since text is found by what is
around it."""

MOST_OF_PICTURE = 0.35
"""A larger part is not searched alone."""


class ScreenReader:
    """Looks for text where the picture changed, and reads again what changed in places it knows.

    Changes are looked for in the sampled picture. Text is read, and known places are compared, in
    the picture at its own size: of a small digit in 1080 lines, sampling leaves four pixels.

    Text that runs down the picture is read with the rest; for text that runs up it the picture is
    turned, once a scene, and on where the scene has some.

    Args:
        load: Loads the reader of text, once, when the first picture comes.
    """

    def __init__(self, load: Callable[[], TextReader]) -> None:
        self._load = load
        self._read: TextReader | None = None
        self._searched: Grey | None = None
        self._upright = Page()
        self._turned = Page()

    def lines(self, frame: Frame) -> tuple[str, ...]:
        """The lines of text in the next frame, from top to bottom; turned ones last."""
        self._read = read = self._read or self._load()
        sampled, before = grey_of(frame.image), self._searched
        new = None if before is None else self._new_spots(before, sampled)
        if before is None or new is None or new.any():
            picture = _at_own_size(frame)
            part = None if before is None or new is None else part_around(new)
            is_scene = before is None or is_another_scene(before, sampled)
            if (
                before is None
                or part is None
                or is_scene
                or not self._search_part(read, picture, part, sampled.shape)
            ):
                self._search(read, picture, is_scene=is_scene)
                self._searched = sampled
            else:
                # Elsewhere, what changes slowly is compared with what was searched last.
                left, top, right, bottom = part
                self._searched = before.copy()
                self._searched[top:bottom, left:right] = sampled[top:bottom, left:right]
        elif self._upright.lines or self._turned.lines:
            picture = _at_own_size(frame)
            known = self._upright.look_again(read, picture)
            known &= self._turned.look_again(read, _turned(picture))
            if not known:
                self._search(read, picture, is_scene=False)
                self._searched = sampled
        upright = self._upright.texts()
        return (*upright, *(text for text in self._turned.texts() if not _is_among(text, upright)))

    def _new_spots(self, before: Grey, sampled: Grey) -> NDArray[np.bool_] | None:
        """What changed outside the places where text is known to be; None in another size."""
        if before.shape != sampled.shape:
            return None
        known = self._upright.mask(sampled.shape)
        known |= np.rot90(self._turned.mask(sampled.shape[::-1]))
        return changed_spots(before, sampled) & ~known

    def _search_part(
        self, read: TextReader, picture: Image, part: Part, sampled_px: tuple[int, ...]
    ) -> bool:
        """Look for upright text in a part; whether that is enough."""
        if self._turned.lines or not self._upright.look_again(read, picture):
            return False
        down, along = picture.shape[0] / sampled_px[0], picture.shape[1] / sampled_px[1]
        left, top, right, bottom = part
        self._upright.search(
            read,
            picture,
            (
                int(left * along),
                int(top * down),
                math.ceil(right * along),
                math.ceil(bottom * down),
            ),
        )
        return True

    def _search(self, read: TextReader, picture: Image, *, is_scene: bool) -> None:
        self._upright.search(read, picture)
        if is_scene or self._turned.lines:
            upright = self._upright.texts()
            self._turned.search(read, _turned(picture))
            self._turned.drop(lambda text: _is_among(text, upright))


def part_around(spots: NDArray[np.bool_]) -> Part | None:
    """The part of a picture that holds all spots, with what is around it; None if that is most."""
    height_px, width_px = spots.shape
    around_px = math.ceil(AROUND * min(spots.shape))
    rows, columns = np.flatnonzero(spots.any(axis=1)), np.flatnonzero(spots.any(axis=0))
    left, right = max(0, columns[0] - around_px), min(width_px, columns[-1] + 1 + around_px)
    top, bottom = max(0, rows[0] - around_px), min(height_px, rows[-1] + 1 + around_px)
    if (right - left) * (bottom - top) > MOST_OF_PICTURE * spots.size:
        return None
    return int(left), int(top), int(right), int(bottom)


def _at_own_size(frame: Frame) -> Image:
    return frame.native() if frame.native else frame.image


def _turned(picture: Image) -> Image:
    return np.ascontiguousarray(np.rot90(picture, 3))


def _is_among(line: str, lines: Sequence[str]) -> bool:
    """Whether a line, or most of it, stands among those that were read before."""
    return any(SequenceMatcher(None, line, one).ratio() >= ALIKE for one in lines)
