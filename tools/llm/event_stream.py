"""The reply of a model as a stream of pieces, as servers send them, read with distrust. Pure."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_LINE_ENDS: Final = re.compile(r"\r\n|\n|\r")
"""A text may hold what Python also takes for ends of lines."""

LONGEST_BODY: Final = 4 << 20
"""Bytes of a reply, or of a piece of a stream: JSON takes thirty times its size in memory."""


def is_stream(content_type: str, body: bytes) -> bool:
    """Whether a body is a stream of pieces, whatever its header says."""
    start = body[:20].removeprefix(BOM_UTF8).lstrip()
    # What fails before the first piece is often sent whole, under the header of a stream.
    says_so = "event-stream" in content_type and not start.startswith((b"{", b"["))
    return says_so or start.startswith((b"data:", b"event:", b": "))


def error_in_stream(body: bytes) -> Any:
    """What a stream says went wrong, as the service sent it; None where it says nothing."""
    is_error = False
    for name, value in _fields(body):
        if name == "event":
            is_error = value == "error"
        elif name == "data" and (is_error or '"error"' in value):
            try:
                piece = json.loads(value[:LONGEST_BODY])
            except (ValueError, RecursionError):
                piece = value if is_error else None
            if is_error or (isinstance(piece, Mapping) and piece.get("error")):
                return piece
    return None


def add_calls(calls: dict[int, dict[str, Any]], deltas: Any) -> None:
    """Add pieces of calls of tools to those that came before."""
    for delta in deltas:
        told = delta.get("function") or {}
        call = calls.setdefault(
            _place_of(delta, told, calls),
            {"id": "", "type": "function", "function": {"name": [], "arguments": []}},
        )
        call |= {k: v for k, v in delta.items() if k not in {"index", "function", "type"} and v}
        for name, value in told.items():
            is_text = isinstance(value, str) or value is None
            said = (value or "") if is_text else json.dumps(value, ensure_ascii=False)
            call["function"].setdefault(name, []).append(said)


def _place_of(
    delta: Mapping[str, Any], told: Mapping[str, Any], calls: Mapping[int, Mapping[str, Any]]
) -> int:
    """Which call a piece of one belongs to; some servers number them all alike, or not at all."""
    index = delta.get("index")
    index = int(index) if isinstance(index, str) and index.isdecimal() else index
    is_new = bool(told.get("name"))
    if isinstance(index, int) and not isinstance(index, bool):
        known = calls.get(index)
        if known is None or not (is_new and any(known["function"]["name"])):
            return index
        if not delta.get("id") or delta["id"] == known.get("id"):
            return index
    return len(calls) + max(calls, default=0) if is_new else max(calls, default=0)


def whole_call(call: dict[str, Any]) -> dict[str, Any]:
    """A call whose pieces are joined."""
    function = call["function"]
    names = [said for said in function["name"] if said]
    if len(set(names)) == 1:
        names = names[:1]  # Some repeat it whole with every piece.
    return call | {
        "function": {name: "".join(said) for name, said in function.items()}
        | {"name": "".join(names)}
    }


def pieces_of(body: bytes) -> Iterator[dict[str, Any]]:
    """The pieces of a stream; raises ``ValueError`` where one cannot be read."""
    for lines in _events(body):
        for data in _data_of(lines):
            if len(data) > LONGEST_BODY:
                raise ValueError("no piece of a reply is as long")
            piece = json.loads(data)
            if isinstance(piece, dict):
                yield piece


def _events(body: bytes) -> Iterator[list[str]]:
    """The data of each event, line by line; many servers leave out the blank lines between them."""
    lines: list[str] = []
    for name, value in _fields(body):
        if name == "data" and value and value != "[DONE]":
            lines.append(value)
        elif not name and lines:
            yield lines
            lines = []
    if lines:
        yield lines


def _data_of(lines: Sequence[str]) -> Sequence[str]:
    """Each line is a piece of its own, unless the first is the beginning of one."""
    if len(lines) == 1:
        return lines
    try:
        json.loads(lines[0][:LONGEST_BODY])
    except ValueError:
        return ["\n".join(lines)]
    return lines


def is_ended(body: bytes) -> bool:
    """Whether it says that it ends here."""
    return b"[DONE]" in body[-200:]


def _fields(body: bytes) -> Iterator[tuple[str, str]]:
    """The lines of a stream: a name, and what it says; both are empty at the end of an event."""
    for line in _LINE_ENDS.split(body.decode("utf-8-sig", "replace")):
        name, colon, value = line.partition(":")
        if (name and colon) or not line:
            yield name, value.strip()
