"""Traces of what happened for an answer: to a file, to LangSmith, or by OpenTelemetry.

    recorder ─▶ scrub ─▶ spans ─▶ trace_file, langsmith_sink, otel_sink
    (LangChain's callbacks)       (whoever wants them; the last two through a courier)

``session.Tracing`` puts it together, ``tree`` prints a file.
"""
