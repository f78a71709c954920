"""Finds words in text that was read off the screen, forgiving misread letters."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.signals.vocabulary import words_of

FORGIVEN = ((5, 0), (9, 1))
"""Wrong letters forgiven in texts shorter than this many letters; two in longer ones."""

_SECONDS = re.compile(r"\d{1,2}:\d{2}:\d{2}")
_FRAMES = re.compile(r"(\d{1,2}:\d{2}:\d{2})[:;.,]\d{2,3}(?!\d)")
"""A timecode that counts frames shows the seconds too."""

LOOKS_SO = 0.98
"""Worth of a word with a digit in the place of a letter that looks like it."""

_LETTERS = str.maketrans("01i5826", "ollsbzg")
"""Digits as the letters that they are misread from; a small l and an i look alike."""

_DEGREES = str.maketrans({"℃": "°C", "℉": "°F"})
"""One sign each to a reader of text."""

_WITH_UNIT = re.compile(
    r"(\d[\d.,:]*)([mkcdμ]?[mglbws]|lbs|oz|ft|mi|km²|m²|cm²|m³|[ckf]|[mkg]?hz|[kmgt]i?b|[mk]?bps"
    r"|fps|rpm|mph|kmh|min|sec|hrs?|h|ms|a|v|mv|kv|kwh|ω|kω|px|pt|am|pm|usd|eur|gbp|mio|bn)"
)
"""A number and what it counts, in small letters."""

ANY_ORDER = 0.8
"""Worth of a text that has all the words but not in that order."""


def text_fit(wanted: Sequence[str], shown: str) -> float:
    """How well a shown text has the wanted words, in [0, 1]; 0 where it has not.

    Letter case and spaces do not count (readers run words together), a letter or two may be wrong,
    numbers must be right: "Chapter 3" is not a misread "Chapter 2".

    Args:
        wanted: Lower-case words; none asks for any text.
        shown: What is on the screen.
    """
    if any(map(_SECONDS.fullmatch, wanted)):
        shown = _FRAMES.sub(r"\1", shown)
    wanted = [part for word in wanted for part in _apart(word)]
    there = [part for word in words_of(shown.translate(_DEGREES)) for part in _apart(word)]
    if not wanted:
        return 1.0 if there else 0.0
    phrase = _phrase_fit(wanted, there)
    if phrase or len(wanted) == 1:
        return phrase
    return ANY_ORDER * min(_phrase_fit([word], there) for word in wanted)


def _apart(word: str) -> list[str]:
    """A number and its unit, which readers run together; any other word as it is."""
    found = _WITH_UNIT.fullmatch(word)
    return [*found.groups()] if found else [word]


def _phrase_fit(wanted: Sequence[str], there: Sequence[str]) -> float:
    goal = "".join(wanted)
    plain_goal = "".join(map(_plain_number, wanted))
    plain = list(map(_plain_number, there))
    best = 0.0
    for first in range(len(there)):
        run = ""
        for word in plain[first : first + len(wanted) + 2]:
            run += word
            if len(run) > len(plain_goal) + 2:
                break
            best = max(best, _likeness(plain_goal, run))
    if not best and len(goal) >= 5 and _stands_in("".join(there), goal):
        # Two lines or words that were read as one.
        best = ANY_ORDER
    return best


def _stands_in(text: str, goal: str) -> bool:
    """Whether it is a part of the text, but no part of a number."""
    before = r"(?<![\d.,:])" if goal[0].isdigit() else ""
    after = r"(?![\d.,:]*\d)" if goal[-1].isdigit() else ""
    return re.search(before + re.escape(goal) + after, text) is not None


def _likeness(goal: str, run: str) -> float:
    digits = sum(map(str.isdigit, run))
    worth = 1.0
    if 0 < 2 * digits < len(run) and not any(map(str.isdigit, goal)):
        # Digits in a word that has none are letters misread: "HELL0".
        goal, run, worth = goal.translate(_LETTERS), run.translate(_LETTERS), LOOKS_SO
    if _digits(goal) != _digits(run):
        return 0.0
    wrong = _edit_distance(goal, run)
    forgiven = next((count for below, count in FORGIVEN if len(goal) < below), 2)
    return worth * (1 - wrong / len(goal)) if wrong <= forgiven else 0.0


def _plain_number(text: str) -> str:
    """Without what only groups digits, and cents that are none; a decimal point stays, as one."""
    text = re.sub(r"(?<=\d)[.,](?=\d{3}(?!\d))", "", text.replace(":", ""))
    return re.sub(r"(?<=\d)[.,](?=\d)", ".", re.sub(r"(?<=\d)[.,]00(?!\d)", "", text))


def _digits(text: str) -> str:
    """All digits, and the points between them."""
    return "".join(re.findall(r"\d|(?<=\d)\.(?=\d)", text))


def _edit_distance(one: str, other: str) -> int:
    """Levenshtein's."""
    row = list(range(len(other) + 1))
    for i, sign in enumerate(one, start=1):
        diagonal, row[0] = row[0], i
        for j, letter in enumerate(other, start=1):
            change = diagonal + (sign != letter)
            diagonal = row[j]
            row[j] = min(change, row[j] + 1, row[j - 1] + 1)
    return row[-1]
