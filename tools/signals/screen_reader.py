"""Reads the text of frames one after another, and the same picture once only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np

from tools.signals.palette import grey_of
from tools.signals.sameness import is_another_scene, shows_the_same

if TYPE_CHECKING:
    from tools.signals.camera import Grey
    from tools.signals.ocr import TextReader
    from tools.timeline import Image

READING = "r2"
"""Changes whenever the same frames would be read differently."""

ALIKE = 0.6
"""Share of letters in common from which a line of the turned picture was read before."""


class ScreenReader:
    """Reads the text again only where the picture is no longer the one that was read.

    Text that runs down the picture is read with the rest; for text that runs up it the picture is
    turned, once a scene, and on where the scene has some.

    Args:
        load: Loads the reader of text, once, when the first picture comes.
    """

    def __init__(self, load: Callable[[], TextReader]) -> None:
        self._load = load
        self._read: TextReader | None = None
        self._grey: Grey | None = None
        self._has_turned = False
        self._lines: tuple[str, ...] = ()

    def lines(self, image: Image) -> tuple[str, ...]:
        """The lines of text in the next picture, from top to bottom; turned ones last."""
        grey = grey_of(image)
        before = self._grey
        if before is None or not shows_the_same(before, grey):
            self._read = self._read or self._load()
            self._lines = self._read(image)
            if before is None or self._has_turned or is_another_scene(before, grey):
                turned = self._read(np.ascontiguousarray(np.rot90(image, 3)))
                new = tuple(line for line in turned if not _is_among(line, self._lines))
                self._has_turned = bool(new)
                self._lines += new
            self._grey = grey
        return self._lines


def _is_among(line: str, lines: Sequence[str]) -> bool:
    """Whether a line, or most of it, stands among those that were read before."""
    return any(SequenceMatcher(None, line, one).ratio() >= ALIKE for one in lines)
