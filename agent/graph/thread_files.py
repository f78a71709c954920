"""The files of threads and chats as SQLite sees them: what is about a video, and deleting that."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agent.errors import StoreError
from tools.store.store_failures import trouble_around

BUSY_S = 30.0
"""How long another process may write to the file before it counts as stuck."""

_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


class ThreadsError(StoreError):
    """The file of threads cannot be used."""


def threads_failure(path: Path, exc: Exception) -> ThreadsError:
    """What an error of SQLite's, or of reading what it kept, means for the user."""
    code = getattr(exc, "sqlite_errorcode", None)
    is_damaged = code is not None and code & 0xFF in _DAMAGED
    if isinstance(exc, OSError | sqlite3.Error) and not is_damaged:
        told = trouble_around(path.parent, exc, what=f"the file of threads {path}")
        return ThreadsError(told or f"the threads in {path} cannot be used: {exc}")
    return ThreadsError(
        f"{path} holds no threads, or is damaged ({exc}); move it away to start again"
    )


def threads_about(path: Path, video_ids: Collection[str]) -> list[str]:
    """Names of the threads, or chats, of a file that hold something of a video, by name.

    Raises:
        ThreadsError: If the file cannot be read.
    """
    if not path.exists():
        return []
    try:
        with _opened(path) as connection:
            return _about(connection, video_ids)
    except sqlite3.Error as exc:
        raise threads_failure(path, exc) from None


def forget_threads(path: Path, video_ids: Collection[str]) -> list[str]:
    """Delete the threads, or chats, of a file that hold something of a video, with all their steps.

    What was deleted is overwritten.

    Returns:
        Their names.

    Raises:
        ThreadsError: If the file cannot be read or written.
    """
    if not path.exists():
        return []
    try:
        with _opened(path) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            names = _about(connection, video_ids)
            connection.execute("BEGIN IMMEDIATE")
            for name in names:
                for table in ("checkpoints", "writes"):
                    connection.execute(f"DELETE FROM {table} WHERE thread_id = ?", (name,))  # noqa: S608  # two names of ours
            connection.execute("COMMIT")
            # Also where nothing is found any more: a process killed here left this undone.
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return names
    except sqlite3.Error as exc:
        raise threads_failure(path, exc) from None


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def _about(connection: sqlite3.Connection, video_ids: Collection[str]) -> list[str]:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    columns = {"checkpoints": "checkpoint", "writes": "value"}
    names: set[str] = set()
    for table in columns.keys() & tables:
        for video_id in video_ids:
            # The data is msgpack, in which text is stored as it is.
            rows = connection.execute(
                f"SELECT DISTINCT thread_id FROM {table} "  # noqa: S608  # two names of ours
                f"WHERE instr({columns[table]}, CAST(? AS BLOB))",
                (video_id,),
            )
            names.update(str(name) for (name,) in rows)
    return sorted(names)
