"""What is done to the store's own database while nobody has it open."""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from pathlib import Path

from tools.store.copies import remove_copies
from tools.store.store_failures import DATABASE

WIPE_DUE = "wipe-due"
"""A file that is there while deleted text may still lie in the database's unused pages."""

REPAIR = "repair"
"""Folder of a repair under way."""

UNFINISHED_REPAIR = f"{REPAIR}/moved"
"""A file that is there while a repair moves files; the store must not be opened meanwhile."""

PAGE_BYTES = 4096
"""Of Chroma's database."""

WORTH_BYTES, WORTH_SHARE = 1 << 17, 0.1
"""Least that has to be unused, and least share of the file, for it to be written anew."""

_HEADER = "<IQQQQ"
"""Of hnswlib's file: version, where items begin, places, items, bytes of an item."""


def wipe_deleted(folder: Path) -> None:
    """Make deleted captions unreadable: in the queue of changes, the word index and unused pages.

    Needs as much free space as the database takes. To be called with the folder's lock held and no
    client open. What is stored stays as it is.

    Raises:
        sqlite3.Error: If it cannot be done; then nothing was changed.
        OSError: If a file beside the database cannot be overwritten.
    """
    file = folder / DATABASE
    if file.exists():
        connection = sqlite3.connect(file, isolation_level=None)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            # A caption that was deleted soon after it was added waits there for the vector index,
            # which needs its id alone.
            connection.execute(
                "UPDATE embeddings_queue SET metadata = '{}' WHERE metadata <> '{}' AND NOT EXISTS "
                "(SELECT 1 FROM embeddings WHERE embeddings.embedding_id = embeddings_queue.id)"
            )
            # Deleted words stay in the index until its parts are merged.
            connection.execute(
                "INSERT INTO embedding_fulltext_search(embedding_fulltext_search) "
                "VALUES ('optimize')"
            )
            connection.execute("VACUUM")
        finally:
            connection.close()
    remove_copies(folder)
    blank_unused_places(folder)
    with contextlib.suppress(FileNotFoundError):
        (folder / WIPE_DUE).unlink()


def give_back_space(folder: Path) -> bool:
    """Make the database smaller where much of it is unused; returns whether it was worth it.

    While captions are added, their vectors wait in it for the vector index, and leave a hole of the
    same size. To be called as ``wipe_deleted``; without the space to do it, the hole stays.
    """
    file = folder / DATABASE
    with contextlib.suppress(OSError, struct.error, sqlite3.Error):
        with file.open("rb") as opened:
            (unused,) = struct.unpack(">I", opened.read(40)[36:])
        if unused * PAGE_BYTES < max(WORTH_BYTES, WORTH_SHARE * file.stat().st_size):
            return False
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("VACUUM")
        return True
    return False


def blank_unused_places(folder: Path) -> None:
    """Overwrite the places of every vector index that hold nothing yet; see ``_blank_unused``.

    To be called with the folder's lock held and no client open.

    Raises:
        OSError: If one cannot be.
    """
    for header in folder.glob("*/header.bin"):
        _blank_unused(header)


def _blank_unused(header: Path) -> None:
    """Overwrite the places of a vector index that hold nothing yet.

    Chroma writes them as they lie in memory, with whatever text lay there before.
    """
    try:
        _, _, capacity, count, item_bytes = struct.unpack(_HEADER, header.read_bytes()[:36])
    except struct.error:
        return
    for name, size in (("length.bin", 4), ("data_level0.bin", item_bytes)):
        file = header.with_name(name)
        if file.exists() and file.stat().st_size == capacity * size and count < capacity:
            with file.open("r+b") as opened:
                opened.seek(count * size)
                if opened.read().strip(b"\0"):
                    opened.seek(count * size)
                    opened.write(bytes((capacity - count) * size))
