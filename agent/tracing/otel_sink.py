"""Spans by OpenTelemetry, over OTLP/HTTP, to wherever the standard variables point.

A span holds the same as for the other sinks; names follow OpenTelemetry's semantic conventions for
generative AI where those have one.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agent.tracing.courier import Courier, UndeliveredError
from tools.text import shown_address

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span as OtelSpan

    from agent.tracing.spans import Span

SCOPE = "whenabouts"

_LOGGERS = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.exporter.http")

_HEADERS_LOGGER = "opentelemetry.util.re"
"""Quotes headers that it cannot read, which are secrets."""

_CONVENTIONS = {
    "ls_model_name": "gen_ai.request.model",
    "ls_provider": "gen_ai.provider.name",
    "thread_id": "gen_ai.conversation.id",
    "tokens_in": "gen_ai.usage.input_tokens",
    "tokens_out": "gen_ai.usage.output_tokens",
}


@dataclass(frozen=True, slots=True)
class Otlp:
    """Where a collector is.

    Attributes:
        url: Takes traces over HTTP: ``http://localhost:4318/v1/traces``.
    """

    url: str


def is_installed() -> bool:
    """Whether the extra ``otel`` is there."""
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


class OtelSink:
    """Makes OpenTelemetry's spans of ours; a span that is open there is the parent of ours.

    Headers, the service's name and so on are what the SDK reads from ``OTEL_…``.
    """

    def __init__(self, target: Otlp) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

        sink = self

        class Handover(SpanProcessor):
            """Gives every complete span to the courier."""

            def on_end(self, span: ReadableSpan) -> None:
                sink._courier.put(span)

        self._url = target.url
        self._unread = False
        with _hushed(_HEADERS_LOGGER) as hushed:
            self._exporter = OTLPSpanExporter(endpoint=target.url)
            self._unread = bool(hushed)
        # It follows no redirect, and takes one for success. The session may be one with credentials
        # that the SDK made, so it is not replaced.
        transport: Any = self._exporter._client._transport  # noqa: SLF001  # nothing public has it
        transport._session.hooks["response"].append(_refuse_redirect)  # noqa: SLF001
        resource = Resource.create({})
        if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: SCOPE}))
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(Handover())
        self._tracer = provider.get_tracer(SCOPE)
        self._lock = threading.Lock()
        self._open: dict[UUID, OtelSpan] = {}
        parts = urlsplit(target.url)
        self._courier: Courier[ReadableSpan] = Courier(
            self._deliver,
            where=shown_address(target.url),
            probe_url=f"{parts.scheme}://{parts.netloc}/",
            instead="look at OTEL_EXPORTER_OTLP_ENDPOINT, or set OTEL_SDK_DISABLED=true",
            hushed=_LOGGERS,
        )

    def started(self, span: Span) -> None:
        from opentelemetry.trace import SpanKind, set_span_in_context

        parent = self._open.get(span.parent_id) if span.parent_id else None
        opened = self._tracer.start_span(
            span.name,
            context=set_span_in_context(parent) if parent else None,
            kind=SpanKind.CLIENT if span.kind == "llm" else SpanKind.INTERNAL,
            start_time=_nanoseconds(span.start),
            attributes={
                "whenabouts.span_id": str(span.id),
                "whenabouts.inputs": _json(span.inputs),
            },
        )
        with self._lock:
            self._open[span.id] = opened

    def ended(self, span: Span) -> None:
        from opentelemetry.trace import Status, StatusCode

        with self._lock:
            opened = self._open.pop(span.id, None)
        if opened is None or span.end is None:
            return
        opened.set_attribute("whenabouts.outputs", _json(span.outputs))
        opened.set_attribute("whenabouts.tags", span.tags)
        if span.kind == "llm":
            opened.set_attribute("gen_ai.operation.name", "chat")
        for name, fact in span.metadata.items():
            known = _CONVENTIONS.get(name) if span.kind == "llm" or name == "thread_id" else None
            if fact is not None:
                opened.set_attribute(known or f"whenabouts.{name}", _attribute(fact))
        if span.error:
            opened.set_status(Status(StatusCode.ERROR, span.error))
        opened.end(end_time=_nanoseconds(span.end))

    def complaint(self) -> str:
        complaint = self._courier.complaint()
        if self._unread:
            self._unread = False
            unread = "OTEL_EXPORTER_OTLP_HEADERS is not a list of NAME=VALUE; a part is left out"
            return f"{unread}; {complaint}" if complaint else unread
        return complaint

    def close(self, *, within_s: float) -> None:
        self._courier.close(within_s=within_s)

    def _deliver(self, spans: list[ReadableSpan]) -> None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        if self._exporter.export(spans) is not SpanExportResult.SUCCESS:
            raise UndeliveredError(f"{shown_address(self._url)} does not take traces")


@contextmanager
def _hushed(name: str) -> Iterator[list[logging.LogRecord]]:
    """Nothing that a logger says inside is printed; it is in the list."""
    said: list[logging.LogRecord] = []

    def keep(record: logging.LogRecord) -> bool:
        said.append(record)
        return False

    logger = logging.getLogger(name)
    logger.addFilter(keep)
    try:
        yield said
    finally:
        logger.removeFilter(keep)


def _refuse_redirect(answer: Any, **_: Any) -> None:
    if 300 <= answer.status_code < 400:
        answer.close()
        raise UndeliveredError(f"a redirect to {answer.headers.get('location', 'elsewhere')}")


def _nanoseconds(time: datetime) -> int:
    return round(time.timestamp() * 1e6) * 1000


def _attribute(fact: Any) -> str | bool | int | float:
    return fact if isinstance(fact, str | bool | int | float) else _json(fact)


def _json(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False)
