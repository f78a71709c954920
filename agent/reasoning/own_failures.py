"""What an exception of a provider's own client says: status, headers, the server's words. Pure.

Each library raises its own; what they have in common is where they keep what the server said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_CAME_AND_BROKE: Final = (
    *("RemoteProtocol", "ReadError", "IncompleteRead", "ChunkedEncoding"),
    "ConnectionClosed",
)
"""Parts of the names of exceptions for a connection that ended early."""

_OF_READING: Final = (AttributeError, TypeError, LookupError, json.JSONDecodeError)
"""What client code raises where a reply has another form: it says nothing to people."""


@dataclass(frozen=True, slots=True)
class OwnFailure:
    """An exception, read.

    Attributes:
        kind: ``answered`` where the server answered with a status of an error; ``unreachable``,
            ``late`` and ``broken`` where it did not; ``strange`` for anything else.
        said: Why, where it did not answer; the server's words are in ``body``.
        status: Of HTTP.
        headers: Their names in lower case.
        body: As it came, or the same as JSON.
    """

    kind: str
    said: str = ""
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def read_failure(exc: Exception) -> OwnFailure:
    """What a client's exception means, whatever its class."""
    causes = _causes(exc)
    for one in causes:
        if status := _status_of(one):
            return OwnFailure("answered", "", status, _headers_of(one), _body_of(one, exc))
    names = " ".join(type(one).__name__ for one in causes)
    last = causes[-1]
    said = "what it sent cannot be read" if isinstance(last, _OF_READING) else str(last)
    said = said or type(last).__name__
    if any(part in names for part in _CAME_AND_BROKE):
        return OwnFailure("broken", said)
    if "Connect" in names:
        return OwnFailure("unreachable", said)
    if "Timeout" in names:
        return OwnFailure("late", said)
    return OwnFailure("strange", said)


def _causes(exc: BaseException) -> list[BaseException]:
    causes = [exc]
    while (cause := causes[-1].__cause__ or _unhidden(causes[-1])) and cause not in causes:
        causes.append(cause)
    return causes


def _unhidden(exc: BaseException) -> BaseException | None:
    return None if exc.__suppress_context__ else exc.__context__


def _status_of(exc: BaseException) -> int:
    response = getattr(exc, "response", None)
    facts = response.get("ResponseMetadata", {}) if isinstance(response, Mapping) else {}
    for status in (
        getattr(exc, "status_code", None),
        getattr(response, "status_code", None),
        facts.get("HTTPStatusCode") if isinstance(facts, Mapping) else None,
        getattr(exc, "code", None),
    ):
        if isinstance(status, int) and 300 <= status < 600:
            return status
    return 0


def _headers_of(exc: BaseException) -> dict[str, str]:
    response = getattr(exc, "response", None)
    if isinstance(response, Mapping):
        headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    else:
        headers = getattr(response, "headers", None) or {}
    return {str(name).lower(): str(value) for name, value in dict(headers).items()}


def _body_of(exc: BaseException, raised: Exception) -> bytes:
    response = getattr(exc, "response", None)
    amazons = response.get("Error", {}) if isinstance(response, Mapping) else {}
    told: Any = (
        getattr(exc, "body", None)
        or getattr(exc, "details", None)
        or {name.lower(): value for name, value in amazons.items()}
        or _text_of(response)
        or getattr(exc, "error", None)
        or str(raised)
    )
    if isinstance(told, Mapping):
        # A page that came in place of JSON, which Google's client wraps.
        page = told.get("message")
        if isinstance(page, str) and page.lstrip().startswith("<"):
            return page.encode()
        is_whole = "error" in told or "type" in told
        told = json.dumps(told if is_whole else {"error": told}, default=str)
    return str(told).encode("utf-8", "replace")


def _text_of(response: object) -> str:
    try:
        return str(getattr(response, "text", "") or "")
    except Exception:  # noqa: BLE001  # each library's own, for a body that nobody has read
        return ""
