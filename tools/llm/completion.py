"""A chat completion as servers send it, whole or as a stream, read without trusting it. Pure."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tools.llm.thoughts import without_thoughts

FILTERED = re.compile(
    r"content_?filter|.*safety|prohibited_content|blocklist|spii|recitation|sensitive|refusal|"
    r"guardrail",
    re.IGNORECASE,
)
"""How services say that a filter ended a reply; some name the reason behind it."""

LONGEST_BODY: Final = 4 << 20
"""Bytes of a reply, or of a piece of a stream: JSON takes thirty times its size in memory."""

LONGEST_TEXT: Final = 1_000_000
"""Characters of a reply with its thoughts; no model writes more at once."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model replied.

    Attributes:
        text: What it said, without its thoughts; may be empty.
        refusal: Where the service says that the model or a filter declined, why; else empty.
        finish: Why the reply ends, in the service's word.
        thought: Whether it thought and said nothing.
        fault: What the service says went wrong under way; mostly empty.
        message: The assistant's message as the service sent it, to be told back to it.
        tokens_in: Tokens of input that the service counted; None where it does not say.
        tokens_out: Tokens of output.
        logprobs: How likely each token was, where that was asked for, as the service sent it; see
            ``tools.llm.token_odds``.
    """

    text: str
    refusal: str
    finish: str
    thought: bool
    fault: str
    message: Mapping[str, Any] = field(default_factory=dict)
    tokens_in: int | None = None
    tokens_out: int | None = None
    logprobs: Sequence[Any] = ()

    @property
    def cut_off(self) -> bool:
        """Whether the reply ends at its limit of tokens."""
        return self.finish in {"length", "max_tokens", "MAX_TOKENS"}

    @property
    def tool_calls(self) -> list[Mapping[str, Any]]:
        """What it wants to call, where that is written as in OpenAI's API."""
        calls = self.message.get("tool_calls")
        return [
            call
            for call in (calls if isinstance(calls, list) else ())
            if isinstance(call, Mapping) and isinstance(call.get("function"), Mapping)
        ]

    @property
    def is_empty(self) -> bool:
        """Whether it is empty, and nothing says that this is intended."""
        return not (self.text or self.refusal or self.tool_calls)


def read_completion(content_type: str, body: bytes) -> Completion | None:
    """Read a reply; None where it is not one, or holds no message.

    Args:
        content_type: From its header.
        body: Unpacked.
    """
    is_stream = "event-stream" in content_type or body[:5] == b"data:"
    if len(body) > LONGEST_BODY and not is_stream:
        return None
    try:
        told = _joined(body) if is_stream else json.loads(body)
        return _completion(told)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return None


def counted_tokens(content_type: str, body: bytes) -> tuple[int, int] | None:
    """Tokens in and out that a service counted, of whatever it sent; None where it counted none.

    Args:
        content_type: From its header.
        body: Unpacked; need not hold a reply.
    """
    is_stream = "event-stream" in content_type or body[:5] == b"data:"
    if len(body) > LONGEST_BODY and not is_stream:
        return None
    try:
        pieces = _pieces(body) if is_stream else iter([json.loads(body)])
        counts = [count for piece in pieces if (count := _counted(piece))]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return counts[-1] if counts else None


def _counted(told: Any) -> tuple[int, int] | None:
    usage = told.get("usage") if isinstance(told, Mapping) else None
    if not isinstance(usage, Mapping):
        return None
    tokens_in, tokens_out = (
        count if isinstance(count := usage.get(name), int) and not isinstance(count, bool) else -1
        for name in ("prompt_tokens", "completion_tokens")
    )
    # Some servers write 0 where they do not count, but no question has 0 tokens.
    return (tokens_in, tokens_out) if tokens_in > 0 and tokens_out >= 0 else None


def is_hollow(content_type: str, body: bytes) -> bool:
    """Whether it is of this API, and only the reply is missing: no choice, or none with a message.

    Args:
        content_type: From its header.
        body: Of which ``read_completion`` made nothing.
    """
    if "event-stream" in content_type or body[:5] == b"data:":
        return True
    if len(body) > LONGEST_BODY:
        return False
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(told, Mapping):
        return False
    choices = told.get("choices")
    if isinstance(choices, list) and choices:
        return isinstance(choices[0], Mapping) and not choices[0].get("message")
    return "choices" in told or str(told.get("object", "")).startswith("chat.completion")


