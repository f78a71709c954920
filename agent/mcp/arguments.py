"""What the tools take, and how they return."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, Field

from agent.question import LONGEST_QUERY
from tools.text import printable

MOST_WAIT_S = 50.0
"""Clients give a tool up after a minute."""

Video = Annotated[
    str, Field(min_length=1, max_length=4000, description="Id, name or path of a served video.")
]
VideoOrLink = Annotated[
    str,
    Field(
        min_length=1,
        max_length=4000,
        description="Id, name or path of a served video, or the https:// link of one.",
    ),
]
Fetch = Annotated[
    bool,
    Field(description="For a link that was offered: whether the user agrees to fetch that much."),
]
Query = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_QUERY,
        description="What to look for, in one plain sentence.",
    ),
]
Seconds = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]
Within = Annotated[
    tuple[Seconds, Seconds] | None,
    Field(description="Start and end, in seconds, of the stretch to search; null: all of it."),
]
EveryTime = Annotated[
    bool, Field(description="Whether all the times that it happens are wanted, not the best.")
]
Wait = Annotated[float, Field(ge=0, le=MOST_WAIT_S, allow_inf_nan=False)]

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True)
ADDS_FROM_OUTSIDE = ADDS.model_copy(update={"open_world_hint": True})


def reply(text: str, values: BaseModel, *more: Any) -> CallToolResult:
    """A result: a text for the model, further content, and the values by the tool's schema."""
    return CallToolResult(
        content=[TextContent(text=printable(text)), *more],
        structured_content=values.model_dump(mode="json", by_alias=True),
    )
