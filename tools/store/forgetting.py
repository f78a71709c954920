"""What is deleted, and in which order, so that what a killed process leaves is found again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tools.store.layout import (
    CAPTIONS,
    GAPS,
    OF,
    RECORDS,
    TRACKS,
    captions_name,
    captions_of,
    existing,
    rows,
)
from tools.store.plain_client import PlainClient
from tools.store.record_rows import delete_record, mark_incomplete
from tools.store.track_rows import marks_of
from tools.timeline import Track

if TYPE_CHECKING:
    from chromadb.api.client import Client


def delete_video(client: Client, video_id: str, *, also: Callable[[], None]) -> int:
    """Delete a video's captions, gaps and records, those of all embedders.

    Args:
        client: Of a session that writes.
        video_id: What its captions are kept under.
        also: Called as soon as nothing can be answered from the video any more.

    Returns:
        How many captions were deleted.
    """
    own: dict[str, Any] = {"video_id": video_id}
    marked: dict[str, Any] = {OF: {"$in": marks_of(client, video_id)}}
    deleted = 0
    mark_incomplete(client, video_id)
    also()
    # These last: a process killed before then leaves what the rest is found by.
    last = (TRACKS, RECORDS)
    names = sorted(one.name for one in client.list_collections())
    for name in sorted(names, key=lambda name: last.index(name) + 1 if name in last else 0):
        holds_captions = name.startswith(CAPTIONS)
        if name not in {*last, GAPS} and not holds_captions:
            continue
        collection = client.get_collection(name, embedding_function=None)
        for where in (own, marked) if holds_captions and marked[OF]["$in"] else (own,):
            there = collection.get(where=where, include=[])["ids"]
            if there:
                collection.delete(where=where)
                # Chroma carries changes out when it is next asked.
                collection.count()
            deleted += len(there) if holds_captions else 0
    return deleted


def is_without(client: Client | PlainClient, video_id: str) -> bool:
    """Whether nothing of a video is there for sure, so that nobody has to delete anything."""
    return isinstance(client, PlainClient) and not any(
        rows(existing(client, name), {"video_id": video_id}, [])["ids"] for name in client.names
    )


def delete_track(client: Client, embedder: str, video_id: str, track: Track) -> int:
    """Delete one track of a video: its record, captions and gaps; returns how many captions."""
    delete_record(client, embedder, video_id, track)
    deleted = 0
    captions = captions_name(embedder)
    marked, own = captions_of(video_id, track)
    # What the mark means stays: the track may have captions of another embedder.
    for name, where in ((captions, marked), (captions, own), (GAPS, own)):
        collection = existing(client, name)
        if collection is None or not (there := collection.get(where=where, include=[])["ids"]):
            continue
        collection.delete(where=where)
        deleted += len(there) if name == captions else 0
    return deleted
