"""The LLM reasoner: any chat model that LangChain knows reads the captions and says when."""

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import SecretStr

from agent.errors import ReasonerError
from agent.grounding import Cost
from agent.reasoning.answer import ANSWER_SCHEMA
from agent.reasoning.brief import Brief
from agent.reasoning.chat_model import is_openai, open_chat_model, openai_options
from agent.reasoning.conversation import CaptionConversation, Conversation
from agent.reasoning.ordered_answers import PARTS_SCHEMA
from agent.reasoning.reply import Reply, Request
from tools.llm.prices import OPENAI_PRICES, Price, cost_usd
from tools.text import estimate_tokens, one_line, shorten

NOTHING_TO_READ: Final = '{"steps": [], "found": false, "events": []}'
RESPONSE_FORMAT: Final = {
    "type": "json_schema",
    "json_schema": {"name": "answer", "strict": True, "schema": ANSWER_SCHEMA},
}
PARTS_FORMAT: Final = {
    "type": "json_schema",
    "json_schema": {"name": "answer", "strict": True, "schema": PARTS_SCHEMA},
}

# What a server says of an option that it does not take, in lower case.
COMPLAINTS: Final = {
    "response_format": ("response_format", "json_schema", "grammar", "guided"),
    "tools": ("tool",),
    "temperature": ("temperature",),
    "max_tokens": ("max_tokens", "max_completion_tokens"),
}

SHORTEST_SECRET = 8

IMAGE_TOKENS: Final = 1500
"""What a picture in a prompt is taken to come to: services count up to about so many."""


class Ration(Protocol):
    """Says whether one more reply may be paid for, and is told what it took."""

    def check_reply(self, usd: float | None) -> None:
        """Raises ``ReasonerError`` where a reply that costs up to so much may not be asked for."""
        ...

    def spend_reply(self, usd: float | None) -> None:
        """Note what it took."""
        ...


INSTEAD: Final = "or use --reasoner similarity, which needs no model"


