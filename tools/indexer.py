"""Makes sure that a video's captions are in the store: decode, describe, embed, write, go on.

One pass over the video. Captions are written as they come, in batches, so that a run that is
stopped at any moment goes on where it was: no frame whose captions are stored is described again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tools.captioners.file import file_track, read_captions
from tools.store import VideoRecord
from tools.timeline import Caption, Frame, Interval, Track
from tools.video import FrameReader, measure_duration_s

if TYPE_CHECKING:
    from tools.captioners.protocol import Captioner, Description
    from tools.embedder import Embedder
    from tools.store import CaptionStore
    from tools.video import Video

BATCH_CAPTIONS = 64
BATCH_SECONDS = 2.0
"""A batch is written when it is full or this old: little is lost, little time goes to commits."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an index has come.

    Attributes:
        path: The video being indexed.
        model: Who captions it.
        seen_s: Seconds of video looked at.
        total_s: Its length as far as is known; None where the header does not say.
        captions: Captions written to the store by this run.
        resumed: Whether an earlier run had begun.
    """

    path: str
    model: str
    seen_s: float
    total_s: float | None
    captions: int
    resumed: bool


Report = Callable[[Progress], None]


def index_video(
    video: Video,
    captioner: Captioner,
    *,
    rate_hz: float,
    store: CaptionStore,
    embedder: Embedder,
    report: Report,
) -> VideoRecord:
    """Caption every sampled frame that has no caption yet.

    A frame's caption holds until the next sampled frame; the last one until the video ends.

    Args:
        video: From ``tools.video.probe``.
        captioner: Describes the frames.
        rate_hz: Frames looked at per second of video.
        store: Receives the captions, and a record that is ``complete`` at the end only.
        embedder: Embeds each new caption, once.
        report: Called after every written batch.

    Raises:
        VideoError: If no frame decodes.
        CaptionerError, EmbedderError, StoreError: If one of them cannot go on; what was written
            stays, and the next run goes on from there.
    """
    track = frame_track(captioner, rate_hz)
    seen = store.seen_starts(video.id, track)
    reader = FrameReader(video, rate_hz=rate_hz)
    pending = _Pending(video.id, track)
    writer = _BatchWriter(store, embedder)
    record = _record(video, track, rate_hz=rate_hz, duration_s=video.header_duration_s)
    store.put_record(record)

    def say(seen_s: float) -> None:
        total_s = video.header_duration_s
        report(Progress(str(video.path), track.model, seen_s, total_s, writer.written, bool(seen)))

    say(max(seen, default=0.0))
    try:
        for description in captioner.describe(pending.reading(reader), seen=seen):
            pending.add(description)
            if writer.is_due() and (captions := pending.captions()):
                writer.write(captions)
                pending.remove(captions)
                say(description.time_s)
        pending.close(reader.decoded_until_s)
    finally:
        # Also when interrupted: what has been described, and perhaps paid for, is kept.
        writer.write(pending.captions())
    say(reader.decoded_until_s)
    return _complete(
        store, record, duration_s=reader.decoded_until_s, warning=reader.warning() or ""
    )


def index_captions_file(
    video: Video, path: Path, *, store: CaptionStore, embedder: Embedder, report: Report
) -> VideoRecord:
    """Put a captions file into the store as a track of its own.

    Args:
        video: The video the captions speak of; only its length is read.
        path: A file as ``tools.captioners.file.read_captions`` reads it.
        store: Receives the captions and their record.
        embedder: Embeds each new caption, once.
        report: Called after every written batch.

    Raises:
        CaptionError: If the file cannot be used; nothing was written then.
        VideoError: If the video has no readable stream.
    """
    track = file_track(path)
    duration_s = measure_duration_s(video)
    captions = read_captions(path, video_id=video.id, duration_s=duration_s)
    seen = store.seen_starts(video.id, track)
    record = _record(video, track, rate_hz=None, duration_s=duration_s)
    store.put_record(record)
    writer = _BatchWriter(store, embedder)
    for first in range(0, len(captions), BATCH_CAPTIONS):
        batch = captions[first : first + BATCH_CAPTIONS]
        writer.write(batch)
        seen_s = batch[-1].start_s
        report(
            Progress(str(video.path), track.model, seen_s, duration_s, writer.written, bool(seen))
        )
    return _complete(store, record, duration_s=duration_s, warning="")


def frame_track(captioner: Captioner, rate_hz: float) -> Track:
    """The track of a captioner that looks at single frames at this rate."""
    # All digits of the rate: two rates that differ at all look at different frames.
    rate = repr(float(rate_hz)).removesuffix(".0")
    return Track(captioner.model, captioner.prompt_version, f"frame@{rate}/s")


def location(path: Path) -> Path:
    """The one way to write where a file lies, also when it is gone; a link keeps its own name."""
    return path.parent.resolve() / path.name


class _Pending:
    """Descriptions on their way to the store.

    Each waits until its frame's end is known, which is when the next frame is read, and until
    nothing more can be said of its frame. For a frame that has a caption in the store is not
    described again, so all its captions must go there in one batch.
    """

    def __init__(self, video_id: str, track: Track) -> None:
        self._video_id = video_id
        self._track = track
        self._end_s: dict[float, float] = {}
        self._last_read_s: float | None = None
        self._waiting: list[Description] = []
        self._is_last_whole = True

    def reading(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Hand the frames on, and take note of their times."""
        for frame in frames:
            self.close(frame.time_s)
            self._last_read_s = frame.time_s
            yield frame

    def close(self, end_s: float) -> None:
        """The last frame read holds until here; the last one described is whole."""
        if self._last_read_s is not None:
            self._end_s[self._last_read_s] = end_s
        self._is_last_whole = True

    def add(self, description: Description) -> None:
        time_s = description.time_s
        if time_s not in self._end_s and time_s != self._last_read_s:
            raise ValueError(f"{self._track.model} describes {time_s} s, where it read no frame")
        self._waiting.append(description)
        self._is_last_whole = False

    def captions(self) -> list[Caption]:
        """Those that can be stored."""
        unfinished_s = None if self._is_last_whole else self._waiting[-1].time_s
        return [
            Caption(
                self._video_id,
                Interval(one.time_s, self._end_s[one.time_s]),
                one.text,
                one.source,
                self._track,
            )
            for one in self._waiting
            if one.time_s in self._end_s and one.time_s != unfinished_s
        ]

    def remove(self, captions: Iterable[Caption]) -> None:
        """Forget those that are stored, whole frames of them."""
        stored_s = {caption.start_s for caption in captions}
        self._waiting = [one for one in self._waiting if one.time_s not in stored_s]


