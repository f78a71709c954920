"""Lines of text drawn into pictures, in any script that a font here has.

OpenCV's own font has the letters of Europe, the Near East and East Asia, and draws them one by one.
Lines from the right are drawn by Pillow where it can order and join letters (its wheels can) and
matplotlib brings a font: both come with the extra ``plot``.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from tools.video.visual_order import in_visual_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.timeline import Image


def width_px(line: str, size_px: int) -> int:
    """How wide a line is."""
    if font := _font_for(line, size_px):
        return int(font.getlength(line) + 0.5)
    left, _, width, _ = cv2.getTextSize((0, 0), line, (0, 0), _face(), size_px)
    return int(left + width)


def draw_line(
    picture: Image, line: str, at: tuple[int, int], colour: tuple[int, int, int], size_px: int
) -> None:
    """Draw a line into an RGB picture, its baseline at a point."""
    if (font := _font_for(line, size_px)) is None:
        cv2.putText(picture, in_visual_order(line), at, colour, _face(), size_px)
        return
    from PIL import Image as Drawing
    from PIL import ImageDraw

    drawn = Drawing.fromarray(picture)
    ImageDraw.Draw(drawn).text(at, line, fill=colour, font=font, anchor="ls")
    picture[:] = np.asarray(drawn)


def lettering_notes(lines: Iterable[str]) -> list[str]:
    """What a reader of these lines will miss, a sentence each."""
    lines = list(lines)
    letters = {letter for line in lines for letter in line if letter.isalpha()}
    notes = []
    if any(map(_is_joined, letters)) and _joining_font(16) is None:
        notes.append(
            "Arabic letters are drawn unjoined on the cards; pip install 'whenabouts[plot]' joins "
            "them"
        )
    elif any(any(map(_is_joined, line)) and _font_for(line, 16) is None for line in lines):
        notes.append(
            "Arabic letters beside those of another script are drawn unjoined on the cards"
        )
    if missing := sorted(one for one in letters if ord(one) > 0x24F and _is_missing(one)):
        notes.append(
            f"the font of the cards has no {' '.join(missing[:8])}"
            f"{' …' if len(missing) > 8 else ''}: each is drawn as a question mark"
        )
    return notes


def _font_for(line: str, size_px: int) -> Any:
    comes_from_right = any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in line)
    font = _joining_font(size_px) if comes_from_right else None
    # A letter that this one lacks, a Chinese one say, is in the other font.
    return font if font and all(_has(font, letter) for letter in set(line)) else None


@cache
def _joining_font(size_px: int) -> Any:
    """A font whose letters Pillow orders and joins; None where there is none."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None or importlib.util.find_spec("PIL") is None:
        return None
    from PIL import ImageFont, features

    file = Path(found.origin).with_name("mpl-data") / "fonts" / "ttf" / "DejaVuSans.ttf"
    if not features.check("raqm") or not file.is_file():
        return None
    return ImageFont.truetype(str(file), size_px, layout_engine=ImageFont.Layout.RAQM)


def _has(font: Any, letter: str) -> bool:
    if letter.isspace() or unicodedata.category(letter) in {"Cf", "Mn"}:
        return True
    return bytes(font.getmask(letter)) != bytes(font.getmask("\U0010ffff"))


def _is_joined(letter: str) -> bool:
    return unicodedata.bidirectional(letter) == "AL"


def _is_missing(letter: str) -> bool:
    if font := _font_for(letter, 16):
        return not _has(font, letter)
    return bool(np.array_equal(_alone(letter), _alone("?")))


@cache
def _alone(letter: str) -> Image:
    picture: Image = np.zeros((24, 32, 3), np.uint8)
    cv2.putText(picture, letter, (2, 18), (255, 255, 255), _face(), 16)
    return picture


@cache
def _face() -> cv2.FontFace:
    return cv2.FontFace("sans")
