"""Text in the order in which it is drawn, for a drawer that goes from left to right alone.

The parts of the Unicode bidirectional algorithm (UAX #9) that a title needs: words of Hebrew or
Arabic run to the left, numbers and Latin words in them to the right. Nothing is embedded deeper.
"""

import re
import unicodedata
from itertools import groupby
from typing import Final

_MIRRORED: Final = str.maketrans("()[]{}<>«»", ")(][}{><»«")


def in_visual_order(line: str) -> str:
    """A line with its runs from right to left turned round; any other one as it is."""
    kinds = [_direction(letter) for letter in line]
    if "R" not in kinds:
        return line
    base = next(kind for kind in kinds if kind in "LR")
    runs = [
        (kind, "".join(letter for _, letter in run))
        for kind, run in groupby(zip(_settled(kinds, base), line, strict=True), lambda one: one[0])
    ]
    drawn = [_turned(text) if kind == "R" else text for kind, text in runs]
    return "".join(reversed(drawn) if base == "R" else drawn)


def _direction(letter: str) -> str:
    kind = unicodedata.bidirectional(letter)
    if kind in {"R", "AL"}:
        return "R"
    # A number reads to the right wherever it stands.
    return "L" if kind in {"L", "EN", "AN"} else "N"


def _settled(kinds: list[str], base: str) -> list[str]:
    """What stands between two runs is of them where they agree, and else of the whole line."""
    settled = list(kinds)
    for gap in re.finditer("N+", "".join(kinds)):
        around = {
            kinds[gap.start() - 1] if gap.start() else base,
            kinds[gap.end()] if gap.end() < len(kinds) else base,
        }
        between = around.pop() if len(around) == 1 else base
        settled[gap.start() : gap.end()] = [between] * (gap.end() - gap.start())
    return settled


def _turned(text: str) -> str:
    # A sign above a letter stays behind it.
    letters = re.findall(r".[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]*", text, re.DOTALL)
    return "".join(reversed(letters)).translate(_MIRRORED)


def without_pictographs(text: str) -> str:
    """Text without emoji and what joins them: the font has none, and would draw question marks."""
    kept = "".join(
        letter
        for letter in text
        if not (ord(letter) > 0xFFFF and unicodedata.category(letter) in {"So", "Sk", "Cn"})
        and letter not in "\ufe0f\u200d"
    )
    return " ".join(kept.split()) or text
