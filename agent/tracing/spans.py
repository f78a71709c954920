"""A span: one thing that was done for an answer, and what may be told about it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

Kind = Literal["chain", "llm", "tool"]


@dataclass(frozen=True, slots=True)
class Span:
    """A step and what went in and out of it, scrubbed. While it is open, ``end`` is None.

    Attributes:
        id: Its own.
        trace_id: Of the outermost span.
        parent_id: Of the span around it; None for the outermost.
        order: Ids and times from the outermost span down to this one, as LangSmith sorts by.
        project: LangSmith project of a trace that is already open around this one; else empty.
        name: Of the node, model, tool or function.
        kind: Kind of step.
        start: When it began, UTC.
        inputs: Plain JSON values.
        metadata: Facts by name; see ``agent.tracing.facts``.
        tags: The same in short, to filter by.
        end: When it ended.
        outputs: Plain JSON values.
        error: Why it failed; empty where it did not.
    """

    id: UUID
    trace_id: UUID
    parent_id: UUID | None
    order: str
    name: str
    kind: Kind
    start: datetime
    inputs: dict[str, Any]
    project: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    end: datetime | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    error: str = ""


class Sink(Protocol):
    """A place that spans are sent to. An error that it raises never costs an answer."""

    def started(self, span: Span) -> None:
        """A span was opened."""
        ...

    def ended(self, span: Span) -> None:
        """That span is complete."""
        ...

    def complaint(self) -> str:
        """Why spans were lost, in a line, the first time this is called afterwards; else empty."""
        ...

    def close(self, *, within_s: float) -> None:
        """Let go, having waited no longer than this for what is still under way."""
        ...
