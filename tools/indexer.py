"""Makes sure that a video's captions are in the store: decode, describe, embed, write, go on.

One pass over the video. Captions are written as they come, in batches, so that a run that is
stopped at any moment goes on where it was: no frame whose captions are stored is described again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tools.captioners.file import file_track, read_captions
from tools.captioners.protocol import Description, Metered, NoCaption
from tools.errors import WhenaboutsError
from tools.store import CaptionGap, VideoRecord
from tools.timeline import Caption, Frame, Interval, Track
from tools.video import FrameReader, measure_duration_s

if TYPE_CHECKING:
    from tools.captioners.protocol import Captioner
    from tools.embedder import Embedder
    from tools.store import CaptionStore
    from tools.video import Video

BATCH_CAPTIONS = 64
BATCH_SECONDS = 0.5
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

    A caption holds until the frame after those that it describes; the last one until the video
    ends. Whatever stops the run, what the captioner has under way is waited for and kept.

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
    frames = _SampledFrames(reader)
    writer = _BatchWriter(store, embedder)
    record = _record(video, track, rate_hz=rate_hz, duration_s=video.header_duration_s)
    store.put_record(record)

    def say(seen_s: float) -> None:
        total_s = video.header_duration_s
        report(Progress(str(video.path), track.model, seen_s, total_s, writer.written, bool(seen)))

    say(max(seen, default=0.0))
    waiting: list[_Said] = []
    seen_s = 0.0
    is_metered = isinstance(captioner, Metered)

    def placed() -> list[Caption | CaptionGap]:
        # A frame that has a caption in the store is not described again, so all of its captions go
        # there at once. What costs says one thing of a frame, and is kept as soon as it is said.
        but_s = None if is_metered else frames.unfinished_s
        return _with_spans(video.id, track, waiting, frames, but_s=but_s)

    answers = captioner.describe(frames, seen=seen)
    try:
        for said in answers:
            if said is not None:
                frames.note(said, track)
                waiting.append(said)
                seen_s = max(seen_s, said.time_s)
            if writer.is_due(len(waiting)):
                writer.take(placed())
                if writer.write():
                    say(seen_s)
        frames.unfinished_s = None
    except BaseException:
        # Also Ctrl-C: no frame is begun any more, but what is under way may be paid for.
        frames.stop()
        waiting.extend(said for said in answers if said is not None)
        frames.finish()
        raise
    finally:
        writer.take(placed())
        writer.write()
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
        writer.take(batch)
        writer.write()
        seen_s = batch[-1].start_s
        report(
            Progress(str(video.path), track.model, seen_s, duration_s, writer.written, bool(seen))
        )
    return _complete(store, record, duration_s=duration_s, warning="")


def frame_track(captioner: Captioner, rate_hz: float) -> Track:
    """The track of a captioner that is shown frames of this rate."""
    # All digits of the rate: two rates that differ at all look at different frames.
    rate = repr(float(rate_hz)).removesuffix(".0")
    return Track(captioner.model, captioner.prompt_version, f"{captioner.mode}@{rate}/s")


def location(path: Path) -> Path:
    """The one way to write where a file lies, also when it is gone; a link keeps its own name."""
    return path.parent.resolve() / path.name


_Said = Description | NoCaption


class _SampledFrames:
    """A reader's frames, iterated once; remembers until when each one's caption holds.

    Attributes:
        unfinished_s: Time of the frame of which more may be said; None where of none.
    """

    def __init__(self, reader: FrameReader) -> None:
        self._reader = reader
        self._frames = iter(reader)
        self._end_s: dict[float, float] = {}
        self._last_s: float | None = None
        self._stopped = False
        self.unfinished_s: float | None = None

    def __iter__(self) -> Iterator[Frame]:
        while not self._stopped:
            frame = next(self._frames, None)
            self.unfinished_s = None
            if frame is None:
                self.finish()
                return
            self._close(frame.time_s)
            self._last_s = frame.time_s
            yield frame

    def note(self, said: _Said, track: Track) -> None:
        """Until the next frame is read, more may be said of this one."""
        if said.time_s not in self._end_s and said.time_s != self._last_s:
            raise ValueError(f"{track.model} describes {said.time_s} s, where it read no frame")
        self.unfinished_s = said.time_s

    def stop(self) -> None:
        """Hand out no more."""
        self._stopped = True

    def finish(self) -> None:
        """Find out until when the last frame holds that was handed out."""
        try:
            following = next(self._frames, None)
        except WhenaboutsError:
            following = None  # The error that this is about has been raised already.
        self._close(following.time_s if following else self._reader.decoded_until_s)

    def end_s(self, time_s: float) -> float | None:
        """Where the frame of this time ends: known once the next one was read."""
        return self._end_s.get(time_s)

    def _close(self, end_s: float) -> None:
        if self._last_s is not None and end_s > self._last_s:
            self._end_s.setdefault(self._last_s, end_s)


def _with_spans(
    video_id: str,
    track: Track,
    waiting: list[_Said],
    frames: _SampledFrames,
    *,
    but_s: float | None,
) -> list[Caption | CaptionGap]:
    """Take from ``waiting`` everything whose end is known, as captions and gaps."""
    placed: list[Caption | CaptionGap] = []
    still_waiting = []
    for one in waiting:
        end_s = frames.end_s(one.time_s if one.last_s is None else one.last_s)
        if end_s is None or one.time_s == but_s:
            still_waiting.append(one)
            continue
        span = Interval(one.time_s, end_s)
        placed.append(
            Caption(video_id, span, one.text, one.source, track)
            if isinstance(one, Description)
            else CaptionGap(video_id, span, one.reason, track)
        )
    waiting[:] = still_waiting
    return placed


class _BatchWriter:
    """Embeds and stores captions, a batch at a time; keeps what could not be written."""

    def __init__(self, store: CaptionStore, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder
        self._captions: list[Caption] = []
        self._gaps: list[CaptionGap] = []
        self._written_at = time.monotonic()
        self.written = 0

    def is_due(self, waiting: int) -> bool:
        """Whether so many are a batch, or the last one is long ago."""
        return waiting >= BATCH_CAPTIONS or time.monotonic() - self._written_at >= BATCH_SECONDS

    def take(self, placed: Sequence[Caption | CaptionGap]) -> None:
        """Add to the batch."""
        for one in placed:
            if isinstance(one, Caption):
                self._captions.append(one)
            else:
                self._gaps.append(one)

    def write(self) -> bool:
        """Write the batch; returns whether there was anything in it."""
        wrote = bool(self._captions or self._gaps)
        if self._captions:
            vectors = self._embedder.embed([caption.text for caption in self._captions])
            self.written += self._store.add(self._captions, vectors)
            self._captions = []
        if self._gaps:
            self._store.add_gaps(self._gaps)
            self._gaps = []
        self._written_at = time.monotonic()
        return wrote


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
