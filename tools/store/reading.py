"""What is in the store, and what was read of it before, until anyone writes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tools.kept_captions import KeptFrames
from tools.sight.frame_track import PREFIX, is_sight
from tools.store.caption_rows import Read, nearest, read_around, read_track, take_around
from tools.store.copies import read_copy, write_copy
from tools.store.gap_rows import read_gaps
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
from tools.store.record_rows import read_frame_records, read_records
from tools.store.records import CaptionGap, VideoRecord
from tools.store.sessions import Connection
from tools.store.track_rows import read_tracks
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection
    from numpy.typing import ArrayLike

    from tools.store.plain_client import PlainClient, PlainCollection

KEPT_CAPTION_BYTES = 130 * 10**6
"""Of captions and their vectors, kept in memory between questions: ten hours at one a second."""

KEPT_FRAME_BYTES = 400 * 10**6
"""Of frames that a joint model saw: a hundred hours at one a second, in CLIP's 512 numbers."""

CAPTION_BYTES, FRAME_BYTES = 1_700, 120
"""What one takes beside its vector, with what is worked out of it."""

KEPT_ROWS = 40_000
"""Gaps, and marks of tracks, that are kept so."""

KEPT_RECORDS = 20_000
"""Records kept in memory between questions: each question asks for them several times."""

MANY_CAPTIONS = 10_000
"""From here on, Chroma is closed once a track is read: its index takes 20 MB for each 10,000, and
the next question reads the copy."""


class StoreReader:
    """Reads what a connection leads to, in the vector space of one embedder.

    Args:
        connection: The folder, or the server.
        embedder: Name of what made the vectors.
    """

    def __init__(self, connection: Connection, embedder: str) -> None:
        self._connection = connection
        self._embedder = embedder
        self._collection = captions_name(embedder)
        most = KEPT_FRAME_BYTES if embedder.startswith(PREFIX) else KEPT_CAPTION_BYTES
        self._kept_captions = Kept[Read](most, size=_bytes_of)
        self._has_read_long = False
        self._kept_tracks = Kept[dict[str, TrackOfVideo]](KEPT_ROWS, size=len)
        self._kept_records = Kept[list[VideoRecord]](KEPT_RECORDS, size=lambda read: len(read) + 1)
        self._kept_gaps = Kept[list[CaptionGap]](KEPT_ROWS, size=lambda gaps: len(gaps) + 1)

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
        at = self._connection.generation
        kept = [self._kept_captions.found(one[:2], generation=at) for one in places]
        unread = [place for place, read in zip(places, kept, strict=True) if read is None]
        read = iter(self._read_around(unread) if unread else ())
        seen: set[tuple[str, Track, int]] = set()
        return [
            take_around(whole, place, seen) if whole else next(read)
            for place, whole in zip(places, kept, strict=True)
        ]

    def _read_around(self, places: Sequence[tuple[str, Track, Interval]]) -> list[Read]:
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
            return count_of(existing(client, where), video_id, track)

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


def count_of(collection: Collection | PlainCollection | None, video_id: str, track: Track) -> int:
    """How many captions of a track a collection holds."""
    return len(rows(collection, captions_of(video_id, track), [])["ids"])
