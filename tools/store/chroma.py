"""A connection to Chroma that several processes can share: an embedded folder, or a server.

Chroma's embedded store is made for one process. What another process adds breaks the reads of a
client that is already open, and two writing clients damage the vector index for good. So every use
of the folder is a short *session* under an exclusive file lock, and a client that finds that
another process has been in the folder since is opened anew. A server needs none of this.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import urlsplit

from tools.errors import StoreBusyError, StoreError

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.config import Settings

QUIET_WAIT_S = 1.0
"""A session takes milliseconds; only a longer wait is worth a word to the user."""

FULL_BYTES = 2**20
"""With less space than this, a failed write is put down to it."""

POLL_S = 0.01
"""How often a waiting process looks whether the folder is free."""

MOVE = "or set WHENABOUTS_HOME to another folder"


class Connection(Protocol):
    """Hands out a Chroma client for the length of one operation."""

    @property
    def generation(self) -> int | None:
        """Another number whenever what is stored may have changed; to be read within a session.

        None where others can write unseen.
        """
        ...

    def session(self, *, writes: bool = False) -> AbstractContextManager[Client]:
        """A client, all of whose failures come out as StoreError.

        Args:
            writes: Whether it is for changing what is stored.

        Raises:
            StoreError: If Chroma cannot be reached, read or written.
            StoreBusyError: If other processes keep the store for too long.
        """
        ...

    def close(self) -> None:
        """Let go of the client; a later session opens a new one."""
        ...


class ServerConnection:
    """A running Chroma server, which orders its clients' writes itself.

    Args:
        url: Such as ``http://localhost:8000``.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Client | None = None
        self._opening = threading.Lock()

    @property
    def generation(self) -> int | None:
        return None

    @contextmanager
    def session(self, *, writes: bool = False) -> Iterator[Client]:  # noqa: ARG002  # no difference to a server
        import httpx
        from chromadb.errors import ChromaError

        try:
            yield self._open()
        except (ChromaError, httpx.HTTPError, OSError) as exc:
            raise StoreError(
                f"the Chroma server at {self._url} failed: {_first_line(exc)}; "
                "look at its log, or unset WHENABOUTS_CHROMA_URL"
            ) from exc

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
            # Chroma 1.5 stops at this: its cache keeps the client, with connections open.
            for part in (client, getattr(client, "_admin_client", None)):
                session = getattr(getattr(part, "_server", None), "_session", None)
                if session is not None:
                    session.close()

    def _open(self) -> Client:
        with self._opening:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Client:
        import chromadb

        try:
            where = urlsplit(self._url)
            is_secure = where.scheme == "https"
            port = where.port or (443 if is_secure else 80)
        except ValueError as exc:
            raise StoreError(f"{self._url} is not an address: {exc}") from None
        if where.scheme not in {"http", "https"} or not where.hostname:
            raise StoreError(f"{self._url} is no server's address; one is http://localhost:8000")
        try:
            client = chromadb.HttpClient(
                host=where.hostname, port=port, ssl=is_secure, settings=_settings()
            )
        except ValueError as exc:  # Chroma's word for "nobody answers"
            raise StoreError(
                f"no Chroma server answers at {self._url}; start it with "
                f"`chroma run --port {port}`, or unset WHENABOUTS_CHROMA_URL"
            ) from exc
        return cast("Client", client)


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
        from filelock import FileLock

        self._folder = folder
        self._busy_timeout_s = busy_timeout_s
        self._on_wait = on_wait
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise self._failure(exc) from exc
        self._threads = threading.RLock()
        self._lock = FileLock(folder / "lock", poll_interval=POLL_S)
        self._last_user_file = folder / "last-user"
        self._name = f"process {os.getpid()} on {socket.gethostname()} ({uuid.uuid4().hex})"
        self._client: Client | None = None
        self._generation = 0

    @property
    def generation(self) -> int | None:
        return self._generation

    @contextmanager
    def session(self, *, writes: bool = False) -> Iterator[Client]:
        from chromadb.errors import ChromaError

        with self._threads:
            self._acquire()
            opened_before = self._client
            try:
                # Also where it then fails: it may have written some.
                self._generation += writes
                yield self._current_client()
            except (ChromaError, OSError) as exc:
                # What a failed write left in the client's memory is not known: start afresh.
                self.close()
                raise self._failure(exc) from exc
            finally:
                self._lock.release()
                if opened_before is not None and opened_before is not self._client:
                    # Others are at it too: step back for long enough that one of them gets in.
                    time.sleep(2 * POLL_S)

    def close(self) -> None:
        with self._threads:
            client, self._client = self._client, None
            if client is not None:
                client.close()

    def _acquire(self) -> None:
        from filelock import Timeout

        try:
            try:
                self._lock.acquire(timeout=min(QUIET_WAIT_S, self._busy_timeout_s))
            except Timeout:
                if self._on_wait is not None:
                    self._on_wait(f"waiting for {self._last_user()}, which uses {self._folder}")
                self._lock.acquire(timeout=max(0.0, self._busy_timeout_s - QUIET_WAIT_S))
        except Timeout:
            raise StoreBusyError(
                f"{self._last_user()} has kept the caption store in {self._folder} for "
                f"{self._busy_timeout_s:g} s; wait for it or stop it, {MOVE}"
            ) from None
        except OSError as exc:
            raise self._failure(exc) from exc

    def _current_client(self) -> Client:
        """The open client, or a new one where its memory is behind what lies in the folder."""
        if self._client is not None and self._read_last_user() == self._name:
            return self._client
        self.close()
        self._generation += 1
        # Before the first use, so that a process killed in the middle of it has left its name.
        self._last_user_file.write_text(self._name, encoding="utf-8")
        import chromadb

        self._client = cast(
            "Client", chromadb.PersistentClient(path=self._folder, settings=_settings())
        )
        return self._client

    def _read_last_user(self) -> str:
        try:
            return self._last_user_file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _last_user(self) -> str:
        return self._read_last_user().partition(" (")[0] or "another process"

    def _is_full(self) -> bool:
        """Whether space is what Chroma lacked; its own words do not always say so."""
        try:
            return shutil.disk_usage(self._folder).free < FULL_BYTES
        except OSError:
            return False

    def _failure(self, exc: Exception) -> StoreError:
        """What it means for the user: no space, no permission, not a folder, or damaged."""
        said = _first_line(exc)
        code = exc.errno if isinstance(exc, OSError) else None
        where = f"the caption store in {self._folder}"
        if code == errno.ENOSPC or (code is None and self._is_full()):
            return StoreError(f"no space is left for {where}; free some, {MOVE}")
        if isinstance(exc, (FileExistsError, NotADirectoryError)):
            return StoreError(f"{where} cannot be made: a file is there; move it away, {MOVE}")
        if isinstance(exc, OSError) or "readonly database" in said or "unable to open" in said:
            return StoreError(
                f"{where} cannot be written: {said}; give it write permission, {MOVE}"
            )
        return StoreError(
            f"{where} cannot be read: {said}; delete that folder to index anew, {MOVE}"
        )


