"""A sound store out of a damaged one: its database still holds the captions, which are enough.

Vectors are made again from the captions, since Chroma keeps them in the part that breaks. Those of
frames, which have no words, are made again when a joint model next looks at the video. The new
store is built beside the old one, whose files are moved away and not deleted; a repair that is
interrupted is finished by the next.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tools.errors import EmbedderError, StoreError
from tools.private_files import make_private_folder
from tools.sight.frame_track import PREFIX
from tools.store.chroma import open_folder
from tools.store.copies import remove_copies
from tools.store.isolation import open_client
from tools.store.layout import (
    CAPTIONS,
    GAPS,
    OF,
    RECORDS,
    SAID,
    TRACKS,
    TrackOfVideo,
    caption_of,
    track_mark,
)
from tools.store.records import VideoRecord
from tools.store.soundness import is_sound
from tools.store.store import CaptionStore
from tools.store.store_failures import DATABASE
from tools.store.track_rows import track_of
from tools.store.upkeep import REPAIR, UNFINISHED_REPAIR, WIPE_DUE
from tools.text import counted

if TYPE_CHECKING:
    from tools.embedders.embedder import Embedder
    from tools.timeline import Caption

BATCH = 256

OURS = frozenset({"lock", "last-user", "claims", REPAIR, WIPE_DUE})
"""Beside Chroma's own files in the folder of a store."""

ADDED, CHANGED, DELETED = 0, 1, 3
"""Chroma's numbers for what is to be done with an item; 2 adds it or changes it."""


@dataclass(slots=True)
class Repaired:
    """What became of a store.

    Attributes:
        moved_to: Where its files lie now; None where the store was sound, and left as it was.
        captions: How many captions it has.
        videos: Of how many videos.
        left_out: What could not be taken over, a line each.
    """

    moved_to: Path | None = None
    captions: int = 0
    videos: int = 0
    left_out: list[str] = field(default_factory=list)


class _Item(NamedTuple):
    """An item of a collection, with its metadata."""

    id: str
    text: str
    plain: dict[str, Any]


class _Read(NamedTuple):
    """What a damaged database still says of a collection."""

    name: str
    embedder: str
    items: list[_Item]


def repair_store(
    folder: Path,
    *,
    open_embedder: Callable[[str], Embedder],
    busy_timeout_s: float = 60.0,
    on_wait: Callable[[str], None] | None = None,
    report: Callable[[int, int], None] = lambda _done, _all: None,
) -> Repaired:
    """Make the store in a folder sound again, unless it is.

    Args:
        folder: Of the store.
        open_embedder: Opens an embedder by its name.
        busy_timeout_s: Longest wait for other processes that use the folder.
        on_wait: Told, in one line, when such a wait becomes noticeable.
        report: Told how many captions are embedded, and how many there are.

    Raises:
        StoreError: If nothing can be read, or something cannot be written; all is as it was then.
    """
    if not folder.is_dir():
        raise StoreError(f"there is no caption store in {folder}; there is nothing to repair")
    opening = open_folder(folder, busy_timeout_s=busy_timeout_s, on_wait=on_wait)
    with opening as connection, connection.alone():
        if not (folder / UNFINISHED_REPAIR).exists():
            shutil.rmtree(folder / REPAIR, ignore_errors=True)
            if not (folder / DATABASE).exists() or is_sound(folder):
                return Repaired()
            try:
                repaired = _build(folder, open_embedder, report)
            except BaseException:
                shutil.rmtree(folder / REPAIR, ignore_errors=True)
                raise
            repaired.moved_to = _free_name(folder)
            _write_state(folder, repaired, is_out=False)
        remove_copies(folder)
        return _exchange(folder)


def _free_name(folder: Path) -> Path:
    """Where the damaged store goes: beside it, under a name that nothing has."""
    away = f"{folder.name}-damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    names = (away, *(f"{away}-{number}" for number in range(2, 1000)))
    return next(one for name in names if not os.path.lexists(one := folder.parent / name))


