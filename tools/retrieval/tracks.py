"""The captions that a question is put to: its own track, and what stands beside it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.captioners.blank import BLANK
from tools.sight.frame_track import is_sight
from tools.signals.claims import TEXT_TAG
from tools.subtitles.origin import MODE, origin_of
from tools.timeline import Caption

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tools.ranking import EvidenceKind
    from tools.store.store import CaptionStore, VideoRecord
    from tools.timeline import Interval, Track

BESIDE_MODES = frozenset({MODE, "speech"})
"""What is said: modes of tracks that are read beside another."""

MEASURED_MODEL = "classical"
"""Its tracks are asked by what they measure; likeness of words says nothing of them."""

SCREEN_MODEL = "rapidocr"
"""What is written on the screen is read beside another too; its track is one of frames."""


def kind_of(track: "Track") -> str:
    """How a track came about: ``subtitles``, ``speech``, ``frame``, ``file``."""
    return re.split("[:@]", track.mode)[0]


def is_beside(track: "Track") -> bool:
    """Whether a track is read beside another one: ``subtitles``, ``speech:de``, OCR, frames."""
    return kind_of(track) in BESIDE_MODES or track.model.startswith(SCREEN_MODEL) or is_sight(track)


def name_of(track: "Track") -> str:
    """Who or what wrote the captions of a track, as people call it."""
    if kind_of(track) != MODE:
        return track.model
    origin = origin_of(track)
    return f"subtitles {origin.file.name}" if origin else f"{track.model} of the video"


def is_measured(track: "Track") -> bool:
    """Whether it holds what the classical describer measures, not descriptions."""
    return track.model.startswith(MEASURED_MODEL)


def is_blank(track: "Track") -> bool:
    """Whether its captions only mark frames, and say nothing of them."""
    return track.model == BLANK


def evidence_kind(track: "Track") -> "EvidenceKind":
    """What kind of evidence a track is."""
    if is_measured(track):
        return "measured"
    if is_sight(track):
        return "seen"
    if track.model.startswith(SCREEN_MODEL):
        return "written"
    return "said" if kind_of(track) in BESIDE_MODES else "described"


def reads_text(track: "Track") -> bool:
    """Whether its captions hold the text on the screen."""
    return track.model.startswith(SCREEN_MODEL) or track.model.endswith(TEXT_TAG)


def of_copy(records: "Sequence[VideoRecord]", path: str) -> "list[VideoRecord]":
    """Without the subtitles of other copies of the video.

    A subtitle file of the copy stands in place of a track inside the video, which all copies have.

    Args:
        records: All of the video.
        path: Where the copy lies.
    """
    origins = {one.track: origin_of(one.track) for one in records if kind_of(one.track) == MODE}
    own = {
        track for track, origin in origins.items() if origin and origin.video in {None, Path(path)}
    }
    kept = own or {track for track, origin in origins.items() if origin is None}
    return [one for one in records if one.track not in origins or one.track in kept]


def consulted(
    records: "Sequence[VideoRecord]",
    record: "VideoRecord",
    *,
    leave_out: frozenset[str] = frozenset(),
) -> "list[VideoRecord]":
    """The complete tracks of a video that are asked beside the one of ``record``.

    What is measured is asked beside captions, once: what the video was measured by best.

    Args:
        records: All of the video.
        record: Of the track that the question is asked of first.
        leave_out: Kinds of tracks that are not read, such as ``subtitles``.
    """
    others = [
        one
        for one in of_copy(records, record.path)
        if one.complete and one.track != record.track and kind_of(one.track) not in leave_out
    ]
    beside = [one for one in others if is_beside(one.track)]
    if is_measured(record.track):
        return beside
    measured = [one for one in others if is_measured(one.track)]
    measured.sort(key=lambda one: (reads_text(one.track), one.rate_hz or 0.0, one.indexed_at))
    return [*beside, *measured[-1:]]


def read_tracks(
    store: "CaptionStore", record: "VideoRecord", *, leave_out: frozenset[str] = frozenset()
) -> "list[tuple[Sequence[Caption], NDArray[np.floating[Any]]]]":
    """Captions and embeddings of the record's track, then of each track ``consulted`` beside it.

    Args:
        store: Holds them.
        record: Of the track that the question is asked of first.
        leave_out: Kinds of tracks beside it that are not read, such as ``subtitles``.
    """
    layered = [store.read(record.video_id, record.track)]
    for one in consulted(store.records(record.video_id), record, leave_out=leave_out):
        captions, vectors = store.read(one.video_id, one.track)
        # Of what is measured, a cut lies within what holds from frame to frame.
        is_one = is_measured(one.track)
        layered += [(captions, vectors)] if is_one else layers(captions, vectors)
    return layered


def read_stretch(
    store: "CaptionStore",
    record: "VideoRecord",
    span: "Interval",
    *,
    leave_out: frozenset[str] = frozenset(),
) -> "list[Caption]":
    """The captions of a stretch as ``read_tracks`` finds them, in time order.

    Beside other captions, a measurement every second says nothing.
    """
    found = [
        caption
        for captions, _ in read_tracks(store, record, leave_out=leave_out)
        for caption in captions
        if caption.span.overlap_s(span) > 0
        and (caption.source != "signal" or caption.track == record.track)
    ]
    return sorted(found, key=lambda caption: (caption.span, caption.source))


def layers(
    captions: "Sequence[Caption]", vectors: "NDArray[np.floating[Any]]"
) -> "list[tuple[Sequence[Caption], NDArray[np.floating[Any]]]]":
    """Captions in groups without overlaps: two people may speak at the same time.

    Args:
        captions: Of one track, in time order.
        vectors: Shape ``(n, d)``, their embeddings.
    """
    places: list[list[int]] = []
    for index, caption in enumerate(captions):
        free = (one for one in places if captions[one[-1]].end_s <= caption.start_s)
        layer = next(free, None)
        if layer is None:
            places.append([index])
        else:
            layer.append(index)
    return [([captions[index] for index in layer], vectors[layer]) for layer in places]
