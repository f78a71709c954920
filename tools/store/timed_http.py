"""Requests to a Chroma server with one deadline for each reply: Chroma's own client has none."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, Final

import httpx

from tools.request_loop import wait_for

REPLY_S: Final = 120.0
"""For one reply in all, from the first byte sent to the last one received."""

GRACE_S: Final = 10.0
"""How long a reply may take at least where the run is over: what was paid for is to be kept."""


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
        self._client = httpx.AsyncClient(timeout=None, follow_redirects=False)  # noqa: S113  # below

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and read the whole reply.

        Raises:
            httpx.HTTPError: If there is none in time.
        """
        left_s = max(self._until() - time.monotonic(), GRACE_S)
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
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._client.send(asked, stream=True)
                try:
                    body = b"".join([chunk async for chunk in answer.aiter_raw()])
                finally:
                    await answer.aclose()
        except TimeoutError:
            told = f"no whole answer within {timeout_s:.3g} s"
            raise httpx.ReadTimeout(told, request=request) from None
        return httpx.Response(
            answer.status_code,
            headers=answer.headers,
            stream=httpx.ByteStream(body),
            extensions={"reason_phrase": answer.reason_phrase.encode("ascii", "replace")},
        )


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
