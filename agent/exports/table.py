"""Answers as a table (CSV, RFC 4180), a row an interval, best first."""

import csv
import io
import re
from collections.abc import Sequence

from agent.exports.markers import MarkedTimeline, describe_interval, one_line
from agent.grounding import Grounding

COLUMNS = (
    "video",
    "query",
    "start_s",
    "end_s",
    "start_timecode",
    "end_timecode",
    "start_frame",
    "end_frame",
    "frames_a_second",
    "confidence",
    "note",
)

_FORMULA = re.compile("((?:^|;) *)(?=[=+@＝＋－＠-])")
"""A semicolon begins a cell where a spreadsheet's language writes numbers with a comma."""


def render_csv(answers: Sequence[Grounding], marked: MarkedTimeline) -> str:
    """The text of the table. Frames and timecodes count from the start of each video."""
    timeline = marked.timeline
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for answer in answers:
        for interval in answer.intervals:
            start = timeline.frame_at(interval.start_s)
            end = max(timeline.frame_at(interval.end_s), start + 1)
            rows.writerow(
                (
                    _cell(answer.video.path),
                    _cell(answer.query),
                    repr(interval.start_s),
                    repr(interval.end_s),
                    timeline.timecode(start),
                    timeline.timecode(end),
                    start,
                    end,
                    f"{float(timeline.rate_hz):.3f}",
                    "" if interval.confidence is None else f"{interval.confidence:.4f}",
                    _cell(describe_interval(interval)),
                )
            )
    return out.getvalue()


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\1'", one_line(text))
