"""What several routes share."""

from typing import Any, TypeVar

from fastapi import HTTPException

from agent.web.bodies import Fault

_Known = TypeVar("_Known")

FAULTS: dict[int | str, dict[str, Any]] = {
    status: {"model": Fault} for status in (400, 401, 403, 404, 409, 422, 502, 503, 507)
}


def known(one: _Known | None, what: str) -> _Known:
    """The one that was looked for.

    Raises:
        HTTPException: If there is none.
    """
    if one is None:
        raise HTTPException(404, f"there is no such {what}; it may be too old to be kept")
    return one
