"""A chat completion as servers send it, whole or as a stream, read without trusting it. Pure."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

from tools.llm.event_stream import (
    LONGEST_BODY,
    add_calls,
    error_in_stream,
    is_ended,
    is_stream,
    pieces_of,
    whole_call,
)
from tools.llm.thoughts import without_thoughts

FILTERED = re.compile(
    r"content_?filter|.*safety|prohibited_content|blocklist|spii|recitation|sensitive|refusal|"
    r"guardrail",
    re.IGNORECASE,
)
"""How services say that a filter ended a reply; some name the reason behind it."""

_BROKE_OFF: Final = re.compile(
    r"(?:.*_)?error\b|abort|cancel|insufficient_system_resource|time_?out|fail|interrupt|disconnect|"
    r".*malformed_function_call",
    re.IGNORECASE,
)
"""How services say that a reply is not whole, and that this was not the model's doing."""

AT_LIMIT: Final = re.compile(
    r"length|max_(?:output_)?tokens|model_length|model_context_window_exceeded|token_limit",
    re.IGNORECASE,
)
"""How services say that a reply ends at its limit of tokens."""

_THOUGHTS: Final = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
"""Fields of a message that hold thoughts alone."""

LONGEST_TEXT: Final = 1_000_000
"""Characters of a reply with its thoughts; no model writes more at once."""

MOST_CALLS: Final = 32
LONGEST_NAME: Final = 100
"""Calls of tools that are read of one reply, and characters of each tool's name."""

MOST_TOKENS: Final = 1_000_000_000
"""No service counts more for one request: what is larger than that is no count."""


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
        return AT_LIMIT.fullmatch(self.finish) is not None

    @property
    def tool_calls(self) -> list[Mapping[str, Any]]:
        """What it wants to call, as in OpenAI's API."""
        calls: list[Mapping[str, Any]] = self.message.get("tool_calls") or []
        return calls

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
    streams = is_stream(content_type, body)
    if len(body) > LONGEST_BODY and not streams:
        return None
    try:
        return _completion(_joined(body) if streams else json.loads(body))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return None


def counted_tokens(content_type: str, body: bytes) -> tuple[int, int] | None:
    """Tokens in and out that a service counted, of whatever it sent; None where it counted none.

    Args:
        content_type: From its header.
        body: Unpacked; need not hold a reply.
    """
    streams = is_stream(content_type, body)
    if len(body) > LONGEST_BODY and not streams:
        return None
    try:
        pieces = pieces_of(body) if streams else iter([json.loads(body)])
        counts = [count for piece in pieces if (count := _counted(piece))]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return counts[-1] if counts else None


def _counted(told: Any) -> tuple[int, int] | None:
    usage = told.get("usage") if isinstance(told, Mapping) else None
    if not isinstance(usage, Mapping):
        return None
    tokens_in, tokens_out = (
        count if is_count(count := usage.get(name)) else -1
        for name in ("prompt_tokens", "completion_tokens")
    )
    # Some servers write 0 where they do not count, but no question has 0 tokens.
    return (tokens_in, tokens_out) if tokens_in > 0 and tokens_out >= 0 else None


def is_count(told: Any) -> TypeGuard[int]:
    """Whether what a service sent can be a number of tokens."""
    return isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= MOST_TOKENS


def is_hollow(content_type: str, body: bytes) -> bool:
    """Whether it is of this API, and only the reply is missing: no choice, or none with a message.

    Args:
        content_type: From its header.
        body: Of which ``read_completion`` made nothing.
    """
    if is_stream(content_type, body):
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
    if told.get("error"):
        return None  # Whatever stands beside it.
    choice = told["choices"][0]
    finish = choice.get("finish_reason")
    finish = finish if isinstance(finish, str) else ""
    filtered = _is_filtered(choice, finish)
    message = _message_of(choice)
    if message is None and filtered:
        message = {}
    if not isinstance(message, Mapping):
        return None
    content = message.get("content")
    if not isinstance(content, str | list | Mapping | None):
        return None
    text = _text_of(content)
    if len(text) > LONGEST_TEXT:
        return None
    spoken = without_thoughts(text)
    thought_apart = any(message.get(name) for name in _THOUGHTS)
    refusal = _refusal_of(message)
    if not refusal and filtered:
        refusal = "the service's content filter stopped the reply"
    fault = choice.get("error")
    if isinstance(fault, Mapping):
        fault = fault.get("message")
    broke_off = _BROKE_OFF.match(finish) is not None and not filtered
    if broke_off and not isinstance(fault, str):
        fault = f"the service broke off the reply ({finish})"
    if "tool_calls" in message:
        calls = [] if broke_off else _sound_calls(message["tool_calls"])
        message = {**message, "tool_calls": calls or None}
    tokens_in, tokens_out = _counted(told) or (None, None)
    return Completion(
        # A reply that ends in an error is incomplete.
        text="" if broke_off or not has_words(spoken.text) else spoken.text,
        refusal=refusal,
        finish=finish,
        thought=spoken.thought or (not spoken.text and thought_apart),
        fault=fault if isinstance(fault, str) else "",
        message=message,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        logprobs=_logprobs(choice),
    )


