"""Reads Advanced SubStation Alpha (ASS, SSA): one line an event, its fields named by a line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.subtitles.cues import MAX_CUE_CHARS, Cue, Problem, clock_seconds, plain_lines

# Of the [Events] section where the file does not say, by the format's own specification.
USUAL_FIELDS = (
    *("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv"),
    *("effect", "text"),
)

PACKET_FIELDS = (
    *("readorder", "layer", "style", "name", "marginl", "marginr", "marginv", "effect", "text"),
)
"""Of an event that lies in a video: without times, which the packet has; see Matroska's codecs."""

_SIGN_OF_ASS = re.compile(
    r"^\s*(?:\[Script Info\]|\[Events\]|Dialogue:\s*(?:Marked=)?\d+\s*,)",
    flags=re.IGNORECASE | re.MULTILINE,
)
_TIME = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})(?:[.:,](\d{1,3}))?")
# From {\p1} to {\p0} are the points of a drawing, not words.
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}.*?(?:\{[^{}]*\\p0[^{}]*\}|$)", flags=re.DOTALL)


def looks_like_ass(text: str) -> bool:
    """Whether it is of this format: it has a section or an event of it."""
    return bool(_SIGN_OF_ASS.search(text))


def read_ass(text: str) -> tuple[list[Cue], list[Problem]]:
    """Read a file: every ``Dialogue`` with words; comments, drawings and styles are left out."""
    cues, problems = [], []
    fields: Sequence[str] = USUAL_FIELDS
    in_events = True
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if section := re.fullmatch(r"\s*\[([^\]]+)\]\s*", line):
            in_events = section[1].strip().casefold() == "events"
            continue
        name, _, value = line.partition(":")
        name = name.strip().casefold()
        if in_events and name == "format":
            fields = [one.strip().casefold() for one in value.split(",")]
        elif in_events and name == "dialogue":
            cue = _cue(value, fields, number)
            if isinstance(cue, Cue):
                cues.append(cue)
            elif cue is not None:
                problems.append(cue)
    return cues, problems


def event_lines(event: str, fields: Sequence[str]) -> tuple[str, ...] | None:
    """The words of an event, after the name of who speaks where it says so; None if it is broken.

    Args:
        event: Values between commas; the last one may have commas of its own.
        fields: What they are, ``text`` the last.
    """
    values = event.split(",", len(fields) - 1)
    if len(values) < len(fields):
        return None
    named = dict(zip(fields, values, strict=True))
    text = _DRAWING.sub("", named["text"][:MAX_CUE_CHARS])
    text = re.sub(r"\\[Nn]", "\n", text).replace(r"\h", " ")
    lines = plain_lines(re.sub(r"\{[^{}]*\}", "", text))
    speaker = " ".join(named.get("name", named.get("actor", "")).split())
    return (f"{speaker}: {lines[0]}", *lines[1:]) if lines and speaker else lines


def _cue(event: str, fields: Sequence[str], number: int) -> Cue | Problem | None:
    if not {"start", "end"} <= set(fields) or fields[-1] != "text":
        return Problem(number, "comes after a Format line without Start, End, or Text at its end")
    lines = event_lines(event, fields)
    if lines is None:
        return Problem(number, f"has fewer fields than its Format line: {event.strip()!r:.60}")
    values = dict(zip(fields, event.split(",", len(fields) - 1), strict=True))
    start_s, end_s = _seconds(values["start"]), _seconds(values["end"])
    if start_s is None or end_s is None:
        times = f"{values['start'].strip()},{values['end'].strip()}"
        return Problem(number, f"has times that cannot be read: {times!r:.60}")
    if not lines:
        # Drawings and effects: there is nothing wrong with them.
        return None
    if end_s <= start_s:
        return Problem(number, f"ends at {end_s:g} s, not after its start at {start_s:g} s")
    return Cue(start_s, end_s, lines)


def _seconds(time: str) -> float | None:
    match = _TIME.fullmatch(time.strip())
    return clock_seconds(*match.groups()) if match else None
