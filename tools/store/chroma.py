"""Chroma's embedded store in a folder that several processes can share.

Chroma's embedded store is made for one process. What another process adds breaks the reads of a
client that is already open, and two writing clients damage the vector index permanently. So every
use of the folder is a short *session* under an exclusive file lock, and a client is opened again if
another process has been in the folder since. A server needs none of this.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import StoreBusyError, StoreError
from tools.private_files import keep_private, make_private_file, make_private_folder
from tools.store.copies import remove_copies
from tools.store.generations import generation_of, note_unchanged
from tools.store.isolation import load_chroma, open_client
from tools.store.leaving import wait_until_left
from tools.store.plain_client import PlainClient, Stamp, open_plain
from tools.store.store_failures import DATABASE, MOVE, has_descriptors, store_failure
from tools.store.upkeep import (
    UNFINISHED_REPAIR,
    WIPE_DUE,
    blank_unused_places,
    give_back_space,
    wipe_deleted,
)

if TYPE_CHECKING:
    from chromadb.api.client import Client

QUIET_WAIT_S = 1.0
"""A session takes milliseconds; only a longer wait is worth telling the user."""

FILES = 24
"""Chroma opens fewer, but it crashes where it cannot."""

CLOSE_S = 60.0
"""A client is closed in milliseconds, and what it was given lies on the disk by then."""

POLL_S = 0.01
"""How often a waiting process looks whether the folder is free."""


class FolderConnection:
    """Chroma's embedded store in a folder, shared with other processes and threads.

    Args:
        folder: Made when it is not there.
        busy_timeout_s: Longest wait for other processes' sessions.
        on_wait: Told, in one line, when a wait becomes noticeable.

    Raises:
        StoreError: If the folder cannot be made.
    """

    def __init__(
        self, folder: Path, *, busy_timeout_s: float, on_wait: Callable[[str], None] | None
    ) -> None:
        self.folder = folder
        self._busy_timeout_s = busy_timeout_s
        self._on_wait = on_wait
        try:
            make_private_folder(folder)
        except OSError as exc:
            raise self._failure(exc) from exc
        self._last_user_file = folder / "last-user"
        self._client: Client | None = None
        self._begin_process()

    def _begin_process(self) -> None:
        from filelock import FileLock

        self._threads = threading.RLock()
        self._lock = FileLock(self.folder / "lock", poll_interval=POLL_S)
        self._name = f"process {os.getpid()} on {socket.gethostname()} ({uuid.uuid4().hex})"

    @property
    def generation(self) -> Stamp | None:
        return generation_of(self.folder)

    @contextmanager
    def reading(self) -> Iterator[Client | PlainClient]:
        with self._threads:
            self._acquire()
            try:
                plain = open_plain(self.folder)
                if plain is None:
                    with self.session() as client:
                        _carry_out(client)
                        yield client
                    return
                try:
                    yield plain
                except sqlite3.Error as exc:
                    raise self._failure(exc) from exc
                finally:
                    plain.close()
            finally:
                self._lock.release()

    @contextmanager
    def session(self, *, writes: bool = False) -> Iterator[Client]:
        load_chroma()
        from chromadb.errors import ChromaError

        with self._threads:
            self._acquire()
            opened_before = self._client
            try:
                if writes:
                    remove_copies(self.folder)
                yield self._current_client()
            except BaseException as exc:
                # Chroma's Rust part has a type of its own for what it did not expect.
                if isinstance(exc, (ChromaError, OSError)) or _is_panic(exc):
                    # What a failed write left in the client's memory is not known: start afresh.
                    self.close()
                    raise self._failure(exc) from exc
                raise
            finally:
                if writes:
                    keep_private(self.folder)
                self._lock.release()
                if opened_before is not None and opened_before is not self._client:
                    # Others are trying too: step back for long enough that one of them gets in.
                    time.sleep(2 * POLL_S)

    @contextmanager
    def alone(self) -> Iterator[Path]:
        """The folder with nobody in it, not even a client of this process.

        Raises:
            StoreError: If something fails in it.
        """
        with self._threads:
            self._acquire()
            try:
                self.close()
                # A client that had it open before must not trust its memory.
                self._last_user_file.write_text(self._name, encoding="utf-8")
                yield self.folder
            except (OSError, sqlite3.Error) as exc:
                raise self._failure(exc) from exc
            finally:
                keep_private(self.folder)
                self._lock.release()

    def wipe_is_due(self) -> None:
        try:
            (self.folder / WIPE_DUE).touch(mode=0o600)
        except OSError as exc:
            raise self._failure(exc) from exc

    def wipe(self) -> None:
        with self.alone() as folder:
            wipe_deleted(folder)

    def close(self) -> None:
        with self._threads:
            client, self._client = self._client, None
            if client is not None:
                with _bounded(CLOSE_S):
                    client.close()
                    wait_until_left(self.folder)
                self._tidy_up()

    def _tidy_up(self) -> None:
        """Overwrite what a closed client may have written beside its vectors, and free space.

        That is whatever lay there in memory: text too, which another process has had forgotten
        since. Where others keep the store busy, it is left to their next change of client.
        """
        from filelock import Timeout

        with contextlib.suppress(OSError, Timeout):
            self._lock.acquire(timeout=QUIET_WAIT_S)
            try:
                blank_unused_places(self.folder)
                before = self.generation
                if give_back_space(self.folder):
                    note_unchanged(self.folder, before)
                    # A client that had it open before must not trust its memory.
                    self._last_user_file.write_text(self._name, encoding="utf-8")
            finally:
                self._lock.release()

    def leave_to_parent(self) -> None:
        """In a process that was just forked: start again, and touch nothing of the parent's."""
        client, self._client = self._client, None
        if client is not None:
            from chromadb.api.shared_system_client import SharedSystemClient as Shared

            # Closed or garbage-collected, it would wait for threads that only the parent has.
            parents: Any = Shared
            _left_to_parents.append((client, parents._identifier_to_system))  # noqa: SLF001
            parents._refcount_lock = threading.Lock()  # noqa: SLF001
            Shared.clear_system_cache()
        self._begin_process()

    def _acquire(self) -> None:
        from filelock import Timeout

        try:
            try:
                self._lock.acquire(timeout=min(QUIET_WAIT_S, self._busy_timeout_s))
            except Timeout:
                if self._on_wait is not None:
                    self._on_wait(f"waiting for {self._last_user()}, which uses {self.folder}")
                self._lock.acquire(timeout=max(0.0, self._busy_timeout_s - QUIET_WAIT_S))
        except Timeout:
            raise StoreBusyError(
                f"{self._last_user()} has held the caption store in {self.folder} for "
                f"{self._busy_timeout_s:g} s; wait for it or stop it, {MOVE}"
            ) from None
        except OSError as exc:
            raise self._failure(exc) from exc

    def _current_client(self) -> Client:
        """The open client, or a new one where its memory is behind what lies in the folder."""
        if self._client is not None and self._read_last_user() == self._name:
            return self._client
        self.close()
        if (self.folder / UNFINISHED_REPAIR).exists():
            raise StoreError(
                f"a repair of the caption store in {self.folder} was interrupted; finish it with "
                "`whenabouts repair`"
            )
        # Before the first use, so that a process killed in the middle of it has left its name.
        self._last_user_file.write_text(self._name, encoding="utf-8")
        if (self.folder / WIPE_DUE).exists():
            # A process was killed while it deleted; without the space to finish that, reading goes
            # on.
            with contextlib.suppress(sqlite3.Error, OSError):
                wipe_deleted(self.folder)
        if not has_descriptors(FILES):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        make_private_file(self.folder / DATABASE)
        before = self.generation
        self._client = open_client(self.folder)
        note_unchanged(self.folder, before)
        return self._client

    def _read_last_user(self) -> str:
        try:
            return self._last_user_file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _last_user(self) -> str:
        return self._read_last_user().partition(" (")[0] or "another process"

    def _failure(self, exc: BaseException) -> StoreError:
        return store_failure(self.folder, exc)


