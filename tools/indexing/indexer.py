"""Makes sure that a video's captions are in the store: decode, describe, embed, write, go on.

One pass over the video, its stages side by side: a thread decodes a few frames ahead and leaves out
those that show nothing new, the caller's thread has the others described, and a thread embeds and
stores. Captions are written as they come, in batches, so that a run that is stopped at any moment
goes on where it was: no frame whose captions are stored is described again. What costs is written
down as soon as it is said, before it is stored.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tools.captioners.file import file_track, read_captions
from tools.captioners.protocol import NO_TEXT, Interruptible, Metered, wants_native
from tools.clock import clock
from tools.embedders.embedder import Embedder, OfService
from tools.errors import ForgottenError, VideoError
from tools.indexing.caption_writer import BATCH_CAPTIONS
from tools.indexing.captioning import Captioning
from tools.indexing.frame_gate import without_price
from tools.indexing.journal import Journal
from tools.indexing.progress import Progress, Report
from tools.llm.budget import Budget
from tools.store.store import VideoRecord
from tools.timeline import Track
from tools.video.identity import content_id, location
from tools.video.near_duplicates import POLICY, needs_every_frame
from tools.video.reader import FrameReader, measure_duration_s, notice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.captioners.protocol import Captioner
    from tools.indexing.sight_first import SightFirst
    from tools.indexing.sight_pass import SightPass
    from tools.store.store import CaptionGap, CaptionStore
    from tools.video.reader import Video

__all__ = [
    "Progress",
    "Report",
    "frame_track",
    "index_captions_file",
    "index_video",
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
    budget: Budget | None = None,
    go_on: Callable[[], None] = lambda: None,
    sight: SightPass | None = None,
    first: SightFirst | None = None,
) -> VideoRecord:
    """Caption every sampled frame that shows something new and has no caption yet.

    A caption holds until the frame after those that it describes; the last one until the video
    ends. Whatever stops the run, what the captioner has under way is waited for and kept. Where
    another process makes the same captions, it is waited for; what it left undone is done then.

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
        budget: Where this run ends at the latest; None for no limit. What describing takes is for
            the caller to note there. The record is not complete then, and its warning
            says until when the video was seen; the next run goes on from there.
        go_on: Called in the caller's thread, often; what it raises ends the run.
        sight: Watches every frame in the same pass; settled with the captions.
        first: Chooses, among the frames that show something new, those that are described.

    Raises:
        VideoError: If no frame decodes, or the file was changed meanwhile.
        ForgottenError: If the video was forgotten meanwhile; nothing of it is kept then.
        StoreBusyError: If another process still describes it when the minutes are used up.
        CaptionerError, EmbedderError, StoreError: If one of them cannot go on; what was written
            stays, and the next run goes on from there.
    """
    budget = budget or Budget()
    if (
        budget.limits.max_usd is not None
        and isinstance(captioner, Metered)
        and captioner.usage.usd is None
    ):
        raise without_price(captioner.model, budget.limits)  # Before one is paid for.
    if isinstance(embedder, OfService):
        embedder.check()
    if every_frame is None:
        every_frame = needs_every_frame(captioner)
    track = frame_track(
        captioner, rate_hz, every_frame=every_frame, chosen_by=first.policy if first else ""
    )
    journal = None
    if journals is not None and isinstance(captioner, Metered):
        journal = Journal(journals, video_id=video.id, track=track)
    minutes = budget.minutes_left()
    patience_s = None if minutes is None else 60 * minutes
    name = video.path.name
    with store.claim(video.id, track, name=name, patience_s=patience_s) as has_waited:
        if has_waited and (made := _complete_record(store, video.id, track)):
            return made
        record = new_record(video, track, rate_hz=rate_hz, duration_s=video.header_duration_s)
        reader = FrameReader(
            video,
            rate_hz=rate_hz,
            earlier=needs_every_frame(captioner),
            native=wants_native(captioner),
        )
        # What failed for a passing reason is asked for again.
        store.forget_passing_gaps(video.id, track)
        with store.together():
            # A process that forgets the video finds both or neither.
            store.put_record(record)
            if journal:
                journal.open()
        describer = captioner
        if (minutes := budget.minutes_left()) is not None and isinstance(captioner, Interruptible):
            describer = captioner.until(time.monotonic() + 60 * minutes)
        try:
            return _run(
                Captioning(
                    record,
                    describer,
                    reader,
                    every_frame=every_frame,
                    store=store,
                    embedder=embedder,
                    journal=journal,
                    total_s=video.header_duration_s,
                    budget=budget,
                    sight=sight,
                    first=first,
                ),
                record,
                video,
                reader,
                store=store,
                report=report,
                go_on=go_on,
                sight=sight,
                first=first,
            )
        except ForgottenError:
            if journal:
                journal.delete()
            raise


def _run(
    captioning: Captioning,
    record: VideoRecord,
    video: Video,
    reader: FrameReader,
    *,
    store: CaptionStore,
    report: Report,
    go_on: Callable[[], None],
    sight: SightPass | None,
    first: SightFirst | None,
) -> VideoRecord:
    stopped = captioning.run(report, go_on=go_on)
    if content_id(video.path) != (video.content_id or video.id):
        store.forget_track(video.id, record.track)
        if sight:
            sight.drop()
        raise VideoError(
            f"{video.path} was changed while it was described, so the captions are not kept; index "
            "it again once it is whole"
        )
    if stopped:
        return captioning.settle(
            replace(
                record,
                # Where the header does not say, it is as long as was seen of it.
                duration_s=record.duration_s or reader.decoded_until_s,
                warning=f"{video.path}: {stopped}",
            )
        )
    if sight:
        sight.settle(reader.decoded_until_s, warning=reader.warning() or "")
    missing = _missing(store.gaps(video.id, record.track))
    warnings = filter(None, (reader.warning(), missing, first.told if first else ""))
    done = replace(
        record,
        duration_s=reader.decoded_until_s,
        complete=True,
        warning="; ".join(warnings),
    )
    return captioning.settle(done)


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
    with store.claim(video.id, track, name=video.path.name):
        seen = store.seen_starts(video.id, track)
        record = new_record(video, track, rate_hz=None, duration_s=duration_s)
        store.put_record(record)
        written = 0
        for first in range(0, len(captions), BATCH_CAPTIONS):
            batch = captions[first : first + BATCH_CAPTIONS]
            vectors = embedder.embed([caption.text for caption in batch])
            written += store.add(batch, vectors, during=record)
            seen_s = batch[-1].start_s
            report(Progress(str(video.path), track.model, seen_s, duration_s, written, bool(seen)))
        starts = [caption.start_s for caption in captions]
        done = replace(record, complete=True, warning=notice(video) or "")
        return store.settle(done, starts=starts)


def frame_track(
    captioner: Captioner, rate_hz: float, *, every_frame: bool | None = None, chosen_by: str = ""
) -> Track:
    """The track of a captioner that is shown frames of this rate.

    Args:
        captioner: What describes the frames.
        rate_hz: Frames looked at per second of video.
        every_frame: Whether it is also shown those that look like the one before. None: only if it
            learns from them, see ``tools.video.near_duplicates.LearnsFromEveryFrame``.
        chosen_by: What chooses among the others; see ``tools.indexing.sight_first.policy_of``.
    """
    # All digits of the rate: two rates that differ at all look at different frames.
    rate = repr(float(rate_hz)).removesuffix(".0")
    if every_frame is None:
        every_frame = needs_every_frame(captioner)
    chosen = "" if every_frame else f" {POLICY}"
    chosen += f" {chosen_by}" if chosen_by else ""
    return Track(captioner.model, captioner.prompt_version, f"{captioner.mode}@{rate}/s{chosen}")


def _missing(gaps: Sequence[CaptionGap]) -> str:
    """What is not described: for good, and what might be at another try; empty where all is."""
    final = [gap for gap in gaps if gap.is_final and gap.reason != NO_TEXT]
    passing = [gap for gap in gaps if not gap.is_final]
    told = []
    if final:
        told.append(f"{_looks(final)} got no caption for good ({_reasons(final)})")
    if passing:
        told.append(
            f"{_looks(passing)} got no caption ({_reasons(passing)}); `whenabouts index` asks for "
            "them again"
        )
    return "; ".join(told)


def _looks(gaps: Sequence[CaptionGap]) -> str:
    return f"1 look at {clock(gaps[0].span.start_s)}" if len(gaps) == 1 else f"{len(gaps)} looks"


def _reasons(gaps: Sequence[CaptionGap]) -> str:
    return ", ".join(dict.fromkeys(gap.reason for gap in gaps[:3]))


def _complete_record(store: CaptionStore, video_id: str, track: Track) -> VideoRecord | None:
    records = store.records(video_id)
    return next((one for one in records if one.complete and one.track == track), None)


def new_record(
    video: Video, track: Track, *, rate_hz: float | None, duration_s: float | None
) -> VideoRecord:
    """The record of a video that is going to be described: not complete, with nothing in it yet.

    Args:
        video: From ``tools.video.reader.probe``.
        track: Who describes it, and how.
        rate_hz: Frames looked at per second of video; None where captions come from a file.
        duration_s: As far as it is known; None or 0 where it is not.
    """
    return VideoRecord(
        video_id=video.id,
        path=str(location(video.path)),
        duration_s=duration_s or 0.0,
        track=track,
        rate_hz=rate_hz,
        complete=False,
        warning="",
        indexed_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        captions=0,
        content_id=video.content_id,
        file_stamp=video.file_stamp,
        run=uuid.uuid4().hex,
        file_start_s=video.file_start_s,
    )
