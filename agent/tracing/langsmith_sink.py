"""Spans to LangSmith, by its own SDK: a run is created when a span begins, and updated at its end.

The SDK's own background threads are not used: with a silent endpoint, they keep a program from
ending.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from langsmith import Client, run_trees
from langsmith.utils import LangSmithAuthError
from requests import PreparedRequest, RequestException, Response, Session
from urllib3.util.retry import Retry

from agent.tracing.courier import Courier, UndeliveredError
from agent.tracing.scrub import Scrubber
from agent.tracing.spans import Span
from tools.text import shown_address

# Names of our facts as LangSmith knows them.
_USAGE = {"tokens_in": "input_tokens", "tokens_out": "output_tokens"}


@dataclass(frozen=True, slots=True)
class LangSmith:
    """Where LangSmith is.

    Attributes:
        url: Of its API.
        api_key: None for a server that needs none.
        project: Traces of ours go there.
        workspace: For a key that is valid for several; None for the key's own.
    """

    url: str = "https://api.smith.langchain.com"
    api_key: str | None = None
    project: str = "default"
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class _Event:
    """A run as the SDK sends it."""

    run: dict[str, Any]
    is_new: bool


class Unfollowing(Session):
    """Follows no redirect: it would carry the trace, and the key, to another host."""

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = 0


class LangSmithSink:
    """Sends spans as runs. The SDK is loaded, and the address tried, in a thread of its own."""

    def __init__(self, target: LangSmith) -> None:
        self._target = target
        self._failure: Exception | None = None
        self._courier: Courier[_Event] = Courier(
            self._deliver,
            where=shown_address(target.url),
            probe_url=f"{target.url.rstrip('/')}/info",
            instead="look at LANGSMITH_ENDPOINT and LANGSMITH_API_KEY, or set "
            "LANGSMITH_TRACING=false",
            hushed=("langsmith.client",),
        )

    def started(self, span: Span) -> None:
        self._courier.put(_Event(self._run(span) | {"inputs": span.inputs}, is_new=True))

    def ended(self, span: Span) -> None:
        ended = {"end_time": span.end, "outputs": span.outputs, "error": span.error or None}
        self._courier.put(_Event(self._run(span) | ended, is_new=False))

    def complaint(self) -> str:
        return self._courier.complaint()

    def close(self, *, within_s: float) -> None:
        self._courier.close(within_s=within_s)

    def _run(self, span: Span) -> dict[str, Any]:
        metadata = dict(span.metadata)
        used = {theirs: metadata[ours] for ours, theirs in _USAGE.items() if ours in metadata}
        if span.kind == "llm" and used:
            metadata["usage_metadata"] = used | {"total_tokens": sum(used.values())}
        return {
            "id": span.id,
            "trace_id": span.trace_id,
            "parent_run_id": span.parent_id,
            "dotted_order": span.order,
            "session_name": span.project or self._target.project,
            "name": span.name,
            "run_type": span.kind,
            "start_time": span.start,
            "tags": list(span.tags),
            "extra": {"metadata": metadata},
        }

    @cached_property
    def _client(self) -> Client:
        return Client(
            self._target.url,
            session=Unfollowing(),
            api_key=self._target.api_key or "",
            workspace_id=self._target.workspace,
            auto_batch_tracing=False,
            # It would add environment variables and the state of a git checkout.
            omit_traced_runtime_info=True,
            retry_config=Retry(total=0),
            tracing_mode="langsmith",
            tracing_error_callback=self._fail,
        )

    def _deliver(self, events: Sequence[_Event]) -> None:
        self._client.multipart_ingest(
            create=[event.run for event in events if event.is_new],
            update=[event.run for event in events if not event.is_new],
        )
        failure, self._failure = self._failure, None
        where = shown_address(self._target.url)
        if isinstance(failure, LangSmithAuthError):
            raise UndeliveredError(f"{where} refuses the key")
        if failure:
            raise UndeliveredError(f"{where} does not take traces ({_kind(failure)})")

    def _fail(self, error: Exception) -> None:
        self._failure = error


def _kind(error: Exception) -> str:
    return type(error).__name__.removeprefix("LangSmith")


# LangSmith's own tracer, for graphs that a program runs without a ``Grounder`` around them. In
# LangGraph Studio, and wherever the compiled graph is a part of another one, LangSmith's SDK traces
# by itself. What it sends goes through one client a process, and is scrubbed there as ours is.

TIMEOUT_S: Final = (1.0, 1.5)
"""To connect, and to be answered."""

PAUSE_S: Final = 60.0
"""How long a server that did not answer is not asked again."""


class Impatient(Unfollowing):
    """Has no patience with a server that does not answer.

    A program's end waits for pending requests, which with the SDK's own timeouts takes minutes.
    """

    _asks_again_at = 0.0

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        """Like the base class, but waits ``TIMEOUT_S`` for an answer."""
        if time.monotonic() < self._asks_again_at:
            raise RequestException(f"{request.url} did not answer just now")
        try:
            return super().send(request, **(options | {"timeout": TIMEOUT_S}))
        except RequestException:
            self._asks_again_at = time.monotonic() + PAUSE_S
            raise


def scrub_own_tracer(langsmith: LangSmith, scrubber: Scrubber) -> Client:
    """Make the client of LangSmith's SDK one that sends nothing unscrubbed.

    A program that already has a client keeps it.

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
