"""Captions, their embeddings, and which videos have them, kept in Chroma.

Indexing a video again finds its captions there: ids come from content, and what is there is
never written twice. A batch is written whole or not at all, also when the process is killed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tools.errors import ForgottenError, StoreError
from tools.store.chroma import open_folder
from tools.store.claiming import claim
from tools.store.kept import Kept
from tools.store.records import CaptionGap, VideoRecord
from tools.store.server import open_server
from tools.store.sessions import Connection
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from types import TracebackType

    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection
    from numpy.typing import ArrayLike, NDArray

__all__ = ["CaptionGap", "CaptionStore", "VideoRecord"]

RECORDS = "videos"
"""Collection of the video records of all embedders."""

GAPS = "gaps"
PASSING = {"kind": "passing"}
"""Marks a gap that is not final."""
"""Collection of what captioners would not describe, whatever the embedder."""

CAPTIONS = "captions-"
"""Start of the name of every collection of captions; one for each embedder."""

SEARCH_WIDTH = 256
"""Candidates that the approximate search keeps at a time; Chroma's own 100 misses more."""

SYNC_CAPTIONS = 100
"""Captions after which the index is saved: what is not saved is replayed when the store is opened.
With Chroma's own 1,000, opening takes five times as long, and adding is no faster.
"""


BLOCK_S = 60.0
"""Captions are marked with the minute that they start in: what is around a moment of a long video
is found without reading the whole, and Chroma finds equal marks fast, but not ranges of numbers."""

KEPT_CAPTIONS = 40_000
"""Captions kept in memory between questions: ten hours at one a second, about 130 MB."""

