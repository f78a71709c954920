"""Reads SubRip, WebVTT and SBV: a line of times, and the words below it until they end.

Libraries read good files of these formats well, but were found wanting on bad and on odd ones:
pysubs2 takes comments, names of cues and times that it cannot read for words, webvtt-py refuses a
whole file for a missing first line, and neither says which line of a file it could not use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tools.subtitles.cues import MAX_CUE_CHARS, Cue, Problem, clock_seconds, plain_lines

Dialect = Literal["srt", "vtt", "sbv"]

# SubRip writes a comma, WebVTT and SBV a point, and many write what they like.
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,6}))?"
_ARROW_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
_COMMA_TIMES = re.compile(rf"\s*{_TIME}\s*,\s*{_TIME}\s*")
# Meant as times, right or wrong: enough to know where a cue begins.
_ARROW = re.compile(r".*-->.*")
_COMMA = re.compile(r"\s*\d[\w.]*(?::[\w.]+)+\s*,\s*\d[\w.]*(?::[\w.]+)+\s*")

_SKIPPED_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s.*)?")
_HEADER_FIELD = re.compile(r"(Kind|Language)\s*:\s*(\S+)\s*", flags=re.IGNORECASE)


@dataclass(slots=True)
class TimedText:
    """What a file holds.

    Attributes:
        cues: In the order of the file.
        problems: Likewise.
        header: The fields ``kind`` and ``language`` of a WebVTT header, where it has them.
    """

    cues: list[Cue] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    header: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Block:
    """Lines up to the next empty one, or the next line of times.

    Attributes:
        line: Number of the first.
        times: The line of times, where it has one.
        words: The lines below that; those above name the cue and are left out.
        above: The lines above, or all where there are no times.
    """

    line: int
    times: str | None = None
    words: list[str] = field(default_factory=list)
    above: list[str] = field(default_factory=list)


def dialect_of(text: str, suffix: str) -> Dialect | None:
    """Which format it is: by its first line and its times, else by the end of its name."""
    lines = text.splitlines()
    if lines and re.fullmatch(r"WEBVTT(?:\s.*)?", lines[0]):
        return "vtt"
    for line in lines:
        if "-->" in line:
            return "vtt" if suffix == ".vtt" else "srt"
        if _COMMA_TIMES.fullmatch(line):
            return "sbv"
    known: dict[str, Dialect] = {".srt": "srt", ".vtt": "vtt", ".sbv": "sbv"}
    return known.get(suffix)


def read_timed_text(text: str, dialect: Dialect) -> TimedText:
    """Read a file; what cannot be used becomes a problem, never an error."""
    found = TimedText()
    lines = re.split(r"\r\n|\r|\n", text)
    first = _read_header(lines, found) if dialect == "vtt" else 0
    # The cue that words without times may belong to.
    last: int | None = None
    more: list[str] = []
    for block in _blocks(lines, first, dialect):
        words = _plain(block.above)
        if block.times is not None:
            _lengthen(found, last, more)
            cue = _cue(block, dialect)
            if isinstance(cue, Cue):
                last = len(found.cues)
                found.cues.append(cue)
            else:
                last = None
                found.problems.append(cue)
        elif dialect == "vtt" and _SKIPPED_BLOCK.fullmatch(block.above[0]):
            continue
        elif dialect == "srt" and last is not None and not block.above[0].strip().isdigit():
            # SubRip's words may have an empty line in them: the next cue begins with a number.
            more += words
        elif words:
            _lengthen(found, last, more)
            last = None
            found.problems.append(
                Problem(block.line, f"has words without times: {' '.join(words)!r:.60}")
            )
    _lengthen(found, last, more)
    return found


def _lengthen(found: TimedText, last: int | None, more: list[str]) -> None:
    """Put words that came after a cue into it, all at once and up to the length of any cue."""
    if last is None or not more:
        return
    before = found.cues[last]
    kept, chars = list(before.lines), sum(map(len, before.lines))
    for line in more:
        chars += len(line) + 1
        if chars > MAX_CUE_CHARS:
            kept[-1] += "…"
            break
        kept.append(line)
    found.cues[last] = Cue(before.start_s, before.end_s, tuple(kept))
    more.clear()


def _read_header(lines: list[str], found: TimedText) -> int:
    """Read a WebVTT header; returns the index of the first line after it."""
    if not re.fullmatch(r"WEBVTT(?:\s.*)?", lines[0]):
        found.problems.append(Problem(1, "is not WEBVTT, as the first line of such a file must be"))
        return 0
    for index, line in enumerate(lines):
        if not line.strip() or "-->" in line:
            return index
        if field_ := _HEADER_FIELD.fullmatch(line):
            found.header[field_[1].lower()] = field_[2]
    return len(lines)


def _blocks(lines: list[str], first: int, dialect: Dialect) -> Iterator[_Block]:
    is_times = _COMMA if dialect == "sbv" else _ARROW
    block: _Block | None = None
    for index in range(first, len(lines)):
        line = lines[index]
        # A line with a space in it may be an empty row of rolling captions, so that only WebVTT's
        # own rule counts there.
        is_empty = not line if dialect == "vtt" else not line.strip()
        if is_empty:
            if block:
                yield block
            block = None
        elif is_times.fullmatch(line):
            if block and block.times is None:
                block.times, block.line = line, index + 1
                continue
            if block:
                # Without an empty line between, the number of the next cue is the last of this one.
                if dialect == "srt" and block.words and block.words[-1].strip().isdigit():
                    block.words.pop()
                yield block
            block = _Block(index + 1, times=line)
        else:
            block = block or _Block(index + 1)
            (block.above if block.times is None else block.words).append(line)
    if block:
        yield block


def _cue(block: _Block, dialect: Dialect) -> Cue | Problem:
    times = block.times or ""
    match = (_COMMA_TIMES if dialect == "sbv" else _ARROW_TIMES).fullmatch(times)
    if match is None:
        return Problem(block.line, f"has times that cannot be read: {times.strip()!r:.60}")
    start_s, end_s = clock_seconds(*match.groups()[:4]), clock_seconds(*match.groups()[4:])
    if start_s is None or end_s is None:
        return Problem(block.line, f"has 60 minutes or seconds or more: {times.strip()!r:.60}")
    if end_s <= start_s:
        return Problem(block.line, f"ends at {end_s:g} s, not after its start at {start_s:g} s")
    words = _plain(block.words)
    if not words:
        return Problem(block.line, "has times without words")
    return Cue(start_s, end_s, words)


def _plain(lines: list[str]) -> tuple[str, ...]:
    return plain_lines("\n".join(lines))