class LLMReasoner:
    """Asks a text model. What it says is judged elsewhere; here it is only asked and paid.

    The model's own client retries, and nothing above it does. An option that a server does not take
    (structured output, tools, a temperature, a limit) is left out from then on.

    Args:
        model: ``PROVIDER:MODEL`` as ``init_chat_model`` knows it, such as ``openai:gpt-5-mini``,
            ``ollama:qwen3``; or a chat model of one's own.
        api_key: Of an OpenAI-compatible service; other providers find their own.
        base_url: Of that service; None for OpenAI.
        max_tokens: Longest reply, hidden reasoning included; for OpenAI-compatible services.
        timeout_s: Longest wait for one try of a reply, likewise.
        max_retries: Further tries after 429, 5xx, timeouts and broken connections, likewise.
        prices: The user's own, by model name; they come before the built-in ones, which count only
            for OpenAI itself.
        conversation: What it is told; by default captions, and what it looks up.
        ration: Asked before each request, and told what it took; None: nothing is limited.

    Raises:
        SettingsError: If the name, the key or the address cannot be used, or a package is missing.
    """

    by: Literal["llm", "similarity"] = "llm"

    def __init__(
        self,
        model: str | BaseChatModel,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        max_tokens: int = 8000,
        timeout_s: float = 120.0,
        max_retries: int = 2,
        prices: Mapping[str, Price] | None = None,
        conversation: Conversation | None = None,
        ration: Callable[[], Ration] | None = None,
    ) -> None:
        self._ration = ration
        self._max_tokens = max_tokens
        self._conversation = conversation or CaptionConversation()
        self._without: set[str] = set()
        self._options: dict[str, dict[str, Any]] = {}
        self._prices = dict(prices or {})
        self._address = ""
        if isinstance(model, BaseChatModel):
            self._llm = model
            self.name = _name_of(model)
        else:
            self.name = model
            provider, _, name = model.partition(":")
            options: dict[str, Any] = {}
            if provider == "openai":
                self._address = base_url or "https://api.openai.com/v1"
                options = openai_options(
                    model, api_key, self._address, timeout_s=timeout_s, max_retries=max_retries
                )
                if is_openai(self._address):
                    self._prices = {**OPENAI_PRICES, **self._prices}
                    # Its newest models take no temperature, and a limit under a new name only.
                    self._options["max_tokens"] = {"max_completion_tokens": max_tokens}
                else:
                    self._options["max_tokens"] = {"max_tokens": max_tokens}
                    self._options["temperature"] = {"temperature": 0}
            self._llm = open_chat_model(model, provider, name, options)
            if "http_client" in options:
                # Else connections would stay open in a cache of LangChain's.
                weakref.finalize(self, options["http_client"].close)
        self._priced_as = self.name.partition(":")[2]
        self._is_compatible = any(
            base.__module__.startswith("langchain_openai.") for base in type(self._llm).__mro__
        )
        held = [getattr(self._llm, field) for field in type(self._llm).model_fields]
        secrets = [one.get_secret_value() for one in held if isinstance(one, SecretStr)]
        # A server that needs no key is given a word in its place, which is no secret.
        self._secrets = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]

    @property
    def prompts(self) -> dict[str, str]:
        return self._conversation.prompts

    def reply(self, brief: Brief) -> Reply:
        """Ask once, with everything said so far; nothing is spent where there is no caption.

        Raises:
            ReasonerError: If the service cannot be reached or refuses, after its client's retries.
        """
        if not brief.captions:
            return Reply(NOTHING_TO_READ)
        # A conversation that holds look-ups is shown the tools to its end: some services insist.
        offers = bool(brief.rounds_left) or any(turn.look_ups for turn in brief.turns)
        offers = offers and self._conversation.offers_look_ups
        in_parts = bool(brief.parts) and self._conversation.asks_parts
        reply = self._ask(
            self._conversation(brief),
            tools=brief.tools if offers else None,
            may_call=bool(brief.rounds_left),
            response_format=PARTS_FORMAT if in_parts else RESPONSE_FORMAT,
        )
        return replace(reply, in_parts=in_parts)

    def converse(self, messages: Sequence[BaseMessage], *, schema: dict[str, Any]) -> Reply:
        """Ask once about something else than captions; without tools.

        Args:
            messages: Everything said so far.
            schema: Of the reply wanted; services that can are asked to hold the model to it.

        Raises:
            ReasonerError: As ``reply``.
        """
        wanted = {"name": "reply", "strict": True, "schema": schema}
        return self._ask(messages, response_format={"type": "json_schema", "json_schema": wanted})

    def _ask(
        self,
        messages: Sequence[BaseMessage],
        *,
        response_format: dict[str, Any],
        tools: Callable[[], Sequence[BaseTool]] | None = None,
        may_call: bool = False,
    ) -> Reply:
        ration = self._ration() if self._ration else None
        if ration:
            ration.check_reply(self._most_usd(messages))
        while True:
            chat, sent = self._chat(response_format, tools, may_call=may_call)
            try:
                message = chat.invoke(list(messages))
            except Exception as exc:  # noqa: BLE001  # each provider's client raises its own
                refused = _refused_option(exc, sent)
                if refused is None:
                    # Without the cause: it holds the request, and the key in its headers.
                    raise self._error(exc) from None
                self._without.add(refused)
            else:
                reply = self._reply(message)
                if ration:
                    ration.spend_reply(reply.cost.usd)
                return reply

    def _most_usd(self, messages: Sequence[BaseMessage]) -> float | None:
        """What a reply to these costs at most, about; None where the price is not known."""
        tokens = 0
        for message in messages:
            tokens += estimate_tokens(str(message.text))
            if isinstance(message.content, list):
                pictures = [one for one in message.content if isinstance(one, dict)]
                tokens += IMAGE_TOKENS * sum(one.get("type") == "image_url" for one in pictures)
        return cost_usd(self._priced_as, tokens, self._max_tokens, self._prices)

    def _reply(self, message: BaseMessage) -> Reply:
        # Servers are not all as strict as their API: roles, counts and reasons may be anything.
        counted = getattr(message, "usage_metadata", None) or {}
        tokens_in, tokens_out = (
            count if isinstance(count := counted.get(name), int) and count > 0 else 0
            for name in ("input_tokens", "output_tokens")
        )
        usd = cost_usd(self._priced_as, tokens_in, tokens_out, self._prices)
        return Reply(
            text=_text(message),
            requests=_requests(message),
            cut_off=_is_cut_off(message),
            cost=Cost(
                tokens_in=tokens_in,
                tokens_out=tokens_out,
                # Clients make 0 of a missing count, but no question has 0 tokens.
                usd=usd if tokens_in else None,
            ),
        )

    def _chat(
        self,
        response_format: dict[str, Any],
        make_tools: Callable[[], Sequence[BaseTool]] | None,
        *,
        may_call: bool,
    ) -> tuple[Runnable[Any, AIMessage], list[str]]:
        """The model with what this request needs, and the names of all that it might refuse."""
        chat: Runnable[Any, AIMessage] = self._llm
        sent: list[str] = []
        tools = make_tools() if make_tools and "tools" not in self._without else ()
        if tools:
            closed = self._is_compatible and not may_call
            choice: dict[str, Any] = {"tool_choice": "none"} if closed else {}
            try:
                chat = self._llm.bind_tools(list(tools), **choice)
                sent.append("tools")
            except NotImplementedError:
                self._without.add("tools")
        body: dict[str, Any] = {}
        options = dict(self._options)
        if self._is_compatible and ("tools" not in sent or is_openai(self._address)):
            # Servers other than OpenAI's own hold a model to the schema even where it wants a tool.
            options["response_format"] = {"response_format": response_format}
        for option, parameters in options.items():
            if option not in self._without:
                body |= parameters
                sent.append(option)
        return (chat.bind(extra_body=body) if body else chat), sent

    def _error(self, exc: Exception) -> ReasonerError:
        status = getattr(exc, "status_code", None)
        said = self._clean(_said(exc))
        where = self._address or f"the service of {self.name}"
        names = {type(one).__name__ for one in _causes(exc)}
        if names & {"APIConnectionError", "ConnectError", "ConnectionError", "ConnectTimeout"}:
            what = f"no answer from {where} ({said}); look at the network, at OPENAI_BASE_URL, and "
            what += "whether the server runs"
        elif "APITimeoutError" in names:
            what = f"no answer from {where} in time; a smaller model answers sooner"
        elif status in {401, 403}:
            # Not the server's words: they quote part of the key.
            what = f"{where} refuses the key; set OPENAI_API_KEY to one that may use this model"
        elif status == 404:
            what = f"{where} knows no such model ({said}); look at its name and at OPENAI_BASE_URL"
        elif status == 429:
            what = f"{where} takes no more requests now ({said}); ask again later"
        elif status is not None:
            what = f"{where} answers {status}: {said}; look at the model and its server"
        else:
            what = f"{where} does not answer as a chat model does ({said}); look at its address"
        return ReasonerError(f"{self.name}: {what}, {INSTEAD}")

    def _clean(self, said: str) -> str:
        for secret in self._secrets:
            said = said.replace(secret, "…")
        return shorten(one_line(said), 200)


