"""Tools that list videos, and have them described."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult
from pydantic import Field

from agent.mcp.arguments import ADDS_FROM_OUTSIDE, READS, Fetch, Video, VideoOrLink, Wait, reply
from agent.mcp.desk import told_to_the_model
from agent.mcp.replies import IndexStatus, ListedVideos
from agent.web.bodies import CostEstimate
from agent.web.jobs import ACTIVE
from tools.clock import clock
from tools.text import counted
from tools.video.link_names import is_link

if TYPE_CHECKING:
    from agent.mcp.desk import Desk

UNDER_WAY = (*ACTIVE, "looking", "fetching")
"""States that pass by themselves; ``offered`` waits for the client."""

LOOK_EVERY_S = 0.2
"""How often a job's progress is looked at for a client that waits."""


def add_index_tools(server: MCPServer[Any], desk: Desk) -> None:
    """``list_videos``, ``index_video``, ``index_status`` and ``estimate_cost``."""
    prompt = desk.grounder.prompts.render

    def list_videos() -> Annotated[CallToolResult, ListedVideos]:
        with told_to_the_model():
            cards = desk.cards()
        lines = [
            f"{card.id}  {card.name}  {_length(card.duration_s)}  {card.state}" for card in cards
        ]
        return reply("\n".join(lines) or "there is no video here", ListedVideos(videos=cards))

    def index_video(
        video: VideoOrLink, fetch: Fetch = False
    ) -> Annotated[CallToolResult, IndexStatus]:
        with told_to_the_model():
            if is_link(video) and desk.links.kept(video) is None:
                job = desk.links.add(video)
                if fetch and job.state == "offered":
                    job = desk.links.agree(job.id) or job
                return _status(IndexStatus.of_link(job))
            return _status(IndexStatus.of(desk.jobs.add(desk.named(video))))

    async def index_status(
        handle: Annotated[str, Field(max_length=64, description="From index_video.")],
        ctx: Context[Any, Any],
        wait_s: Wait = 0.0,
    ) -> Annotated[CallToolResult, IndexStatus]:
        until = time.monotonic() + wait_s
        said = -1.0
        while True:
            status = _look_up(desk, handle)
            if status is None:
                raise ToolError(
                    f"there is no index job {handle[:40]!r}; call index_video: it goes on where an "
                    "earlier one stopped"
                )
            if status.seen_s > said:
                said = status.seen_s
                await ctx.report_progress(said, status.total_s, counted(status.captions, "caption"))
            if status.state not in UNDER_WAY or time.monotonic() >= until:
                return _status(status)
            await asyncio.sleep(LOOK_EVERY_S)

    def estimate_cost(video: Video) -> Annotated[CallToolResult, CostEstimate]:
        with told_to_the_model():
            served = desk.named(video)
            estimate = desk.estimate(served)
        usd = "an unknown price" if estimate.usd is None else f"{estimate.usd:.4f} US dollars"
        text = f"{counted(estimate.captions, 'caption')} by {estimate.captioner}, {usd}"
        return reply(f"{text}, {estimate.minutes:.1f} min, if {estimate.assumes}", estimate)

    for tool, hints in (
        (list_videos, READS),
        (index_video, ADDS_FROM_OUTSIDE),
        (index_status, READS),
        (estimate_cost, READS),
    ):
        server.add_tool(tool, description=prompt(f"mcp_{tool.__name__}"), annotations=hints)


def _look_up(desk: Desk, handle: str) -> IndexStatus | None:
    if job := desk.jobs.get(handle):
        return IndexStatus.of(job)
    link = desk.links.get(handle)
    if link is None:
        return None
    # What was fetched is described at once: that is what the tool was called for.
    described = [job for job in desk.jobs.all() if job.video == link.video]
    return IndexStatus.of(described[-1], link) if described else IndexStatus.of_link(link)


def _status(status: IndexStatus) -> CallToolResult:
    of = "" if status.total_s is None else f" of {clock(status.total_s)}"
    captions = counted(status.captions, "caption")
    text = f"{status.name}: {status.state}, {clock(status.seen_s)}{of}, {captions}"
    note = f"; {status.message}" if status.message else ""
    return reply(f"{text}{note} (handle {status.handle})", status)


def _length(duration_s: float | None) -> str:
    return "unknown length" if duration_s is None else clock(duration_s)
