"""How things lie in Chroma: the names of its collections, ids, metadata, and rows."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, overload

from tools.store.plain_client import PlainClient, PlainCollection
from tools.timeline import Caption, Track

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

RECORDS = "videos"
"""Collection of the video records of all embedders."""

GAPS = "gaps"
"""Collection of what captioners would not describe, whatever the embedder."""

CAPTIONS = "captions-"
"""Start of the name of every collection of captions; one for each embedder."""

BLOCK_S = 60.0
"""Captions are marked with the minute that they start in: what is around a moment of a long video
is found without reading the whole, and Chroma finds equal marks fast, but not ranges of numbers."""


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
    collection: Collection | PlainCollection | None, where: dict[str, Any], include: list[Any]
) -> Any:
    """What matches, as Chroma's columns; the columns are empty where there is no collection.

    An empty ``where`` matches everything.
    """
    if collection is None:
        return {"ids": [], "documents": [], "metadatas": []}
    if isinstance(collection, PlainCollection):
        return collection.get(where=where, include=include)
    return collection.get(where=where or None, include=include)


def of_track(video_id: str, track: Track) -> dict[str, Any]:
    """Chroma's filter for captions and gaps of one track of one video."""
    return {"$and": [{"video_id": video_id}, {"track": track.key}]}


def block_mark(video_id: str, track: Track, block: int) -> str:
    """What marks the captions of one track that start in one block of ``BLOCK_S``."""
    return digest(video_id, track.key, str(block))[:16]


def metadata_of(caption: Caption) -> dict[str, str]:
    """All of a caption but its id and its text."""
    plain = {name: value for name, value in caption.as_dict().items() if name not in {"id", "text"}}
    # As text: Chroma gives one float in twelve back with another last digit, and ids depend on it.
    times = {name: repr(float(plain[name])) for name in ("start_s", "end_s")}
    block = block_mark(caption.video_id, caption.track, int(caption.start_s // BLOCK_S))
    return {**plain, **times, "track": caption.track.key, "block": block}


def caption_of(metadata: Any, text: str) -> Caption:
    """The caption that lies in Chroma as a text with metadata."""
    times = {name: float(metadata[name]) for name in ("start_s", "end_s")}
    return Caption.from_dict({**metadata, **times, "text": text})
