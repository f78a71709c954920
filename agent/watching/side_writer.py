"""Writes a track of what is said beside the captions of a video."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tools.indexing.indexer import Progress, Report
from tools.retrieval.tracks import name_of
from tools.video.identity import location

if TYPE_CHECKING:
    from agent.watching.opened import Opened
    from tools.store.store import VideoRecord
    from tools.timeline import Caption, Track
    from tools.video.reader import Video


class SideWriter:
    """Embeds captions and stores them, batch by batch.

    Args:
        opened: The store and the embedder.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def is_there(self, record: VideoRecord, track: Track) -> bool:
        """Whether the video of a record has this track, complete."""
        records = self._opened.store.records(record.video_id)
        return any(one.complete and one.track == track for one in records)

    def write(
        self,
        video: Video,
        record: VideoRecord,
        track: Track,
        batches: Iterable[Sequence[Caption]],
        report: Report,
    ) -> None:
        """Write each batch at once, beside what an earlier run may have written of the track.

        Args:
            video: What the captions are of.
            record: Another track of the video.
            track: That of the captions.
            batches: In time order; none is longer than the embedder should get at once.
            report: Receives progress.
        """
        with self._opened.store.claim(video.id, track, name=video.path.name) as has_waited:
            if not (has_waited and self.is_there(record, track)):
                self._write(video, record, track, batches, report)

    def _write(
        self,
        video: Video,
        record: VideoRecord,
        track: Track,
        batches: Iterable[Sequence[Caption]],
        report: Report,
    ) -> None:
        store, embedder = self._opened.store, self._opened.embedder
        beside = replace(
            record,
            path=str(location(video.path)),
            track=track,
            rate_hz=None,
            complete=False,
            warning="",
            indexed_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            captions=store.count(video.id, track),
            run=uuid.uuid4().hex,
        )
        store.put_record(beside)
        is_resumed, written = beside.captions > 0, 0
        for batch in filter(None, batches):
            vectors = embedder.embed([caption.text for caption in batch])
            written += store.add(batch, vectors, during=beside)
            seen_s, length_s = batch[-1].end_s, record.duration_s
            path, name = str(video.path), name_of(track)
            report(Progress(path, name, seen_s, length_s, written, resumed=is_resumed))
        store.settle(replace(beside, complete=True), captions=beside.captions + written)
