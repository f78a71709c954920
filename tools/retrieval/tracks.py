"""The captions that a question is answered from: its own track, and what stands beside it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tools.retrieval.fusion import layers
from tools.timeline import Caption

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tools.store.store import CaptionStore, VideoRecord
    from tools.timeline import Track

BESIDE_MODES = frozenset({"subtitles", "speech"})
"""What is said: modes of tracks that are read beside another."""

MEASURED_MODEL = "classical"
"""Its tracks are asked by what they measure; likeness of words says nothing of them."""

SCREEN_MODEL = "rapidocr"
"""What is written on the screen is read beside another too; its track is one of frames."""


def kind_of(track: "Track") -> str:
    """How a track came about: ``subtitles``, ``speech``, ``frame``, ``file``."""
    return re.split("[:@]", track.mode)[0]


def is_beside(track: "Track") -> bool:
    """Whether a track is read beside another one: ``subtitles``, ``speech:de``, text by OCR."""
    return kind_of(track) in BESIDE_MODES or track.model.startswith(SCREEN_MODEL)


def name_of(track: "Track") -> str:
    """Who or what wrote the captions of a track, as people call it."""
    if kind_of(track) != "subtitles":
        return track.model
    file = track.mode.partition(":")[2]
    return f"subtitles {Path(file).name}" if file else f"{track.model} of the video"


def is_measured(track: "Track") -> bool:
    """Whether it holds what the embedded senses measure, not descriptions."""
    return track.model.startswith(MEASURED_MODEL)


def read_tracks(
    store: "CaptionStore", record: "VideoRecord", *, leave_out: frozenset[str] = frozenset()
) -> "list[tuple[list[Caption], NDArray[np.float32]]]":
    """Captions and embeddings of the record's track, then of each complete track beside it.

    Args:
        store: Holds them.
        record: Of the track that the question is answered from.
        leave_out: Kinds of tracks beside it that are not read, such as ``subtitles``.
    """
    beside = [
        one
        for one in store.records(record.video_id)
        if one.complete
        and is_beside(one.track)
        and one.track != record.track
        and kind_of(one.track) not in leave_out
    ]
    first = store.read(record.video_id, record.track)
    others = [store.read(one.video_id, one.track) for one in beside]
    return [first, *(layer for captions, vectors in others for layer in layers(captions, vectors))]
