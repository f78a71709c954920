"""Answers as cues of a WebVTT track, and as chapters that FFmpeg writes into a file.

Both count from where a player's clock is at 0.
"""

import re

from agent.exports.markers import describe_interval, one_line
from agent.grounding import Grounding
from tools.subtitles.files import ANSWERS_HEADER

_MS = 1000


def render_vtt(answer: Grounding) -> str:
    """WebVTT, a cue an interval, in the order of time."""
    lines = [ANSWERS_HEADER]
    for start_ms, end_ms, note in _spans_ms(answer):
        text = "\n".join(filter(None, (_vtt_text(answer.query), _vtt_text(note))))
        lines += ["", f"{_vtt_clock(start_ms)} --> {_vtt_clock(end_ms)}", text]
    return "\n".join(lines) + "\n"


def render_chapters(answer: Grounding) -> str:
    """FFmpeg's metadata file: ``ffmpeg -i VIDEO -i FILE -map_chapters 1 -codec copy OUT``."""
    lines = [";FFMETADATA1"]
    for start_ms, end_ms, _ in _spans_ms(answer):
        title = re.sub(r"([=;#\\])", r"\\\1", one_line(answer.query))
        if title.endswith("\\"):
            title += " "  # FFmpeg would join the next line to it, escaped or not.
        lines += [
            "[CHAPTER]",
            "TIMEBASE=1/1000",
            f"START={start_ms}",
            f"END={end_ms}",
            f"title={title}",
        ]
    return "\n".join(lines) + "\n"


def _spans_ms(answer: Grounding) -> list[tuple[int, int, str]]:
    """Start, end and note of each interval on a player's clock, at least a millisecond long."""
    file_start_s = answer.video.file_start_s
    spans = []
    for interval in sorted(answer.intervals, key=lambda one: one.span):
        start_ms = round((interval.start_s + file_start_s) * _MS)
        end_ms = max(round((interval.end_s + file_start_s) * _MS), start_ms + 1)
        spans.append((start_ms, end_ms, describe_interval(interval)))
    return spans


def _vtt_text(text: str) -> str:
    plain = one_line(text)
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        plain = plain.replace(sign, name)
    return plain


def _vtt_clock(time_ms: int) -> str:
    seconds, ms = divmod(time_ms, _MS)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{ms:03d}"
