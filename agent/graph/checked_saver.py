"""The file of threads: its failures become errors for the user, whenever damage in it shows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.sqlite import SqliteSaver

from agent.graph.thread_files import ThreadsError, threads_failure

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple
    from langgraph.checkpoint.serde.base import SerializerProtocol


class CheckedSaver(SqliteSaver):
    """Like its base class, but every failure is a ``ThreadsError``.

    Args:
        path: The file, for messages.
        connection: An open connection to it.
        serde: How values are written.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, *, serde: SerializerProtocol
    ) -> None:
        super().__init__(connection, serde=serde)
        self._path = path

    def setup(self) -> None:
        with self._told(reading=True):
            super().setup()

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:  # as its base has it
        with self._told(), super().cursor(transaction) as opened:
            yield opened

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        with self._told(reading=True):
            found = super().get_tuple(config)
            return found and _whole(found)

    def list(self, *args: Any, **options: Any) -> Iterator[CheckpointTuple]:
        with self._told(reading=True):
            yield from map(_whole, super().list(*args, **options))

    def get_next_version(self, current: str | None, channel: None) -> str:
        with self._told(reading=True):
            return super().get_next_version(current, channel)

    def put(self, *args: Any, **options: Any) -> RunnableConfig:
        with self._told():
            return super().put(*args, **options)

    def put_writes(self, *args: Any, **options: Any) -> None:
        with self._told():
            super().put_writes(*args, **options)

    @contextmanager
    def _told(self, *, reading: bool = False) -> Iterator[None]:
        """Turn failures into ``ThreadsError``; while reading, also data that cannot be decoded."""
        try:
            yield
        except ThreadsError:
            raise
        except sqlite3.Error as exc:
            raise threads_failure(self._path, exc) from exc
        except Exception as exc:
            # Damaged bytes can raise anything in the code that unpacks them.
            if reading:
                raise threads_failure(self._path, exc) from exc
            raise


def _whole(read: CheckpointTuple) -> CheckpointTuple:
    """What was read, if it is a checkpoint at all.

    Raises:
        LookupError: If parts of it are missing.
    """
    for part in ("id", "channel_values", "channel_versions", "versions_seen"):
        if part not in read.checkpoint:
            raise LookupError(f"a step without {part}")
    return read
