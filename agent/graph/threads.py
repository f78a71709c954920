"""Threads: every step of a question, kept in a file, so that it can be gone back to."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.graph.checked_saver import CheckedSaver, ThreadsError

BUSY_S = 30.0
"""Until another process that writes to the file counts as stuck."""

_OF_A_REPLY: Final = {"cut_off": False, "in_parts": False, "requests": [], "asked_of": {}}
"""What stood beside the text of a reply before all of it was one value, where it was not there."""


class ThreadSerializer(JsonPlusSerializer):
    """Reads and writes plain values alone, and what earlier versions wrote as we would today.

    Those began a thread with a ``Question``, of a module that has moved since: of whatever is no
    plain value, the fields are read. And their replies were five values of the state, not one.
    """

    def __init__(self) -> None:
        super().__init__(__unpack_ext_hook__=self._fields)

    def _fields(self, _: int, stored: bytes) -> Any:
        """Of a module, a name and the fields, the last."""
        return self.loads_typed(("msgpack", stored))[2]

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """As the serializer's own."""
        loaded = super().loads_typed(data)
        if isinstance(loaded, dict) and isinstance(loaded.get("channel_values"), dict):
            return loaded | {"channel_values": _as_now(loaded["channel_values"])}
        return loaded


def _as_now(values: dict[str, Any]) -> dict[str, Any]:
    """The state of a step, by the names of today."""
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
        values = {"reader_note": "", "all_shown": False} | values
    return values


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
        saver = CheckedSaver(path, connection, serde=ThreadSerializer())
        saver.setup()
        yield saver
    finally:
        connection.close()