Read = tuple[list[Caption], "NDArray[np.float32]"]


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
        self._collection = _collection_name(embedder)
        self._resources = ExitStack()
        self._connection = self._resources.enter_context(opening)
        self._kept_captions = Kept[Read](KEPT_CAPTIONS, size=lambda read: len(read[0]) + 1)
        self._kept_gaps = Kept[list[CaptionGap]](KEPT_CAPTIONS, size=lambda gaps: len(gaps) + 1)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        embedder: str,
        url: str | None = None,
        token: str | None = None,
        busy_timeout_s: float = 60.0,
        on_wait: Callable[[str], None] | None = None,
    ) -> CaptionStore:
        """Open the store in a folder, or on a Chroma server where a URL is given.

        Args:
            folder: Home of the embedded store, made when it is not there; with ``url`` it only says
                which process describes what. It holds pickled indexes, so open only folders that
                you trust.
            embedder: Name of what made, or will make, the vectors; no model is loaded.
            url: Address of a Chroma server.
            token: What that server knows its users by.
            busy_timeout_s: Longest wait for other processes that use the folder.
            on_wait: Told, in one line, when such a wait becomes noticeable.

        Raises:
            StoreError: If it cannot be opened; says what to do.
        """
        opening: AbstractContextManager[Connection] = (
            open_server(url, token=token)
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

        Processes that share the folder given to ``open`` keep out of each other's way. See
        ``tools.store.claiming.claim``.
        """
        return claim(
            self._claims,
            video_id,
            track,
            name=name,
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
        matrix = _checked(vectors, captions)
        row_of_id: dict[str, int] = {}
        for row, caption in enumerate(captions):
            row_of_id.setdefault(caption.id, row)
        ids = list(row_of_id)
        added = 0
        with self._connection.session(writes=True) as client:
            self._check_is_there(client, during)
            collection = self._writable(client, dimension=matrix.shape[1])
            limit = client.get_max_batch_size()
            for first in range(0, len(ids), limit):
                batch = ids[first : first + limit]
                # Asking first: writing over what is there costs ten times as much as skipping it.
                there = set(collection.get(ids=batch, include=[])["ids"])
                new = [one for one in batch if one not in there]
                if new:
                    rows = [row_of_id[one] for one in new]
                    collection.add(
                        ids=new,
                        embeddings=matrix[rows],
                        documents=[captions[row].text for row in rows],
                        metadatas=[_metadata(captions[row]) for row in rows],
                    )
                    added += len(new)
        return added

    def read(self, video_id: str, track: Track) -> tuple[list[Caption], NDArray[np.float32]]:
        """One track's captions in time order, and their embeddings ``(n, d)``; ``(0, 0)`` if none.

        The embeddings are read-only: they are kept for the next question, until anyone writes.

        Raises:
            StoreError: If the store cannot be read.
        """
        with self._reading() as collection:
            captions, vectors = self._kept_captions.get(
                (video_id, track),
                lambda: _read_all(collection, video_id, track),
                generation=self._connection.generation,
            )
        return list(captions), vectors

    def read_around(
        self, places: Sequence[tuple[str, Track, Interval]]
    ) -> list[tuple[list[Caption], NDArray[np.float32]]]:
        """As ``read``, but for each place only the minutes that its span touches.

        All are read at once: in a large store, finding captions costs more than reading them.

        Args:
            places: Video, track and span of each. Where two share a minute, the first has it. A
                long caption belongs to the minute that it begins in.

        Raises:
            StoreError: If the store cannot be read.
        """
        place_of: dict[str, int] = {}
        for index, (video_id, track, span) in enumerate(places):
            for block in range(int(span.start_s // BLOCK_S), int(span.end_s // BLOCK_S) + 1):
                place_of.setdefault(_mark(video_id, track, block), index)
        with self._reading() as collection:
            found = _get(collection, {"block": {"$in": list(place_of)}}, _ALL) if places else {}
        rows: list[list[int]] = [[] for _ in places]
        for row, metadata in enumerate(found.get("metadatas", ())):
            rows[place_of[metadata["block"]]].append(row)
        return [_in_time_order(found, some) for some in rows]

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
            for name in (self._collection, GAPS)
            for metadata in _get(_existing(client, name), _of(video_id, track), ["metadatas"])[
                "metadatas"
            ]
        ]
        return frozenset(float(metadata["start_s"]) for metadata in found)

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
        by_id = {_digest(gap.video_id, gap.track.key, repr(gap.span.start_s)): gap for gap in gaps}
        with self._connection.session(writes=True) as client:
            self._check_is_there(client, during)
            client.get_or_create_collection(GAPS, embedding_function=None).upsert(
                ids=list(by_id),
                # These are not searched by likeness either.
                embeddings=np.ones((len(by_id), 1), np.float32),
                documents=[gap.reason for gap in by_id.values()],
                metadatas=[
                    {
                        "video_id": gap.video_id,
                        "track": gap.track.key,
                        "start_s": repr(float(gap.span.start_s)),
                        "end_s": repr(float(gap.span.end_s)),
                    }
                    | ({} if gap.is_final else PASSING)
                    for gap in by_id.values()
                ],
            )

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
            gaps = _existing(client, GAPS)
            where = {"$and": [{"video_id": video_id}, {"track": track.key}, PASSING]}
            found = _get(gaps, where, [])["ids"]
            if gaps is not None and found:
                gaps.delete(ids=found)
            return len(found)

    def gaps(self, video_id: str, track: Track) -> list[CaptionGap]:
        """Where a track's captioner gave no caption, in time order.

        Raises:
            StoreError: If the store cannot be read.
        """
        with self._connection.session() as client:
            return list(
                self._kept_gaps.get(
                    (video_id, track),
                    lambda: _read_gaps(_existing(client, GAPS), video_id, track),
                    generation=self._connection.generation,
                )
            )

    def count(self, video_id: str, track: Track) -> int:
        """How many captions of a track are stored.

        Raises:
            StoreError: If the store cannot be read.
        """
        with self._reading() as collection:
            return len(_get(collection, _of(video_id, track), [])["ids"])

    def search(self, vector: ArrayLike, *, limit: int) -> list[tuple[Caption, float]]:
        """The captions of all videos nearest to a vector, best first, each with its cosine.

        The search is approximate (HNSW): on large stores it may miss a few of the nearest.

        Args:
            vector: Shape ``(d,)``.
            limit: Most captions wanted.

        Raises:
            StoreError: If the vector does not fit the store, or it cannot be read.
        """
        wanted = np.asarray(vector, np.float32)
        if wanted.ndim != 1 or not np.isfinite(wanted).all() or not wanted.any():
            raise StoreError(
                f"a search needs one finite vector that is not zero, not shape {wanted.shape}"
            )
        with self._reading() as collection:
            if collection is None:
                return []
            _check_dimension(collection, len(wanted))
            found: Any = collection.query(
                query_embeddings=wanted[None],
                n_results=limit,
                include=["documents", "metadatas", "distances"],
            )
        nearest = zip(
            found["metadatas"][0], found["documents"][0], found["distances"][0], strict=True
        )
        return [
            (caption_of(metadata, text), 1.0 - distance) for metadata, text, distance in nearest
        ]

    def put_record(self, record: VideoRecord) -> None:
        """Write a record in place of the earlier one of the same video and track, if any.

        Raises:
            StoreError: If it cannot be written.
        """
        with self._connection.session(writes=True) as client:
            self._write_record(client, record)

    def change_record(
        self, record: VideoRecord, change: Callable[[VideoRecord], VideoRecord]
    ) -> VideoRecord:
        """Change a record as it stands now; returns it as it was written.

        Raises:
            ForgottenError: If it is gone.
            StoreError: If it cannot be written.
        """
        with self._connection.session(writes=True) as client:
            now = self._record(client, record)
            if now is None:
                raise _forgotten(record)
            changed = change(now)
            if changed != now:
                self._write_record(client, changed)
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
            collection = _existing(client, self._collection)
            count = len(_get(collection, _of(record.video_id, record.track), [])["ids"])
            missing = max(len(set(starts) - there), captions - count)
            if missing > 0:
                raise StoreError(
                    f"{missing} captions of {record.path} by {record.track.model} that were stored "
                    "are gone; index it again, and only those are made again"
                )
            settled = replace(record, captions=count)
            self._write_record(client, settled)
        return settled

    def _write_record(self, client: Client, record: VideoRecord) -> None:
        records = client.get_or_create_collection(RECORDS, embedding_function=None)
        records.upsert(
            ids=[_digest(self._embedder, record.video_id, record.track.key)],
            # Records are never searched by likeness, but Chroma wants a vector for each.
            embeddings=np.ones((1, 1), np.float32),
            # One JSON text, not metadata: floats come back exact, and None is a value.
            documents=[json.dumps(record.as_dict())],
            metadatas=[{"video_id": record.video_id, "embedder": self._embedder}],
        )

    def _record(self, client: Client, record: VideoRecord) -> VideoRecord | None:
        """The record of that video and track as it stands now."""
        collection = _existing(client, RECORDS)
        if collection is None:
            return None
        wanted = _digest(self._embedder, record.video_id, record.track.key)
        texts = collection.get(ids=[wanted], include=["documents"])["documents"] or []
        return VideoRecord.from_dict(json.loads(texts[0])) if texts else None

    def _check_is_there(self, client: Client, record: VideoRecord | None) -> None:
        """Refuse to write for a run whose record is gone, or now belongs to another run."""
        if record is None:
            return
        now = self._record(client, record)
        # Beside a complete record, more is written by those who read it, of whatever run it was.
        if now is None or (now.run != record.run and not record.complete):
            raise _forgotten(record)

    def records(self, video_id: str | None = None) -> list[VideoRecord]:
        """What is indexed with this embedder, of one video or of all, by path and time of index.

        Raises:
            StoreError: If the store cannot be read.
        """
        where: dict[str, Any] = {"embedder": self._embedder}
        if video_id is not None:
            where = {"$and": [where, {"video_id": video_id}]}
        with self._connection.session() as client:
            found = _get(_existing(client, RECORDS), where, ["documents"])
        records = [VideoRecord.from_dict(json.loads(text)) for text in found["documents"]]
        return sorted(records, key=lambda record: (record.path, record.indexed_at, record.track))

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
        where: dict[str, Any] = {"video_id": video_id}
        deleted = 0
        with self._connection.session(writes=True) as client:
            self._connection.wipe_is_due()
            _unsettle(client, where)
            also()
            # Records last: a process killed before then leaves one by which the rest is found.
            names = sorted(one.name for one in client.list_collections())
            for name in sorted(names, key=lambda name: name == RECORDS):
                holds_captions = name.startswith(CAPTIONS)
                if name not in {RECORDS, GAPS} and not holds_captions:
                    continue
                collection = client.get_collection(name, embedding_function=None)
                there = collection.get(where=where, include=[])["ids"]
                if there:
                    collection.delete(where=where)
                    # Chroma carries changes out when it is next asked.
                    collection.count()
                deleted += len(there) if holds_captions else 0
        try:
            self._connection.wipe()
        except StoreError as exc:
            raise StoreError(
                f"{deleted} captions were deleted, but their text can still be found in the file: "
                f"{exc}; it is overwritten when the store is next opened"
            ) from exc
        return deleted

    def forget_track(self, video_id: str, track: Track) -> int:
        """Delete one track of a video: its record, captions and gaps; returns how many captions.

        Raises:
            StoreError: If the store cannot be written.
        """
        with self._connection.session(writes=True) as client:
            records = _existing(client, RECORDS)
            if records is not None:
                records.delete(ids=[_digest(self._embedder, video_id, track.key)])
            deleted = 0
            for name in (self._collection, GAPS):
                collection = _existing(client, name)
                where = _of(video_id, track)
                if collection is None or not (
                    there := collection.get(where=where, include=[])["ids"]
                ):
                    continue
                collection.delete(where=where)
                deleted += len(there) if name == self._collection else 0
        return deleted

    def _writable(self, client: Client, *, dimension: int) -> Collection:
        collection = client.get_or_create_collection(
            self._collection,
            embedding_function=None,
            configuration={
                "hnsw": {
                    "space": "cosine",
                    "ef_search": SEARCH_WIDTH,
                    "sync_threshold": SYNC_CAPTIONS,
                    "batch_size": SYNC_CAPTIONS,
                }
            },
            metadata={"embedder": self._embedder, "dimension": dimension},
        )
        _check_dimension(collection, dimension)
        return collection

    @contextmanager
    def _reading(self) -> Iterator[Collection | None]:
        with self._connection.session() as client:
            yield _existing(client, self._collection)


def _forgotten(record: VideoRecord) -> ForgottenError:
    return ForgottenError(
        f"{record.path} was forgotten while it was being worked on, so nothing more of it is kept; "
        "to have it after all, index it again"
    )


def _unsettle(client: Client, where: dict[str, Any]) -> None:
    """Mark a video's records as incomplete: from here on it loses captions."""
    collection = _existing(client, RECORDS)
    found = _get(collection, where, ["documents"])
    if collection is None or not found["ids"]:
        return
    records = [VideoRecord.from_dict(json.loads(text)) for text in found["documents"]]
    changed = [
        replace(record, complete=False, warning="it was being forgotten") for record in records
    ]
    collection.update(
        ids=found["ids"],
        embeddings=np.ones((len(changed), 1), np.float32),
        documents=[json.dumps(record.as_dict()) for record in changed],
    )


def _checked(vectors: ArrayLike, captions: Sequence[Caption]) -> NDArray[np.float32]:
    matrix = np.asarray(vectors, np.float32)
    if matrix.ndim != 2 or len(matrix) != len(captions) or matrix.shape[1] == 0:
        raise StoreError(
            f"{len(captions)} captions, from the one at {captions[0].start_s} s of "
            f"{captions[0].video_id} on, need a vector each, not an array of shape {matrix.shape}"
        )
    useless = ~np.isfinite(matrix).all(axis=1) | ~matrix.any(axis=1)
    if useless.any():
        bad = captions[int(useless.argmax())]
        raise StoreError(
            f"the vector of the caption at {bad.start_s} s of {bad.video_id} ({bad.text[:60]!r}) "
            "is not finite, or zero; look at the embedder"
        )
    return matrix


def _check_dimension(collection: Collection, dimension: int) -> None:
    stored = (collection.metadata or {}).get("dimension")
    if stored != dimension:
        raise StoreError(
            f"vectors of {dimension} dimensions do not fit the store's {stored} of the embedder "
            f"{(collection.metadata or {}).get('embedder')!r}; use the model that made them, or "
            "set WHENABOUTS_HOME to another folder"
        )


def _existing(client: Client, name: str) -> Collection | None:
    from chromadb.errors import NotFoundError

    try:
        return client.get_collection(name, embedding_function=None)
    except NotFoundError:
        return None


def _get(collection: Collection | None, where: dict[str, Any], include: list[Any]) -> Any:
    """What matches, as Chroma's columns; the columns are empty where there is no collection."""
    if collection is None:
        return {"ids": [], "documents": [], "metadatas": []}
    return collection.get(where=where, include=include)


_ALL = ["embeddings", "documents", "metadatas"]


def _in_time_order(found: Any, rows: Sequence[int]) -> Read:
    """Captions and vectors of some rows of Chroma's columns."""
    if not rows:
        return [], np.empty((0, 0), np.float32)
    captions = {row: caption_of(found["metadatas"][row], found["documents"][row]) for row in rows}
    order = sorted(rows, key=lambda row: _place(captions[row]))
    vectors = np.asarray(found["embeddings"], np.float32)[order]
    vectors.flags.writeable = False
    return [captions[row] for row in order], vectors


def _read_all(collection: Collection | None, video_id: str, track: Track) -> Read:
    found = _get(collection, _of(video_id, track), _ALL)
    return _in_time_order(found, range(len(found["ids"])))


def _read_gaps(collection: Collection | None, video_id: str, track: Track) -> list[CaptionGap]:
    found = _get(collection, _of(video_id, track), ["documents", "metadatas"])
    gaps = [
        CaptionGap(
            video_id,
            Interval(float(plain["start_s"]), float(plain["end_s"])),
            reason,
            track,
            is_final=plain.get("kind") != PASSING["kind"],
        )
        for plain, reason in zip(found["metadatas"], found["documents"], strict=True)
    ]
    return sorted(gaps, key=lambda gap: gap.span)


def _mark(video_id: str, track: Track, block: int) -> str:
    return _digest(video_id, track.key, str(block))[:16]


def _of(video_id: str, track: Track) -> dict[str, Any]:
    return {"$and": [{"video_id": video_id}, {"track": track.key}]}


def _metadata(caption: Caption) -> dict[str, str]:
    plain = {name: value for name, value in caption.as_dict().items() if name not in {"id", "text"}}
    # As text: Chroma gives one float in twelve back with another last digit, and ids depend on it.
    times = {name: repr(float(plain[name])) for name in ("start_s", "end_s")}
    block = _mark(caption.video_id, caption.track, int(caption.start_s // BLOCK_S))
    return {**plain, **times, "track": caption.track.key, "block": block}


def caption_of(metadata: Any, text: str) -> Caption:
    """The caption that lies in Chroma as a text with metadata."""
    times = {name: float(metadata[name]) for name in ("start_s", "end_s")}
    return Caption.from_dict({**metadata, **times, "text": text})


def _place(caption: Caption) -> tuple[float, float, str]:
    return caption.start_s, caption.end_s, caption.source


def _collection_name(embedder: str) -> str:
    """Readable, unique, and within Chroma's rules for names."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", embedder).strip("-")[:40]
    return f"{CAPTIONS}{readable}-{_digest(embedder)[:8]}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
