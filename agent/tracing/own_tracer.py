"""LangSmith's own tracer, for graphs that a program runs without a ``Grounder`` around them.

In LangGraph Studio, and wherever the compiled graph is a part of another one, LangSmith's SDK
traces by itself. What it sends goes through one client a process, and is scrubbed there as ours is.
"""

import time
from typing import Any, Final

from langsmith import Client, run_trees
from requests import PreparedRequest, RequestException, Response, Session
from urllib3.util.retry import Retry

from agent.tracing.langsmith_sink import LangSmith
from agent.tracing.scrub import Scrubber

TIMEOUT_S: Final = (1.0, 1.5)
"""To connect, and to be answered."""

PAUSE_S: Final = 60.0
"""For so long a server that did not answer is not asked again."""


class Impatient(Session):
    """Has no patience with a server that does not answer.

    A program's end waits for what is under way, which with the SDK's own patience takes minutes.
    """

    _asks_again_at = 0.0

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        """As the session's own; the time to wait for an answer is ``TIMEOUT_S``."""
        if time.monotonic() < self._asks_again_at:
            raise RequestException(f"{request.url} did not answer just now")
        try:
            return super().send(request, **(options | {"timeout": TIMEOUT_S}))
        except RequestException:
            self._asks_again_at = time.monotonic() + PAUSE_S
            raise


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
        session=Impatient(),
        retry_config=Retry(total=0),
        hide_inputs=scrubber,
        hide_outputs=scrubber,
        hide_metadata=scrubber,
    )
