"""How things lie in Chroma: the names of its collections, ids, metadata, and rows."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tools.store.plain_client import PlainClient, PlainCollection
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection
    from numpy.typing import NDArray

RECORDS = "videos"
"""Collection of the video records of all embedders."""

GAPS = "gaps"
"""Collection of what captioners would not describe, whatever the embedder."""

CAPTIONS = "captions-"
"""Start of the name of every collection of captions; one for each embedder."""

BLOCK_S = 60.0
"""Captions are marked with the minute that they start in: what is around a moment of a long video
is found without reading the whole, and Chroma finds equal marks fast, but not ranges of numbers."""


PAGE_ROWS = 5_000
"""Rows read at a time: Chroma cannot give texts of more than 32,766, which is nine hours."""

TRACKS = "tracks"
"""Collection that says of which video and track the captions with a mark are, for all embedders."""

OF, SAID = "of", "said"
"""Keys of a caption: the mark of its track; its times, source and text. What an earlier version
stored has a key for each of these, and a document."""

TrackOfVideo = tuple[str, Track]
"""The id of a video, and one of its tracks."""


def captions_name(embedder: str) -> str:
    """Collection of an embedder's captions: readable, unique, and within Chroma's rules."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", embedder).strip("-")[:40]
    return f"{CAPTIONS}{readable}-{digest(embedder)[:8]}"


def digest(*parts: str) -> str:
    """The id of what these parts name together."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


@overload
def existing(client: Client, name: str) -> Collection | None: ...


@overload
def existing(client: Client | PlainClient, name: str) -> Collection | PlainCollection | None: ...


def existing(client: Client | PlainClient, name: str) -> Collection | PlainCollection | None:
    """A collection, or None where nothing was ever written into it."""
    if isinstance(client, PlainClient):
        return client.collection(name)
    from chromadb.errors import NotFoundError

    try:
        return client.get_collection(name, embedding_function=None)
    except NotFoundError:
        return None


def rows(
    collection: Collection | PlainCollection | None,
    where: dict[str, Any] | Sequence[dict[str, Any]],
    include: list[Any],
) -> Any:
    """What matches, as Chroma's columns; the columns are empty where there is no collection.

    An empty ``where`` matches everything. Of several, which must not match the same, all count.
    """
    found: dict[str, list[Any]] = {name: [] for name in ("ids", *include)}
    if collection is None:
        return found
    for one in [where] if isinstance(where, dict) else where:
        for page in _pages(collection, one, include):
            for name in found:
                found[name] += page[name]
    return found


def _pages(
    collection: Collection | PlainCollection, where: dict[str, Any], include: list[Any]
) -> Iterator[Any]:
    if isinstance(collection, PlainCollection):
        yield collection.get(where=where, include=include)
        return
    if not include:
        yield collection.get(where=where or None, include=include)
        return
    done, read = 0, PAGE_ROWS
    while read == PAGE_ROWS:
        page = collection.get(where=where or None, include=include, limit=PAGE_ROWS, offset=done)
        read = len(page["ids"])
        done += read
        yield page


def of_track(video_id: str, track: Track) -> dict[str, Any]:
    """Chroma's filter for gaps of one track, and for captions that an earlier version wrote."""
    return {"$and": [{"video_id": video_id}, {"track": track.key}]}


def captions_of(video_id: str, track: Track) -> tuple[dict[str, Any], dict[str, Any]]:
    """Chroma's filters for captions of one track, of which each fits one of the two forms."""
    return {OF: track_mark(video_id, track)}, of_track(video_id, track)


def track_mark(video_id: str, track: Track) -> str:
    """What marks the captions of one track of one video."""
    return digest(video_id, track.key)[:16]


def block_mark(video_id: str, track: Track, block: int) -> str:
    """What marks the captions of one track that start in one block of ``BLOCK_S``."""
    return digest(video_id, track.key, str(block))[:16]


def stored_id(caption_id: str) -> str:
    """The id of a caption in Chroma: three quarters of its own, in half the characters."""
    return base64.urlsafe_b64encode(bytes.fromhex(caption_id)[:12]).decode()


def metadata_of(caption: Caption) -> dict[str, str]:
    """All of a caption but its id, also its text; what its mark means is in ``TRACKS``.

    For a document of its own, Chroma keeps an index of words that nobody asks here, and for each
    key two more entries beside its value: three short keys make a store smaller by a quarter.
    """
    edges = f"{float(caption.start_s)!r} {float(caption.end_s)!r}"
    return {
        OF: track_mark(caption.video_id, caption.track),
        "block": block_mark(caption.video_id, caption.track, int(caption.start_s // BLOCK_S)),
        SAID: f"{edges} {caption.source} {caption.text}",
    }


def caption_of(metadata: Any, text: str | None, tracks: Mapping[str, TrackOfVideo]) -> Caption:
    """The caption that lies in Chroma as metadata; of an earlier version also as a text.

    Args:
        metadata: As it lies there.
        text: Its document, where it has one.
        tracks: What marks mean.

    Raises:
        KeyError: If its mark is not among these.
    """
    if SAID in metadata:
        start_s, end_s, source, text = metadata[SAID].split(" ", 3)
        video_id, track = tracks[metadata[OF]]
        return Caption(video_id, Interval(float(start_s), float(end_s)), text, source, track)
    times = {name: float(metadata[name]) for name in ("start_s", "end_s")}
    return Caption.from_dict({**metadata, **times, "text": text})


def start_of(metadata: Any) -> float:
    """Where a caption or a gap that lies in Chroma starts, in seconds."""
    return float(metadata[SAID].partition(" ")[0] if SAID in metadata else metadata["start_s"])


def rounded(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same to 16 bits: likeness does not hang on more, and copies are half as large.

    Chroma keeps vectors at unit length; others, as a server may give, are left as they are.
    """
    squares = np.einsum("...i,...i->...", vectors, vectors)
    if not np.allclose(squares, 1.0, atol=0.02):
        return vectors
    return vectors.astype(np.float16).astype(np.float32)
