"""What happens while an answer is found: the graph's stream of plain values, as types."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from agent.grounding import LookUp, Refusal
from tools.indexing.indexer import Progress
from tools.llm.retries import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langgraph.types import StreamWriter

Event = Progress | LookUp | Refusal | Retry
"""Frames were described; the reasoner looked something up; one of its replies was refused; a model
gave none, and is asked again."""

_KINDS: Final[dict[str, type[Event]]] = {
    "progress": Progress,
    "look_up": LookUp,
    "refusal": Refusal,
    "retry": Retry,
}

_HEARD_BY: ContextVar[Callable[[Event], None] | None] = ContextVar("heard_by", default=None)


@contextmanager
def heard_by(receive: Callable[[Event], None]) -> Iterator[None]:
    """What nodes ``announce`` in this block is handed over at once, in the node's thread.

    A graph that is asked for its stream ``custom`` runs each step in a pool of threads, and has
    another one wait for events: twice the handing over, and 2 ms of CPU a question.
    """
    token = _HEARD_BY.set(receive)
    try:
        yield
    finally:
        _HEARD_BY.reset(token)


def announce(event: Event, *, node: str, stream: StreamWriter) -> None:
    """For nodes: tell an event to the graph's own stream, and to the one that hears it."""
    stream(write_event(event, node=node))
    if receive := _HEARD_BY.get():
        receive(event)


def write_event(event: Event, *, node: str) -> dict[str, Any]:
    """Plain values, for the graph's stream: ``event``, ``node``, and what that event tells."""
    told = asdict(event) if isinstance(event, Progress | Retry) else event.model_dump()
    kind = next(name for name, of_kind in _KINDS.items() if isinstance(event, of_kind))
    return {"event": kind, "node": node} | told


def read_event(plain: dict[str, Any]) -> Event:
    """The event that ``write_event`` wrote."""
    told = {name: value for name, value in plain.items() if name not in {"event", "node"}}
    return _KINDS[plain["event"]](**told)
