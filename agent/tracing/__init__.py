"""Traces of what happened for an answer: to a file, to LangSmith, or by OpenTelemetry.

    recorder ─▶ scrub ─▶ spans ─▶ trace_file, langsmith_sink, otel_sink
    (LangChain's callbacks)       (the last two through a courier)

``tracer.Tracing`` puts it together, ``agent.cli.trace_tree`` prints a file.
"""
