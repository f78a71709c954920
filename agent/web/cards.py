"""What the list says about each video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.errors import VideoError
from agent.web.bodies import VideoCard
from tools.retrieval.tracks import is_beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.web.library import ServedVideo
    from agent.web.pictures import Pictures
    from tools.store.store import VideoRecord
    from tools.video.reader import Video


def card_of(video: ServedVideo, records: Sequence[VideoRecord], pictures: Pictures) -> VideoCard:
    """The card of a video.

    Args:
        video: The video.
        records: Its indexed tracks.
        pictures: Know what its header tells.
    """
    main = [record for record in records if not is_beside(record.track)]
    complete = [record for record in main if record.complete]
    facts, message = _facts(video, pictures)
    newest = max(complete or main, key=lambda record: record.indexed_at, default=None)
    if facts is None:
        state = "gone" if not video.path.exists() else "unusable"
    else:
        state = "ready" if complete else "partly" if main else "new"
    if newest and not message:
        message = newest.warning.removeprefix(f"{newest.path}: ")
    header_s = facts.header_duration_s if facts else None
    return VideoCard(
        id=video.id,
        name=video.name,
        uploaded=video.uploaded,
        duration_s=newest.duration_s if newest and newest.complete else header_s,
        frame_rate_hz=facts.frame_rate_hz if facts else None,
        file_start_s=facts.file_start_s if facts else 0.0,
        described=bool(complete),
        described_by=sorted({record.track.model for record in records if record.complete}),
        captions=sum(record.captions for record in records if record.complete),
        state=state,
        message=message,
    )


def _facts(video: ServedVideo, pictures: Pictures) -> tuple[Video | None, str]:
    try:
        return pictures.facts(video.path), ""
    except VideoError as exc:
        return None, str(exc).replace(str(video.path), video.name)
