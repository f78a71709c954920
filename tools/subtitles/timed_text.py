"""Reads SubRip, WebVTT and SBV: a line of times, and the words below it until they end.

Libraries read good files of these formats well, but not bad or odd ones: pysubs2 takes comments,
names of cues and times that it cannot read for words, webvtt-py refuses a whole file for a missing
first line, and neither says which line of a file it could not use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Literal

from tools.subtitles.cues import MAX_CUE_CHARS, Cue, Problem, clock_seconds, plain_lines

Dialect = Literal["srt", "vtt", "sbv"]

# SubRip writes a comma, WebVTT and SBV a point, and many write what they like.
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,6}))?"
_ARROW_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
_COMMA_TIMES = re.compile(rf"\s*{_TIME}\s*,\s*{_TIME}\s*")
# Times that can be nothing else, so that a cue may begin right below the words of another.
_EXACT_TIMES = re.compile(
    r"\s*(?:\d{1,4}:)?\d\d:\d\d[.,]\d{1,6}\s*-->\s*(?:\d{1,4}:)?\d\d:\d\d[.,]\d{1,6}(?:\s.*)?"
)
# The same with another arrow, with spaces in it, or with a colon before the fraction.
_ODD_TIME = r"\d{1,4}\s?:\s?\d{1,2}\s?:\s?\d{1,2}(?:\s?[.,:]\s?\d{1,6})?"
_ODD_TIMES = re.compile(rf"\s*({_ODD_TIME})\s*(?:[-–—=\s]{{1,4}}>|[→⟶➝])\s*({_ODD_TIME})\s*")
# Meant as times, right or wrong: enough to know where a cue begins.
_COMMA = re.compile(r"\s*\d[\w.]*(?::[\w.]+)+\s*,\s*\d[\w.]*(?::[\w.]+)+\s*")

# A new line, in SBV.
_BREAK = re.compile(r"\s*\[br\]\s*", flags=re.IGNORECASE)

_SKIPPED_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s.*)?")
_WEBVTT = re.compile(r"\ufeff?WEBVTT(?:\s.*)?")
# Of segments that were put one after the other (RFC 8216, 3.5): where their times are on the clock
# of the stream, which has 33 bits and 90,000 ticks a second.
_TIMESTAMP_MAP = re.compile(r"X-TIMESTAMP-MAP\s*=\s*(.*)", flags=re.IGNORECASE)
_MAP_TICKS = re.compile(r"MPEGTS:(\d{1,11})(?!\d)", flags=re.IGNORECASE)
_MAP_LOCAL = re.compile(rf"LOCAL:{_TIME}", flags=re.IGNORECASE)
_TICKS_A_SECOND = 90_000
_CLOCK_TICKS = 1 << 33
_HEADER_FIELD = re.compile(r"(Kind|Language)\s*:\s*(\S+)\s*", flags=re.IGNORECASE)


@dataclass(slots=True)
class TimedText:
    """What a file holds.

    Attributes:
        cues: In the order of the file.
        problems: In the order of the file.
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
    if lines and _WEBVTT.fullmatch(lines[0]):
        return "vtt"
    for line in map(_usual, lines):
        if _means_times(line):
            return "vtt" if suffix == ".vtt" else "srt"
        if _COMMA_TIMES.fullmatch(line):
            return "sbv"
    known: dict[str, Dialect] = {".srt": "srt", ".vtt": "vtt", ".sbv": "sbv"}
    return known.get(suffix)


def read_timed_text(text: str, dialect: Dialect) -> TimedText:
    """Read a file; what cannot be used becomes a problem, never an error."""
    found = TimedText()
    lines = [_usual(line) for line in re.split(r"\r+\n|\r|\n", text)]
    first = _read_header(lines, found) if dialect == "vtt" else 0
    segments = _Segments(lines[:first])
    # The cue that words without times may belong to.
    last: int | None = None
    more: list[str] = []
    for block in _with_late_words(_blocks(lines, first, dialect), dialect):
        if dialect == "vtt" and block.above and _is_of_header(block.above[0]):
            segments.begin(block.above)
            block.above.clear()
            if block.times is None:
                continue
        words = _plain(block.above)
        if block.times is not None:
            _lengthen(found, last, more)
            cue = _cue(block, dialect, segments.shift_s)
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
        elif words and not (dialect == "srt" and _is_number(block.above)):
            _lengthen(found, last, more)
            last = None
            found.problems.append(
                Problem(block.line, f"has words without times: {' '.join(words)!r:.60}")
            )
    _lengthen(found, last, more)
    return found


def _usual(line: str) -> str:
    """A line of times as the format wants it; any other one as it is."""
    odd = _ODD_TIMES.fullmatch(line)
    if odd is None:
        return line
    return " --> ".join(_usual_time(one) for one in odd.groups())


def _usual_time(time: str) -> str:
    parts = re.split(r"[.,:]", re.sub(r"\s", "", time))
    return ":".join(parts[:3]) + "".join(f",{one}" for one in parts[3:])


def _with_late_words(blocks: Iterable[_Block], dialect: Dialect) -> Iterator[_Block]:
    """The same blocks, but times that an empty line separates from their words get them back."""
    waiting: _Block | None = None
    for block, following in pairwise(chain(blocks, [None])):
        assert block is not None
        if waiting:
            is_late = block.times is None and not _is_no_words(block, following, dialect)
            yield _Block(waiting.line, waiting.times, block.above) if is_late else waiting
            waiting = None
            if is_late:
                continue
        if block.times is not None and not _plain(block.words):
            waiting = block
        else:
            yield block
    if waiting:
        yield waiting


