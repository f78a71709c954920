"""Where all spans come from: LangChain's callbacks, which the graph, models and tools call."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult
from langsmith import RunTree

from agent.tracing.facts import facts_of, tags_of, usage_of
from agent.tracing.scrub import Scrubber
from agent.tracing.spans import Kind, Sink, Span

# What LangChain and LangGraph note for themselves.
_NOISE: Final = (
    "langgraph_",
    "checkpoint_",
    "__pregel",
    "lc_",
    "ls_integration",
    "ls_agent_type",
    "frame_times_s",
)
_NOISY_TAGS: Final = ("graph:step", "seq:step", "langsmith:")


@dataclass(slots=True)
class _Open:
    """A span under way, and its unscrubbed inputs, from which the facts are read.

    Attributes:
        span: It, without an end.
        inputs: What went in.
        began_s: When, on a clock that nobody sets.
    """

    span: Span
    inputs: Mapping[str, Any]
    began_s: float

    def now(self) -> datetime:
        """The time of day, counted from the start of the span: it may be set meanwhile."""
        return self.span.start + timedelta(seconds=time.perf_counter() - self.began_s)


class Recorder(BaseCallbackHandler):
    """Makes spans of callbacks and hands them, scrubbed, to every sink.

    Within a trace, what one step returned and another is handed is written once: the input then
    names the step it comes from. Many threads may call at the same time.

    Args:
        scrubber: Everything that is sent to a sink goes through it.
        sinks: Receive the spans.
    """

    run_inline = True
    keeps_pictures_out = True
    """Calls of image models may be told: see ``tools.captioners.traced_calls``."""

    def __init__(self, scrubber: Scrubber, sinks: Sequence[Sink]) -> None:
        self._scrubber = scrubber
        self._sinks = sinks
        self._lock = threading.Lock()
        self._open: dict[UUID, _Open] = {}
        self._told: dict[UUID, dict[int, tuple[Any, str]]] = {}
        self._around: dict[UUID, RunTree] = {}

    def begin_below(self, run_id: UUID, around: RunTree | None) -> None:
        """Say which run of LangSmith's SDK the next outermost span belongs to, if any."""
        if around is not None:
            self._around[run_id] = around

    def on_chain_start(
        self,
        serialized: dict[str, Any] | None,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        # What is run by name, by us or anybody, is told: edges of the graph have none to give.
        if serialized is None and self._is_edge(parent_run_id, tags, metadata):
            return
        name = kwargs.get("name") or (serialized or {}).get("name") or "step"
        self._start("chain", name, _as_dict(inputs), run_id, parent_run_id, tags, metadata)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, _as_dict(outputs))

    def on_chat_model_start(
        self,
        serialized: dict[str, Any] | None,
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        known = serialized or {}
        name = kwargs.get("name") or known.get("name") or str((known.get("id") or ["model"])[-1])
        options = kwargs.get("invocation_params") or {}
        inputs: dict[str, Any] = {"messages": messages[0]}
        if offered := [_tool_name(one) for one in options.get("tools") or ()]:
            inputs["tools"] = offered
        self._start("llm", name, inputs, run_id, parent_run_id, tags, metadata)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        generation: Any = response.generations[0][0]
        message = getattr(generation, "message", generation.text)
        self._end(run_id, {"reply": message}, usage_of(message))

    def on_tool_start(
        self,
        serialized: dict[str, Any] | None,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        name = kwargs.get("name") or (serialized or {}).get("name") or "tool"
        given = inputs or {"input": input_str}
        self._start("tool", name, given, run_id, parent_run_id, tags, metadata)

    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, {"output": output})

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, {}, error=self._scrubber.error(error))

    on_llm_error = on_chain_error
    on_tool_error = on_chain_error

    def _is_edge(
        self, parent_run_id: UUID | None, tags: list[str] | None, metadata: dict[str, Any] | None
    ) -> bool:
        """Whether it is where a node of the graph looks where to go on: the next node says that."""
        parent = self._open.get(parent_run_id) if parent_run_id else None
        is_in_node = parent and parent.span.name == (metadata or {}).get("langgraph_node")
        return bool(is_in_node) and any(tag.startswith("seq:step") for tag in tags or ())

    def _start(  # noqa: PLR0917  # what every callback brings
        self,
        kind: Kind,
        name: str,
        inputs: Mapping[str, Any],
        run_id: UUID,
        parent_run_id: UUID | None,
        tags: list[str] | None,
        metadata: dict[str, Any] | None,
    ) -> None:
        noted = metadata or {}
        parent = self._open.get(parent_run_id) if parent_run_id else None
        start = parent.now() if parent else datetime.now(UTC)
        above: Any = parent.span if parent else self._around.pop(run_id, None)
        trace_id = above.trace_id if above else run_id
        order = getattr(above, "order", "") or getattr(above, "dotted_order", "")
        told = (
            self._told.setdefault(trace_id, {}) if above is None else self._told.get(trace_id, {})
        )
        span = Span(
            id=run_id,
            trace_id=trace_id,
            parent_id=above.id if above else None,
            order=f"{order}.{_place(start, run_id)}".lstrip("."),
            name=name,
            kind=kind,
            start=start,
            inputs=self._shown(inputs, told, noted.get("frame_times_s", ())),
            project=getattr(above, "project", "") or getattr(above, "session_name", None) or "",
            metadata=self._scrubber(
                {key: one for key, one in noted.items() if not key.startswith(_NOISE)}
            ),
            tags=tuple(
                self._scrubber(tag) for tag in tags or () if not tag.startswith(_NOISY_TAGS)
            ),
        )
        self._open[run_id] = _Open(span, inputs, time.perf_counter())
        for sink in self._sinks:
            sink.started(span)

    def _end(
        self,
        run_id: UUID,
        outputs: Mapping[str, Any],
        facts: Mapping[str, Any] | None = None,
        *,
        error: str = "",
    ) -> None:
        opened = self._open.pop(run_id, None)
        if opened is None:
            return
        span = opened.span
        is_outermost = span.id == span.trace_id
        told = self._told.get(span.trace_id, {})
        shown: dict[str, Any] = self._scrubber(
            {**(facts or {}), **facts_of(opened.inputs, outputs)}
        )
        # The outermost span repeats the answer: people look there first.
        plain = self._shown(outputs, {} if is_outermost else told)
        for value in outputs.values():
            if isinstance(value, list | dict) and value:
                # Kept alive: else another object could get its id.
                told.setdefault(id(value), (value, span.name))
        if is_outermost:
            self._told.pop(span.trace_id, None)
        ended = replace(
            span,
            end=opened.now(),
            outputs=plain,
            metadata=span.metadata | shown,
            tags=(*span.tags, *tags_of(shown)),
            error=error,
        )
        for sink in self._sinks:
            sink.ended(ended)

    def _shown(
        self,
        values: Mapping[str, Any],
        told: Mapping[int, tuple[Any, str]],
        frame_times_s: Iterable[float] = (),
    ) -> dict[str, Any]:
        """The values, scrubbed; those told already by the name of the step that told them."""
        known = {
            name: f"(as in {told[id(one)][1]})" for name, one in values.items() if id(one) in told
        }
        new = {name: one for name, one in values.items() if name not in known}
        plain: dict[str, Any] = self._scrubber(new, frame_times_s=frame_times_s)
        return plain | known


def _place(start: datetime, run_id: UUID) -> str:
    """One part of LangSmith's ``dotted_order``."""
    return f"{start:%Y%m%dT%H%M%S%f}Z{run_id}"


def _as_dict(values: Any) -> Mapping[str, Any]:
    if isinstance(values, Mapping):
        return values
    fields = getattr(type(values), "model_fields", None)
    if fields is not None:
        return {name: getattr(values, name) for name in fields}
    return {"value": values}


def _tool_name(offered: Any) -> str:
    if not isinstance(offered, Mapping):
        return str(offered)
    function = offered.get("function", offered)
    return str(function.get("name", "tool")) if isinstance(function, Mapping) else "tool"
