"""Threads: every step of a question, kept in a file, so that it can be gone back to."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.graph.checked_saver import CheckedSaver, ThreadsError

SERIALIZER = JsonPlusSerializer(allowed_msgpack_modules=[("agent.graph.state", "Question")])
"""What a question begins with is a type of ours; all else in a thread is plain."""

BUSY_S = 30.0
"""Until another process that writes to the file counts as stuck."""


@contextmanager
def open_threads(path: Path) -> Iterator[SqliteSaver]:
    """Open the file of threads, or make it; several processes may use it at a time.

    Raises:
        ThreadsError: If it cannot be opened, or is something else.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Nodes run in threads of their own; the saver takes a lock for each use.
        connection = sqlite3.connect(path, check_same_thread=False, timeout=BUSY_S)
    except (OSError, sqlite3.Error) as exc:
        raise ThreadsError(f"the threads in {path} cannot be opened: {exc}") from None
    try:
        saver = CheckedSaver(path, connection, serde=SERIALIZER)
        saver.setup()
        yield saver
    finally:
        connection.close()
