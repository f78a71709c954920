"""Answered intervals as markers on one timeline, which holds whole videos one after another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.exports.timecode import FrameClock, timeline_from
from agent.exports.video_rate import read_rate
from agent.grounding import GroundedInterval, Grounding
from tools.video.reader import probe


@dataclass(frozen=True, slots=True)
class Marker:
    """One answered interval in frames of the timeline.

    Attributes:
        first_frame: The first frame of it, counted from the start of its own video.
        end_frame: The frame after its last one, counted in the same way.
        name: What was looked for.
        note: How sure it is, and the caption that proves the start.
    """

    first_frame: int
    end_frame: int
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class MarkedVideo:
    """A video on the timeline, with its markers in the order of time.

    Attributes:
        path: Its file.
        width_px: Width at which it is shown.
        height_px: Height.
        offset_frames: Where its first frame lies on the timeline.
        length_frames: How long it is.
        markers: No two of them begin on the same frame.
    """

    path: Path
    width_px: int
    height_px: int
    offset_frames: int
    length_frames: int
    markers: tuple[Marker, ...]


@dataclass(frozen=True, slots=True)
class MarkedTimeline:
    """Every answered video, and what to know about their frames.

    Attributes:
        timeline: Rate and start timecode; the rate is that of the first video.
        videos: In the order of the answers.
        notes: What a reader should know, a line each.
    """

    timeline: FrameClock
    videos: tuple[MarkedVideo, ...]
    notes: tuple[str, ...]


def mark(answers: Sequence[Grounding], *, start_timecode: str) -> MarkedTimeline:
    """Place the intervals of answers that found something.

    Args:
        answers: At least one of them with an interval; each video at most once.
        start_timecode: Of the timeline's first frame.

    Raises:
        QueryError: If there is no such timecode at the video's rate.
        VideoError: If a video is gone.
    """
    found = [one for one in answers if one.intervals]
    timeline: FrameClock | None = None
    notes: list[str] = []
    videos: list[MarkedVideo] = []
    offset_frames = 0
    for answer in found:
        video = probe(Path(answer.video.path))
        rate = read_rate(video)
        if timeline is None:
            timeline = timeline_from(rate.timeline_hz, start_timecode)
        if rate.note:
            notes.append(f"{answer.video.path}: {rate.note}")
        if rate.timeline_hz != timeline.rate_hz:
            notes.append(
                f"{answer.video.path} has {float(rate.timeline_hz):.2f} frames a second; its times "
                f"are set on a timeline of {float(timeline.rate_hz):.2f}, that of the first video"
            )
        length_frames = max(1, timeline.frame_at(answer.video.duration_s))
        videos.append(
            MarkedVideo(
                path=video.path,
                width_px=video.width_px,
                height_px=video.height_px,
                offset_frames=offset_frames,
                length_frames=length_frames,
                markers=_markers(answer, timeline, length_frames),
            )
        )
        offset_frames += length_frames
    if timeline is None:
        raise ValueError("no answer has an interval")
    last_frame = max(
        one.offset_frames + marker.end_frame for one in videos for marker in one.markers
    )
    if timeline.passes_a_day(last_frame):
        notes.append(
            "timecode begins again at 00:00:00:00 after 24 hours, so what lies later has timecodes "
            "of the first day; FCPXML, and times in seconds, go on"
        )
    return MarkedTimeline(timeline, tuple(videos), tuple(notes))


def _markers(answer: Grounding, timeline: FrameClock, length_frames: int) -> tuple[Marker, ...]:
    placed: dict[int, Marker] = {}
    for interval in sorted(answer.intervals, key=lambda one: one.span):
        first = min(timeline.frame_at(interval.start_s), length_frames - 1)
        end = min(max(timeline.frame_at(interval.end_s), first + 1), length_frames)
        marker = Marker(first, end, answer.query, describe_interval(interval))
        if other := placed.get(first):
            # Editors keep one marker a frame.
            longest = max(other.end_frame, end)
            marker = replace(marker, end_frame=longest, note=f"{other.note}; {marker.note}")
        placed[first] = marker
    return tuple(placed.values())


def describe_interval(interval: GroundedInterval) -> str:
    """``confidence 0.60: A woman walks to the table``."""
    sure = interval.sure if interval.confidence is None else f"confidence {interval.confidence:.2f}"
    starts = (one.text for one in interval.evidence if one.role in {"start", "during"})
    return ": ".join(one for one in (sure, next(starts, "")) if one)


def one_line(text: str) -> str:
    """Text without line breaks and other control characters, which would end a line of a file."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
