"""Reads the text of frames one after another; what did not change is not read again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np

from tools.signals.page import Page
from tools.signals.palette import grey_of
from tools.signals.sameness import changed_spots, is_another_scene

if TYPE_CHECKING:
    from tools.signals.camera import Grey
    from tools.signals.ocr import TextReader
    from tools.timeline import Frame, Image

READING = "r3"
"""Changes whenever the same frames would be read differently."""

ALIKE = 0.6
"""Share of letters in common from which a line of the turned picture was read before."""


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
        if before is None or self._is_new(before, sampled):
            is_scene = before is None or is_another_scene(before, sampled)
            self._search(read, _at_own_size(frame), is_scene=is_scene)
            self._searched = sampled
        elif self._upright.lines or self._turned.lines:
            picture = _at_own_size(frame)
            known = self._upright.look_again(read, picture)
            known &= self._turned.look_again(read, _turned(picture))
            if not known:
                self._search(read, picture, is_scene=False)
                self._searched = sampled
        upright = self._upright.texts()
        return (*upright, *(text for text in self._turned.texts() if not _is_among(text, upright)))

    def _is_new(self, before: Grey, sampled: Grey) -> bool:
        """Whether anything changed outside the places where text is known to be."""
        if before.shape != sampled.shape:
            return True
        known = self._upright.mask(sampled.shape)
        known |= np.rot90(self._turned.mask(sampled.shape[::-1]))
        return bool((changed_spots(before, sampled) & ~known).any())

    def _search(self, read: TextReader, picture: Image, *, is_scene: bool) -> None:
        self._upright.search(read, picture)
        if is_scene or self._turned.lines:
            upright = self._upright.texts()
            self._turned.search(read, _turned(picture))
            self._turned.drop(lambda text: _is_among(text, upright))


def _at_own_size(frame: Frame) -> Image:
    return frame.native() if frame.native else frame.image


def _turned(picture: Image) -> Image:
    return np.ascontiguousarray(np.rot90(picture, 3))


def _is_among(line: str, lines: Sequence[str]) -> bool:
    """Whether a line, or most of it, stands among those that were read before."""
    return any(SequenceMatcher(None, line, one).ratio() >= ALIKE for one in lines)
