"""Captions in Chroma, with their vectors: a collection for each embedder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.errors import StoreError
from tools.kept_captions import KeptCaptions, KeptFrames, edges_of
from tools.sight.frame_track import as_caption, is_sight
from tools.store.copies import is_half
from tools.store.layout import (
    BLOCK_S,
    OF,
    TrackOfVideo,
    block_mark,
    caption_of,
    captions_name,
    captions_of,
    metadata_of,
    rounded,
    rows,
    stored_id,
    track_mark,
)
from tools.store.track_rows import write_tracks
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection
    from numpy.typing import ArrayLike, NDArray

    from tools.store.plain_client import PlainCollection

SEARCH_WIDTH = 256
"""Candidates that the approximate search keeps at a time; Chroma's own 100 misses more."""

SYNC_CAPTIONS = 100
"""Captions after which the index is saved: what is not saved is replayed when the store is opened.
With Chroma's own 1,000, opening takes five times as long, and adding is no faster.
"""

Read = tuple[Sequence[Caption], "NDArray[np.floating[Any]]"]
"""Captions in time order, and their embeddings ``(n, d)``, read-only; ``(0, 0)`` if none.

Embeddings are numbers of 32 bits. Those of frames, which are many, may be of 16, where that is all
that they hold; ``tools.half_numbers`` computes with them."""

_NOTHING: Read = (KeptCaptions([]), np.empty((0, 0), np.float32))

_TEXTS = ["documents", "metadatas"]

NUMBERS_AT_ONCE = 400_000
"""Chroma gives each number as an object of 32 bytes: those of ten hours would take 440 MB. From a
server, each takes up to 24 bytes of a reply.
"""


def checked_vectors(vectors: ArrayLike, captions: Sequence[Caption]) -> NDArray[np.float32]:
    """The embeddings of captions, one for each and each of use.

    Raises:
        StoreError: If they are not.
    """
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


def write_captions(
    client: Client, embedder: str, captions: Sequence[Caption], matrix: NDArray[np.float32]
) -> int:
    """Write captions that are not there yet; of a repeated id, the first counts.

    Returns:
        How many were new.

    Raises:
        StoreError: If the vectors have not as many dimensions as those that are there.
    """
    row_of_id: dict[str, int] = {}
    for row, caption in enumerate(captions):
        row_of_id.setdefault(caption.id, row)
    ids = list(row_of_id)
    collection = _writable(client, embedder, dimension=matrix.shape[1])
    write_tracks(client, {(one.video_id, one.track) for one in captions})
    added, limit = 0, client.get_max_batch_size()
    for first in range(0, len(ids), limit):
        batch = ids[first : first + limit]
        # Asking first: writing over what is there costs ten times as much as skipping it.
        either = [*batch, *map(stored_id, batch)]
        there = set(collection.get(ids=either, include=[])["ids"])
        new = [one for one in batch if one not in there and stored_id(one) not in there]
        if new:
            chosen = [row_of_id[one] for one in new]
            collection.add(
                ids=[stored_id(one) for one in new],
                embeddings=matrix[chosen],
                metadatas=[metadata_of(captions[row]) for row in chosen],
            )
            added += len(new)
    return added


def read_track(
    collection: Collection | None,
    texts: Collection | PlainCollection | None,
    video_id: str,
    track: Track,
) -> Read:
    """All captions of one track; ``collection`` and ``texts`` are those of ``read_around``."""
    if collection is None:
        return _NOTHING
    found = rows(texts, captions_of(video_id, track), _TEXTS)
    tracks = {track_mark(video_id, track): (video_id, track)}
    captions, ids = _in_time_order(found, range(len(found["ids"])), tracks)
    del found  # Of ten hours, 40 MB, and the vectors are to come.
    frames = _as_frames(captions, video_id, track) if is_sight(track) else None
    if frames is None:
        return captions, _vectors_of(collection, ids)
    del captions
    vectors = _vectors_of(collection, ids)
    if is_half(vectors):
        vectors = vectors.astype(np.float16)
        vectors.flags.writeable = False
    return frames, vectors


def read_around(
    collection: Collection | None,
    texts: Collection | PlainCollection | None,
    places: Sequence[tuple[str, Track, Interval]],
) -> list[Read]:
    """For each place, the captions that start in a minute that its span touches.

    Where two places share a minute, the first has it.

    Args:
        collection: Has the vectors.
        texts: The same, for all but vectors: what is read without Chroma is read sooner.
        places: Video, track and span of each.
    """
    place_of: dict[str, int] = {}
    for index, (video_id, track, span) in enumerate(places):
        for block in _blocks(span):
            place_of.setdefault(block_mark(video_id, track, block), index)
    if collection is None or not places:
        return [_NOTHING for _ in places]
    found = rows(texts, {"block": {"$in": list(place_of)}}, _TEXTS)
    chosen: list[list[int]] = [[] for _ in places]
    for row, metadata in enumerate(found["metadatas"]):
        chosen[place_of[metadata["block"]]].append(row)
    tracks = {track_mark(video_id, track): (video_id, track) for video_id, track, _ in places}
    ordered = [_in_time_order(found, some, tracks) for some in chosen]
    vectors = _vectors_of(collection, [id_ for _, ids in ordered for id_ in ids])
    ends = np.cumsum([len(ids) for _, ids in ordered])
    return [
        (captions, vectors[end - len(ids) : end]) if ids else _NOTHING
        for (captions, ids), end in zip(ordered, ends.tolist(), strict=True)
    ]


