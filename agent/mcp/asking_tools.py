"""Tools that ask a video, and that read what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from anyio import to_thread
from mcp.server.mcpserver import Context, MCPServer
from mcp.types import CallToolResult

from agent.grounding import Grounding
from agent.mcp.arguments import READS, EveryTime, Query, Seconds, Video, Within, reply
from agent.mcp.desk import told_to_the_model
from agent.mcp.replies import CaptionPage, PagedCaption
from agent.tool import describe_answer
from agent.web.asking import KeptAnswer

if TYPE_CHECKING:
    from agent.mcp.desk import Desk

PAGE_CHARACTERS = 20_000
"""Captions of one reply hold about this much text: a model reads all of it."""


def add_asking_tools(server: MCPServer[Any], desk: Desk) -> None:
    """``find_moment`` and ``read_captions``."""
    prompt = desk.grounder.prompts.render

    async def find_moment(
        video: Video,
        query: Query,
        ctx: Context[Any, Any],
        within: Within = None,
        every_time: EveryTime = False,
    ) -> Annotated[CallToolResult, Grounding]:
        with told_to_the_model():
            served = await to_thread.run_sync(desk.named, video)
            await to_thread.run_sync(desk.check_askable, served)
            searching = desk.asker.ask(served, query, within=within, every_time=every_time)
            steps = 0
            try:
                async for told in searching:
                    if isinstance(told, KeptAnswer):
                        return reply(describe_answer(told.answer), told.answer)
                    steps += 1
                    doing = told.values.get("node") or told.values.get("message") or told.event
                    await ctx.report_progress(steps, message=str(doing))
            finally:
                await searching.aclose()
        raise AssertionError("a search ends with its answer, or an error")

    def read_captions(
        video: Video, start_s: Seconds, end_s: Seconds
    ) -> Annotated[CallToolResult, CaptionPage]:
        with told_to_the_model():
            served = desk.named(video)
            desk.check_askable(served)
            found = desk.captions(served, start_s, end_s)
        page: list[PagedCaption] = []
        room = PAGE_CHARACTERS
        for one in found:
            room -= len(one.text) + 40
            # The next page begins later than this one did, whatever overlaps.
            if room < 0 and page and one.start_s > max(start_s, page[-1].start_s):
                break
            page.append(
                PagedCaption(
                    id=one.id, start_s=one.start_s, end_s=one.end_s, text=one.text,
                    source=one.source,
                )
            )  # fmt: skip
        rest = found[len(page) :]
        next_s = rest[0].start_s if rest else None
        lines = [f"[{one.start_s:.2f}-{one.end_s:.2f} s] {one.text}" for one in page]
        if next_s is not None:
            lines.append(f"and {len(rest)} more: read on from {next_s:.2f} s")
        text = "\n".join(lines) or "no caption lies there"
        return reply(text, CaptionPage(video=served.id, captions=page, next_s=next_s))

    server.add_tool(find_moment, description=prompt("find_moment"), annotations=READS)
    server.add_tool(read_captions, description=prompt("read_captions"), annotations=READS)
