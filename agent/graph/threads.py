"""Threads: every step of a question, kept in a file, so that one can go back to it."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.graph.checked_saver import CheckedSaver, threads_failure
from tools.private_files import make_private_file, make_private_folder

BUSY_S = 30.0
"""How long another process may write to the file before it counts as stuck."""

_OF_A_REPLY: Final = {"cut_off": False, "in_parts": False, "requests": [], "asked_of": {}}
"""Defaults of what stood beside a reply's text in threads from before a reply was one value."""


class ThreadSerializer(JsonPlusSerializer):
    """Reads and writes only plain values, and reads what earlier versions wrote.

    Earlier versions began a thread with a ``Question``, whose module has moved since: of a value
    that is not plain, the fields are read. Their replies were five values of the state, not one.
    """

    def __init__(self) -> None:
        super().__init__(__unpack_ext_hook__=self._fields)

    def _fields(self, _: int, stored: bytes) -> Any:
        """The fields of an object that is stored as module, name and fields."""
        return self.loads_typed(("msgpack", stored))[2]

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Like the base class, with the names of today."""
        loaded = super().loads_typed(data)
        if isinstance(loaded, dict) and isinstance(loaded.get("channel_values"), dict):
            return loaded | {"channel_values": _as_now(loaded["channel_values"])}
        return loaded


def _as_now(values: dict[str, Any]) -> dict[str, Any]:
    """The state of a step, with the names of today."""
    values = dict(values)
    if "stretch" in values:
        values["asked_within"] = values.pop("stretch")
    if "asked_of" in values:
        # Where the model was not asked, there was no reply.
        text = values.get("reply", "")
        values["reply"] = {"text": text} | {
            name: values.pop(name, missing) for name, missing in _OF_A_REPLY.items()
        }
    if "evidence" in values:
        values = {"reader_note": "", "all_shown": False, "refined": None} | values
    return values


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
        raise threads_failure(path, exc) from None
    try:
        saver = CheckedSaver(path, connection, serde=ThreadSerializer())
        saver.setup()
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
