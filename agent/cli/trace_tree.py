"""A trace as a tree for a terminal: what was done, when, how long it took, and what came of it.

::

       at      took
    0:00.00   0.31 s  find “a dog jumps”: found, by llm in 2 attempts, 200+20 tokens, 0.0004 USD
    0:00.02   0.05 s  ├─ reason: attempt 1, 100+10 tokens
    0:00.07   0.00 s  ├─ check: refused (no_json)
"""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from agent.tracing.spans import Span
from agent.tracing.trace_file import read_trace
from tools.text import counted, one_line, shorten

COLUMN: Final = 20
"""Where the tree begins."""
QUERY_CHARS: Final = 80
SHOWN_CALLS: Final = 3
WIDTH: Final = 100
FINE_S: Final = 0.1


def render_trace(path: Path, *, prompts: bool = False) -> str:
    """A trace file as text.

    Args:
        path: What ``--trace`` wrote.
        prompts: Whether everything that models were told and said is printed too.

    Returns:
        Lines, the last without an end.

    Raises:
        TraceError: If the file cannot be read, or one of its lines is not part of a trace.
    """
    spans = read_trace(path)
    below: dict[UUID | None, list[Span]] = {}
    known = {span.id for span in spans}
    for span in spans:
        parent = span.parent_id if span.parent_id in known else None
        below.setdefault(parent, []).append(span)
    lines: list[str] = []
    for root in below[None]:
        lines += ["", *_Tree(root, below, prompts=prompts).lines()]
    return "\n".join(["     at      took", *lines[1:]])


@dataclass(slots=True)
class _Tree:
    """One question's spans."""

    root: Span
    below: Mapping[UUID | None, Sequence[Span]]
    prompts: bool

    def lines(self) -> Iterator[str]:
        yield from self._lines(self.root, "", "")

    def _lines(self, span: Span, first: str, rest: str) -> Iterator[str]:
        children = self.below.get(span.id, ())
        told = _tell(span, is_root=span is self.root)
        yield self._times(span) + first + span.name + (f": {told}" if told else "")
        bar = rest + ("│  " if children else "   ")
        for note in _notes(span):
            yield from _wrapped(note, bar)
        if self.prompts and span.kind == "llm":
            yield from ((" " * COLUMN + bar + line).rstrip() for line in _said(span))
        shown = children if self.prompts else _first_calls(children)
        for child in shown:
            is_last = child is shown[-1] and len(shown) == len(children)
            yield from self._lines(
                child, rest + ("└─ " if is_last else "├─ "), rest + ("   " if is_last else "│  ")
            )
        if more := len(children) - len(shown):
            yield f"{' ' * COLUMN}{rest}└─ … and {more} more calls (--prompts shows them all)"

    def _times(self, span: Span) -> str:
        minutes, seconds = divmod((span.start - self.root.start).total_seconds(), 60)
        took = f"{(span.end - span.start).total_seconds():7.2f} s" if span.end else "not over"
        return f"{minutes:.0f}:{seconds:05.2f} {took:>9}".rjust(COLUMN - 3) + "   "


def _first_calls(children: Sequence[Span]) -> Sequence[Span]:
    """All steps but model calls beyond the first few: an image model makes one for each frame.

    Calls that failed are always shown.
    """
    calls = [one for one in children if one.kind == "llm" and not one.error]
    hidden = {one.id for one in calls[SHOWN_CALLS:]} if len(calls) > SHOWN_CALLS + 1 else set()
    return [one for one in children if one.id not in hidden]


def _tell(span: Span, *, is_root: bool) -> str:
    """What came of a step, in a line."""
    facts = span.metadata
    if not is_root and ("verdict" in facts or "outcome" in facts):
        # The steps in between hand the answer on; the first line tells all of it.
        came_to = str(facts.get("outcome") or facts["verdict"]).replace("_", " ")
        return came_to if span.name == "answer" else ""
    parts = []
    if is_root and (query := span.inputs.get("query") or span.inputs.get("said")):
        parts.append(f"“{shorten(one_line(str(query)), QUERY_CHARS)}”")
    if "verdict" in facts:
        count = facts.get("attempts", 1)
        attempts = f" in {count} attempts" if count > 1 else ""
        parts.append(f"{facts['verdict'].replace('_', ' ')}, by {facts.get('by')}{attempts}")
    elif "outcome" in facts:
        parts.append(f"{facts['outcome'].replace('_', ' ')}, read by {facts['read_by']}")
    elif "caption_count" in facts:
        captions = counted(facts["caption_count"], "caption")
        parts.append(f"{captions} by {facts.get('captioner')}")
    if "attempt" in facts:
        parts.append(f"attempt {facts['attempt']}")
    if "accepted_by" in facts:
        parts.append("accepted")
    if "refusals" in facts:
        parts.append(f"refused ({', '.join(facts['refusals'])})")
    if facts.get("look_ups"):
        parts.append(f"looked up {', '.join(facts['look_ups'])}")
    evidence = span.outputs.get("evidence")
    if isinstance(evidence, list):
        parts.append(f"{counted(len(evidence), 'caption')} to show")
    model = facts.get("ls_model_name")
    if span.kind == "llm" and model and model != span.name:
        parts.append(str(model))
    return ", ".join([*parts, *_cost(facts)])