def _build(
    folder: Path, open_embedder: Callable[[str], Embedder], report: Callable[[int, int], None]
) -> Repaired:
    """Build the new store beside the old one, from what can be read of that."""
    new = folder / REPAIR / "new"
    make_private_folder(new)
    read, repaired = _read_database(folder / DATABASE)
    records = [item for one in read if one.name == RECORDS for item in one.items]
    tracks = _tracks(read, [VideoRecord.from_dict(json.loads(item.text)) for item in records])
    captions: dict[str, list[Caption]] = {}
    for one in read:
        if one.name.startswith(CAPTIONS):
            known = [item for item in one.items if item.plain.get(OF, "") in {"", *tracks}]
            if unknown := len(one.items) - len(known):
                repaired.left_out.append(
                    f"{counted(unknown, 'caption')} of {one.name}: nothing says of what"
                )
            captions.setdefault(one.embedder, []).extend(
                caption_of(item.plain, item.text, tracks) for item in known
            )
    total = sum(len(some) for name, some in captions.items() if not name.startswith(PREFIX))
    videos: set[str] = set()
    for embedder in sorted({*captions, *(item.plain["embedder"] for item in records)}):
        own = [
            VideoRecord.from_dict(json.loads(item.text))
            for item in records
            if item.plain["embedder"] == embedder
        ]
        with CaptionStore.open(new, embedder=embedder) as store:
            if embedder.startswith(PREFIX):
                for record in own:
                    store.put_record(replace(record, complete=False, captions=0))
                if lost := captions.get(embedder, []):
                    repaired.left_out.append(
                        f"{counted(len(lost), 'frame')} that {embedder} has seen: only the "
                        "damaged part held what they look like; the next index or question with "
                        "--sight looks again"
                    )
                continue
            try:
                _embed(
                    store,
                    captions.get(embedder, []),
                    partial(open_embedder, embedder),
                    partial(_report, report, repaired.captions, total),
                )
            except EmbedderError as exc:
                lost = captions[embedder]
                repaired.left_out.append(f"{counted(len(lost), 'caption')} of {embedder}: {exc}")
                for video_id in {caption.video_id for caption in lost}:
                    store.forget(video_id)
                continue
            repaired.captions += len(captions.get(embedder, []))
            videos |= {record.video_id for record in own}
            for record in own:
                # What is missing is described again.
                whole = store.count(record.video_id, record.track) >= record.captions
                store.put_record(replace(record, complete=record.complete and whole))
    _write_gaps(new, [item for one in read if one.name == GAPS for item in one.items])
    repaired.videos = len(videos)
    return repaired


def _tracks(read: list[_Read], records: list[VideoRecord]) -> dict[str, TrackOfVideo]:
    """What marks mean: as it was written, or by the records where that cannot be read."""
    tracks = {track_mark(one.video_id, one.track): (one.video_id, one.track) for one in records}
    for item in (item for one in read if one.name == TRACKS for item in one.items):
        tracks[item.id] = track_of(item.plain, item.text)
    return tracks


