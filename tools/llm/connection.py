"""HTTP to one service, bounded: each reply has a limit of seconds in all, and of bytes.

The timeouts of an HTTP client hold for each read, so a server that sends a byte now and then holds
a caller for hours. Here one deadline holds for everything from the look-up of the name to the last
byte; see ``tools.request_loop``.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import weakref
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tools.bounded_body import TooLargeError, UnknownPackingError, read_body
from tools.errors import ServiceError
from tools.known_secrets import KNOWN
from tools.llm.address import proxy_of
from tools.request_loop import drop, wait_for

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT_S = 5.0
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
MAX_REPLY_BYTES: Final = 16 * 1024 * 1024
"""Longest reply, unpacked: more than any model writes, and than most vectors of a batch take."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered, whatever its status; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def as_utf8(answer: Response) -> bytes:
    """The body in the encoding that JSON is meant to have, whichever one it came in."""
    body = answer.body
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", "replace").encode()
    try:
        body.decode()
    except UnicodeDecodeError:
        named = _CHARSET.search(answer.headers.get("content-type", ""))
        try:
            return body.decode(named[1] if named else "utf-8", "replace").encode("utf-8", "replace")
        except LookupError:  # Of that name there is none.
            return body.decode("utf-8", "replace").encode()
    return body


class TransportError(Exception):
    """No whole answer came; the message has the reason in a few words.

    Attributes:
        kind: ``unreachable``: there is no connection; ``late``: the time was up; ``large``: there
            was more than may be read; ``broken``: the connection ended early, or what came is not
            HTTP.
    """

    def __init__(
        self, kind: Literal["unreachable", "late", "large", "broken"], reason: str
    ) -> None:
        super().__init__(reason)
        self.kind = kind


class HttpConnection:
    """Sends requests to one address. Many threads may do so at the same time.

    Redirects are not followed: they would carry the key and frames elsewhere.

    Args:
        address: Of the service, without a slash at the end.
        key: Goes along as a bearer token; empty for none.

    Raises:
        ServiceError: If the proxy or the certificates of the environment cannot be used.
    """

    def __init__(self, address: str, key: str) -> None:
        KNOWN.keep(key)
        KNOWN.keep_address(address)
        self._address = address
        self._headers = {"authorization": f"Bearer {key or 'none'}", "accept-encoding": "identity"}
        self._client = _open_client(address)
        self._pid = os.getpid()
        self._finalizer = weakref.finalize(self, _close, self._client)

    def post(self, path: str, content: bytes, *, timeout_s: float) -> Response:
        """Send JSON and read the answer, all within ``timeout_s`` seconds.

        Raises:
            TransportError: If there is no whole answer in time.
        """
        return self._run("POST", path, content, timeout_s)

    def get(self, path: str, *, timeout_s: float) -> Response:
        """Ask for a page; see ``post``."""
        return self._run("GET", path, None, timeout_s)

    def _run(self, method: str, path: str, content: bytes | None, timeout_s: float) -> Response:
        if os.getpid() != self._pid:
            # A process that was forked off has neither the thread nor these connections.
            self._finalizer.detach()
            self._client, self._pid = _open_client(self._address), os.getpid()
            self._finalizer = weakref.finalize(self, _close, self._client)
        return wait_for(self._bounded(method, path, content, timeout_s))

    async def _bounded(
        self, method: str, path: str, content: bytes | None, timeout_s: float
    ) -> Response:
        import httpx

        try:
            async with asyncio.timeout(timeout_s):
                return await self._send(method, path, content)
        except TimeoutError:
            raise TransportError("late", f"none within {timeout_s:.3g} s") from None
        except httpx.ConnectTimeout:
            told = f"{self._through()}no connection within {CONNECT_TIMEOUT_S:g} s"
            raise TransportError("unreachable", told) from None
        except (httpx.ConnectError, httpx.ProxyError) as exc:
            raise TransportError("unreachable", self._named(exc)) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, zlib.error) as exc:
            raise TransportError("broken", self._named(exc)) from None
        except (OSError, ValueError, OverflowError, ExceptionGroup) as exc:
            # What sockets say of addresses that no proxy can have.
            raise TransportError("unreachable", self._named(exc)) from None

    async def _send(self, method: str, path: str, content: bytes | None) -> Response:
        headers = self._headers | ({"content-type": "application/json"} if content else {})
        async with self._client.stream(
            method, below(self._address, path), content=content, headers=headers
        ) as answer:
            try:
                body = await read_body(answer, MAX_REPLY_BYTES)
            except TooLargeError as exc:
                raise TransportError("large", str(exc)) from None
            except UnknownPackingError as exc:
                raise TransportError("broken", str(exc)) from None
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Response(answer.status_code, told, body)

    def _named(self, exc: BaseException) -> str:
        reason: BaseException = exc
        while reason.__cause__ is not None or reason.__context__ is not None:
            reason = reason.__cause__ or reason.__context__ or reason
        if isinstance(reason, BaseExceptionGroup):
            reason = reason.exceptions[0]
        words = str(reason) if isinstance(reason, OSError) else str(exc)
        if words.startswith("407"):
            words += ": it wants a name and password that it knows, in HTTP_PROXY or HTTPS_PROXY"
        return self._through() + (words or str(reason) or type(exc).__name__)

    def _through(self) -> str:
        proxy = proxy_of(self._address)
        return f"through the proxy {proxy}, " if proxy else ""


def below(address: str, path: str) -> str:
    """The address of a path below that of a service, whose query (``?api-version=…``) stays."""
    place, mark, query = address.partition("?")
    return f"{place.rstrip('/')}{path}{mark}{query}"


def _open_client(address: str) -> httpx.AsyncClient:
    import httpx

    try:
        return httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            follow_redirects=False,
        )
    except ImportError:
        raise ServiceError(
            "settings",
            f"requests to {address} go through a SOCKS proxy (ALL_PROXY), which needs a package: "
            "pip install socksio, or unset that variable",
        ) from None
    except OSError as exc:
        raise ServiceError(
            "settings",
            f"the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read ({exc}); "
            "correct or unset it",
        ) from None
    except (ValueError, httpx.InvalidURL) as exc:
        raise ServiceError(
            "settings",
            # What it quotes may be a part of a password that stands where the port should.
            "the proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY is unusable: "
            + str(exc).partition(":")[0].partition(" for proxy")[0].lower(),
        ) from None


def _close(client: httpx.AsyncClient) -> None:
    drop(client.aclose())
