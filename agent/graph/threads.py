"""Threads: every step of a question, kept in a file, so that one can go back to it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.graph.checked_saver import CheckedSaver
from agent.graph.thread_files import BUSY_S, threads_failure
from tools.private_files import make_private_file, make_private_folder

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
        values = {
            "reader_note": "",
            "all_shown": False,
            "is_granted": False,
            "refined": None,
        } | values
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
