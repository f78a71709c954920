"""Routes of links: what one leads to, whether to fetch it, and how far it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from agent.web.bodies import NewLink
from agent.web.link_jobs import LINK_ACTIVE, LinkJob
from agent.web.route_parts import FAULTS, follow, known

if TYPE_CHECKING:
    from agent.web.rooms import Rooms


def link_routes(rooms: Rooms) -> APIRouter:
    """The routes under ``/links``."""
    router = APIRouter(prefix="/links", tags=["links"], responses=FAULTS)

    @router.get("")
    def list_links() -> list[LinkJob]:
        """Every link of this run of the server, the latest last."""
        return rooms.links.all()

    @router.get("/available")
    def can_fetch() -> bool:
        """Whether links can be fetched here: yt-dlp is installed."""
        return rooms.links.is_available()

    @router.post("", status_code=202)
    def look_at_link(new: NewLink) -> LinkJob:
        """Look at what a link leads to, and how large that is; nothing is fetched yet."""
        return rooms.links.add(new.link)

    @router.get("/{job_id}")
    def show_link(job_id: str) -> LinkJob:
        """One link as it stands now."""
        return known(rooms.links.get(job_id), "link")

    @router.post("/{job_id}/agree")
    def fetch_link(job_id: str) -> LinkJob:
        """Fetch what was offered."""
        return known(rooms.links.agree(job_id), "link")

    @router.post("/{job_id}/cancel")
    def cancel_link(job_id: str) -> LinkJob:
        """End it; nothing that is half fetched is kept."""
        return known(rooms.links.cancel(job_id), "link")

    @router.get("/{job_id}/events", response_class=EventSourceResponse)
    async def follow_link(job_id: str) -> AsyncIterator[ServerSentEvent]:
        """The link as it goes: an event ``link`` whenever it has changed, until it ends."""
        async for event in follow("link", job_id, rooms.links.get, LINK_ACTIVE):
            yield event

    return router
