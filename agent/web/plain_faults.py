"""Faults that a library words in plain text, such as a bad ``Range``, told as all others are."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from agent.web.plain_json import PlainJson

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAYS = {
    400: "the request cannot be read: {said}",
    413: "the request is larger than this server takes",
    416: "the range asked for lies outside the file; see the header Content-Range for its size",
}


class PlainFaults:
    """Turns a fault in plain text into the API's own: an object with a sentence, ``detail``.

    Args:
        app: What is behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and look at how its answer begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def look(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_plain_fault(message):
                held.append(message)
            elif not held:
                await send(message)
            else:
                held.append(message)
                if not message.get("more_body"):
                    await _said(held)(scope, receive, send)

        await self._app(scope, receive, look)


def _is_plain_fault(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] >= 400 and kind.startswith("text/plain")


def _said(held: list[Message]) -> PlainJson:
    start, *bodies = held
    status = start["status"]
    said = b"".join(one.get("body", b"") for one in bodies).decode(errors="replace")
    usual = HTTPStatus(status).phrase.lower()
    detail = SAYS.get(status, "{said}").format(said=said or usual)
    kept = {
        name: value
        for name, value in Headers(raw=start["headers"]).items()
        if name not in {"content-type", "content-length"}
    }
    return PlainJson({"detail": detail}, status, kept)
