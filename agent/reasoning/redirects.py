"""Keeps the clients that LangChain's models ask with from following redirects."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

DEEPEST: Final = 6
"""Clients lie within clients of SDKs, within models."""


def follow_no_redirects(model: object) -> None:
    """Have every HTTP client that a model holds return redirects instead of following them.

    They would carry captions, and the key, to a host that nobody named. Clients of httpx and of
    requests are found wherever they lie in the model; of others nothing is known.
    """
    seen: set[int] = set()
    waiting = [(model, 0)]
    while waiting:
        one, depth = waiting.pop()
        if id(one) in seen or depth > DEEPEST:
            continue
        seen.add(id(one))
        if isinstance(getattr(one, "follow_redirects", None), bool):
            # Of httpx, or of one of its copies: SDKs bring their own.
            setattr(one, "follow_redirects", False)  # noqa: B010  # no common class
        elif type(one).__module__.partition(".")[0] == "requests" and hasattr(one, "max_redirects"):
            one.max_redirects = 0
        else:
            waiting += [(part, depth + 1) for part in _parts(one)]


def _parts(one: object) -> Iterator[Any]:
    for name in dir(type(one)):
        # Some make their clients when they are first used.
        if "client" in name and isinstance(getattr(type(one), name), cached_property):
            getattr(one, name)
    for held in (getattr(one, "__dict__", None), getattr(one, "__pydantic_private__", None)):
        if isinstance(held, dict):
            yield from (
                part
                for name, part in list(held.items())
                if "client" in name.lower() or "session" in name.lower()
            )
