"""LangSmith's own tracer, for graphs that a program runs without a ``Grounder`` around them.

In LangGraph Studio, and wherever the compiled graph is a part of another one, LangSmith's SDK
traces by itself. What it sends goes through one client a process, and is scrubbed there as ours is.
"""

from langsmith import Client, run_trees

from agent.tracing.langsmith_sink import LangSmith
from agent.tracing.scrub import Scrubber


def scrub_own_tracer(langsmith: LangSmith, scrubber: Scrubber) -> Client:
    """Make the client of LangSmith's SDK one that sends nothing unscrubbed.

    A program that has made its client already keeps it.

    Args:
        langsmith: Where it sends to.
        scrubber: What inputs, outputs and metadata of every run of this process go through.

    Returns:
        The client in use.
    """
    return run_trees.get_cached_client(
        api_url=langsmith.url,
        api_key=langsmith.api_key,
        workspace_id=langsmith.workspace,
        hide_inputs=scrubber,
        hide_outputs=scrubber,
        hide_metadata=scrubber,
    )
