"""Which frames of annotated videos the teacher is shown: inside events, and outside of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.captioners.looks import LookMode, take_looks
from tools.video.reader import FrameReader
from training.exclusions import source_name

if TYPE_CHECKING:
    from pathlib import Path

    from evaluation.datasets.query import Query
    from tools.captioners.looks import Look
    from tools.video.reader import Video

MARGIN_S = 1.0
"""Frames this close to an edge of an event are not shown: annotators differ by more."""

HELD_OUT_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame to be described.

    Attributes:
        query: The event that is asked for.
        time_s: Where the look begins.
        inside: Whether the event is under way.
        others: Sentences of other events that are under way at that time.
    """

    query: Query
    time_s: float
    inside: bool
    others: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What its reply is kept under."""
        named = f"{self.query.video_id}\n{self.query.text}\n{self.time_s:.3f}\n{self.inside}"
        return hashlib.sha256(named.encode()).hexdigest()[:24]


def choose_samples(
    queries: Sequence[Query], durations_s: dict[str, float], *, inside: int, outside: int
) -> list[Sample]:
    """Evenly spread times in each event, and times of the same video at which it is not seen.

    Args:
        queries: Of any number of videos.
        durations_s: How long each video is.
        inside: Times an event.
        outside: Times outside of it; fewer where the video has no room.

    Returns:
        In order of video and time, each once.
    """
    by_video: dict[str, list[Query]] = {}
    for query in queries:
        by_video.setdefault(query.video_id, []).append(query)
    samples = []
    for query in queries:
        duration_s = durations_s[query.video_id]
        of_video = by_video[query.video_id]
        # A sentence may be annotated in several places; at none of them is its event absent.
        same = [one for one in of_video if _words(one) == _words(query)]
        beside = [one for one in of_video if _words(one) != _words(query)]
        windows = [(float(a), float(b)) for a, b in query.windows]
        all_windows = [(float(a), float(b)) for one in same for a, b in one.windows]
        for start_s, end_s in windows:
            margin_s = min(MARGIN_S, (end_s - start_s) / 4)
            times_s = _spread(start_s + margin_s, end_s - margin_s, inside)
            samples += [Sample(query, time_s, inside=True) for time_s in times_s]
        free = [
            time_s
            for time_s in _spread(0.0, duration_s, max(8, 4 * outside))
            if all(not a - MARGIN_S <= time_s <= b + MARGIN_S for a, b in all_windows)
        ]
        for time_s in free[:: max(1, len(free) // outside)][:outside] if outside else ():
            others = tuple(
                one.text
                for one in beside
                if any(float(a) <= time_s <= float(b) for a, b in one.windows)
            )
            samples.append(Sample(query, time_s, inside=False, others=others))
    once = {one.key: one for one in samples}.values()
    return sorted(once, key=lambda one: (one.query.video_id, one.time_s, one.query.text))


def is_held_out(video_id: str) -> bool:
    """Whether a video is kept from training; decided by its name alone, so for good.

    Excerpts of one video are kept or trained on together.
    """
    share = int(hashlib.sha256(source_name(video_id).encode()).hexdigest()[:8], 16) / 16**8
    return share < HELD_OUT_SHARE


def looks_at(
    video: Video, samples: Sequence[Sample], *, mode: LookMode, rate_hz: float
) -> Iterator[tuple[Sample, Look]]:
    """What each sample shows, in order of time; one at a time.

    Args:
        video: From ``tools.video.reader.probe``.
        samples: All of that video.
        mode: One frame, or several neighbouring ones.
        rate_hz: Frames a second between neighbours.

    Raises:
        VideoError: If it cannot be read.
    """
    for sample in samples:
        # A little before: the frame that is on the screen then may have begun earlier.
        span_s = (mode.frames + 1) / rate_hz
        frames = FrameReader(
            video,
            rate_hz=rate_hz,
            start_s=sample.time_s,
            end_s=sample.time_s + span_s,
            earlier=False,
        )
        look = next(take_looks(frames, mode, seen=()), None)
        if look is not None:
            yield sample, look


def video_files(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """Where the videos of some names lie; those that are missing are left out."""
    from evaluation.runs.videos import VideoFolder

    videos = VideoFolder(folder)
    return {name: videos.path(name) for name in names if name in videos}


def _words(query: Query) -> str:
    """The sentence, for comparing."""
    return " ".join(query.text.casefold().split()).rstrip(".")


def _spread(start_s: float, end_s: float, count: int) -> list[float]:
    """The middles of equal parts of a span."""
    step_s = (end_s - start_s) / count if count else 0.0
    return [round(start_s + (index + 0.5) * step_s, 3) for index in range(count)]
