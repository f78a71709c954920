"""Errors as answers of the API: a sentence each, and a status."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect

from agent.errors import (
    CaptionerError,
    QueryError,
    ReasonerError,
    StoreBusyError,
    StoreError,
    UsedUpError,
    VideoError,
    WhenaboutsError,
)
from agent.web.described import BusyError
from agent.web.library import NotServedError
from agent.web.plain_json import PlainJson
from agent.web.uploads import RefusedUploadError
from tools.text import printable, shorten, whole_unicode

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

_STATUS: Final[list[tuple[type[Exception], int]]] = [
    (QueryError, 422),
    (VideoError, 422),
    (UsedUpError, 409),
    (StoreBusyError, 503),
    (StoreError, 503),
    (CaptionerError, 502),
    (ReasonerError, 502),
    (WhenaboutsError, 422),
    (NotServedError, 404),
    (BusyError, 409),
]


def status_of(error: Exception) -> int:
    """The HTTP status that tells the kind of an error; 500 for one that is not ours."""
    if isinstance(error, OSError):
        return 507 if error.errno in {errno.ENOSPC, errno.EDQUOT} else 500
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def sentence_of(error: Exception) -> str:
    """What to tell the person about it."""
    if status_of(error) == 507:
        return "the disk is full; free some space and try again, nothing that was there is lost"
    if status_of(error) == 500:
        return f"a fault in whenabouts ({type(error).__name__}); its terminal shows more"
    return whole_unicode(str(error))


def add_handlers(app: FastAPI) -> None:
    """Let every route answer with these."""

    async def tell(_: Request, error: Exception) -> PlainJson:
        return _said(status_of(error), sentence_of(error))

    async def tell_of_the_disk(asked: Request, error: Exception) -> PlainJson:
        if status_of(error) == 500:
            raise error  # So that the terminal shows more, as the sentence says.
        return await tell(asked, error)

    async def refuse(_: Request, error: Exception) -> PlainJson:
        assert isinstance(error, RefusedUploadError)
        return _said(error.status, str(error))

    async def leave(_: Request, __: Exception) -> PlainJson:
        return _said(400, "the sender left before all was sent")

    async def correct(_: Request, error: Exception) -> PlainJson:
        assert isinstance(error, RequestValidationError)
        faults = [_wrong(one) for one in error.errors()[:3]]
        return _said(422, shorten(printable(whole_unicode("; ".join(faults))), 400))

    # Of `Exception` the server still shows the traceback, in its terminal.
    for kind in (WhenaboutsError, NotServedError, BusyError, Exception):
        app.add_exception_handler(kind, tell)
    app.add_exception_handler(OSError, tell_of_the_disk)
    app.add_exception_handler(RefusedUploadError, refuse)
    app.add_exception_handler(ClientDisconnect, leave)
    app.add_exception_handler(RequestValidationError, correct)


def _said(status: int, why: str) -> PlainJson:
    return PlainJson({"detail": why}, status)


def _wrong(fault: dict[str, Any]) -> str:
    if fault["type"] == "json_invalid":
        return f"the body is not JSON: {fault['ctx']['error']}"
    if fault["loc"] == ("body",):
        return "the body has to be a JSON object, sent with `content-type: application/json`"
    where = ".".join(map(str, fault["loc"][1:]))
    return f"{where}: {fault['msg']}"
