"""The captions that a question is answered from: its own track, and what stands beside it."""

from typing import TYPE_CHECKING

from tools.timeline import Caption

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tools.store import CaptionStore, VideoRecord

BESIDE_MODES = frozenset({"subtitles", "speech", "screen"})
"""What is said, and what is written on the screen: modes of tracks that are read beside another."""


def read_tracks(
    store: "CaptionStore", record: "VideoRecord"
) -> "list[tuple[list[Caption], NDArray[np.float32]]]":
    """Captions and embeddings of the record's track, then of each complete track beside it."""
    beside = [
        one
        for one in store.records(record.video_id)
        if one.complete and one.track.mode in BESIDE_MODES and one.track != record.track
    ]
    return [store.read(one.video_id, one.track) for one in (record, *beside)]
