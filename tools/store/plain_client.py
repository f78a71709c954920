"""Chroma's database read by SQLite alone: what has no vectors needs no vector engine.

Only a database in a known form is read, and only while Chroma has nothing left to carry out in it;
in any other case Chroma itself is asked.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tools.store.store_failures import DATABASE
from tools.store.upkeep import UNFINISHED_REPAIR, WIPE_DUE

KNOWN_FORM: Final = {("embeddings_queue", 2), ("metadb", 6), ("sysdb", 10)}
"""Last migration of each part of Chroma's database, as of 1.5; another form is left to Chroma."""

_COLLECTIONS: Final = (
    "SELECT c.name, c.id, s.id, COALESCE(m.seq_id, 0) FROM collections c "
    "JOIN segments s ON s.collection = c.id AND s.scope = 'METADATA' "
    "LEFT JOIN max_seq_id m ON m.segment_id = s.id"
)

_LISTED: Final = "(SELECT value FROM json_each(?))"

Stamp = tuple[int, ...]


class PlainCollection:
    """The rows of one collection, without their vectors; a part of ``Collection`` of Chroma."""

    def __init__(self, connection: sqlite3.Connection, segment: str) -> None:
        self._connection = connection
        self._segment = segment

    def get(
        self,
        *,
        ids: Sequence[str] | None = None,
        where: dict[str, Any] | None = None,
        include: Sequence[str] = ("documents", "metadatas"),
    ) -> dict[str, Any]:
        """What matches, as Chroma's columns, in the order in which it was written.

        Args:
            ids: Of the rows that may match; None for all.
            where: Text fields and what they are (or one of ``$in``), as one pair, or several under
                ``$and``; empty for all rows.
            include: ``documents`` and ``metadatas``; ``ids`` always are.
        """
        joins, parameters = "", list[str]()
        for place, pair in enumerate(where.get("$and", [where]) if where else ()):
            ((key, value),) = pair.items()
            joins += f" JOIN embedding_metadata w{place} ON w{place}.id = e.id "
            joins += f"AND w{place}.key = ? AND w{place}.string_value IN {_LISTED}"
            values = value["$in"] if isinstance(value, dict) else [value]
            parameters += [key, json.dumps(values)]
        chosen = " WHERE e.segment_id = ?"
        parameters.append(self._segment)
        if ids is not None:
            chosen += f" AND e.embedding_id IN {_LISTED}"
            parameters.append(json.dumps(list(ids)))
        found = f"FROM embeddings e{joins}"
        if not include:
            rows = self._connection.execute(
                f"SELECT e.embedding_id {found}{chosen} ORDER BY e.id",  # no text of others
                parameters,
            )
            return {"ids": [id_ for (id_,) in rows]}
        rows = self._connection.execute(
            f"SELECT e.embedding_id, m.key, m.string_value {found} "  # as above
            f"JOIN embedding_metadata m ON m.id = e.id{chosen} ORDER BY e.id",
            parameters,
        )
        by_id: dict[str, dict[str, Any]] = {}
        for id_, key, value in rows:
            by_id.setdefault(id_, {})[key] = value
        documents = [plain.pop("chroma:document", "") for plain in by_id.values()]
        return {"ids": list(by_id), "documents": documents, "metadatas": list(by_id.values())}


class PlainClient:
    """What a database holds, except for vectors; a part of ``Client`` of Chroma."""

    def __init__(self, connection: sqlite3.Connection | None, segments: dict[str, str]) -> None:
        self._connection = connection
        self._segments = segments

    @property
    def names(self) -> list[str]:
        """Of all collections."""
        return sorted(self._segments)

    def collection(self, name: str) -> PlainCollection | None:
        """A collection, or None where nothing was ever written into it."""
        if self._connection is None or name not in self._segments:
            return None
        return PlainCollection(self._connection, self._segments[name])

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()


def open_plain(folder: Path) -> PlainClient | None:
    """Open the database in the folder of a store; None where Chroma has to do it.

    To be called with the folder's lock held.
    """
    if any((folder / name).exists() for name in (UNFINISHED_REPAIR, WIPE_DUE)):
        return None
    file = folder / DATABASE
    if not file.exists():
        return PlainClient(None, {})
    connection = None
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
        segments = _segments(connection)
    except sqlite3.Error:
        segments = None
    if connection is None or segments is None:
        if connection is not None:
            connection.close()
        return None
    return PlainClient(connection, segments)


def _segments(connection: sqlite3.Connection) -> dict[str, str] | None:
    """Where each collection's rows are; None where they are not all there, or in another form."""
    form = connection.execute("SELECT dir, MAX(version) FROM migrations GROUP BY dir").fetchall()
    if set(form) != KNOWN_FORM:
        return None
    segments = {}
    for name, collection, segment, done in connection.execute(_COLLECTIONS).fetchall():
        waiting = connection.execute(
            "SELECT 1 FROM embeddings_queue WHERE seq_id > ? AND topic LIKE '%/' || ? LIMIT 1",
            (done, collection),
        )
        if name in segments or waiting.fetchone():
            return None
        segments[name] = segment
    return segments


def stamp_of(folder: Path) -> Stamp | None:
    """Another one whenever anything was written to the database; None where it cannot be told.

    SQLite counts the changes of a file in its header. Size, time and number of the file tell one
    from another that was put in its place.
    """
    with contextlib.suppress(OSError, struct.error), (folder / DATABASE).open("rb") as opened:
        facts = os.fstat(opened.fileno())
        header = opened.read(100)
        (changes,) = struct.unpack(">I", header[24:28])
        is_journaled = header[18:20] == b"\1\1"  # In the other mode changes wait in another file.
        if is_journaled:
            return changes, facts.st_size, facts.st_mtime_ns, facts.st_ino
    return None
