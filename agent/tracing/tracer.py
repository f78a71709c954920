"""Tracing, from the first question to the last: what is traced goes to every place that is set."""

import atexit
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.runnables.config import ensure_config, patch_config, var_child_runnable_config
from langchain_core.tracers.langchain import LangChainTracer
from langsmith import get_current_run_tree, tracing_context

from agent.tracing.langsmith_sink import LangSmith, LangSmithSink, scrub_own_tracer
from agent.tracing.otel_sink import OtelSink, Otlp, is_installed
from agent.tracing.recorder import Recorder
from agent.tracing.scrub import Scrubber
from agent.tracing.spans import Sink
from agent.tracing.trace_file import TraceFile

if TYPE_CHECKING:
    from agent.settings import Settings

LAST_WAIT_S: Final = 1.5
"""What the end of a program waits for all services together, at most."""


@dataclass(frozen=True, slots=True)
class TraceTargets:
    """Where spans go, and what they may hold; nothing is traced by default.

    Attributes:
        file: A file of JSON lines.
        langsmith: A LangSmith server.
        otlp: An OpenTelemetry collector.
        text: Whether spans hold captions, questions and replies.
        secrets: Keys in use, which no span may hold.
    """

    file: Path | None = None
    langsmith: LangSmith | None = None
    otlp: Otlp | None = None
    text: bool = True
    secrets: tuple[str, ...] = ()


def trace_targets(settings: "Settings") -> TraceTargets:
    """A file where one is named; LangSmith and OpenTelemetry by their own usual variables."""
    keys = (
        settings.openai_api_key,
        settings.langsmith_api_key,
        settings.chroma_token,
        settings.token,
    )
    return TraceTargets(
        file=settings.trace,
        langsmith=_langsmith(settings),
        otlp=_otlp(settings),
        text=settings.trace_text,
        secrets=tuple(key.get_secret_value() for key in keys if key),
    )


def _langsmith(settings: "Settings") -> LangSmith | None:
    if not settings.langsmith_tracing:
        return None
    key = settings.langsmith_api_key
    usual = LangSmith()
    return LangSmith(
        url=settings.langsmith_endpoint or usual.url,
        api_key=key.get_secret_value() if key else None,
        project=settings.langsmith_project or usual.project,
        workspace=settings.langsmith_workspace_id,
    )


def _otlp(settings: "Settings") -> Otlp | None:
    if settings.otel_sdk_disabled or settings.otel_traces_exporter == "none":
        return None
    if settings.otel_traces_endpoint:
        return Otlp(settings.otel_traces_endpoint)
    if settings.otel_endpoint:
        # By the standard, a path is added to the general address.
        return Otlp(f"{settings.otel_endpoint.rstrip('/')}/v1/traces")
    return None


@dataclass(slots=True)
class TraceStep:
    """What is being traced; set ``outputs`` before it ends."""

    outputs: dict[str, Any] = field(default_factory=dict)


class Tracing:
    """Traces what is run in ``step``. Several threads may run steps at the same time.

    Args:
        targets: Where spans go.
        tell: Receives a line when spans are lost: that, and why.

    Raises:
        TraceError: If the file cannot be written.
    """

    def __init__(self, targets: TraceTargets, *, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._takes_over = targets.langsmith is not None
        self._sinks: list[Sink] = []
        self._complaints: list[str] = []
        if targets.file:
            self._sinks.append(TraceFile(targets.file))
        if targets.langsmith:
            self._sinks.append(LangSmithSink(targets.langsmith))
        if targets.otlp and is_installed():
            self._sinks.append(OtelSink(targets.otlp))
        elif targets.otlp:
            self._complaints.append(
                "traces off: an OpenTelemetry collector is configured, but its SDK is not "
                "installed: pip install 'whenabouts[otel]', or set OTEL_SDK_DISABLED=true"
            )
        self._langsmith = targets.langsmith
        self._scrubber = Scrubber(hide_text=not targets.text, secrets=targets.secrets)
        self._recorder = Recorder(self._scrubber, self._sinks)
        if self._sinks:
            # In case nobody closes it: services are waited for, but not for long.
            atexit.register(self.close)

    @property
    def is_on(self) -> bool:
        """Whether anything is traced at all."""
        return bool(self._sinks)

    def scrub_own_tracer(self) -> None:
        """Have LangSmith's own tracer, where it is on, send no frames, keys or hidden text either.

        For graphs that are run outside of ``step``.
        """
        if self._langsmith:
            scrub_own_tracer(self._langsmith, self._scrubber)

    @contextmanager
    def step(
        self, name: str, inputs: Mapping[str, Any], *, metadata: Mapping[str, Any] | None = None
    ) -> Iterator[TraceStep]:
        """Trace the block as one span; graphs, models and steps in it are spans below.

        Nothing has to be passed on: they find it in the context of the thread.

        Args:
            name: Of the span.
            inputs: What goes in.
            metadata: Facts to add to this span and all below: ``thread_id`` for a chat.
        """
        step = TraceStep()
        if not self._sinks:
            yield step
            self._complain()
            return
        around = get_current_run_tree()
        with self._without_others():
            config = ensure_config()
            run_id = uuid4()
            manager = CallbackManager.configure(
                inheritable_callbacks=self._callbacks(config.get("callbacks")),
                inheritable_metadata={**(config.get("metadata") or {}), **(metadata or {})},
            )
            self._recorder.begin_below(run_id, around)
            run = manager.on_chain_start({"name": name}, dict(inputs), run_id=run_id, name=name)
            child = patch_config(config, callbacks=run.get_child())
            token = var_child_runnable_config.set(child)
            try:
                yield step
            except BaseException as exc:
                run.on_chain_error(exc)
                raise
            else:
                run.on_chain_end(step.outputs)
            finally:
                var_child_runnable_config.reset(token)
                self._complain()

    def close(self) -> None:
        """Send what is still waiting, for ``LAST_WAIT_S`` at most; later steps are not traced."""
        atexit.unregister(self.close)
        until = time.monotonic() + LAST_WAIT_S
        for sink in self._sinks:
            sink.close(within_s=max(0.0, until - time.monotonic()))
        self._complain()
        self._sinks.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _without_others(self) -> AbstractContextManager[None]:
        """Turn LangSmith's own tracer off: it would send everything twice, pictures included."""
        return tracing_context(enabled=False) if self._takes_over else nullcontext()

    def _callbacks(self, inherited: Any) -> Any:
        """The inherited callbacks with our recorder and without LangSmith's tracer."""
        if isinstance(inherited, CallbackManager):
            manager = inherited.copy()
            for handler in list(manager.handlers):
                if self._takes_over and isinstance(handler, LangChainTracer):
                    manager.remove_handler(handler)
            if self._recorder not in manager.handlers:
                manager.add_handler(self._recorder)
            return manager
        handlers: list[BaseCallbackHandler] = list(inherited or ())
        return [
            *(
                one
                for one in handlers
                if not (self._takes_over and isinstance(one, LangChainTracer))
            ),
            self._recorder,
        ]

    def _complain(self) -> None:
        for complaint in (*self._complaints, *(sink.complaint() for sink in self._sinks)):
            if complaint:
                self._tell(complaint)
        self._complaints.clear()