_open_folders: dict[Path, tuple[FolderConnection, int]] = {}
_opening_folders = threading.Lock()
_thrown_away: list[Path] = []
"""Folders whose user was garbage-collected: closed when the next is opened."""
_left_to_parents: list[Any] = []


@contextmanager
def open_folder(
    folder: Path, *, busy_timeout_s: float, on_wait: Callable[[str], None] | None
) -> Iterator[FolderConnection]:
    """The one connection of this process to a folder, closed with its last user.

    Chroma gives a process one client per path; two connections to it would keep each other's client
    from being opened again. The first user's waiting time and ``on_wait`` hold for all.
    """
    key = folder.absolute()
    with _opening_folders:
        while _thrown_away:
            _leave(_thrown_away.pop())
        connection, users = _open_folders.get(key, (None, 0))
        if connection is None:
            connection = FolderConnection(key, busy_timeout_s=busy_timeout_s, on_wait=on_wait)
        _open_folders[key] = (connection, users + 1)
    is_thrown_away = False
    try:
        yield connection
    except GeneratorExit:
        is_thrown_away = True
        raise
    finally:
        if is_thrown_away:
            # Garbage is collected in the middle of anything: to wait for a lock then may be to
            # wait for oneself.
            _thrown_away.append(key)
        else:
            with _opening_folders:
                _leave(key)


def _leave(key: Path) -> None:
    connection, users = _open_folders[key]
    if users > 1:
        _open_folders[key] = (connection, users - 1)
    else:
        del _open_folders[key]
        connection.close()


def _carry_out(client: Client) -> None:
    """Have Chroma carry out what waits: until it is next asked, it only notes changes."""
    for collection in client.list_collections():
        collection.count()


@contextmanager
def _bounded(limit_s: float) -> Iterator[None]:
    """End the process, by SIGALRM, if what is done inside takes longer.

    A closed client waits, in Rust, for the threads of its engine, and holds Python's own lock
    meanwhile: if one of them never ends, no Python runs in this process any more, not even for
    Ctrl-C. Only the system can end it then. Where SIGALRM serves somebody else, nothing is done.
    """
    is_free = (
        hasattr(signal, "setitimer")
        and signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
        and signal.getitimer(signal.ITIMER_REAL)[0] == 0
    )
    if not is_free:
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _is_panic(exc: BaseException) -> bool:
    return type(exc).__name__ == "PanicException"


def _after_fork() -> None:
    global _opening_folders  # noqa: PLW0603  # a thread that the child lacks may hold the old one
    _opening_folders = threading.Lock()
    for connection, _ in _open_folders.values():
        connection.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