def _report(report: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    report(before + done, total)


def _embed(
    store: CaptionStore,
    captions: list[Caption],
    open_embedder: Callable[[], Embedder],
    report: Callable[[int], None],
) -> None:
    if not captions:
        return
    embedder = open_embedder()
    for first in range(0, len(captions), BATCH):
        batch = captions[first : first + BATCH]
        store.add(batch, embedder.embed([caption.text for caption in batch]))
        report(first + len(batch))


def _write_gaps(folder: Path, gaps: list[_Item]) -> None:
    """As they are: what lies in Chroma does not name their tracks in words."""
    client = open_client(folder)
    collection = client.get_or_create_collection(GAPS, embedding_function=None)
    for first in range(0, len(gaps), BATCH):
        batch = gaps[first : first + BATCH]
        collection.upsert(
            ids=[item.id for item in batch],
            embeddings=np.ones((len(batch), 1), np.float32),
            documents=[item.text for item in batch],
            metadatas=[item.plain for item in batch],
        )
    client.close()


def _read_database(file: Path) -> tuple[list[_Read], Repaired]:
    """All that can be read, whatever cannot be.

    Raises:
        StoreError: If nothing can.
    """
    repaired = Repaired()
    with contextlib.closing(
        sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    ) as connection:
        try:
            found = connection.execute(
                "SELECT c.id, c.name, s.id, (SELECT str_value FROM collection_metadata m WHERE "
                "m.collection_id = c.id AND m.key = 'embedder') FROM collections c "
                "JOIN segments s ON s.collection = c.id AND s.scope = 'METADATA'"
            ).fetchall()
        except sqlite3.DatabaseError as exc:
            raise StoreError(
                f"nothing can be read from {file}: {exc}; move the folder {file.parent} away and "
                "index again"
            ) from exc
        read = []
        for collection, name, segment, embedder in found:
            items: dict[str, _Item] = {}
            try:
                for item in _items(connection, segment):
                    items[item.id] = item
                _take_over_waiting(connection, collection, segment, items)
            except sqlite3.DatabaseError as exc:
                repaired.left_out.append(f"what comes after {len(items)} items of {name}: {exc}")
            read.append(_Read(name, embedder or "", list(items.values())))
    return read, repaired


def _items(connection: sqlite3.Connection, segment: str) -> Iterator[_Item]:
    """Every item, as far as it was sorted in."""
    rows = connection.execute(
        "SELECT e.embedding_id, m.key, m.string_value FROM embeddings e JOIN embedding_metadata m "
        "ON m.id = e.id WHERE e.segment_id = ? ORDER BY e.id",
        (segment,),
    )
    last, plain = "", dict[str, Any]()
    for id_, key, value in rows:
        if id_ != last and plain:
            yield _Item(last, plain.pop("chroma:document", ""), plain)
            plain = {}
        last = id_
        plain[key] = value
    if plain:
        yield _Item(last, plain.pop("chroma:document", ""), plain)


def _take_over_waiting(
    connection: sqlite3.Connection, collection: str, segment: str, items: dict[str, _Item]
) -> None:
    """Do with the items what still waits to be done: some are new, others change or go."""
    waiting = connection.execute(
        "SELECT operation, id, metadata FROM embeddings_queue WHERE topic LIKE '%/' || ? "
        "AND seq_id > COALESCE((SELECT seq_id FROM max_seq_id WHERE segment_id = ?), 0) "
        "ORDER BY seq_id",
        (collection, segment),
    )
    for operation, id_, metadata in waiting:
        if operation == DELETED:
            items.pop(id_, None)
            continue
        plain = json.loads(metadata or "{}")
        text = plain.pop("chroma:document", "")
        before = items.get(id_)
        if before:
            if operation != ADDED:
                # What is not named stays as it was.
                items[id_] = _Item(id_, text or before.text, before.plain | plain)
        elif operation != CHANGED and (text or SAID in plain):
            items[id_] = _Item(id_, text, plain)


def _exchange(folder: Path) -> Repaired:
    """Move the old files away and the new ones in, from wherever an earlier try was interrupted."""
    state = json.loads((folder / UNFINISHED_REPAIR).read_text(encoding="utf-8"))
    repaired = Repaired(**(state["repaired"] | {"moved_to": Path(state["repaired"]["moved_to"])}))
    assert repaired.moved_to is not None
    if not state["is_out"]:
        make_private_folder(repaired.moved_to)
        for entry in list(folder.iterdir()):
            if entry.name not in OURS:
                shutil.move(entry, repaired.moved_to / entry.name)
        _write_state(folder, repaired, is_out=True)
    new = folder / REPAIR / "new"
    for entry in list(new.iterdir()):
        if entry.name not in OURS:
            shutil.move(entry, folder / entry.name)
    shutil.rmtree(new)
    (folder / UNFINISHED_REPAIR).unlink()
    shutil.rmtree(folder / REPAIR, ignore_errors=True)
    return repaired


def _write_state(folder: Path, repaired: Repaired, *, is_out: bool) -> None:
    plain = {
        "moved_to": str(repaired.moved_to),
        "captions": repaired.captions,
        "videos": repaired.videos,
        "left_out": repaired.left_out,
    }
    state = folder / UNFINISHED_REPAIR
    part = state.with_suffix(".part")
    part.write_text(json.dumps({"is_out": is_out, "repaired": plain}), encoding="utf-8")
    part.replace(state)
