"""A service as one of LangChain's chat models, so that a text model behind it is like any other."""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, PrivateAttr

from tools.llm.client import Service
from tools.llm.completion import Completion
from tools.llm.negotiation import Message, ServiceRequest

REMEMBERED = 256
"""The model's own messages that are kept to be sent back, of all conversations under way."""


class ServiceChatModel(BaseChatModel):
    """A chat model of a service; what the service refuses is left out by its client.

    Replies that asked for tools are sent back word for word: some services sign them, or want the
    thoughts that they sent along.

    Attributes:
        service: Who is asked.
        max_tokens: Longest reply.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    service: Service
    max_tokens: int

    _own: OrderedDict[str, Mapping[str, Any]] = PrivateAttr(default_factory=OrderedDict)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return "openai-compatible"

    def _get_ls_params(self, stop: list[str] | None = None, **_: Any) -> Any:
        del stop
        return {
            "ls_provider": "openai",
            "ls_model_name": self.service.model,
            "ls_model_type": "chat",
            "ls_max_tokens": self.max_tokens,
        }

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same model offered tools; with ``tool_choice="none"`` it must not use them."""
        described = [
            convert_to_openai_tool(tool) if isinstance(tool, BaseTool) else tool for tool in tools
        ]
        return self.bind(tools=described, may_call=tool_choice != "none", **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del stop, run_manager
        told: list[Message] = convert_to_openai_messages(messages)
        told = self._in_own_words(told)
        request = ServiceRequest(
            told,
            {
                "max_tokens": self.max_tokens,
                "temperature": 0,
                "tools": kwargs.get("tools"),
                "response_format": kwargs.get("response_format"),
            },
            may_call=kwargs.get("may_call", True),
        )
        reply = self.service.chat(request, until=kwargs.get("until", math.inf))
        if reply.tool_calls:
            with self._lock:
                self._own[_digest(told)] = reply.message
                while len(self._own) > REMEMBERED:
                    self._own.popitem(last=False)
        return ChatResult(generations=[ChatGeneration(message=_message(reply))])

    def _in_own_words(self, messages: Sequence[Message]) -> list[Message]:
        """The same with what the model said where it asked for tools, as it said it."""
        told: list[Message] = []
        ids: dict[str, str] = {}
        for message in messages:
            calls = message.get("tool_calls") or []
            own = self._own.get(_digest(told)) if calls else None
            own_calls = (own or {}).get("tool_calls") or []
            same = zip(calls, own_calls, strict=False)
            if (
                own
                and len(own_calls) >= len(calls)
                and all(one["function"]["name"] == other["function"]["name"] for one, other in same)
            ):
                kept = own_calls[: len(calls)]
                ids |= {
                    one["id"]: other["id"]
                    for one, other in zip(calls, kept, strict=True)
                    if other.get("id")
                }
                told.append(
                    {name: value for name, value in own.items() if value is not None}
                    | {"role": "assistant", "content": own.get("content"), "tool_calls": kept}
                )
            elif message.get("tool_call_id") in ids:
                told.append(message | {"tool_call_id": ids[message["tool_call_id"]]})
            else:
                told.append(message)
        return told


def _digest(messages: Sequence[Message]) -> str:
    text = json.dumps(messages, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _message(reply: Completion) -> AIMessage:
    sound: list[Any] = []
    broken: list[Any] = []
    for call in reply.tool_calls:
        name, arguments = call["function"].get("name"), call["function"].get("arguments")
        one = {"name": str(name), "id": str(call.get("id") or "")}
        try:
            parsed = (
                json.loads(arguments or "{}") if isinstance(arguments, str | None) else arguments
            )
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict):
            sound.append(one | {"args": parsed, "type": "tool_call"})
        else:
            broken.append(
                one | {"args": str(arguments), "error": None, "type": "invalid_tool_call"}
            )
    tokens_in, tokens_out = reply.tokens_in or 0, reply.tokens_out or 0
    return AIMessage(
        reply.text,
        tool_calls=sound,
        invalid_tool_calls=broken,
        additional_kwargs={"refusal": reply.refusal} if reply.refusal else {},
        response_metadata={"finish_reason": reply.finish},
        usage_metadata=UsageMetadata(
            input_tokens=tokens_in, output_tokens=tokens_out, total_tokens=tokens_in + tokens_out
        )
        if tokens_in
        else None,
    )
