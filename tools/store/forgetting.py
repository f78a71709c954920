"""What is deleted, and in which order, so that what a killed process leaves is found again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tools.store.layout import CAPTIONS, GAPS, RECORDS, captions_name, existing, of_track, rows
from tools.store.plain_client import PlainClient
from tools.store.record_rows import delete_record, mark_incomplete
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
    where: dict[str, Any] = {"video_id": video_id}
    deleted = 0
    mark_incomplete(client, video_id)
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
    for name in (captions, GAPS):
        collection = existing(client, name)
        where = of_track(video_id, track)
        if collection is None or not (there := collection.get(where=where, include=[])["ids"]):
            continue
        collection.delete(where=where)
        deleted += len(there) if name == captions else 0
    return deleted
