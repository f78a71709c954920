"""What happens while an answer is found: the graph's stream of plain values, as types."""

from dataclasses import asdict
from typing import Any

from agent.grounding import LookUp, Refusal
from tools.indexing.indexer import Progress

Event = Progress | LookUp | Refusal
"""Frames were described; the reasoner looked something up; one of its replies was refused."""


def write_event(event: Event, *, node: str) -> dict[str, Any]:
    """Plain values, for the graph's stream: ``event``, ``node``, and what that event tells."""
    kind = {Progress: "progress", LookUp: "look_up", Refusal: "refusal"}[type(event)]
    told = asdict(event) if isinstance(event, Progress) else event.model_dump()
    return {"event": kind, "node": node} | told


def read_event(plain: dict[str, Any]) -> Event:
    """The event that ``write_event`` wrote."""
    told = {name: value for name, value in plain.items() if name not in {"event", "node"}}
    kinds: dict[str, type[Event]] = {"progress": Progress, "look_up": LookUp, "refusal": Refusal}
    return kinds[plain["event"]](**told)
