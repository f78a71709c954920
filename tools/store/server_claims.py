"""Who describes a video now, of all that use one Chroma server, from whatever machine or home.

A claimant writes a line of its own, and then reads every line of that claim. If anybody else's is
alive, it takes its own back and waits. Whichever of two reads last sees both lines, so two never
both go on; it may happen that both step back, and try again after different times.

A line is alive as long as it changes: who holds a claim beats, and who waits watches. One that has
not changed for ``DEAD_AFTER_S`` was left by a process that died. Only the clock of the one that
watches counts, since those of different machines differ.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.errors import StoreBusyError, StoreError

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

    from tools.store.sessions import Connection

CLAIMS = "claims"
"""Collection of the lines."""

BEAT_S = 5.0
DEAD_AFTER_S = 30.0
"""Six beats: a process may be held up, and a server restarted."""

POLL_S = 0.5


@contextmanager
def server_claim(
    connection: Connection,
    key: str,
    *,
    what: str,
    on_wait: Callable[[str], None] | None,
    patience_s: float | None = None,
    beat_s: float = BEAT_S,
    dead_after_s: float = DEAD_AFTER_S,
) -> Iterator[bool]:
    """Hold a claim; see ``tools.store.claiming.claim``.

    Args:
        connection: To the server.
        key: What is claimed; a hash.
        what: The same for the user: ``describing road.mp4 with openai:tiny``.
        on_wait: Told, in a line, that somebody else has it.
        patience_s: Longest wait; None waits until it is free.
        beat_s: How often the line is changed.
        dead_after_s: How long a line of somebody else may stay the same.

    Yields:
        Whether somebody else had it first.

    Raises:
        StoreBusyError: If the wait was too long.
        StoreError: If the server fails.
    """
    line = _Line(connection, key)
    watch = _Watch(line, dead_after_s)
    until = None if patience_s is None else time.monotonic() + patience_s
    has_waited = False
    while (other := _take(line, watch)) is not None:
        if not has_waited and on_wait is not None:
            on_wait(
                f"another process on {other} is already {what}; waiting for it, so that nothing is "
                "paid for twice"
            )
        has_waited = True
        if until is not None and time.monotonic() >= until:
            raise StoreBusyError(
                f"another process on {other} is still {what}, after {patience_s:g} s; ask again "
                "when it is done, or stop it"
            )
        time.sleep(POLL_S * random.uniform(0.5, 1.5))  # noqa: S311  # no secret
    ended = threading.Event()
    beating = threading.Thread(target=_beat, args=(line, ended, beat_s), daemon=True)
    beating.start()
    try:
        yield has_waited
    finally:
        ended.set()
        # What it has under way could come after the line is gone.
        beating.join(timeout=dead_after_s)
        with contextlib.suppress(StoreError):
            line.erase()


class _Line:
    """What a claimant writes on the server."""

    def __init__(self, connection: Connection, key: str) -> None:
        self.id = f"{key}-{uuid.uuid4().hex}"
        self._connection = connection
        self._key = key

    @contextmanager
    def lines(self) -> Iterator[Collection]:
        with self._connection.session(writes=True) as client:
            yield client.get_or_create_collection(CLAIMS, embedding_function=None)

    def write(self) -> None:
        with self.lines() as lines:
            # Chroma wants a vector for each.
            lines.add(
                ids=[self.id], embeddings=np.ones((1, 1), np.float32), metadatas=[self._now()]
            )

    def beat(self) -> None:
        """Change it; a line that others took away for dead stays away."""
        with self.lines() as lines:
            lines.update(ids=[self.id], metadatas=[self._now()])

    def erase(self, *ids: str) -> None:
        """Delete it, or those of others."""
        with self.lines() as lines:
            lines.delete(ids=list(ids or (self.id,)))

    def others(self) -> dict[str, dict[str, Any]]:
        with self.lines() as lines:
            found = lines.get(where={"claim": self._key}, include=["metadatas"])
        metadatas = found["metadatas"] or []
        each = zip(found["ids"], metadatas, strict=True)
        return {one: dict(metadata) for one, metadata in each if one != self.id}

    def _now(self) -> dict[str, str]:
        return {"claim": self._key, "beat": uuid.uuid4().hex, "host": socket.gethostname()}


class _Watch:
    """Tells which lines of others are alive."""

    def __init__(self, line: _Line, dead_after_s: float) -> None:
        self._line = line
        self._dead_after_s = dead_after_s
        self._changed: dict[tuple[str, str], float] = {}

    def alive(self) -> str | None:
        """Where one of them is; None where there is none. Lines of the dead are deleted."""
        now = time.monotonic()
        there = self._line.others()
        beats = {(one, str(metadata.get("beat"))): metadata for one, metadata in there.items()}
        self._changed = {beat: self._changed.get(beat, now) for beat in beats}
        dead = [one for (one, _), at in self._changed.items() if now - at >= self._dead_after_s]
        if dead:
            self._line.erase(*dead)
        hosts = [str(one.get("host")) for (name, _), one in beats.items() if name not in dead]
        return hosts[0] if hosts else None


def _take(line: _Line, watch: _Watch) -> str | None:
    """Take it if it is free; else where the one is that has it."""
    if (other := watch.alive()) is not None:
        return other
    line.write()
    try:
        other = watch.alive()
    except BaseException:
        line.erase()
        raise
    if other is not None:
        line.erase()
    return other


def _beat(line: _Line, ended: threading.Event, beat_s: float) -> None:
    while not ended.wait(beat_s):
        # Who cannot be told this time is told the next time.
        with contextlib.suppress(StoreError):
            line.beat()
