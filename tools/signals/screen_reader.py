"""Reads the text of frames one after another, and the same picture once only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tools.signals.palette import grey_of

if TYPE_CHECKING:
    from tools.signals.camera import Grey
    from tools.signals.ocr import TextReader
    from tools.timeline import Image

LEVELS = 20
"""Grey levels, of 255, by which a pixel of new text differs from what was there."""

SHARE = 0.0005
"""Of all pixels that may differ: fewer than a changed digit of a clock has."""


class ScreenReader:
    """Reads the text again only where the picture is no longer the one that was read.

    Args:
        load: Loads the reader of text, once, when the first picture comes.
    """

    def __init__(self, load: Callable[[], TextReader]) -> None:
        self._load = load
        self._read: TextReader | None = None
        self._grey: Grey | None = None
        self._lines: tuple[str, ...] = ()

    def lines(self, image: Image) -> tuple[str, ...]:
        """The lines of text in the next picture, from top to bottom."""
        grey = grey_of(image)
        if self._grey is None or not _shows_the_same(self._grey, grey):
            self._read = self._read or self._load()
            self._lines = self._read(image)
            self._grey = grey
        return self._lines


def _shows_the_same(one: Grey, other: Grey) -> bool:
    """Whether not even a digit differs between two grey pictures."""
    if one.shape != other.shape:
        return False
    differs = cv2.absdiff(cv2.blur(one, (3, 3)), cv2.blur(other, (3, 3)))
    return bool(np.count_nonzero(differs > LEVELS) < SHARE * differs.size)
