"""What a store needs of Chroma, wherever it runs: a client for the length of one operation."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chromadb.api.client import Client

    from tools.store.plain_client import PlainClient, Stamp


class Connection(Protocol):
    """Hands out a Chroma client for the length of one operation."""

    @property
    def generation(self) -> Stamp | None:
        """Another one once a change of what is stored is whole.

        What is read within a session belongs to it. None where others can write unseen.
        """
        ...

    @property
    def folder(self) -> Path | None:
        """Where the files lie, if that is on this machine."""
        ...

    def session(self, *, writes: bool = False) -> AbstractContextManager[Client]:
        """A client, all of whose failures come out as StoreError.

        In a folder nobody else has one meanwhile; sessions of one thread may be nested.

        Args:
            writes: Whether it is for changing what is stored.

        Raises:
            StoreError: If Chroma cannot be reached, read or written.
            StoreBusyError: If other processes keep the store for too long.
        """
        ...

    def reading(self) -> AbstractContextManager[Client | PlainClient]:
        """As ``session``, for what needs no vectors: without Chroma, where that is possible.

        Raises:
            StoreError, StoreBusyError: As ``session``.
        """
        ...

    def wipe_is_due(self) -> None:
        """Note that text is about to be deleted: what ``wipe`` cannot do is done later.

        Raises:
            StoreError: If it cannot be noted.
        """
        ...

    def wipe(self) -> None:
        """Overwrite what was deleted, so that it cannot be read in the files any more.

        Raises:
            StoreError: If it cannot be.
        """
        ...

    def close(self) -> None:
        """Release the client; a later session opens a new one."""
        ...
