"""Who describes a video now: of two processes that want the same captions, one waits."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import StoreBusyError, StoreError
from tools.private_files import make_private_folder
from tools.store.server_claims import server_claim

if TYPE_CHECKING:
    from tools.store.sessions import Connection
    from tools.timeline import Track

POLL_S = 0.1


@contextmanager
def claim(
    folder: Path,
    video_id: str,
    track: Track,
    *,
    name: str,
    connection: Connection,
    on_wait: Callable[[str], None] | None,
    patience_s: float | None = None,
) -> Iterator[bool]:
    """Hold one track of one video; the claim of a process that dies ends with it.

    Of all that share a home, and, where captions are kept on a server, of all that use that.

    Args:
        folder: Holds an empty file for each; made when it is not there.
        connection: To where captions are kept.
        video_id: What the video's captions are kept under.
        track: Whose captions are made.
        name: The video's, for the user.
        on_wait: Told, in a line, that somebody else has it.
        patience_s: Longest wait; None waits until it is free.

    Yields:
        Whether somebody else had it first: what was wanted may be there now.

    Raises:
        StoreBusyError: If the wait was too long.
        StoreError: If no claim can be made there.
    """
    from filelock import FileLock, Timeout

    what = f"describing {name} with {track.model}"
    until = None if patience_s is None else time.monotonic() + patience_s
    digest = hashlib.sha256(f"{video_id}\x1f{track.key}".encode()).hexdigest()[:32]
    try:
        make_private_folder(folder)
        lock = FileLock(folder / digest, poll_interval=POLL_S, mode=0o600)
        has_waited = False
        try:
            lock.acquire(timeout=0)
        except Timeout:
            has_waited = True
            if on_wait is not None:
                on_wait(
                    f"another process is already {what}; waiting for it, so that nothing is paid "
                    "for twice"
                )
            lock.acquire(timeout=-1 if patience_s is None else patience_s)
    except Timeout:
        raise StoreBusyError(
            f"another process is still {what}, after {patience_s:g} s; ask again when it is done, "
            "or stop it"
        ) from None
    except OSError as exc:
        raise StoreError(
            f"{name} cannot be claimed in {folder}: {exc.strerror}; make room there, or give write "
            "permission"
        ) from None
    try:
        if connection.folder is not None:
            yield has_waited
            return
        left_s = None if until is None else max(0.0, until - time.monotonic())
        with server_claim(
            connection, digest, what=what, on_wait=on_wait, patience_s=left_s
        ) as has_waited_there:
            yield has_waited or has_waited_there
    finally:
        lock.release()
