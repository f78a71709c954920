"""What every kind of subtitles becomes: cues of plain text, and what could not be used."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Literal

Kind = Literal["subtitles", "chapters", "descriptions", "metadata"]

TOUCHING_S = 0.1
"""Cues at most this far apart are shown one right after the other."""

NAMED_PROBLEMS = 5

MAX_CUE_CHARS = 10_000
"""Minutes of talk; a damaged or hostile file may have megabytes where a cue is to be."""

_MARKUP = re.compile(
    r"</?(?:b|br|c|div|em|font|i|lang|p|rt|ruby|s|span|strong|u|v)(?:[.\s][^<>]*)?/?>"
    # Times inside a cue, at which its next words light up.
    r"|<(?:\d+:)?\d\d:\d\d\.\d+>",
    flags=re.IGNORECASE,
)
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s([^<>]*)>", flags=re.IGNORECASE)
# The reading aid above a word says the word again.
_READING_AID = re.compile(r"<rt(?:[.\s][^<>]*)?>.*?(?:</rt>|(?=</ruby>)|$)", flags=re.IGNORECASE)
_OVERRIDES = re.compile(r"\{\\[^{}]*\}")
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);", flags=re.IGNORECASE)
# Control characters, and those that only set the direction of text. The joiners U+200C and U+200D
# stay: Persian, Hindi and emoji need them.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_NO_WORDS = re.compile(
    r"\{\s*(?:\".*)?\}|\[\s*[\{\[].*\]|\S+#xywh=[\d.,:a-z]+|data:\S+", flags=re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that are shown for a while.

    Attributes:
        start_s: On the clock of the file it came from; may lie outside the video.
        end_s: Later than ``start_s``.
        lines: As they stand one under the other, without markup; none is empty.
    """

    start_s: float
    end_s: float
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All its lines as one."""
        return " ".join(self.lines)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a subtitle file that could not be used.

    Attributes:
        line: Where, counted from 1; of a track inside a video, the number of the cue.
        what: What is wrong, with the value.
    """

    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Subtitles:
    """All that one file or track has to say.

    Attributes:
        name: What messages call it: a path, or a path and a stream.
        cues: In order of time; those that may overlap do so.
        problems: What could not be used, in the order of the file.
        kind: ``chapters`` name long parts, ``descriptions`` say what is seen; ``metadata`` holds
            no words and so no cues.
        language: As the file says it, for example ``en`` or ``pt-BR``; None where it does not.
        encoding: Python's name of the text encoding, or of the two that its lines are in.
        encoding_is_guessed: Whether the bytes alone told it, without a mark and not being UTF-8.
    """

    name: str
    cues: tuple[Cue, ...]
    problems: tuple[Problem, ...]
    kind: Kind
    language: str | None
    encoding: str
    encoding_is_guessed: bool = False

    @property
    def warning(self) -> str | None:
        """What a user should know of it, in one line; None where all is well."""
        said = []
        if self.encoding_is_guessed:
            said.append(f"read as {self.encoding}; if letters are wrong, save it as UTF-8")
        if self.problems:
            kept = "1 cue" if len(self.cues) == 1 else f"{len(self.cues)} cues"
            said.append(f"{kept} kept, {list_of(self.problems, self.name)}")
        return f"{self.name}: {'; '.join(said)}" if said else None


def list_of(problems: Sequence[Problem], name: str) -> str:
    """How many problems there are, and the first ones, each with file and line."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    file = PurePath(name).name
    named = [f"{file}:{one.line} {one.what}" for one in problems[:NAMED_PROBLEMS]]
    more = len(problems) - NAMED_PROBLEMS
    return f"{count}: {'; '.join(named)}" + (f"; and {more} more" if more > 0 else "")


def clock_seconds(
    hours: str | None, minutes: str, seconds: str, fraction: str | None
) -> float | None:
    """Seconds of a time as a clock shows it; None if it has 60 minutes or seconds, or more.

    Args:
        hours: Digits; None for none.
        minutes: One or two digits.
        seconds: One or two digits.
        fraction: Digits after the point; None for none.
    """
    if int(minutes) > 59 or int(seconds) > 59:
        return None
    fraction = fraction or "0"
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    # Whole numbers first: it rounds once, and equal times come out equal.
    scale: int = 10 ** len(fraction)
    return (whole * scale + int(fraction)) / scale


def plain_lines(text: str) -> tuple[str, ...]:
    """The words of a cue without markup; who speaks is kept, as ``Bob: …``.

    What is longer than any cue (``MAX_CUE_CHARS``) is cut, and ends with an ellipsis.
    """
    if len(text) > MAX_CUE_CHARS:
        text = text[:MAX_CUE_CHARS] + "…"
    plain = _VOICE.sub(_name_of_voice, _READING_AID.sub("", _OVERRIDES.sub("", text)))
    plain = _ENTITY.sub(lambda found: html.unescape(found[0]), _MARKUP.sub("", plain))
    # Unescaping may bring in a line break or a space of its own, but no new line.
    lines = (" ".join(_UNSEEN.sub("", line).split()) for line in plain.split("\n"))
    return tuple(line for line in lines if line)


def _name_of_voice(found: re.Match[str]) -> str:
    return f"{name}: " if (name := found[1].strip()) else ""


def holds_no_words(cues: Sequence[Cue]) -> bool:
    """Whether every cue is data for a program: JSON, a picture's address, an encoded blob."""
    return bool(cues) and all(_NO_WORDS.fullmatch(cue.text) for cue in cues)


def merge_repeats(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Say once what is shown several times in a row, in order of time.

    Three ways in which cues that follow each other without a gap repeat themselves: the same text
    again (an effect drawn frame by frame); the lines of before, scrolled up, and a new one below
    (rolling captions); the text of before, grown by a word (karaoke, live captions).
    """
    merged: list[Cue] = []
    latest: dict[tuple[str, ...], int] = {}
    shown, place = Cue(0.0, 0.0, ()), 0
    for cue in sorted(cues, key=lambda one: (one.start_s, one.end_s)):
        follows = bool(merged) and abs(cue.start_s - shown.end_s) <= TOUCHING_S
        new = cue.lines[_scrolled(shown.lines, cue.lines) :] if follows else cue.lines
        grown = new == cue.lines and cue.text.startswith(f"{shown.text} ")
        again = latest.get(new)
        if follows and (grown or not new):
            more = cue.text[len(shown.text) + 1 :]
            last = merged[place]
            longer = (f"{last.text} {more}",) if grown else last.lines
            merged[place] = Cue(last.start_s, max(last.end_s, cue.end_s), longer)
        elif again is not None and cue.start_s - merged[again].end_s <= TOUCHING_S:
            # Also with another cue between: effects are drawn in several layers.
            place = again
            merged[place] = replace(merged[place], end_s=max(merged[place].end_s, cue.end_s))
        else:
            place = latest[new] = len(merged)
            merged.append(replace(cue, lines=new))
        shown = cue
    return tuple(merged)


def _scrolled(before: Sequence[str], now: Sequence[str]) -> int:
    """How many of the first lines of now are the last ones of before."""
    for count in range(min(len(before), len(now)), 0, -1):
        if tuple(before[-count:]) == tuple(now[:count]):
            return count
    return 0
