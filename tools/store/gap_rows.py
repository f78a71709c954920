"""Gaps in Chroma: where captioners gave no caption, for all embedders in one collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.store.layout import GAPS, digest, existing, of_track, rows
from tools.store.records import CaptionGap
from tools.timeline import Interval, Track

if TYPE_CHECKING:
    from chromadb.api.client import Client

    from tools.store.plain_client import PlainClient

PASSING = {"kind": "passing"}
"""Marks a gap that is not final."""


def write_gaps(client: Client, gaps: Sequence[CaptionGap]) -> None:
    """Write gaps, each in place of an earlier one of the same track that starts where it does."""
    by_id = {digest(gap.video_id, gap.track.key, repr(gap.span.start_s)): gap for gap in gaps}
    client.get_or_create_collection(GAPS, embedding_function=None).upsert(
        ids=list(by_id),
        # Gaps are never searched by likeness, but Chroma wants a vector for each.
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


def read_gaps(client: Client | PlainClient, video_id: str, track: Track) -> list[CaptionGap]:
    """The gaps of one track, in time order."""
    found = rows(existing(client, GAPS), of_track(video_id, track), ["documents", "metadatas"])
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


def delete_passing_gaps(client: Client, video_id: str, track: Track) -> int:
    """Delete the gaps of one track that are not final; returns how many there were."""
    gaps = existing(client, GAPS)
    where = {"$and": [{"video_id": video_id}, {"track": track.key}, PASSING]}
    found = rows(gaps, where, [])["ids"]
    if gaps is not None and found:
        gaps.delete(ids=found)
    return len(found)
