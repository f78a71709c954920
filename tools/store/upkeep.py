"""What is done to the store's own database while nobody has it open."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from tools.store.failures import DATABASE

WIPE_DUE = "wipe-due"
"""A file that is there while deleted text may still lie in the database's unused pages."""

REPAIR = "repair"
"""Folder of a repair under way."""

UNFINISHED_REPAIR = f"{REPAIR}/moved"
"""A file that is there while a repair moves files; the store must not be opened meanwhile."""


def wipe_deleted(folder: Path) -> None:
    """Make deleted captions unreadable: in the queue of changes, the word index and unused pages.

    Needs as much free space as the database takes. To be called with the folder's lock held and no
    client open. What is stored stays as it is.

    Raises:
        sqlite3.Error: If it cannot be done; then nothing was changed.
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
    with contextlib.suppress(FileNotFoundError):
        (folder / WIPE_DUE).unlink()