def _completion(told: Any) -> Completion | None:
    choice = told["choices"][0]
    finish = choice.get("finish_reason")
    finish = finish if isinstance(finish, str) else ""
    message = choice.get("message")
    if message is None and FILTERED.match(finish):
        message = {}
    if not isinstance(message, Mapping):
        return None
    content = message.get("content")
    if not isinstance(content, str | list | None):
        return None
    text = _text_of(content)
    if len(text) > LONGEST_TEXT:
        return None
    spoken = without_thoughts(text)
    thought_apart = any(message.get(name) for name in ("reasoning_content", "reasoning"))
    refusal = message.get("refusal")
    refusal = " ".join(refusal.split()) if isinstance(refusal, str) else ""
    if not refusal and FILTERED.match(finish):
        refusal = "the service's content filter stopped the reply"
    fault = choice.get("error")
    if isinstance(fault, Mapping):
        fault = fault.get("message")
    tokens_in, tokens_out = _counted(told) or (None, None)
    return Completion(
        # A reply that ends in an error is incomplete.
        text="" if finish == "error" else spoken.text,
        refusal=refusal,
        finish=finish,
        thought=spoken.thought or (not spoken.text and thought_apart),
        fault=fault if isinstance(fault, str) else "",
        message=message,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        logprobs=_logprobs(choice),
    )


def _logprobs(choice: Mapping[str, Any]) -> Sequence[Any]:
    held = choice.get("logprobs")
    tokens = held.get("content") if isinstance(held, Mapping) else None
    return tokens if isinstance(tokens, list) else ()


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    # In blocks, of which some hold thoughts.
    return "".join(
        str(block.get("text", ""))
        for block in content or ()
        if isinstance(block, Mapping) and block.get("type") in {"text", "output_text"}
    )


def _joined(body: bytes) -> dict[str, Any]:
    """The reply that the pieces of a stream make together."""
    # Lists of pieces, which are joined once: a stream may have hundreds of thousands.
    said: defaultdict[str, list[str]] = defaultdict(list, content=[])
    calls: dict[int, dict[str, Any]] = {}
    logprobs: list[Any] = []
    finish, usage, any_choice = None, None, False
    for piece in _pieces(body):
        if piece.get("error"):
            return piece  # No reply: the caller reads what it says.
        usage = piece.get("usage") or usage
        for choice in piece.get("choices") or ():
            any_choice = True
            finish = choice.get("finish_reason") or finish
            logprobs += _logprobs(choice)
            for name, value in (choice.get("delta") or choice.get("message") or {}).items():
                if name == "tool_calls":
                    _add_calls(calls, value or ())
                elif isinstance(value, str) and name != "role":
                    said[name].append(value)
    if not any_choice:
        return {"choices": []}
    message: dict[str, Any] = {"role": "assistant"}
    message |= {name: "".join(pieces) for name, pieces in said.items()}
    if calls:
        message["tool_calls"] = [_whole_call(call) for _, call in sorted(calls.items())]
    whole = {"message": message, "finish_reason": finish, "logprobs": {"content": logprobs}}
    return {"choices": [whole], "usage": usage}


def _add_calls(calls: dict[int, dict[str, Any]], deltas: Any) -> None:
    for place, delta in enumerate(deltas):
        call = calls.setdefault(
            delta.get("index", place),
            {"id": "", "type": "function", "function": {"name": [], "arguments": []}},
        )
        call |= {k: v for k, v in delta.items() if k not in {"index", "function", "type"} and v}
        for name, value in (delta.get("function") or {}).items():
            call["function"].setdefault(name, []).append(value or "")


def _whole_call(call: dict[str, Any]) -> dict[str, Any]:
    return call | {"function": {name: "".join(said) for name, said in call["function"].items()}}


def _pieces(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.decode("utf-8", "replace").splitlines():
        data = line.removeprefix("data:").strip()
        if line.startswith("data:") and data and data != "[DONE]":
            if len(data) > LONGEST_BODY:
                raise ValueError("no piece of a reply is as long")
            piece = json.loads(data)
            if isinstance(piece, dict):
                yield piece
