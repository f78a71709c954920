"""Who may ask: the Host header, where a page comes from, and the token. It precedes every route.

A server on the loopback can be reached by every page that a browser here has open. Such a page may
send requests across sites, or give its own name this address (DNS rebinding). The first shows in
``Origin`` and ``Sec-Fetch-Site``, the second in ``Host``.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "whenabouts_token"
READING: Final = frozenset({"GET", "HEAD"})
ALWAYS: Final = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
"""Headers of every response: nothing is loaded from elsewhere, and no other page embeds ours."""


class Guard:
    """Lets through what this server's own page, or a program with the token, asks.

    Args:
        app: What is behind it.
        address: The address that the server listens on.
        token: What has to be shown; empty: nothing, on a loopback address alone.
    """

    def __init__(self, app: ASGIApp, *, address: str, token: str = "") -> None:
        self._app = app
        self._token = token
        self._names = {"localhost", address.lower(), "127.0.0.1", "::1"}
        self._takes_addresses = not is_loopback(address)
        if self._takes_addresses:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a refusal, or hand the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope, Headers(scope=scope))

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers[name] = value
            await send(message)

        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        # Two of them: who is first here may be second to somebody on the way.
        host = ", ".join(headers.getlist("host"))
        if not self._is_ours(host):
            return _refuse(
                400,
                f"the host {host[:80]!r} is not this server; open it by the address that "
                "`whenabouts serve` printed",
            )
        origin = headers.get("origin")
        is_foreign = origin is not None and urlsplit_host(origin) != host.lower()
        # A link on another site may open the page, and nothing else.
        opens_page = scope["path"] == "/" and scope["method"] in READING
        is_foreign |= (
            headers.get("sec-fetch-site") in {"cross-site", "same-site"} and not opens_page
        )
        if is_foreign:
            return _refuse(403, "another site's page may not ask this server")
        return self._token_refusal(scope, headers) if self._token else None

    def _token_refusal(self, scope: Scope, headers: Headers) -> Response | None:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        in_address = (value for name, value in query if name == "token")
        # Looked at first: who has shown it before would else keep it in the address.
        if scope["path"] == "/" and any(map(self._is_token, in_address)):
            # From here on the cookie shows it: the address bar and the history need not.
            rest = urlencode([pair for pair in query if pair[0] != "token"])
            response = RedirectResponse(f"/?{rest}" if rest else "/", status_code=303)
            response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            response.headers["cache-control"] = "no-store"
            return response
        shown = headers.get("authorization", "").removeprefix("Bearer ")
        if self._is_token(shown) or self._is_token(_cookie(headers)):
            return None
        refusal = _refuse(
            401,
            "this server asks for its token: open /?token=TOKEN, or send the header "
            "Authorization: Bearer TOKEN; it is what WHENABOUTS_TOKEN was when it was started",
        )
        refusal.headers["www-authenticate"] = "Bearer"
        return refusal

    def _is_token(self, shown: str) -> bool:
        # In constant time: how far a guess is right must not show in how long it takes.
        return hmac.compare_digest(shown.encode(errors="replace"), self._token.encode())

    def _is_ours(self, host: str) -> bool:
        name = "" if "@" in host else _name(host)
        if name in self._names:
            return True
        # Rebinding needs a name: an address in numbers is no other site's.
        return self._takes_addresses and is_address(name)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches it."""
    return address == "localhost" or (
        is_address(address) and ipaddress.ip_address(address).is_loopback
    )


def urlsplit_host(origin: str) -> str:
    """Host and port of an origin, in lower case; empty for ``null`` and what is no URL."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def is_address(name: str) -> bool:
    """Whether it is an IP address, of either version."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _cookie(headers: Headers) -> str:
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


def _refuse(status: int, why: str) -> Response:
    return JSONResponse({"detail": why}, status)
