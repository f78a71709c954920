"""Looks at the frames of a video by a joint model, in the pass that decodes them for captions.

A thread embeds and stores a batch at a time, while the next frames are being decoded. What is
stored is found again by the next run, so that one that was stopped goes on where it was.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import VideoError
from tools.indexing.indexer import new_record
from tools.indexing.progress import Pace, Progress, Report
from tools.sight.frame_track import as_caption, sight_track
from tools.store.store import VideoRecord
from tools.timeline import Interval
from tools.video.identity import content_id, location
from tools.video.near_duplicates import POLICY, DistinctFrames
from tools.video.reader import FrameReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tools.sight.joint_model import JointModel
    from tools.store.store import CaptionStore
    from tools.timeline import Caption, Frame, Image, Track
    from tools.video.reader import Video

BATCHES_WRITTEN = 8
"""Batches of frames that are stored at once: each write costs as much as a few frames."""


def track_of(model: JointModel, rate_hz: float) -> Track:
    """The track of a joint model that sees frames at this rate, as far as they look new."""
    rate = repr(float(rate_hz)).removesuffix(".0")
    return sight_track(model.name, f"frame@{rate}/s {POLICY}")


class SightPass:
    """One run of a joint model over the frames of a video; see ``looking``.

    Args:
        record: Of the track that is written.
        model: Embeds frames.
        store: Receives them; of this model's space.
        known: Vectors of frames by their time, which somebody else may have made.

    Attributes:
        written: Frames that were new to the store.
    """

    def __init__(
        self,
        record: VideoRecord,
        model: JointModel,
        store: CaptionStore,
        known: Mapping[float, NDArray[np.float32]] = MappingProxyType({}),
    ) -> None:
        self._known = known
        self._record = record
        self._model = model
        self._store = store
        self._seen = store.seen_starts(record.video_id, record.track)
        self._stored_before = store.count(record.video_id, record.track)
        self._distinct = DistinctFrames()
        self._newest: Frame | None = None
        self._batch: list[tuple[Interval, Image]] = []
        # As many batches wait as bridge the decoder's pauses.
        self._waiting: queue.Queue[list[tuple[Interval, Image]] | None] = queue.Queue(2)
        self._error: BaseException | None = None
        self.written = 0
        self._thread = threading.Thread(target=self._run, name="sight", daemon=True)
        self._thread.start()

    @property
    def track(self) -> Track:
        """What it writes."""
        return self._record.track

    @property
    def is_resumed(self) -> bool:
        """Whether an earlier run had begun."""
        return bool(self._seen)

    def watch(self, frame: Frame) -> None:
        """Look at the next sampled frame in time order; waits where it is far behind.

        Raises:
            SightError, StoreError: If an earlier one could not be looked at or stored.
        """
        for one in self._distinct.choose(frame):
            self._end_newest(one.time_s)
            self._newest = one

    def settle(self, until_s: float, *, warning: str = "") -> VideoRecord:
        """Write what is left, and that the whole video was seen, which ends at ``until_s``.

        Raises:
            SightError, StoreError: If it cannot be done.
        """
        self._end_newest(until_s)
        self._hand_over()
        self.close()
        if self._error is not None:
            raise self._error
        done = replace(self._record, complete=True, duration_s=until_s, warning=warning)
        return self._store.settle(done, captions=self._stored_before + self.written)

    def drop(self) -> None:
        """Delete what is stored of the track: the file was changed while it was looked at."""
        self.close()
        self._store.forget_track(self._record.video_id, self.track)

    def close(self) -> None:
        """End the thread, once it has stored what has been seen."""
        if self._thread.is_alive():
            if self._batch and self._error is None:
                self._hand_over()
            self._waiting.put(None)
            self._thread.join()

    def _end_newest(self, end_s: float) -> None:
        newest, self._newest = self._newest, None
        if newest is None or newest.time_s in self._seen or end_s <= newest.time_s:
            return
        self._batch.append((Interval(newest.time_s, end_s), newest.image))
        if len(self._batch) >= self._model.batch_pictures:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._error is not None:
            raise self._error
        if self._batch:
            self._waiting.put(self._batch)
            self._batch = []

    def _run(self) -> None:
        unwritten: list[tuple[Caption, NDArray[np.float32]]] = []
        while (batch := self._waiting.get()) is not None:
            if self._error is not None:
                continue  # The one who hands over is told with the next batch.
            try:
                vectors = self._vectors(batch)
                unwritten += [
                    (as_caption(self._record.video_id, span, self.track), vector)
                    for (span, _), vector in zip(batch, vectors, strict=True)
                ]
                if len(unwritten) >= BATCHES_WRITTEN * self._model.batch_pictures:
                    self._write(unwritten)
                    unwritten = []
            except BaseException as exc:  # noqa: BLE001 - raised again where frames are handed over
                self._error = exc
        if self._error is None:
            try:
                self._write(unwritten)
            except BaseException as exc:  # noqa: BLE001 - as above
                self._error = exc

    def _vectors(self, batch: list[tuple[Interval, Image]]) -> Sequence[NDArray[np.float32]]:
        known = [self._known.get(span.start_s) for span, _ in batch]
        if all(one is not None for one in known):
            return [one for one in known if one is not None]
        return list(self._model.embed_pictures([image for _, image in batch]))

    def _write(self, frames: list[tuple[Caption, NDArray[np.float32]]]) -> None:
        if frames:
            vectors = np.stack([vector for _, vector in frames])
            self.written += self._store.add(
                [one for one, _ in frames], vectors, during=self._record
            )


@contextmanager
def looking(
    video: Video,
    model: JointModel,
    *,
    rate_hz: float,
    store: CaptionStore,
    known: Mapping[float, NDArray[np.float32]] = MappingProxyType({}),
) -> Iterator[SightPass | None]:
    """Make room for one run over a video; nobody else looks at it with this model meanwhile.

    Args:
        video: From ``tools.video.reader.probe``.
        model: Embeds frames.
        rate_hz: Frames looked at per second of video.
        store: Of this model's space.
        known: As of ``SightPass``.

    Yields:
        What is to watch every sampled frame and then to settle; None where all was seen before.

    Raises:
        StoreError: If the store cannot be used.
    """
    track = track_of(model, rate_hz)
    with store.claim(video.id, track, name=video.path.name):
        if any(one.complete and one.track == track for one in store.records(video.id)):
            yield None
            return
        record = new_record(video, track, rate_hz=rate_hz, duration_s=video.header_duration_s)
        store.put_record(record)
        looker = SightPass(record, model, store, known)
        try:
            yield looker
        finally:
            looker.close()


def index_by_sight(
    video: Video,
    model: JointModel,
    *,
    rate_hz: float,
    store: CaptionStore,
    report: Report,
    go_on: Callable[[], None] = lambda: None,
) -> None:
    """Look at a video in a pass of its own: its captions are there already, or made elsewhere.

    Args:
        video: From ``tools.video.reader.probe``.
        model: Embeds frames.
        rate_hz: Frames looked at per second of video.
        store: Of this model's space.
        report: Receives progress, in this thread.
        go_on: Called with every frame; what it raises ends the run, and what was stored is kept.

    Raises:
        VideoError: If no frame decodes, or the file was changed meanwhile.
        SightError, StoreError: If one of them cannot go on.
    """
    with looking(video, model, rate_hz=rate_hz, store=store) as sight:
        if sight is None:
            return
        reader = FrameReader(video, rate_hz=rate_hz, earlier=False)
        pace = Pace()
        for frames, frame in enumerate(reader, start=1):
            go_on()
            sight.watch(frame)
            pace.mark(seen_s=frame.time_s, captions=sight.written)
            report(
                Progress(
                    path=str(location(video.path)),
                    model=model.name,
                    seen_s=frame.time_s,
                    total_s=video.header_duration_s,
                    captions=sight.written,
                    resumed=sight.is_resumed,
                    frames=frames,
                    captions_per_s=pace.captions_per_s(),
                    left_s=pace.left_s(video.header_duration_s),
                )
            )
        if content_id(video.path) != (video.content_id or video.id):
            sight.drop()
            raise VideoError(
                f"{video.path} was changed while it was looked at, so nothing of it is kept; index "
                "it again once it is whole"
            )
        sight.settle(reader.decoded_until_s, warning=reader.warning() or "")