def _name_of(llm: BaseChatModel) -> str:
    parameters = llm._get_ls_params()  # noqa: SLF001  # the one place where all models say it
    name = parameters.get("ls_model_name") or type(llm).__name__
    return f"{parameters.get('ls_provider', 'own')}:{name}"


def _text(message: BaseMessage) -> str:
    refusal = message.additional_kwargs.get("refusal") or ""
    return str(message.text) or str(refusal)


def _requests(message: BaseMessage) -> tuple[Request, ...]:
    """What the model asks for, in order; arguments that are no JSON fail as wrong ones do."""
    if not isinstance(message, AIMessage):
        return ()
    sound = [Request(call["name"], dict(call["args"])) for call in message.tool_calls]
    broken = [
        Request(str(call["name"]), {"arguments": call["args"]})
        for call in message.invalid_tool_calls
    ]
    return (*sound, *broken)


def _is_cut_off(message: BaseMessage) -> bool:
    """Whether the reply ends at its limit, as the services word it."""
    facts = message.response_metadata
    reasons = {str(facts.get(name)) for name in ("finish_reason", "stop_reason", "done_reason")}
    return bool(reasons & {"length", "max_tokens", "MAX_TOKENS"})


def _refused_option(exc: Exception, sent: Sequence[str]) -> str | None:
    """Which of the options a server complains of; None where it is about something else."""
    if getattr(exc, "status_code", None) not in {400, 404, 422, 500, 501}:
        return None
    said = _said(exc).lower()
    return next((one for one in sent if any(word in said for word in COMPLAINTS[one])), None)


def _said(exc: Exception) -> str:
    """The server's own words, without those that a client puts before them."""
    body = getattr(exc, "body", None)
    own = body.get("message") if isinstance(body, dict) else None
    causes = _causes(exc)
    return str(own or str(causes[-1]) or exc) or type(causes[-1]).__name__


def _causes(exc: BaseException) -> list[BaseException]:
    causes = [exc]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    return causes