def _message_of(choice: Mapping[str, Any]) -> Any:
    """The message of a choice; of older servers, its bare text."""
    message = choice.get("message") or choice.get("delta")
    if message is None and isinstance(choice.get("text"), str):
        return {"role": "assistant", "content": choice["text"]}
    if not isinstance(message, Mapping):
        return message
    call = message.get("function_call")
    if isinstance(call, Mapping) and not message.get("tool_calls"):
        return {**message, "tool_calls": [{"id": "", "type": "function", "function": call}]}
    return message


def _sound_calls(calls: Any) -> list[Mapping[str, Any]]:
    """Those that are written as in OpenAI's API; others are nothing that anybody can carry out."""
    told = [call for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
    return [
        call
        for call in told[:MOST_CALLS]
        if isinstance(function := call.get("function"), Mapping)
        and isinstance(name := function.get("name"), str)
        and 0 < len(name) <= LONGEST_NAME
    ]


def _is_filtered(choice: Mapping[str, Any], finish: str) -> bool:
    """Whether a filter ended a reply, wherever a service says so."""
    native = choice.get("native_finish_reason")  # Of the provider behind a router.
    if FILTERED.match(finish) or (isinstance(native, str) and FILTERED.match(native)):
        return True
    results = choice.get("content_filter_results")
    return isinstance(results, Mapping) and any(
        isinstance(one, Mapping) and one.get("filtered") is True for one in results.values()
    )


def _refusal_of(message: Mapping[str, Any]) -> str:
    """Why a model declined, in its words where it has any; empty where it did not."""
    refusal = message.get("refusal")
    content = message.get("content")
    for block in content if isinstance(content, list) else ():
        if isinstance(block, Mapping) and block.get("type") == "refusal":
            refusal = refusal or block.get("refusal") or True
    if isinstance(refusal, Mapping):
        refusal = next((one for one in refusal.values() if isinstance(one, str)), True)
    if isinstance(refusal, str):
        return " ".join(refusal.split())
    return "the model declined" if refusal is True else ""


def _logprobs(choice: Mapping[str, Any]) -> Sequence[Any]:
    held = choice.get("logprobs")
    tokens = held.get("content") if isinstance(held, Mapping) else None
    return tokens if isinstance(tokens, list) else ()


def has_words(text: str) -> bool:
    """Whether there is anything to see in a text."""
    return any(not char.isspace() and char.isprintable() for char in text)


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    # In blocks, of which some hold thoughts.
    blocks = [content] if isinstance(content, Mapping) else content or ()
    return "".join(map(_text_of_block, blocks))


def _text_of_block(block: Any) -> str:
    if isinstance(block, str):
        return block
    if not isinstance(block, Mapping) or block.get("type", "text") not in {"text", "output_text"}:
        return ""
    text = block.get("text")
    if isinstance(text, Mapping):
        text = text.get("value")
    return text if isinstance(text, str) else ""


def _joined(body: bytes) -> dict[str, Any]:
    """The reply that the pieces of a stream make together."""
    # Lists of pieces, which are joined once: a stream may have hundreds of thousands.
    said: defaultdict[str, list[str]] = defaultdict(list, content=[])
    calls: dict[int, dict[str, Any]] = {}
    logprobs: list[Any] = []
    finish, usage, any_choice = None, None, False
    if error_in_stream(body) is not None:
        return {"choices": []}  # No reply: the caller reads what it says.
    for piece in pieces_of(body):
        usage = piece.get("usage") or usage
        for choice in piece.get("choices") or ():
            if choice.get("index"):
                continue  # Another reply to the same question.
            any_choice = True
            finish = choice.get("finish_reason") or finish
            logprobs += _logprobs(choice)
            for name, value in (choice.get("delta") or choice.get("message") or {}).items():
                if name == "tool_calls":
                    add_calls(calls, value or ())
                elif isinstance(value, list) and name == "content":
                    said[name].append(_text_of(value))
                elif isinstance(value, str) and name != "role":
                    said[name].append(value)
    if not any_choice or not (finish or is_ended(body)):
        return {"choices": []}  # A stream that breaks off is no reply.
    message: dict[str, Any] = {"role": "assistant"}
    message |= {name: "".join(pieces) for name, pieces in said.items()}
    if calls:
        message["tool_calls"] = [whole_call(call) for _, call in sorted(calls.items())]
    whole = {"message": message, "finish_reason": finish, "logprobs": {"content": logprobs}}
    return {"choices": [whole], "usage": usage}
