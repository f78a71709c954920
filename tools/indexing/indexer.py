"""Makes sure that a video's captions are in the store: decode, describe, embed, write, go on.

One pass over the video, its stages side by side: a thread decodes a few frames ahead and leaves out
those that show nothing new, the caller's thread has the others described, and a thread embeds and
stores. Captions are written as they come, in batches, so that a run that is stopped at any moment
goes on where it was: no frame whose captions are stored is described again. What costs is written
down as soon as it is said, before it is stored.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tools.captioners.file import file_track, read_captions
from tools.captioners.protocol import Metered
from tools.indexing.caption_writer import BATCH_CAPTIONS
from tools.indexing.captioning import Captioning
from tools.indexing.journal import Journal
from tools.indexing.limits import Limits, without_price
from tools.indexing.progress import Progress, Report
from tools.store.store import VideoRecord
from tools.timeline import Track
from tools.video.near_duplicates import POLICY, needs_every_frame
from tools.video.reader import FrameReader, measure_duration_s

if TYPE_CHECKING:
    from tools.captioners.protocol import Captioner
    from tools.embedders.embedder import Embedder
    from tools.store.store import CaptionStore
    from tools.video.reader import Video

__all__ = [
    "Limits",
    "Progress",
    "Report",
    "alike_rate_hz",
    "frame_track",
    "index_captions_file",
    "index_video",
    "location",
]


def index_video(
    video: Video,
    captioner: Captioner,
    *,
    rate_hz: float,
    store: CaptionStore,
    embedder: Embedder,
    report: Report,
    every_frame: bool | None = None,
    journals: Path | None = None,
    limits: Limits | None = None,
) -> VideoRecord:
    """Caption every sampled frame that shows something new and has no caption yet.

    A caption holds until the frame after those that it describes; the last one until the video
    ends. Whatever stops the run, what the captioner has under way is waited for and kept.

    Args:
        video: From ``tools.video.reader.probe``.
        captioner: Describes the frames.
        rate_hz: Frames looked at per second of video.
        store: Receives the captions, and a record that is ``complete`` at the end only.
        embedder: Embeds each new caption, once.
        report: Called in the caller's thread, at the beginning, after written batches, and at the
            end.
        every_frame: Whether frames are described that look like the one described before; None
            leaves it to the captioner, see ``frame_track``.
        journals: Folder in which what a ``Metered`` captioner says is written down until it is in
            the store; None: what was said and is not stored yet is lost if the process is killed.
        limits: Where this run ends at the latest. The record is not complete then, and its warning
            says until when the video was seen; the next run goes on from there.

    Raises:
        VideoError: If no frame decodes.
        CaptionerError, EmbedderError, StoreError: If one of them cannot go on; what was written
            stays, and the next run goes on from there.
    """
    limits = limits or Limits()
    if (
        limits.max_usd is not None
        and isinstance(captioner, Metered)
        and captioner.usage.usd is None
    ):
        raise without_price(captioner.model, limits.max_usd)  # Before one is paid for.
    if every_frame is None:
        every_frame = needs_every_frame(captioner)
    track = frame_track(captioner, rate_hz, every_frame=every_frame)
    record = _record(video, track, rate_hz=rate_hz, duration_s=video.header_duration_s)
    journal = None
    if journals is not None and isinstance(captioner, Metered):
        journal = Journal(journals, video_id=video.id, track=track)
    reader = FrameReader(video, rate_hz=rate_hz, earlier=needs_every_frame(captioner))
    store.put_record(record)
    stopped = Captioning(
        record,
        captioner,
        reader,
        every_frame=every_frame,
        store=store,
        embedder=embedder,
        journal=journal,
        total_s=video.header_duration_s,
        limits=limits,
    ).run(report)
    if stopped:
        record = replace(
            record,
            # Where the header does not say, it is as long as was seen of it.
            duration_s=record.duration_s or reader.decoded_until_s,
            warning=f"{video.path}: {stopped}",
            captions=store.count(video.id, track),
        )
        store.put_record(record)
        return record
    done = _complete(
        store, record, duration_s=reader.decoded_until_s, warning=reader.warning() or ""
    )
    if journal:
        journal.delete()
    return done


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
    written = 0
    for first in range(0, len(captions), BATCH_CAPTIONS):
        batch = captions[first : first + BATCH_CAPTIONS]
        written += store.add(batch, embedder.embed([caption.text for caption in batch]))
        seen_s = batch[-1].start_s
        report(Progress(str(video.path), track.model, seen_s, duration_s, written, bool(seen)))
    return _complete(store, record, duration_s=duration_s, warning="")


def alike_rate_hz(track: Track) -> float | None:
    """Frames looked at per second where frames that look alike share a caption; otherwise None."""
    match = re.fullmatch(rf"frame@([\d.e-]+)/s {POLICY}", track.mode)
    return float(match[1]) if match else None


def frame_track(captioner: Captioner, rate_hz: float, *, every_frame: bool | None = None) -> Track:
    """The track of a captioner that is shown frames of this rate.

    Args:
        captioner: Who describes the frames.
        rate_hz: Frames looked at per second of video.
        every_frame: Whether it is shown those too that look like the one before. None: only if it
            learns from them, see ``tools.video.near_duplicates.LearnsFromEveryFrame``.
    """
    # All digits of the rate: two rates that differ at all look at different frames.
    rate = repr(float(rate_hz)).removesuffix(".0")
    if every_frame is None:
        every_frame = needs_every_frame(captioner)
    chosen = "" if every_frame else f" {POLICY}"
    return Track(captioner.model, captioner.prompt_version, f"{captioner.mode}@{rate}/s{chosen}")


def location(path: Path) -> Path:
    """The one way to write where a file lies, also when it is gone; a link keeps its own name."""
    return path.parent.resolve() / path.name


def noted_at(video: Video) -> str:
    """When the file was known to hold the video, in ISO 8601 and UTC: before any of its captions.

    A model may take minutes to load after that, and the file may be replaced meanwhile.
    """
    return datetime.fromtimestamp(video.read_at_s, UTC).isoformat(timespec="seconds")


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
        indexed_at=noted_at(video),
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
