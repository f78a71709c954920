"""``make_graph``: the graph for LangGraph Studio and ``langgraph dev``; see ``langgraph.json``."""

import asyncio
from functools import cache

from agent.api import Grounder
from agent.graph.graph import Graph


async def make_graph() -> Graph:
    """The graph of what the settings name.

    It has no checkpointer: the server brings its own.

    Raises:
        WhenaboutsError: If a part cannot be used here; the server's log says why.
    """
    # Opening a store takes time, and the server's loop must not wait for it.
    return await asyncio.to_thread(lambda: _grounder().graph)


@cache
def _grounder() -> Grounder:
    """One for all runs: the store takes a single writer."""
    return Grounder()
