"""What several routes share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import HTTPException
from fastapi.sse import ServerSentEvent

from agent.web.bodies import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Coroutine

    from fastapi import Request

    from agent.web.jobs import Job
    from agent.web.link_jobs import LinkJob

_Known = TypeVar("_Known")

LOOK_EVERY_S = 0.2
"""How often a job's progress is looked at for those who watch it."""

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


async def unless_left(request: Request, work: Coroutine[Any, Any, _Known]) -> _Known:
    """The result of the work, which is cancelled when the sender leaves.

    Raises:
        HTTPException: If the sender left.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_leave(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise HTTPException(400, "the sender left")
    finally:
        working.cancel()
        leaving.cancel()


async def _leave(request: Request) -> None:
    # The body has been read: what else comes is that the connection ends.
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def follow(
    what: str, job_id: str, get: Callable[[str], Job | LinkJob | None], active: Collection[str]
) -> AsyncGenerator[ServerSentEvent]:
    """A job as it goes: an event of its kind whenever it has changed, until it ends.

    Args:
        what: Its kind, and the name of the events.
        job_id: Names the job.
        get: Returns it as it stands.
        active: States that it has not ended in.
    """
    said: Job | LinkJob | None = None
    while True:
        job = get(job_id)
        if job is None:
            why = f"there is no {what} {job_id[:40]!r}"
            yield ServerSentEvent(event="fault", data={"detail": why})
            return
        if job != said:
            yield ServerSentEvent(event=what, data=job.model_dump())
            said = job
        if job.state not in active:
            return
        await asyncio.sleep(LOOK_EVERY_S)
