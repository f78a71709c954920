"""Captions, their embeddings, and which videos have them, kept in Chroma.

Indexing a video again finds its captions there: ids come from content, and what is there is
never written twice. A batch is written whole or not at all, also when the process is killed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tools.errors import StoreError
from tools.store.caption_rows import checked_vectors, write_captions
from tools.store.chroma import open_folder
from tools.store.claiming import claim
from tools.store.forgetting import delete_track, delete_video, is_without
from tools.store.gap_rows import delete_passing_gaps, write_gaps
from tools.store.layout import existing
from tools.store.reading import StoreReader, count_of
from tools.store.record_rows import check_is_there, record_now, write_record
from tools.store.records import CaptionGap, VideoRecord
from tools.store.server import open_server
from tools.store.sessions import Connection
from tools.timeline import Caption, Track

if TYPE_CHECKING:
    from types import TracebackType

    from chromadb.api.client import Client
    from numpy.typing import ArrayLike

__all__ = ["CaptionGap", "CaptionStore", "VideoRecord"]


class CaptionStore(StoreReader):
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
        self._claims = claims
        self._on_wait = on_wait
        self._resources = ExitStack()
        super().__init__(self._resources.enter_context(opening), embedder)

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
            count = count_of(collection, record.video_id, record.track)
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
                if deleted
                else f"what was deleted before can still be found in the file: {exc}; it is "
                "overwritten when the store is next opened"
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