def _is_no_words(block: _Block, following: _Block | None, dialect: Dialect) -> bool:
    """Whether a block without times is the number of a cue, a comment or a header."""
    if dialect == "vtt":
        first = block.above[0]
        return bool(_SKIPPED_BLOCK.fullmatch(first) or _WEBVTT.fullmatch(first))
    # A cue that has a number of its own needs no other.
    return (
        dialect == "srt"
        and _is_number(block.above)
        and following is not None
        and not following.above
    )


def _is_number(lines: list[str]) -> bool:
    """Whether they are the number of a cue alone."""
    return len(lines) == 1 and lines[0].strip().isdigit()


def _is_of_header(line: str) -> bool:
    """Whether it begins a header, or goes on with one after an empty line, as some writers do."""
    return bool(_WEBVTT.fullmatch(line) or _TIMESTAMP_MAP.fullmatch(line))


class _Segments:
    """Segments of a stream in one file, each of which says where its times are.

    Attributes:
        shift_s: What to add to the times of the segment that is read, to count from the first one.
    """

    def __init__(self, header: list[str]) -> None:
        self.shift_s = 0.0
        self._first_ticks = self._ticks(header)

    def begin(self, header: list[str]) -> None:
        """Read the header of the next segment; one that says nothing goes on like the last."""
        ticks = self._ticks(header)
        if ticks is None:
            return
        if self._first_ticks is None:
            self._first_ticks = ticks
        half = _CLOCK_TICKS // 2
        ahead = (ticks - self._first_ticks + half) % _CLOCK_TICKS - half
        self.shift_s = ahead / _TICKS_A_SECOND

    def _ticks(self, header: list[str]) -> int | None:
        """What the stream's clock shows at time 0 of the segment."""
        for line in header:
            if (given := _TIMESTAMP_MAP.fullmatch(line)) and (ticks := _MAP_TICKS.search(given[1])):
                local = _MAP_LOCAL.search(given[1])
                local_s = (clock_seconds(*local.groups()) if local else None) or 0.0
                return int(ticks[1]) - round(local_s * _TICKS_A_SECOND)
        return None


def _lengthen(found: TimedText, last: int | None, more: list[str]) -> None:
    """Put words that came after a cue into it, all at once and up to the length of any cue."""
    if last is None or not more:
        return
    before = found.cues[last]
    kept, chars = list(before.lines), sum(map(len, before.lines))
    for line in more:
        chars += len(line) + 1
        if chars > MAX_CUE_CHARS:
            kept[-1:] = [f"{kept[-1]}…" if kept else "…"]
            break
        kept.append(line)
    found.cues[last] = Cue(before.start_s, before.end_s, tuple(kept))
    more.clear()


def _read_header(lines: list[str], found: TimedText) -> int:
    """Read a WebVTT header; returns the index of the first line after it."""
    if not _WEBVTT.fullmatch(lines[0]):
        found.problems.append(Problem(1, "is not WEBVTT, as the first line of such a file must be"))
        return 0
    for index, line in enumerate(lines):
        if not line.strip() or _means_times(line):
            return index
        if field_ := _HEADER_FIELD.fullmatch(line):
            found.header[field_[1].lower()] = field_[2]
    return len(lines)


def _blocks(lines: list[str], first: int, dialect: Dialect) -> Iterator[_Block]:
    is_times = _COMMA.fullmatch if dialect == "sbv" else _means_times
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
        elif dialect == "vtt" and block and line.lstrip("\ufeff") == "WEBVTT":
            # The next segment, without an empty line before it.
            yield block
            block = _Block(index + 1, above=[line])
        elif is_times(line) and not _is_of_words(line, block, dialect):
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


def _means_times(line: str) -> bool:
    """Whether a line with an arrow is meant as times, right or wrong: words may have one too."""
    left, arrow, right = line.partition("-->")
    before, after = left.split(), right.split(maxsplit=1)
    if not arrow or len(before) > 1:
        return False
    begins_as_time = bool(after) and after[0][0].isdigit()
    if not before:
        return begins_as_time
    names_time = before[0][0].isdigit() or ":" in before[0]
    return names_time or (begins_as_time and ":" in after[0])


def _is_of_words(line: str, block: _Block | None, dialect: Dialect) -> bool:
    """Whether an arrow below the words of a cue is one of its words."""
    if dialect == "sbv" or block is None or block.times is None or not block.words:
        return False
    is_numbered = block.words[-1].strip().isdigit()
    return not is_numbered and not _EXACT_TIMES.fullmatch(line)


def _cue(block: _Block, dialect: Dialect, shift_s: float) -> Cue | Problem:
    times = block.times or ""
    match = (_COMMA_TIMES if dialect == "sbv" else _ARROW_TIMES).fullmatch(times)
    if match is None:
        return Problem(block.line, f"has times that cannot be read: {times.strip()!r:.60}")
    start_s, end_s = clock_seconds(*match.groups()[:4]), clock_seconds(*match.groups()[4:])
    if start_s is None or end_s is None:
        return Problem(block.line, f"has 60 minutes or seconds or more: {times.strip()!r:.60}")
    if end_s <= start_s:
        return Problem(block.line, f"ends at {end_s:g} s, not after its start at {start_s:g} s")
    words = _plain(block.words if dialect != "sbv" else _BREAK.split("\n".join(block.words)))
    if not words:
        return Problem(block.line, "has times without words")
    return Cue(start_s + shift_s, end_s + shift_s, words)


def _plain(lines: list[str]) -> tuple[str, ...]:
    return plain_lines("\n".join(lines))
