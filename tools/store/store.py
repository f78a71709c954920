"""Captions, their embeddings, and which videos have them, kept in Chroma.

Indexing a video again finds its captions there: ids come from content, and what is there is
never written twice. A batch is written whole or not at all, also when the process is killed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tools.errors import StoreError
from tools.kept_captions import KeptFrames
from tools.sight.frame_track import is_sight
from tools.store.caption_rows import (
    Read,
    checked_vectors,
    nearest,
    read_around,
    read_track,
    write_captions,
)
from tools.store.chroma import open_folder
from tools.store.claiming import claim
from tools.store.copies import read_copy, write_copy
from tools.store.forgetting import delete_track, delete_video, is_without
from tools.store.gap_rows import delete_passing_gaps, read_gaps, write_gaps
from tools.store.kept import Kept, Value
from tools.store.layout import (
    GAPS,
    TrackOfVideo,
    captions_name,
    captions_of,
    existing,
    of_track,
    rows,
    start_of,
)
from tools.store.record_rows import (
    check_is_there,
    read_frame_records,
    read_records,
    record_now,
    write_record,
)
from tools.store.records import CaptionGap, VideoRecord
from tools.store.server import open_server
from tools.store.sessions import Connection
from tools.store.track_rows import read_tracks
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from types import TracebackType

    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection
    from numpy.typing import ArrayLike

    from tools.store.plain_client import PlainClient, PlainCollection

__all__ = ["CaptionGap", "CaptionStore", "VideoRecord"]

KEPT_BYTES = 400 * 10**6
"""Of what was read, kept in memory between questions: a hundred hours of frames of 512 numbers, one
a second, or thirty hours of captions."""

CAPTION_BYTES, FRAME_BYTES = 1_800, 120
"""What one takes beside its vector, with what is worked out of it."""

KEPT_ROWS = 40_000
"""Gaps, and marks of tracks, that are kept so."""

KEPT_RECORDS = 20_000
"""Records kept in memory between questions: each question asks for them several times."""

MANY_CAPTIONS = 10_000
"""From here on, Chroma is closed once a track is read: its index takes 20 MB for each 10,000, and
the next question reads the copy."""


class CaptionStore:
    """The captions of many videos, in the vector space of one embedder.

    Any number of processes and threads may read and write at the same time; each sees what the
    others finished. Use it as a context manager, or call ``close``.
    """

    def __init__(
        self,
        opening: AbstractContextManager[Connection],
        *,
        embedder: str,
        claims: Path,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        self._embedder = embedder
        self._claims = claims
        self._on_wait = on_wait
        self._collection = captions_name(embedder)
        self._resources = ExitStack()
        self._connection = self._resources.enter_context(opening)
        self._kept_captions = Kept[Read](KEPT_BYTES, size=_bytes_of)
        self._has_read_long = False
        self._kept_tracks = Kept[dict[str, TrackOfVideo]](KEPT_ROWS, size=len)
        self._kept_records = Kept[list[VideoRecord]](KEPT_RECORDS, size=lambda read: len(read) + 1)
        self._kept_gaps = Kept[list[CaptionGap]](KEPT_ROWS, size=lambda gaps: len(gaps) + 1)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        embedder: str,
        url: str | None = None,
        token: str | None = None,
        until: Callable[[], float] = lambda: math.inf,
        busy_timeout_s: float = 60.0,
        on_wait: Callable[[str], None] | None = None,
    ) -> CaptionStore:
        """Open the store in a folder, or on a Chroma server where a URL is given.

        Args:
            folder: Home of the embedded store, made when it is not there; with ``url`` it only
                keeps processes of this home apart. It holds pickled indexes, so open only folders
                that you trust.
            embedder: Name of what made, or will make, the vectors; no model is loaded.
            url: Address of a Chroma server.
            token: What that server knows its users by.
            until: When the run under way is over, on the monotonic clock; that server is waited for
                no longer, but for a moment.
            busy_timeout_s: Longest wait for other processes that use the folder.
            on_wait: Told, in one line, when such a wait becomes noticeable.

        Raises:
            StoreError: If it cannot be opened; says what to do.
        """
        opening: AbstractContextManager[Connection] = (
            open_server(url, token=token, until=until)
            if url
            else open_folder(folder, busy_timeout_s=busy_timeout_s, on_wait=on_wait)
        )
        store = cls(opening, embedder=embedder, claims=folder / "claims", on_wait=on_wait)
        try:
            store.records()
        except StoreError:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Release Chroma; harmless when repeated."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def claim(
        self, video_id: str, track: Track, *, name: str, patience_s: float | None = None
    ) -> AbstractContextManager[bool]:
        """Hold a track while its captions are made, so that no other process makes them too.

        Processes that share the folder given to ``open``, or the server, keep out of each other's
        way. See ``tools.store.claiming.claim``.
        """
        return claim(
            self._claims,
            video_id,
            track,
            name=name,
            connection=self._connection,
            on_wait=self._on_wait,
            patience_s=patience_s,
        )

    @contextmanager
    def together(self) -> Iterator[None]:
        """Nothing that another process does comes in between (what a server's users do may).

        Raises:
            StoreError: If the store cannot be opened.
        """
        with self._connection.session():
            yield

    def add(
        self,
        captions: Sequence[Caption],
        vectors: ArrayLike,
        *,
        during: VideoRecord | None = None,
    ) -> int:
        """Write captions that are not there yet.

        Args:
            captions: In any order; of a repeated id, the first counts.
            vectors: Shape ``(len(captions), d)``: their embeddings, in the same order.
            during: The record of the run that made them; nothing is written if it is gone.

        Returns:
            How many were new.

        Raises:
            ForgottenError: If the record is gone.
            StoreError: If a vector does not fit its caption or the store, or writing fails; whole
                batches may have been written before.
        """
        if not captions:
            return 0
        matrix = checked_vectors(vectors, captions)
        with self._connection.session(writes=True) as client:
            self._check_is_there(client, during)
            return write_captions(client, self._embedder, captions, matrix)

    def read(self, video_id: str, track: Track) -> Read:
        """One track's captions in time order, and their embeddings ``(n, d)``; ``(0, 0)`` if none.

        Both are kept for the next question, until anyone writes: change neither.

        Raises:
            StoreError: If the store cannot be read.
        """
        read = self._as_kept(
            self._kept_captions, (video_id, track), lambda _: self._read(video_id, track)
        )
        if self._has_read_long:
            # Here nothing of the folder is open any more, which closing would wait for.
            self._has_read_long = False
            self._connection.close()
        return read

    def _read(self, video_id: str, track: Track) -> Read:
        """As ``read``: a copy that an earlier question left, or else what Chroma has."""
        folder, stamp = self._connection.folder, self._connection.generation
        if (
            folder
            and stamp
            and (copy := read_copy(folder, self._collection, video_id, track, stamp))
        ):
            return copy
        with self._reading() as (collection, texts):
            read = read_track(collection, texts, video_id, track)
            if folder and (stamp := self._connection.generation):
                write_copy(folder, self._collection, video_id, stamp, read)
        self._has_read_long |= bool(folder) and len(read[0]) >= MANY_CAPTIONS
        return read

    def read_around(self, places: Sequence[tuple[str, Track, Interval]]) -> list[Read]:
        """As ``read``, but for each place only the minutes that its span touches.

        All are read at once: in a large store, finding captions costs more than reading them.

        Args:
            places: Video, track and span of each. Where two share a minute, the first has it. A
                long caption belongs to the minute that it begins in.

        Raises:
            StoreError: If the store cannot be read.
        """
        with self._reading() as (collection, texts):
            return read_around(collection, texts, places)

    def seen_starts(self, video_id: str, track: Track) -> frozenset[float]:
        """``start_s`` of every stored caption of a track, and of every gap.

        Raises:
            StoreError: If the store cannot be read.
        """
        with self._connection.session() as client:
            return self._starts(client, video_id, track)

    def _starts(self, client: Client, video_id: str, track: Track) -> frozenset[float]:
        found = [
            metadata
            for name, where in (
                (self._collection, captions_of(video_id, track)),
                (GAPS, of_track(video_id, track)),
            )
            for metadata in rows(existing(client, name), where, ["metadatas"])["metadatas"]
        ]
        return frozenset(start_of(metadata) for metadata in found)

    def add_gaps(self, gaps: Sequence[CaptionGap], *, during: VideoRecord | None = None) -> None:
        """Write where a captioner gave no caption, so that it is not paid to say so again.

        Args:
            gaps: In any order.
            during: As of ``add``.

        Raises:
            ForgottenError: If the record is gone.
            StoreError: If they cannot be written.
        """
        if not gaps:
            return
        with self._connection.session(writes=True) as client:
            self._check_is_there(client, during)
            write_gaps(client, gaps)

    def forget_passing_gaps(self, video_id: str, track: Track) -> int:
        """Delete a track's gaps that are not final, so that they are asked for again.

        Returns:
            How many there were.

        Raises:
            StoreError: If they cannot be deleted.
        """
        if all(gap.is_final for gap in self.gaps(video_id, track)):
            return 0
        with self._connection.session(writes=True) as client:
            return delete_passing_gaps(client, video_id, track)

    def gaps(self, video_id: str, track: Track) -> list[CaptionGap]:
        """Where a track's captioner gave no caption, in time order.

        Raises:
            StoreError: If the store cannot be read.
        """
        wanted = (video_id, track)
        return [*self._as_kept(self._kept_gaps, wanted, lambda client: read_gaps(client, *wanted))]

    def count(self, video_id: str, track: Track) -> int:
        """How many captions of a track are stored.

        Raises:
            StoreError: If the store cannot be read.
        """
        # Frames are kept in the space of the model that looked at them.
        where = captions_name(track.model) if is_sight(track) else self._collection
        with self._connection.reading() as client:
            return _count(existing(client, where), video_id, track)

    def search(self, vector: ArrayLike, *, limit: int) -> list[tuple[Caption, float]]:
        """The captions of all videos nearest to a vector, best first, each with its cosine.

        The search is approximate (HNSW): on large stores it may miss a few of the nearest.

        Args:
            vector: Shape ``(d,)``.
            limit: Most captions wanted.

        Raises:
            StoreError: If the vector does not fit the store, or it cannot be read.
        """
        with self._connection.reading() as client, self._reading() as (collection, texts):

            def tracks() -> dict[str, TrackOfVideo]:
                return self._kept_tracks.get(
                    "", lambda: read_tracks(client), generation=self._connection.generation
                )

            return nearest(collection, texts, vector, limit=limit, tracks=tracks)

    def put_record(self, record: VideoRecord) -> None:
        """Write a record in place of the earlier one of the same video and track, if any.

        Raises:
            StoreError: If it cannot be written.
        """
        with self._connection.session(writes=True) as client:
            write_record(client, self._embedder, record)

    def change_record(
        self, record: VideoRecord, change: Callable[[VideoRecord], VideoRecord]
    ) -> VideoRecord:
        """Change a record as it stands now; returns it as it was written.

        Raises:
            ForgottenError: If it is gone.
            StoreError: If it cannot be written.
        """
        with self._connection.session(writes=True) as client:
            now = record_now(client, self._embedder, record)
            changed = change(now)
            if changed != now:
                write_record(client, self._embedder, changed)
        return changed

    def settle(
        self, record: VideoRecord, *, starts: Iterable[float] = (), captions: int = 0
    ) -> VideoRecord:
        """Write what became of a run, with how many captions are stored, once that is checked.

        All in one session, so that nobody forgets the video between check and write.

        Args:
            record: Of the run, as it is to be.
            starts: ``start_s`` of every caption and gap that must be there.
            captions: How many captions must be there at least.

        Raises:
            ForgottenError: If the record of the run is gone.
            StoreError: If something that must be there is not; the record stays as it was.
        """
        with self._connection.session(writes=True) as client:
            self._check_is_there(client, replace(record, complete=False))
            there = self._starts(client, record.video_id, record.track)
            collection = existing(client, self._collection)
            count = _count(collection, record.video_id, record.track)
            missing = max(len(set(starts) - there), captions - count)
            if missing > 0:
                raise StoreError(
                    f"{missing} captions of {record.path} by {record.track.model} that were stored "
                    "are gone; index it again, and only those are made again"
                )
            settled = replace(record, captions=count)
            write_record(client, self._embedder, settled)
        return settled

    def _check_is_there(self, client: Client, record: VideoRecord | None) -> None:
        if record is not None:
            check_is_there(client, self._embedder, record)

    def records(self, video_id: str | None = None) -> list[VideoRecord]:
        """What is indexed with this embedder, of one video or of all, by path and time of index.

        Raises:
            StoreError: If the store cannot be read.
        """

        def read(client: Client | PlainClient) -> list[VideoRecord]:
            return read_records(client, self._embedder, video_id)

        return [*self._as_kept(self._kept_records, ("records", video_id), read)]

    def frame_records(self) -> list[VideoRecord]:
        """What joint models have looked at, each in a space of its own: nothing of it can be read.

        Raises:
            StoreError: If the store cannot be read.
        """
        return [*self._as_kept(self._kept_records, ("frames", None), read_frame_records)]

    def forget(self, video_id: str, *, also: Callable[[], None] = lambda: None) -> int:
        """Delete a video's records, captions and gaps permanently, those of other embedders too.

        What was deleted is overwritten in the files of an embedded store. A run that describes the
        video meanwhile finds out with the next thing that it writes, and ends. A process killed in
        the middle of it leaves a video that is indexed in part; forgetting it again does the rest.

        Args:
            video_id: What its captions are kept under.
            also: Done in the same session, after nothing can be answered from the video any more.

        Returns:
            How many captions were deleted.

        Raises:
            StoreError: If the store cannot be written.
        """
        with self._connection.reading() as plain:
            if is_without(plain, video_id):
                also()
                deleted = 0
            else:
                deleted = self._delete(video_id, also)
        try:
            self._connection.wipe()
        except StoreError as exc:
            raise StoreError(
                f"{deleted} captions were deleted, but their text can still be found in the file: "
                f"{exc}; it is overwritten when the store is next opened"
            ) from exc
        return deleted

    def _delete(self, video_id: str, also: Callable[[], None]) -> int:
        with self._connection.session(writes=True) as client:
            self._connection.wipe_is_due()
            return delete_video(client, video_id, also=also)

    def forget_track(self, video_id: str, track: Track) -> int:
        """Delete one track of a video: its record, captions and gaps; returns how many captions.

        Raises:
            StoreError: If the store cannot be written.
        """
        with self._connection.session(writes=True) as client:
            return delete_track(client, self._embedder, video_id, track)

    def _as_kept(
        self, kept: Kept[Value], key: Hashable, read: Callable[[Client | PlainClient], Value]
    ) -> Value:
        """What was read before, if nobody has written since; else what is read now."""
        # Without the folder's lock: a question waits for nobody who is about to write.
        found = kept.found(key, generation=self._connection.generation)
        if found is not None:
            return found
        with self._connection.reading() as client:
            return kept.get(key, lambda: read(client), generation=self._connection.generation)

    @contextmanager
    def _reading(self) -> Iterator[tuple[Collection | None, Collection | PlainCollection | None]]:
        """The captions as Chroma has them, and all of them but the vectors."""
        with self._connection.reading() as plain, self._connection.session() as client:
            yield existing(client, self._collection), existing(plain, self._collection)


def _bytes_of(read: Read) -> int:
    captions, vectors = read
    each = FRAME_BYTES if isinstance(captions, KeptFrames) else CAPTION_BYTES
    return vectors.nbytes + each * len(captions) + 1


def _count(collection: Collection | PlainCollection | None, video_id: str, track: Track) -> int:
    return len(rows(collection, captions_of(video_id, track), [])["ids"])