def take_around(
    whole: Read, place: tuple[str, Track, Interval], seen: set[tuple[str, Track, int]]
) -> Read:
    """As ``read_around``, of a track that was read.

    Args:
        whole: The track.
        place: Video, track and span.
        seen: Minutes that an earlier place has; those of this one join them.
    """
    video_id, track, span = place
    minutes = {(video_id, track, block) for block in _blocks(span)} - seen
    seen |= minutes
    captions, vectors = whole
    blocks = edges_of(captions)[0] // BLOCK_S
    wanted = np.flatnonzero(np.isin(blocks, [block for _, _, block in minutes]))
    if not len(wanted):
        return _NOTHING
    return KeptCaptions([captions[at] for at in wanted.tolist()]), vectors[wanted]


def _blocks(span: Interval) -> range:
    return range(int(span.start_s // BLOCK_S), int(span.end_s // BLOCK_S) + 1)


def _vectors_of(collection: Collection, ids: Sequence[str]) -> NDArray[np.float32]:
    """The embeddings of these captions, in their order, to 16 bits and read-only."""
    if not ids:
        return _NOTHING[1]
    vectors: NDArray[np.float32] | None = None
    dimension = (collection.metadata or {}).get("dimension")
    numbers = dimension if isinstance(dimension, int) and dimension > 0 else 1000
    at_once = max(1, NUMBERS_AT_ONCE // numbers)
    for first in range(0, len(ids), at_once):
        wanted = list(ids[first : first + at_once])
        found: Any = collection.get(ids=wanted, include=["embeddings"])
        row_of = {id_: first + row for row, id_ in enumerate(wanted)}
        some = rounded(np.asarray(found["embeddings"], np.float32))
        if vectors is None:
            vectors = np.empty((len(ids), some.shape[1]), np.float32)
        if set(found["ids"]) != set(wanted):
            raise StoreError(
                f"{len(wanted)} captions have {len(found['ids'])} vectors; ask again, and run "
                "whenabouts repair if that stays so"
            )
        vectors[[row_of[id_] for id_ in found["ids"]]] = some
    assert vectors is not None
    vectors.flags.writeable = False
    return vectors


def nearest(
    collection: Collection | None,
    texts: Collection | PlainCollection | None,
    vector: ArrayLike,
    *,
    limit: int,
    tracks: Callable[[], Mapping[str, TrackOfVideo]],
) -> list[tuple[Caption, float]]:
    """The captions nearest to a vector, best first, each with its cosine.

    Args:
        collection: Has the vectors.
        texts: As of ``read_around``.
        vector: What they are to be near to.
        limit: Most captions wanted.
        tracks: Says what the marks of captions mean. It is asked after they are found, since others
            may write to a server meanwhile; a mark that is gone then is of a forgotten video.

    Raises:
        StoreError: If the vector does not fit those that are there.
    """
    wanted = np.asarray(vector, np.float32)
    if wanted.ndim != 1 or not np.isfinite(wanted).all() or not wanted.any():
        raise StoreError(
            f"a search needs one finite vector that is not zero, not shape {wanted.shape}"
        )
    if collection is None or texts is None:
        return []
    _check_dimension(collection, len(wanted))
    near: Any = collection.query(
        query_embeddings=wanted[None], n_results=limit, include=["distances"]
    )
    found: Any = texts.get(ids=near["ids"][0], include=["documents", "metadatas"])
    columns = zip(found["ids"], found["metadatas"], found["documents"], strict=True)
    known = tracks()
    caption_by_id = {
        id_: caption_of(metadata, text, known)
        for id_, metadata, text in columns
        if OF not in metadata or metadata[OF] in known
    }
    return [
        (caption_by_id[id_], 1.0 - distance)
        for id_, distance in zip(near["ids"][0], near["distances"][0], strict=True)
        if id_ in caption_by_id
    ]


def _writable(client: Client, embedder: str, *, dimension: int) -> Collection:
    collection = client.get_or_create_collection(
        captions_name(embedder),
        embedding_function=None,
        configuration={
            "hnsw": {
                "space": "cosine",
                "ef_search": SEARCH_WIDTH,
                "sync_threshold": SYNC_CAPTIONS,
                "batch_size": SYNC_CAPTIONS,
            }
        },
        metadata={"embedder": embedder, "dimension": dimension},
    )
    _check_dimension(collection, dimension)
    return collection


def _check_dimension(collection: Collection, dimension: int) -> None:
    stored = (collection.metadata or {}).get("dimension")
    if stored != dimension:
        raise StoreError(
            f"vectors of {dimension} dimensions do not fit the store's {stored} of the embedder "
            f"{(collection.metadata or {}).get('embedder')!r}; use the model that made them, or "
            "set WHENABOUTS_HOME to another folder"
        )


def _in_time_order(
    found: Any, chosen: Sequence[int], tracks: Mapping[str, TrackOfVideo]
) -> tuple[KeptCaptions, list[str]]:
    """The captions of some rows of Chroma's columns, and their ids."""
    captions = [
        (caption_of(found["metadatas"][row], found["documents"][row], tracks), found["ids"][row])
        for row in chosen
    ]
    captions.sort(key=lambda pair: _place(pair[0]))
    return KeptCaptions([caption for caption, _ in captions]), [id_ for _, id_ in captions]


def _as_frames(captions: Sequence[Caption], video_id: str, track: Track) -> KeptFrames | None:
    """The same where each is as ``as_caption`` makes it, so that times tell all."""
    if any(one != as_caption(video_id, one.span, track) for one in captions):
        return None
    return KeptFrames(video_id, track, np.stack(edges_of(captions), axis=1))


def _place(caption: Caption) -> tuple[float, float, str]:
    return caption.start_s, caption.end_s, caption.source
