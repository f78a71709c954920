"""A trace as a file of JSON lines: one when a span begins, one when it ends.

Lines are written as they come, by a thread of their own that is milliseconds behind: a crash loses
next to nothing of what happened before it, and the file shows what was under way.
"""

import json
import os
import threading
from dataclasses import replace
from datetime import datetime
from errno import ENXIO
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final
from uuid import UUID

from agent.errors import WhenaboutsError
from agent.tracing.spans import Span
from tools.private_files import make_private_file

VERSION: Final = 1

# One for all lines: making one takes longer than most lines.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class TraceError(WhenaboutsError):
    """A file of a trace cannot be written or read; the message says which, and which line."""


class TraceFile:
    """Writes spans to a file, after those already in it.

    Args:
        path: The file; its folder must be there.

    Raises:
        TraceError: If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._complaint = ""
        self._events: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        try:
            _check_is_trace(path)
            make_private_file(path)
            self._file = open(path, "ab", buffering=0, opener=_open_at_once)  # noqa: SIM115  # Path.open has no opener
        except OSError as exc:
            why = "nobody reads it" if exc.errno == ENXIO else os.strerror(exc.errno or 0)
            raise TraceError(f"the trace cannot be written to {path}: {why}") from None
        # Not waited for where a program crashes; ``close`` waits.
        self._writer = threading.Thread(target=self._write_all, name="trace file", daemon=True)
        self._writer.start()

    def started(self, span: Span) -> None:
        self._events.put(
            {
                "trace": VERSION,
                "at": "start",
                "id": str(span.id),
                "trace_id": str(span.trace_id),
                "parent_id": str(span.parent_id) if span.parent_id else None,
                "name": span.name,
                "kind": span.kind,
                "start": span.start.isoformat(),
                "inputs": span.inputs,
                "metadata": span.metadata,
                "tags": span.tags,
            }
        )

    def ended(self, span: Span) -> None:
        self._events.put(
            {
                "trace": VERSION,
                "at": "end",
                "id": str(span.id),
                "end": span.end.isoformat() if span.end else None,
                "outputs": span.outputs,
                "metadata": span.metadata,
                "tags": span.tags,
                "error": span.error,
            }
        )

    def complaint(self) -> str:
        complaint, self._complaint = self._complaint, ""
        return complaint

    def close(self, *, within_s: float) -> None:  # noqa: ARG002  # a disk is no service
        self._events.put(None)
        self._writer.join()

    def _write_all(self) -> None:
        is_broken = False
        with self._file:
            while event := self._events.get():
                if is_broken:
                    continue
                line = _ENCODER.encode(event) + "\n"
                try:
                    # One write for each line: two processes may write to the same file.
                    self._file.write(line.encode("utf-8", "replace"))
                except OSError as exc:
                    # A full disk costs the rest of the trace, and no answer.
                    self._complaint = f"the trace ends early: {self._path}: {exc.strerror}"
                    is_broken = True


def _open_at_once(path: str, flags: int) -> int:
    """Opening a pipe that nobody reads would wait for ever."""
    waits = not hasattr(os, "O_NONBLOCK")
    descriptor = os.open(path, flags | (0 if waits else os.O_NONBLOCK))
    if not waits:
        os.set_blocking(descriptor, True)
    return descriptor


def _check_is_trace(path: Path) -> None:
    """Make sure that what is there, if anything, is a trace: lines are written after it."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        first = file.readline(1_000_000)
    if first and not first.startswith(b'{"trace":'):
        raise TraceError(
            f"{path} exists and is not a trace; name a new file for the trace, or that of an "
            "earlier trace"
        )


def read_trace(path: Path) -> list[Span]:
    """The spans of a trace file in the order they began; those without an end were under way.

    Raises:
        TraceError: If it cannot be read, or a line is not part of a trace; says which, and why.
    """
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise TraceError(
            f"there is no trace to read at {path}: {os.strerror(exc.errno or 0)}; "
            "--trace FILE.jsonl writes one"
        ) from None
    spans: dict[UUID, Span] = {}
    lines = content.splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            _read_line(line, spans)
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            if number == len(lines) and not content.endswith(b"\n"):
                break  # The program is writing this line, or ended while it was.
            raise TraceError(
                f"{path}:{number}: this line is not part of a trace ({_why(exc)}); "
                "is it a file that --trace wrote?"
            ) from None
    if not spans:
        raise TraceError(f"{path} holds no span; --trace FILE.jsonl writes some")
    return list(spans.values())


def _read_line(line: bytes, spans: dict[UUID, Span]) -> None:
    event = json.loads(line)
    if event["trace"] != VERSION:
        raise ValueError(f"version {event['trace']!r}, not {VERSION}")
    span_id = UUID(event["id"])
    if event["at"] == "start":
        spans[span_id] = Span(
            id=span_id,
            trace_id=UUID(event["trace_id"]),
            parent_id=UUID(event["parent_id"]) if event["parent_id"] else None,
            order="",
            name=str(event["name"]),
            kind=event["kind"],
            start=datetime.fromisoformat(event["start"]),
            inputs=dict(event["inputs"]),
            metadata=dict(event["metadata"]),
            tags=tuple(event["tags"]),
        )
    else:
        spans[span_id] = replace(
            spans[span_id],
            end=datetime.fromisoformat(event["end"]),
            outputs=dict(event["outputs"]),
            metadata=dict(event["metadata"]),
            tags=tuple(event["tags"]),
            error=str(event["error"]),
        )


def _why(exc: Exception) -> str:
    if isinstance(exc, json.JSONDecodeError):
        return f"no JSON: {exc.msg} at column {exc.colno}"
    if isinstance(exc, KeyError):
        return f"{exc} is missing, or the span's beginning is"
    return str(exc)
