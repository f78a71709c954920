"""What the marks of captions mean, in Chroma: a row for each track of each video, not each caption.

A row is written before the first caption that needs it, and deleted after the last.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.store.layout import TRACKS, TrackOfVideo, existing, rows, track_mark
from tools.timeline import Track

if TYPE_CHECKING:
    from chromadb.api.client import Client

    from tools.store.plain_client import PlainClient


def write_tracks(client: Client, tracks: Iterable[TrackOfVideo]) -> None:
    """Write what the marks of these tracks mean, where it is not there yet."""
    collection = client.get_or_create_collection(TRACKS, embedding_function=None)
    by_mark = {track_mark(*one): one for one in tracks}
    there = set(collection.get(ids=list(by_mark), include=[])["ids"])
    new = {mark: one for mark, one in by_mark.items() if mark not in there}
    if new:
        collection.add(
            ids=list(new),
            # They are never searched by likeness, but Chroma wants a vector for each.
            embeddings=np.ones((len(new), 1), np.float32),
            documents=[
                json.dumps([track.model, track.prompt_version, track.mode])
                for _, track in new.values()
            ],
            metadatas=[{"video_id": video_id} for video_id, _ in new.values()],
        )


def read_tracks(client: Client | PlainClient) -> dict[str, TrackOfVideo]:
    """What every mark means."""
    found = rows(existing(client, TRACKS), {}, ["documents", "metadatas"])
    columns = zip(found["ids"], found["metadatas"], found["documents"], strict=True)
    return {mark: track_of(plain, text) for mark, plain, text in columns}


def track_of(plain: Any, text: str) -> TrackOfVideo:
    """What a row says."""
    return plain["video_id"], Track(*json.loads(text))


def marks_of(client: Client, video_id: str) -> list[str]:
    """The marks of a video's tracks."""
    marks: list[str] = rows(existing(client, TRACKS), {"video_id": video_id}, [])["ids"]
    return marks
