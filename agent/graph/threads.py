"""Threads: every step of a question, kept in a file, so that it can be gone back to."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.errors import StoreError
from tools.private_files import make_private_file, make_private_folder
from tools.store.failures import trouble_around

SERIALIZER = JsonPlusSerializer(allowed_msgpack_modules=[("agent.graph.state", "Question")])
"""What a question begins with is a type of ours; all else in a thread is plain."""

BUSY_S = 30.0
"""Until another process that writes to the file counts as stuck."""


class ThreadsError(StoreError):
    """The file of threads cannot be used."""


class ThreadsSaver(SqliteSaver):
    """LangGraph's, except that what goes wrong with its file is told as what it is."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        super().__init__(connection, serde=SERIALIZER)
        self._path = path

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:  # LangGraph's signature
        """As LangGraph's. Raises ``ThreadsError``."""
        try:
            with super().cursor(transaction) as cursor:
                yield cursor
        except sqlite3.Error as exc:
            raise _unusable(self._path, exc) from exc


@contextmanager
def open_threads(path: Path) -> Iterator[SqliteSaver]:
    """Open the file of threads, or make it; several processes may use it at a time.

    Raises:
        ThreadsError: If it cannot be opened, or is something else; later, from the saver, if it
            cannot be written any more.
    """
    try:
        make_private_folder(path.parent)
        make_private_file(path)
        # Nodes run in threads of their own; the saver takes a lock for each use.
        connection = sqlite3.connect(path, check_same_thread=False, timeout=BUSY_S)
    except (OSError, sqlite3.Error) as exc:
        raise _unusable(path, exc) from None
    try:
        saver = ThreadsSaver(path, connection)
        saver.setup()
    except sqlite3.Error as exc:
        connection.close()
        raise _unusable(path, exc) from None
    try:
        yield saver
    finally:
        connection.close()


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
        raise _unusable(path, exc) from None


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
            # Also where nothing is found any more: whoever was killed here left it undone.
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return names
    except sqlite3.Error as exc:
        raise _unusable(path, exc) from None


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
            # What is kept is msgpack, in which text stands as it is.
            rows = connection.execute(
                f"SELECT DISTINCT thread_id FROM {table} "  # noqa: S608  # two names of ours
                f"WHERE instr({columns[table]}, CAST(? AS BLOB))",
                (video_id,),
            )
            names.update(str(name) for (name,) in rows)
    return sorted(names)


def _unusable(path: Path, exc: OSError | sqlite3.Error) -> ThreadsError:
    if told := trouble_around(path.parent, exc, what=f"the file of threads {path}"):
        return ThreadsError(told)
    return ThreadsError(
        f"{path} holds no threads, or is damaged ({exc}); move it away to begin anew"
    )
