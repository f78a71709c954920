"""A running Chroma server, which orders its clients' writes itself."""

from __future__ import annotations

import base64
import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from tools.errors import StoreError
from tools.known_secrets import HIDDEN
from tools.store.isolation import chroma_settings, load_chroma
from tools.store.store_failures import first_line

if TYPE_CHECKING:
    import httpx
    from chromadb.api.client import Client

API = "/api/v2"
HEARTBEAT = f"{API}/heartbeat"
"""Answered without a token."""

IDENTITY = f"{API}/auth/identity"
"""Answered to those who may use it."""

PATIENCE_S = 20.0
"""How long to wait for a server that says nothing at first."""

_OF_ANOTHER_ANSWER = (KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError)
"""What Chroma's client, and the store, raise at replies in which something is not as it should be:
``ValueError`` is that of JSON, of arrays and of pydantic too.
"""

SAID_CHARS = 120
"""How much to quote of a page that a server answers with."""


class ServerConnection:
    """A running Chroma server.

    Args:
        url: Such as ``http://localhost:8000``; a path is kept, for servers behind a proxy. A name
            and password in it are sent as such, and given to nobody else.
        token: Sent with every request, both as ``Authorization: Bearer`` and ``X-Chroma-Token``.
        until: When the run under way is over, on the monotonic clock.
    """

    folder = None

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        until: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self._until = until
        self._where = _address(url)
        self._headers = _headers(self._where, token)
        self._url = _without_secrets(self._where)
        self._token = token or ""
        self._client: Client | None = None
        self._pid = os.getpid()
        self._opening = threading.Lock()

    @property
    def generation(self) -> None:
        return None

    def reading(self) -> AbstractContextManager[Client]:
        return self.session()

    @contextmanager
    def session(self, *, writes: bool = False) -> Iterator[Client]:  # noqa: ARG002  # no difference to a server
        load_chroma()
        import httpx
        from chromadb.errors import ChromaError, NotFoundError

        try:
            yield self._open()
        except NotFoundError as exc:
            raise self._failed(exc) from exc
        except (ChromaError, httpx.HTTPError, OSError) as exc:
            self._look(exc)
            raise self._failed(exc) from exc
        except _OF_ANOTHER_ANSWER as exc:
            # Nothing is done in here but to ask the server, and to read what it replies.
            raise self._strange(exc) from exc
        except Exception as exc:
            # Chroma's client has no type of its own for an answer that is not a Chroma server's.
            if type(exc) is not Exception:
                raise
            self._look(exc)
            raise self._failed(exc) from exc

    def wipe_is_due(self) -> None:
        """Nothing: as of ``wipe``."""

    def wipe(self) -> None:
        """Nothing: its files are the server's."""

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            client.close()
            # Chroma 1.5 stops at this: its cache keeps the client, with connections open.
            for part in (client, getattr(client, "_admin_client", None)):
                session = getattr(getattr(part, "_server", None), "_session", None)
                if session is not None:
                    session.close()

    def _open(self) -> Client:
        if self._pid != os.getpid():
            # Connections that were opened before a fork are the parent's.
            self._opening = threading.Lock()
            self._client, self._pid = None, os.getpid()
        with self._opening:
            if self._client is None:
                self._look()
                self._client = self._connect()
            return self._client

    def _connect(self) -> Client:
        import chromadb

        from tools.store.timed_http import TimedTransport, chroma_sends_by

        transport = TimedTransport(until=self._until)
        where = self._where
        host = urlunsplit((where.scheme, _netloc(where), where.path.rstrip("/") + API, "", ""))
        try:
            with chroma_sends_by(transport):
                client = chromadb.HttpClient(
                    host=host,
                    port=where.port or 0,
                    ssl=where.scheme == "https",
                    headers=dict(self._headers),
                    settings=chroma_settings(),
                )
        except Exception as exc:
            transport.close()
            if not isinstance(exc, ValueError):
                raise
            # Chroma's word for "nobody answers", whatever the reason was.
            why = exc.__cause__ or exc.__context__
            if isinstance(why, _OF_ANOTHER_ANSWER):
                raise self._strange(why) from exc
            raise self._nobody(why if isinstance(why, Exception) else exc) from exc
        return cast("Client", client)

    def _look(self, cause: Exception | None = None) -> None:
        """Ask whether a Chroma server is there and lets us in; Chroma's client does not tell.

        Raises:
            StoreError: If not; says which of the two.
        """
        import httpx

        from tools.store.timed_http import TimedTransport

        base = urlunsplit(
            (self._where.scheme, _netloc(self._where), self._where.path.rstrip("/"), "", "")
        )
        try:
            transport = TimedTransport(until=self._until, longest_s=PATIENCE_S)
            with httpx.Client(timeout=None, transport=transport, headers=self._headers) as client:  # noqa: S113  # the transport has one for all
                for path in (HEARTBEAT, IDENTITY):
                    self._judge(client.get(base + path))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            raise self._nobody(exc) from cause or exc

    def _judge(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status in {401, 403}:
            has = "refused the token" if self._headers else "wants a token"
            raise StoreError(
                f"the Chroma server at {self._url} {has} ({status} {answer.reason_phrase}); set "
                "WHENABOUTS_CHROMA_TOKEN to one that may read and write there"
            )
        if answer.is_redirect:
            raise StoreError(
                f"{self._url} redirects to {answer.headers.get('location', 'elsewhere')}, "
                "and captions are not sent to an address that was not named; if it is the right "
                "one, set WHENABOUTS_CHROMA_URL to it"
            )
        is_json = "json" in answer.headers.get("content-type", "")
        if status == 404 and str(answer.url).endswith(IDENTITY) and is_json:
            return  # An older server, which has no such thing.
        if status != 200 or not is_json:
            said = " ".join(self._plain(answer.text[: 10 * SAID_CHARS]).split())[:SAID_CHARS]
            kind = answer.headers.get("content-type", "no type").partition(";")[0]
            raise StoreError(
                f"what answers at {answer.url} is not a Chroma server: {status} "
                f"{answer.reason_phrase}, {kind}: {said!r}; check WHENABOUTS_CHROMA_URL (with "
                "the path, if the server has one), or unset it"
            )

    def _strange(self, exc: BaseException) -> StoreError:
        return StoreError(
            f"what answers at {self._url} does not speak as Chroma servers do "
            f"({type(exc).__name__}: {first_line(exc)}); check WHENABOUTS_CHROMA_URL, or unset it"
        )

    def _nobody(self, exc: Exception) -> StoreError:
        return StoreError(
            f"no Chroma server answers at {self._url}; start it with `chroma run --port "
            f"{self._where.port or 8000}`, or unset WHENABOUTS_CHROMA_URL ({first_line(exc)})"
        )

    def _failed(self, exc: Exception) -> StoreError:
        return StoreError(
            f"the Chroma server at {self._url} failed: {self._plain(first_line(exc))}; look at its "
            "log, or unset WHENABOUTS_CHROMA_URL"
        )

    def _plain(self, said: str) -> str:
        """A server's words without the token that it was sent."""
        return said.replace(self._token, HIDDEN) if self._token else said


@contextmanager
def open_server(
    url: str, *, token: str | None = None, until: Callable[[], float] = lambda: math.inf
) -> Iterator[ServerConnection]:
    """A connection to a server, closed at the end.

    Raises:
        StoreError: If the URL is not a server's address.
    """
    connection = ServerConnection(url, token=token, until=until)
    try:
        yield connection
    finally:
        connection.close()


def _address(url: str) -> SplitResult:
    try:
        where = urlsplit(url.strip())
        _ = where.port
    except ValueError as exc:
        raise StoreError(f"WHENABOUTS_CHROMA_URL is not an address: {exc}") from None
    if where.scheme not in {"http", "https"} or not where.hostname:
        raise StoreError(
            f"{_without_secrets(where)} is not a server's address, such as http://localhost:8000"
        )
    if where.query or where.fragment:
        raise StoreError(
            f"{_without_secrets(where)} has a ?… or #… at its end, which no Chroma server accepts; "
            "leave it out of WHENABOUTS_CHROMA_URL"
        )
    # Often copied along with the rest; it is added to every address anyway.
    return where._replace(path=where.path.rstrip("/").removesuffix(API))


def _headers(where: SplitResult, token: str | None) -> dict[str, str]:
    token = (token or "").strip()
    if not (token.isascii() and token.isprintable()):
        raise StoreError(
            "WHENABOUTS_CHROMA_TOKEN holds characters that no token has; copy it again"
        )
    if token:
        return {"Authorization": f"Bearer {token}", "X-Chroma-Token": token}
    if where.username is not None:
        pair = f"{unquote(where.username)}:{unquote(where.password or '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}


def _netloc(where: SplitResult) -> str:
    return where.netloc.rpartition("@")[2]


def _without_secrets(where: SplitResult) -> str:
    return urlunsplit((where.scheme, _netloc(where), where.path, "", ""))
