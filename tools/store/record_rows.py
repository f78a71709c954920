"""Video records in Chroma: those of all embedders in one collection."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.errors import ForgottenError
from tools.sight.frame_track import is_sight
from tools.store.layout import RECORDS, digest, existing, rows
from tools.store.records import VideoRecord
from tools.timeline import Track

if TYPE_CHECKING:
    from chromadb.api.client import Client

    from tools.store.plain_client import PlainClient


def write_record(client: Client, embedder: str, record: VideoRecord) -> None:
    """Write a record in place of the earlier one of the same video and track, if any."""
    client.get_or_create_collection(RECORDS, embedding_function=None).upsert(
        ids=[_id(embedder, record.video_id, record.track)],
        # Records are never searched by likeness, but Chroma wants a vector for each.
        embeddings=np.ones((1, 1), np.float32),
        # One JSON text, not metadata: floats come back exact, and None is a value.
        documents=[json.dumps(record.as_dict())],
        metadatas=[{"video_id": record.video_id, "embedder": embedder}],
    )


def record_now(client: Client, embedder: str, record: VideoRecord) -> VideoRecord:
    """The record of that video and track as it stands now.

    Raises:
        ForgottenError: If it is gone.
    """
    collection = existing(client, RECORDS)
    wanted = _id(embedder, record.video_id, record.track)
    texts = collection and collection.get(ids=[wanted], include=["documents"])["documents"]
    if not texts:
        raise _forgotten(record)
    return VideoRecord.from_dict(json.loads(texts[0]))


def check_is_there(client: Client, embedder: str, record: VideoRecord) -> None:
    """Refuse to write for a run whose record is gone, or now belongs to another run.

    Raises:
        ForgottenError: If it is so.
    """
    now = record_now(client, embedder, record)
    # Beside a complete record, more is written by those who read it, of whatever run it was.
    if now.run != record.run and not record.complete:
        raise _forgotten(record)


def read_records(
    client: Client | PlainClient, embedder: str, video_id: str | None
) -> list[VideoRecord]:
    """The records of one video or of all, by path and time of index."""
    where: dict[str, Any] = {"embedder": embedder}
    if video_id is not None:
        where = {"$and": [where, {"video_id": video_id}]}
    found = rows(existing(client, RECORDS), where, ["documents"])
    records = [VideoRecord.from_dict(json.loads(text)) for text in found["documents"]]
    return sorted(records, key=lambda record: (record.path, record.indexed_at, record.track))


def read_frame_records(client: Client | PlainClient) -> list[VideoRecord]:
    """The records of frames that joint models have looked at, whichever model it was."""
    found = rows(existing(client, RECORDS), {}, ["documents"])
    records = (VideoRecord.from_dict(json.loads(text)) for text in found["documents"])
    return [one for one in records if is_sight(one.track)]


def delete_record(client: Client, embedder: str, video_id: str, track: Track) -> None:
    """Delete the record of one track, if there is one."""
    collection = existing(client, RECORDS)
    if collection is not None:
        collection.delete(ids=[_id(embedder, video_id, track)])


def mark_incomplete(client: Client, video_id: str) -> None:
    """Mark a video's records, of all embedders: from here on it loses captions."""
    collection = existing(client, RECORDS)
    found = rows(collection, {"video_id": video_id}, ["documents"])
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


def _id(embedder: str, video_id: str, track: Track) -> str:
    return digest(embedder, video_id, track.key)


def _forgotten(record: VideoRecord) -> ForgottenError:
    return ForgottenError(
        f"{record.path} was forgotten while it was being worked on, so nothing more of it is kept; "
        "to have it after all, index it again"
    )
