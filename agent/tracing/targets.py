"""Where the settings want traces."""

from typing import TYPE_CHECKING

from agent.tracing.langsmith_sink import LangSmith
from agent.tracing.otel_sink import Otlp
from agent.tracing.tracer import TraceTargets

if TYPE_CHECKING:
    from agent.settings import Settings


def trace_targets(settings: "Settings") -> TraceTargets:
    """A file where one is named; LangSmith and OpenTelemetry by their own usual variables."""
    keys = (settings.openai_api_key, settings.langsmith_api_key)
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
        # As the standard has it: the general address is one that paths are added to.
        return Otlp(f"{settings.otel_endpoint.rstrip('/')}/v1/traces")
    return None