class _BatchWriter:
    """Embeds and stores captions, a batch at a time."""

    def __init__(self, store: CaptionStore, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder
        self._asked = 0
        self._written_at = time.monotonic()
        self.written = 0

    def is_due(self) -> bool:
        self._asked += 1
        return self._asked >= BATCH_CAPTIONS or time.monotonic() - self._written_at >= BATCH_SECONDS

    def write(self, captions: Sequence[Caption]) -> None:
        if captions:
            vectors = self._embedder.embed([caption.text for caption in captions])
            self.written += self._store.add(captions, vectors)
        self._asked = 0
        self._written_at = time.monotonic()


def _record(
    video: Video, track: Track, *, rate_hz: float | None, duration_s: float | None
) -> VideoRecord:
    return VideoRecord(
        video_id=video.id,
        path=str(location(video.path)),
        duration_s=duration_s or 0.0,
        track=track,
        rate_hz=rate_hz,
        complete=False,
        warning="",
        indexed_at=datetime.now(UTC).isoformat(timespec="seconds"),
        captions=0,
    )


def _complete(
    store: CaptionStore, record: VideoRecord, *, duration_s: float, warning: str
) -> VideoRecord:
    done = replace(
        record,
        duration_s=duration_s,
        complete=True,
        warning=warning,
        captions=store.count(record.video_id, record.track),
    )
    store.put_record(done)
    return done