def _cost(facts: Mapping[str, Any]) -> list[str]:
    if not (facts.get("tokens_in") or facts.get("tokens_out")):
        return []
    parts = [f"{facts.get('tokens_in', 0):,}+{facts.get('tokens_out', 0):,} tokens"]
    if facts.get("usd"):
        parts.append(f"{facts['usd']:.4f} USD")
    return parts


def _notes(span: Span) -> Iterator[str]:
    """What helps to understand a step: errors, why a reply was refused, why an answer was given."""
    if span.error:
        yield f"failed: {span.error}"
    turns = span.outputs.get("turns")
    if refusal := _refusal(span, turns):
        yield f"said: {refusal['reply']}"
        yield f"told: {refusal['message']}"
    for one in turns[-1].get("look_ups", ()) if isinstance(turns, list) and turns else ():
        arguments = ", ".join(f"{name}={value}" for name, value in one["arguments"].items())
        note = f"; {one['note']}" if one["note"] else ""
        shown = counted(len(one["caption_ids"]), "caption")
        yield f"{one['tool']}({arguments}): {shown}{note}"
    grounding = span.outputs.get("grounding")
    if isinstance(grounding, dict) and span.parent_id is None:
        for interval in grounding["intervals"]:
            edges = (
                _edge(interval[f"{edge}_s"], interval.get(f"{edge}_precision_s"))
                for edge in ("start", "end")
            )
            yield f"{'–'.join(edges)} s"


def _edge(time_s: float, precision_s: float | None) -> str:
    """To the hundredth only where it was measured that finely."""
    return f"{time_s:.2f}" if precision_s and precision_s < FINE_S else f"{time_s:.1f}"


def _refusal(span: Span, turns: Any) -> Mapping[str, Any] | None:
    """What a step refused: a reply about captions, or a reading of a chat's turn."""
    if "refusals" not in span.metadata:
        return None
    readings = span.outputs.get("refusals")
    if isinstance(readings, list) and readings:
        refusal: Mapping[str, Any] = readings[-1]
        return refusal
    return turns[-1].get("refusal") if isinstance(turns, list) and turns else None


def _said(span: Span) -> Iterator[str]:
    """Every message to a model in full, and its reply."""
    messages = span.inputs.get("messages", [])
    reply = span.outputs.get("reply")
    for message in [*messages, *([reply] if reply else [])]:
        if not isinstance(message, dict):
            yield str(message)
            continue
        yield f"── {message.get('role', 'message')} " + "─" * 20
        yield from _text(message.get("content")).strip().splitlines()
        for call in message.get("tool_calls", ()):
            yield f"→ {call['tool']} {json.dumps(call['arguments'], ensure_ascii=False)}"
        if message.get("refusal"):
            yield f"declines: {message['refusal']}"
    yield "─" * 25


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return json.dumps(content, ensure_ascii=False)
    blocks = []
    for block in content:
        picture = block.get("image_url") if isinstance(block, dict) else None
        if isinstance(block, dict) and block.get("type") == "text":
            blocks.append(str(block["text"]))
        elif isinstance(picture, dict):
            blocks.append(str(picture.get("url")))
        elif isinstance(block, dict) and isinstance(block.get("image"), str):
            blocks.append(block["image"])
        else:
            blocks.append(json.dumps(block, ensure_ascii=False))
    return "\n".join(blocks)


def _wrapped(note: str, bar: str) -> list[str]:
    margin = " " * COLUMN + bar
    return textwrap.wrap(
        one_line(note),
        max(WIDTH, len(margin) + 40),
        initial_indent=margin,
        subsequent_indent=margin + "  ",
        break_long_words=False,
    )
