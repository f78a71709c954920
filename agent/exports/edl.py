"""An edit decision list (CMX 3600), with a marker for each answered interval.

Each event is a stretch of a video: its own frames, counted from 00:00:00:00, and where they lie on
the timeline. DaVinci Resolve imports it as timeline markers, and others as cuts.
"""

from dataclasses import replace

from agent.errors import QueryError
from agent.exports.markers import MarkedTimeline, one_line
from agent.exports.timecode import FrameClock

MOST_EVENTS = 999
"""An event's number has three digits."""


def render_edl(marked: MarkedTimeline, title: str) -> str:
    """The text of the list.

    Raises:
        QueryError: If there are more intervals than the form has numbers for.
    """
    timeline = marked.timeline
    own = replace(timeline, start_frame=0)
    mode = "DROP FRAME" if timeline.drops_frames else "NON-DROP FRAME"
    lines = [f"TITLE: {one_line(title)[:70]}", f"FCM: {mode}"]
    lines += [f"* NOTE: {one_line(note)}" for note in marked.notes]
    number = 0
    for video in marked.videos:
        for marker in video.markers:
            number += 1
            start, end = (
                video.offset_frames + marker.first_frame,
                video.offset_frames + marker.end_frame,
            )
            spans = (
                f"{_span(own, marker.first_frame, marker.end_frame)} {_span(timeline, start, end)}"
            )
            name = one_line(marker.name).replace("|", "/")
            lines += [
                "",
                f"{number:03d}  AX       V     C        {spans}",
                f" |C:ResolveColorBlue |M:{name} |D:{marker.end_frame - marker.first_frame}",
                f"* FROM CLIP NAME: {one_line(video.path.name)}",
                f"* LOC: {timeline.timecode(start)} BLUE    {one_line(marker.name)}",
                f"* COMMENT: {one_line(marker.note)}",
            ]
    if number > MOST_EVENTS:
        raise QueryError(f"an EDL holds {MOST_EVENTS} intervals, not {number}; use fcpxml or csv")
    return "\n".join(lines) + "\n"


def _span(timeline: FrameClock, start: int, end: int) -> str:
    return f"{timeline.timecode(start)} {timeline.timecode(end)}"
