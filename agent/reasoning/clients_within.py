"""The HTTP clients within LangChain's models: where they ask, with what keys; no redirects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

DEEPEST: Final = 6
"""Clients lie within clients of SDKs, within models."""

SHORTEST_SECRET: Final = 8
"""A server that needs no key is given a placeholder, which is not a secret."""

_HOLD_ADDRESSES: Final = ("base_url", "endpoint_url", "azure_endpoint", "endpoint")
_HOLD_KEYS: Final = ("key", "authorization", "token", "secret", "cookie")


def follow_no_redirects(model: object) -> None:
    """Have every HTTP client that a model holds return redirects instead of following them.

    They would carry captions, and the key, to a host that nobody named. Clients of httpx and of
    requests are found wherever they lie in the model; of others nothing is known.
    """
    for one in _within(model):
        if _is_client(one):
            # Of httpx, or of one of its copies: SDKs bring their own.
            setattr(one, "follow_redirects", False)  # noqa: B010  # no common class
        elif type(one).__module__.partition(".")[0] == "requests" and hasattr(one, "max_redirects"):
            one.max_redirects = 0


def leave_retries_to_us(model: object) -> None:
    """Have a model and its clients try once: two layers that retry multiply their tries and waits.

    Clients that keep such a number elsewhere, such as Amazon's, go on as they are made.
    """
    for one in _within(model):
        if isinstance(getattr(one, "max_retries", None), int):
            # What is called so counts tries in models, and retries in the clients of SDKs.
            one.max_retries = 1 if one is model else 0


def address_of(model: object) -> str:
    """Where a model asks, such as ``https://api.example.com``; empty where that is not known.

    What the clients themselves hold counts: it is what requests go to, whichever variable or
    option it came from.
    """
    found: list[tuple[bool, str]] = []
    for one in _within(model):
        places = [getattr(one, name, None) for name in _HOLD_ADDRESSES]
        # Google's keeps its address in options, Amazon's in facts about the client.
        options, facts = getattr(one, "_http_options", None), getattr(one, "meta", None)
        places += [getattr(options, "base_url", None), getattr(facts, "endpoint_url", None)]
        # Amazon's has two clients: one lists models, and is not asked.
        asks = "Runtime" in type(one).__name__
        found += [(asks, text) for place in places if _is_address(text := str(place or ""))]
    # Of others, the last one lies deepest.
    asked = [text for asks, text in found if asks] or [text for _, text in found]
    return asked[-1] if asked else ""


def secrets_of(model: object) -> list[str]:
    """Keys that a model or its clients hold."""
    secrets: list[str] = []
    for one in _within(model):
        held = _held_by(one).values()
        secrets += [each.get_secret_value() for each in held if isinstance(each, SecretStr)]
        headers = getattr(one, "headers", None) if _is_client(one) else None
        if isinstance(headers, Mapping):
            for name, value in headers.items():
                if any(part in str(name).lower() for part in _HOLD_KEYS):
                    secrets.append(str(value).rpartition(" ")[2])
    return list(dict.fromkeys(one for one in secrets if len(one) >= SHORTEST_SECRET))


def key_variable(model: object) -> str:
    """The environment variable that the model's library reads its key from; empty for none."""
    named = getattr(model, "lc_secrets", None)
    return next((str(one) for one in named.values()), "") if isinstance(named, Mapping) else ""


def _is_client(one: object) -> bool:
    return isinstance(getattr(one, "follow_redirects", None), bool)


def _is_address(text: str) -> bool:
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False


def _within(model: object) -> Iterator[Any]:
    """The model, and every client in it; those that lie deeper come later."""
    seen: set[int] = set()
    waiting = [(model, 0)]
    while waiting:
        one, depth = waiting.pop(0)
        if id(one) in seen or depth > DEEPEST:
            continue
        seen.add(id(one))
        yield one
        if not _is_client(one):
            waiting += [(part, depth + 1) for part in _parts(one)]


def _parts(one: object) -> Iterator[Any]:
    for name in dir(type(one)):
        # Some make their clients when they are first used.
        if "client" in name and isinstance(getattr(type(one), name), cached_property):
            getattr(one, name)
    yield from (
        part
        for name, part in list(_held_by(one).items())
        if "client" in name.lower() or "session" in name.lower()
    )


def _held_by(one: object) -> dict[str, Any]:
    held: dict[str, Any] = {}
    for values in (getattr(one, "__dict__", None), getattr(one, "__pydantic_private__", None)):
        if isinstance(values, dict):
            held |= values
    return held
