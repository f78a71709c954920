"""Captions that somebody else wrote: a JSON Lines file, one timed caption a line."""

import hashlib
import json
import math
import statistics
from itertools import pairwise
from pathlib import Path
from typing import Any

from tools.errors import CaptionError
from tools.timeline import MAX_CAPTION_CHARS, Caption, Interval, Track

EVEN = 1.5
"""Steps that differ by no more than this are those of a clock, not of shots or events."""

FORM = '{"t": 12.0, "caption": "…"} or {"start_s": 12.0, "end_s": 14.0, "caption": "…"}'


MAX_FILE_BYTES = 64 << 20
MAX_LINES = 400_000
"""A caption a second for a hundred hours takes less; each needs some 500 bytes of memory."""


HEAD_BYTES = 65_536
"""Of a file beside a video, as much as tells whether it holds captions."""


def captions_beside(video: Path) -> Path | None:
    """The captions file beside a video, of the same name but for ``.jsonl``; None if none is there.

    Only its first line is looked at.
    """
    path = video.with_suffix(".jsonl")
    try:
        with path.open("rb") as file:
            first = file.read(HEAD_BYTES).decode("utf-8-sig", "replace").lstrip().split("\n", 1)[0]
        _row(first, str(path))
    except (OSError, CaptionError):
        return None
    return path


def file_track(path: Path) -> Track:
    """The track of a captions file; it changes with the file's content, not with its name.

    Its mode is ``file@1/s`` where every line is of one moment, and these are as far apart as the
    frames of a clock: then each caption speaks of a single frame. Otherwise it is ``file``.

    Raises:
        CaptionError: If the file cannot be read, or a line cannot be used.
    """
    digest = hashlib.sha256(_read(path)).hexdigest()[:12]
    rate_hz = frame_rate_hz(path)
    mode = "file" if rate_hz is None else f"file@{rate_hz:g}/s"
    return Track(model=f"file:{digest}", prompt_version="", mode=mode)


def frame_rate_hz(path: Path) -> float | None:
    """How many frames a second the captions of a file speak of, one each; None if of spans.

    Raises:
        CaptionError: If the file cannot be read, or a line cannot be used.
    """
    rows = _rows(path)
    moments_s = sorted({row["t"] for row in rows if "t" in row})
    if any("t" not in row for row in rows) or not _is_even(moments_s):
        return None
    return 1 / float(statistics.median(later - earlier for earlier, later in pairwise(moments_s)))


def read_captions(path: Path, *, video_id: str, duration_s: float) -> list[Caption]:
    """Read a captions file, in time order.

    A line with ``t`` alone holds until the next line's time, the last one until the video ends; but
    where the times are evenly spaced, for one step, so that a file of sampled frames that ends
    early speaks of nothing after it. A line with ``start_s`` and ``end_s`` holds just there.

    Args:
        path: UTF-8 JSON Lines, each ``{"t" | "start_s" and "end_s", "caption"}``.
        video_id: The video they speak of.
        duration_s: Its length; a caption that starts later is an error, an end is cut to it.

    Raises:
        CaptionError: If the file cannot be read, holds no caption, or a line cannot be used; the
            message names file and line.
    """
    track = file_track(path)
    rows = _rows(path)
    moments_s = sorted({row["t"] for row in rows if "t" in row})
    ends_s = dict(pairwise(moments_s))
    if moments_s:
        ends_s[moments_s[-1]] = _end_s(moments_s, duration_s)
    captions: dict[Interval, Caption] = {}
    for row in rows:
        where = f"{path}:{row['line']}"
        start_s = row["t"] if "t" in row else row["start_s"]
        if start_s >= duration_s:
            raise CaptionError(
                f"{where}: the caption starts at {start_s} s, but the video ends at "
                f"{duration_s:.2f} s; are these the captions of this video?"
            )
        span = Interval(start_s, min(ends_s[start_s] if "t" in row else row["end_s"], duration_s))
        if span in captions:
            raise CaptionError(f"{where}: a second caption at {start_s} s; join the two")
        captions[span] = Caption(video_id, span, row["caption"], "vision", track)
    return [captions[span] for span in sorted(captions)]


def _end_s(moments_s: list[float], duration_s: float) -> float:
    """Until when the last of these moments holds."""
    if not _is_even(moments_s):
        return duration_s
    return moments_s[-1] + max(later - earlier for earlier, later in pairwise(moments_s))


def _is_even(moments_s: list[float]) -> bool:
    """Whether moments are those of a clock, not of shots or events."""
    steps_s = [later - earlier for earlier, later in pairwise(moments_s)]
    return len(steps_s) > 1 and max(steps_s) <= EVEN * min(steps_s)


def _read(path: Path) -> bytes:
    try:
        if (size := path.stat().st_size) > MAX_FILE_BYTES:
            raise CaptionError(
                f"the captions file {path} has {size:,} bytes, and at most {MAX_FILE_BYTES:,} are "
                "read; is it the right file?"
            )
        return path.read_bytes()
    except OSError as exc:
        raise CaptionError(
            f"cannot read the captions file {path}: {exc.strerror}; check the path"
        ) from exc


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        text = _read(path).decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise CaptionError(f"{path} is not UTF-8 text (byte {exc.start}); expected {FORM}") from exc
    if (lines := text.count("\n")) > MAX_LINES:
        raise CaptionError(
            f"the captions file {path} has {lines:,} lines, and at most {MAX_LINES:,} are read; is "
            "it the right file?"
        )
    rows = [
        _row(line, f"{path}:{number}") | {"line": number}
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip()
    ]
    if not rows:
        raise CaptionError(f"{path} holds no captions; expected lines of the form {FORM}")
    return rows


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise CaptionError(f"{where}: not JSON ({exc}); expected {FORM}") from exc
    if not isinstance(row, dict):
        raise CaptionError(f"{where}: not a JSON object; expected {FORM}")
    text = row.get("caption")
    if not isinstance(text, str) or not text.strip():
        raise CaptionError(f"{where}: no caption text; expected {FORM}")
    if len(text) > MAX_CAPTION_CHARS:
        raise CaptionError(
            f"{where}: the caption has {len(text):,} characters, and at most "
            f"{MAX_CAPTION_CHARS:,} are accepted; shorten it, or split it"
        )
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise CaptionError(
            f"{where}: {text[exc.start]!r} in the caption is not a valid character"
        ) from exc
    if "t" in row:
        return {"t": _seconds(row, "t", where), "caption": text}
    start_s, end_s = _seconds(row, "start_s", where), _seconds(row, "end_s", where)
    if end_s <= start_s:
        raise CaptionError(f"{where}: the caption ends at {end_s} s, before or at its start")
    return {"start_s": start_s, "end_s": end_s, "caption": text}


def _seconds(row: dict[str, Any], name: str, where: str) -> float:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CaptionError(
            f"{where}: {name} is {value!r}, not a number of seconds; expected {FORM}"
        )
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds) or seconds < 0:
        raise CaptionError(f"{where}: {name} is {seconds} s; times must be finite and not negative")
    return seconds
