"""A closer look: a few seconds of a video described again, with more frames a second."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tools.captioners.looks import LookMode
from tools.captioners.protocol import Description, NoCaption
from tools.errors import CaptionerError
from tools.indexing.same_video import shows
from tools.store.store import CaptionGap
from tools.text import shorten
from tools.timeline import MAX_CAPTION_CHARS, Caption, Frame, Interval, Track
from tools.video.reader import FrameReader, probe

if TYPE_CHECKING:
    from tools.captioners.protocol import Captioner
    from tools.embedders.embedder import Embedder
    from tools.store.store import CaptionStore, VideoRecord

MAX_FRAMES = 48
"""Frames of one look: what a person would wait for."""

MAX_RATE_HZ = 30.0

FRAMES_TOGETHER = 8
"""Frames of one request: more are neither taken by all services nor told apart by all models."""


def look_closer(
    record: VideoRecord,
    captioner: Captioner,
    span: Interval,
    *,
    rate_hz: float,
    store: CaptionStore,
    embedder: Embedder,
    allow: Callable[[int], None] = lambda _: None,
    go_on: Callable[[], None] = lambda: None,
) -> tuple[list[Caption], int]:
    """Describe a stretch of a video on a denser grid, leaving out what was described before.

    The captions are stored under a track of their own, which names the stretch: no answer is made
    from it alone, and forgetting the video forgets them too.

    Args:
        record: Says where the video lies.
        captioner: Describes the frames, usually with an eye on what is looked for.
        span: The stretch; what lies beyond the video's end is left out.
        rate_hz: Frames to look at per second.
        store: Receives the captions.
        embedder: Embeds them.
        allow: Given how many frames, grids or clips are to be described, before any is; what it
            raises ends the look.
        go_on: Called before each frame, in any thread; what it raises ends the look, and what is
            under way at the captioner is waited for and kept.

    Returns:
        The captions in time order, and how many of them had to be made.

    Raises:
        CaptionerError: If that is too many frames, or the captioner cannot go on.
        VideoError: If the file is gone or cannot be read.
        ForgottenError: If the video was forgotten meanwhile.
    """
    span = _within(span, record.duration_s)
    _check_effort(span, rate_hz)
    mode = f"{captioner.mode}@{rate_hz:g}/s {span.start_s:g}-{span.end_s:g}"
    track = Track(captioner.model, captioner.prompt_version, mode)
    path = Path(record.path)
    if not shows(record, path):
        raise CaptionerError(f"the file {record.path} now holds another video; index it")
    video = probe(path)
    reader = FrameReader(video, rate_hz=rate_hz, start_s=span.start_s, end_s=span.end_s)
    frames = list(reader)
    until_s = min(span.end_s, reader.decoded_until_s)
    times_s = [frame.time_s for frame in frames]
    ends_s = dict(zip(times_s, [*times_s[1:], until_s], strict=False))
    with store.claim(record.video_id, track, name=path.name):
        seen = store.seen_starts(record.video_id, track)
        new = sum(time_s not in seen for time_s in times_s)
        if new:
            allow(math.ceil(new / LookMode.parse(captioner.mode).frames))
        said: list[Description | NoCaption] = []
        try:
            shown = _as_long_as(go_on, frames)
            said.extend(one for one in captioner.describe(shown, seen=seen) if one is not None)
        finally:
            # Also when it fails or is interrupted: what was said may be paid for.
            made = _store(said, ends_s, record, track, store=store, embedder=embedder)
    return [*store.read(record.video_id, track)[0]], made


def frames_across(record: VideoRecord, span: Interval) -> list[Frame]:
    """Up to eight frames at even distances, from the start of a stretch to its end, both included.

    Raises:
        CaptionerError: If the stretch lies past the end, or the file holds another video.
        VideoError: If the file is gone or cannot be read.
    """
    span = _within(span, record.duration_s)
    path = Path(record.path)
    if not shows(record, path):
        raise CaptionerError(f"the file {record.path} now holds another video; index it")
    step_s = span.length_s / (FRAMES_TOGETHER - 1)
    # Read more finely, so that there is one near each of the places.
    rate_hz = min(MAX_RATE_HZ, 4 / step_s)
    reader = FrameReader(
        probe(path),
        rate_hz=rate_hz,
        start_s=max(0.0, span.start_s - 0.5 / rate_hz),
        end_s=span.end_s + 1 / rate_hz,
        earlier=False,
    )
    read = list(reader)
    chosen: dict[float, Frame] = {}
    for place in range(FRAMES_TOGETHER if read else 0):
        wanted_s = span.start_s + place * step_s
        frame = min(read, key=lambda one: abs(one.time_s - wanted_s))
        chosen[frame.time_s] = frame
    return [chosen[time_s] for time_s in sorted(chosen)]


def _as_long_as(go_on: Callable[[], None], frames: Iterable[Frame]) -> Iterator[Frame]:
    for frame in frames:
        go_on()
        yield frame


def _within(span: Interval, duration_s: float) -> Interval:
    if span.start_s >= duration_s:
        raise CaptionerError(f"the video ends at {duration_s:.2f} s, before {span.start_s:g} s")
    return Interval(span.start_s, min(span.end_s, duration_s))


def _check_effort(span: Interval, rate_hz: float) -> None:
    if not 0 < rate_hz <= MAX_RATE_HZ:
        raise CaptionerError(f"rate_hz must be above 0 and at most {MAX_RATE_HZ:g}, not {rate_hz}")
    frames = math.ceil(span.length_s * rate_hz)
    if frames > MAX_FRAMES:
        raise CaptionerError(
            f"{span.length_s:g} s at {rate_hz:g} frames a second are {frames} frames; at most "
            f"{MAX_FRAMES} are looked at: {MAX_FRAMES / rate_hz:g} s at this rate"
        )


def _store(
    said: list[Description | NoCaption],
    ends_s: dict[float, float],
    record: VideoRecord,
    track: Track,
    *,
    store: CaptionStore,
    embedder: Embedder,
) -> int:
    captions: list[Caption] = []
    gaps: list[CaptionGap] = []
    for one in said:
        span = Interval(one.time_s, ends_s[one.time_s if one.last_s is None else one.last_s])
        if isinstance(one, Description):
            captions.append(
                Caption(
                    record.video_id,
                    one.exact or span,
                    shorten(one.text, MAX_CAPTION_CHARS),
                    one.source,
                    track,
                )
            )
        else:
            gaps.append(CaptionGap(record.video_id, span, one.reason, track))
    if captions:
        vectors = embedder.embed([caption.text for caption in captions])
        store.add(captions, vectors, during=record)
    if gaps:
        store.add_gaps(gaps, during=record)
    return len(captions)
