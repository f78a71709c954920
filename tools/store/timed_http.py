"""Requests to a Chroma server with one deadline for each reply: Chroma's own client has none."""

from __future__ import annotations

import asyncio
import math
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, Final

import httpx

from tools.bounded_body import TooLargeError, UnknownPackingError, read_body
from tools.errors import StoreError
from tools.llm.address import proxy_of
from tools.request_loop import wait_for

REPLY_S: Final = 120.0
"""For one reply in all, from the first byte sent to the last one received."""

GRACE_S: Final = 10.0
"""How long replies may take once the run is over: what was paid for is to be kept."""

LEAST_S: Final = 1.0
"""How long each may take even then."""

MAX_REPLY_BYTES: Final = 32 << 20
"""Longest reply, unpacked. What is asked for at once is kept below that."""

MOST_PARTS: Final = 250_000
"""Lists and objects in a reply; small ones take thirty times their size in memory."""


class TimedTransport(httpx.BaseTransport):
    """Sends requests, and gives up those whose reply is not there in time.

    Args:
        until: When the run is over, on the monotonic clock.
        longest_s: For one reply.
    """

    def __init__(
        self, *, until: Callable[[], float] = lambda: math.inf, longest_s: float = REPLY_S
    ) -> None:
        self._until = until
        self._longest_s = longest_s
        try:
            self._client = httpx.AsyncClient(timeout=None, follow_redirects=False)  # noqa: S113  # below
        except (ValueError, httpx.InvalidURL) as exc:
            # What it quotes may be a part of a password that stands where the port should.
            why = str(exc).partition(":")[0].lower()
            raise StoreError(
                f"the proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY is unusable: {why}"
            ) from None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and read the whole reply.

        Raises:
            httpx.HTTPError: If there is none in time.
        """
        left_s = max(self._until() + GRACE_S - time.monotonic(), LEAST_S)
        return wait_for(self._reply(request, request.read(), min(self._longest_s, left_s)))

    def close(self) -> None:
        wait_for(self._client.aclose())

    async def _reply(
        self, request: httpx.Request, content: bytes, timeout_s: float
    ) -> httpx.Response:
        # A request with a body that was read can be sent by a client of either kind, but only one
        # that was built by this client goes through its proxies.
        asked = self._client.build_request(
            request.method, request.url, headers=request.headers, content=content or None
        )
        asked.headers["accept-encoding"] = "identity"
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._client.send(asked, stream=True)
                try:
                    body = await read_body(answer, MAX_REPLY_BYTES)
                finally:
                    await answer.aclose()
        except httpx.TransportError as exc:
            raise type(exc)(_through_proxy(request, str(exc)), request=request) from exc
        except (ValueError, OverflowError, ExceptionGroup) as exc:
            # What sockets say of addresses that no proxy can have.
            reason = exc.exceptions[0] if isinstance(exc, ExceptionGroup) else exc
            told = _through_proxy(request, str(reason))
            raise httpx.ConnectError(told, request=request) from None
        except TimeoutError:
            told = f"no whole answer within {timeout_s:.3g} s"
            raise httpx.ReadTimeout(told, request=request) from None
        except (TooLargeError, UnknownPackingError, zlib.error) as exc:
            told = f"its answer cannot be read: {exc}"
            raise httpx.ReadError(told, request=request) from None
        if answer.status_code == PROXY_REFUSES:
            told = _through_proxy(request, "407: it wants a name and password that it knows")
            raise httpx.ProxyError(told, request=request)
        if body.count(b"[") + body.count(b"{") > MOST_PARTS:
            raise httpx.ReadError(f"its answer has more than {MOST_PARTS:,} parts", request=request)
        return httpx.Response(
            answer.status_code,
            headers=[
                (name, value)
                for name, value in answer.headers.multi_items()
                if name not in _OF_TRANSPORT
            ],
            stream=httpx.ByteStream(body),
            extensions={"reason_phrase": answer.reason_phrase.encode("ascii", "replace")},
        )


PROXY_REFUSES: Final = 407


def _through_proxy(request: httpx.Request, said: str) -> str:
    """What is said, with the proxy in whose way it was said, if there is one."""
    proxy = proxy_of(str(request.url))
    return f"through the proxy {proxy}, {said}" if proxy else said


_OF_TRANSPORT: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that are no longer true of a body that was read and unpacked."""

_SENDS: ContextVar[TimedTransport | None] = ContextVar("sends_for_chroma", default=None)


@contextmanager
def chroma_sends_by(transport: TimedTransport) -> Iterator[None]:
    """Clients that Chroma makes inside send by this; it takes none of ours, and asks at once.

    Others that are made meanwhile, in other threads or by the program around us, do not.
    """
    from chromadb.api import fastapi

    module: Any = fastapi
    if module.httpx is httpx:
        module.httpx = SimpleNamespace(**{**vars(httpx), "Client": _make_client})
    before = _SENDS.set(transport)
    try:
        yield
    finally:
        _SENDS.reset(before)


def _make_client(**options: Any) -> httpx.Client:
    return httpx.Client(transport=_SENDS.get(), **options)