_open_folders: dict[Path, tuple[FolderConnection, int]] = {}
_opening_folders = threading.Lock()


@contextmanager
def open_folder(
    folder: Path, *, busy_timeout_s: float, on_wait: Callable[[str], None] | None
) -> Iterator[FolderConnection]:
    """The one connection of this process to a folder, closed with its last user.

    Chroma gives a process one client per path; two connections to it would keep each other's client
    from being opened anew. The first user's waiting time and ``on_wait`` hold for all.
    """
    key = folder.absolute()
    with _opening_folders:
        connection, users = _open_folders.get(key, (None, 0))
        if connection is None:
            connection = FolderConnection(key, busy_timeout_s=busy_timeout_s, on_wait=on_wait)
        _open_folders[key] = (connection, users + 1)
    try:
        yield connection
    finally:
        with _opening_folders:
            connection, users = _open_folders[key]
            if users > 1:
                _open_folders[key] = (connection, users - 1)
            else:
                del _open_folders[key]
                connection.close()


@contextmanager
def open_server(url: str) -> Iterator[ServerConnection]:
    """A connection to a server, closed at the end."""
    connection = ServerConnection(url)
    try:
        yield connection
    finally:
        connection.close()


def _settings() -> Settings:
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False)


def _first_line(exc: Exception) -> str:
    return (str(exc) or type(exc).__name__).splitlines()[0]
