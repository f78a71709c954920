"""The LLM reasoner: any chat model that LangChain knows reads the captions and says when."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from agent.errors import (
    ReasonerError,
    SettingsError,
    UnansweredError,
    UsedUpError,
    WithheldError,
)
from agent.grounding import Cost
from agent.reasoning.answer import ANSWER_SCHEMA
from agent.reasoning.brief import Brief
from agent.reasoning.chat_model import open_chat_model, open_service
from agent.reasoning.clients_within import address_of, key_variable, secrets_of
from agent.reasoning.conversation import CaptionConversation, Conversation
from agent.reasoning.evidence import show_less
from agent.reasoning.ordered_answers import PARTS_SCHEMA
from agent.reasoning.own_client import LONGEST_REPLY_S, OtherFormError, OwnClient
from agent.reasoning.reply import Reply, Request
from tools.errors import ServiceError
from tools.known_secrets import KNOWN
from tools.llm.budget import Budget
from tools.llm.chat_model import ServiceChatModel
from tools.llm.client import Patience, clean
from tools.llm.completion import AT_LIMIT, FILTERED, is_count
from tools.llm.outage import outages_of_run
from tools.llm.prices import Price, Prices
from tools.llm.thoughts import without_thoughts
from tools.text import estimate_tokens

NOTHING_TO_READ: Final = '{"steps": [], "found": false, "events": []}'
RESPONSE_FORMAT: Final = {
    "type": "json_schema",
    "json_schema": {"name": "answer", "strict": True, "schema": ANSWER_SCHEMA},
}
PARTS_FORMAT: Final = {
    "type": "json_schema",
    "json_schema": {"name": "answer", "strict": True, "schema": PARTS_SCHEMA},
}

IMAGE_TOKENS: Final = 1500
"""What a picture in a prompt is assumed to cost: services count up to about this."""

CUT_FROM_TOKENS: Final = 3000
CUT_SHARE: Final = 0.4
"""If a service counts less than this share of a prompt's estimated tokens, it did not read the
prompt to its end: estimates are too high by half at most."""

MENDABLE: Final = frozenset({"settings", "key", "model", "unreachable"})
"""Failures of a wrong set-up, which the user can correct: another answer would hide them."""
OF_ONE_PROMPT: Final = frozenset({"declined", "context", "refused", "strange"})
"""Failures that another prompt may not meet."""

HOW_IT_ENDED: Final = ("finish_reason", "stop_reason", "stopReason", "done_reason")
"""Where providers say why a reply ends."""

INSTEAD: Final = "or use --reasoner similarity, which needs no model"


class LLMReasoner:
    """Asks a text model. What it says is judged elsewhere; here it is only asked and paid.

    The model's own client retries, and nothing above it does. A prompt that is too long for the
    model is shortened until it fits, and the reply says so.

    Args:
        model: ``openai:MODEL`` of a service that speaks OpenAI's API; ``PROVIDER:MODEL`` as
            ``init_chat_model`` knows it, such as ``ollama:qwen3``; or your own chat model.
        api_key: Of an OpenAI-compatible service; other providers find their own.
        base_url: Of that service; None for OpenAI.
        max_tokens: Longest reply, hidden reasoning included; for OpenAI-compatible services.
        patience: How long such a service is waited for.
        prices: The user's own, by model name; see ``tools.llm.prices.Prices``.
        conversation: What it is told; by default captions, and what it looks up.
        budget: Asked before each request, and told what it took; None: nothing is limited.
        strict: Whether a question ends in an error if the service still fails after retries, and no
            other answer stands in.

    Attributes:
        address: Where it asks; empty where that is not known.

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
        patience: Patience | None = None,
        prices: Mapping[str, Price] | None = None,
        conversation: Conversation | None = None,
        budget: Callable[[], Budget] | None = None,
        strict: bool = False,
    ) -> None:
        self._budget = budget
        self._strict = strict
        self._max_tokens = max_tokens
        self._conversation = conversation or CaptionConversation()
        self._without: set[str] = set()
        self._has_answered = False
        self._llm: BaseChatModel
        address = ""
        if isinstance(model, BaseChatModel):
            self._llm = model
            self.name = _name_of(model)
            longest_s = math.inf  # Whoever made it knows how long it takes.
        else:
            longest_s = LONGEST_REPLY_S
            self.name = model
            provider, _, name = model.partition(":")
            if not (provider and name):
                raise SettingsError(
                    f"there is no reasoner {model!r}; use auto, similarity, or PROVIDER:MODEL such "
                    "as openai:gpt-5-mini"
                )
            if provider == "openai":
                service = open_service(
                    model,
                    api_key=api_key,
                    base_url=base_url,
                    max_tokens=max_tokens,
                    patience=patience,
                )
                address = service.service.address
                self._llm = service
            else:
                self._llm = open_chat_model(model)
        self._prices = Prices(address, prices)
        self._priced_as = self.name.partition(":")[2]
        self._is_service = isinstance(self._llm, ServiceChatModel)
        # One of LangChain's own models for such services, opened by the caller.
        self._takes_schema = self._is_service or any(
            base.__module__.startswith("langchain_openai.") for base in type(self._llm).__mro__
        )
        self._secrets = secrets_of(self._llm)
        for secret in self._secrets:
            KNOWN.keep(secret)
        self.address = address or address_of(self._llm).rstrip("/")
        self._client = OwnClient(
            self.name,
            clean=self._clean,
            address=self.address,
            key_name=key_variable(self._llm),
            longest_s=longest_s,
            tries=not isinstance(model, BaseChatModel),
        )

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
        # Where there is nothing to look up, a schema does more for an answer than tools.
        offers = bool(brief.rounds_left and not brief.nothing_more) or any(
            turn.look_ups for turn in brief.turns
        )
        offers = offers and self._conversation.offers_look_ups
        in_parts = bool(brief.parts) and self._conversation.asks_parts
        note = ""
        while True:
            try:
                reply = self._ask(
                    self._conversation(brief),
                    tools=brief.tools if offers else None,
                    may_call=bool(brief.rounds_left),
                    response_format=PARTS_FORMAT if in_parts else RESPONSE_FORMAT,
                )
            except _TooMuchError as exc:
                if exc.pictures and self._conversation.show_fewer(exc.pictures):
                    note = f"{self.name} was shown {exc.pictures} frames, since it takes no more"
                    continue
                less = None if exc.pictures else show_less(brief)
                if less is None:
                    raise self._failed("context", exc.told) from None
                brief = less
                note = (
                    f"{self.name} was shown {brief.opening - len(brief.hidden)} of "
                    f"{brief.opening} captions: all of them are more than it can read"
                )
            else:
                note = "; ".join(filter(None, (note, reply.note)))
                return replace(reply, in_parts=in_parts, note=note)

    def converse(self, messages: Sequence[BaseMessage], *, schema: dict[str, Any]) -> Reply:
        """Ask once about something other than captions, without tools.

        Args:
            messages: Everything said so far.
            schema: Of the reply wanted; services that can are asked to make the model follow it.

        Raises:
            ReasonerError: As ``reply``.
        """
        wanted = {"name": "reply", "strict": True, "schema": schema}
        form = {"type": "json_schema", "json_schema": wanted}
        try:
            return self._ask(messages, response_format=form)
        except _TooMuchError as exc:
            raise self._failed("context", exc.told) from None

    def _ask(
        self,
        messages: Sequence[BaseMessage],
        *,
        response_format: dict[str, Any],
        tools: Callable[[], Sequence[BaseTool]] | None = None,
        may_call: bool = False,
    ) -> Reply:
        budget = self._budget() if self._budget else None
        if budget:
            try:
                budget.check_reply(self._most_usd(messages))
            except UsedUpError as exc:
                raise WithheldError(str(exc)) from None
        outages, who = outages_of_run(), ("reasoner", self.name)
        try:
            outages.check(who)
        except ServiceError as exc:
            told = f"{exc} (known from before, so it was not asked again)"
            raise self._failed(exc.kind, told) from None
        minutes = budget.minutes_left() if budget else None
        until = math.inf if minutes is None else time.monotonic() + 60 * minutes
        while True:
            offers = tools if self._client.may_offer_tools(messages) else None
            chat, sent = self._chat(response_format, offers, may_call=may_call)
            asked = self._client.in_its_form(messages)
            try:
                message = (
                    chat.invoke(asked, until=until)
                    if self._is_service
                    else self._client.invoke(chat, asked, sent=sent, until=until)
                )
            except OtherFormError as exc:
                self._without |= {exc.option} - {""}
            except ServiceError as exc:
                if budget:
                    budget.spend_reply(self._usd_of(exc.tokens_in, exc.tokens_out))
                if exc.kind in {"context", "pictures"}:
                    raise _TooMuchError(str(exc), self._most_pictures(exc)) from None
                outages.note_failure(who, exc)
                raise self._failed(exc.kind, str(exc)) from None
            else:
                self._has_answered = True
                outages.note_reply(who)
                reply = self._reply(message)
                if budget:
                    budget.spend_reply(reply.cost.usd)
                return replace(reply, note=self._cut_note(messages, reply.cost.tokens_in))

    def _most_pictures(self, exc: ServiceError) -> int | None:
        if exc.kind != "pictures" or not isinstance(self._llm, ServiceChatModel):
            return None
        return self._llm.service.most_pictures

    def _cut_note(self, messages: Sequence[BaseMessage], counted: int) -> str:
        """Says that a service seems to have read only a part; else empty."""
        if not all(isinstance(message.content, str) for message in messages):
            return ""
        sent = sum(estimate_tokens(str(message.content)) for message in messages)
        if not counted or sent < CUT_FROM_TOKENS or counted >= CUT_SHARE * sent:
            return ""
        return (
            f"{self.name} counted {counted} tokens of about {sent} that it was sent, so it seems "
            "to have read only a part; give its server a longer context (for Ollama: "
            "OLLAMA_CONTEXT_LENGTH), or show it less (WHENABOUTS_EVIDENCE_TOKENS)"
        )

    def _most_usd(self, messages: Sequence[BaseMessage]) -> float | None:
        """What a reply to these costs at most, about; None where the price is not known."""
        tokens = 0
        for message in messages:
            tokens += estimate_tokens(str(message.text))
            if isinstance(message.content, list):
                pictures = [one for one in message.content if isinstance(one, dict)]
                tokens += IMAGE_TOKENS * sum(one.get("type") == "image_url" for one in pictures)
        return self._prices.cost_usd(self._priced_as, tokens, self._max_tokens)

    def _usd_of(self, tokens_in: int, tokens_out: int) -> float | None:
        return self._prices.cost_usd(self._priced_as, tokens_in, tokens_out)

    def _reply(self, message: BaseMessage) -> Reply:
        # Servers are not all as strict as their API: roles, counts and reasons may be anything.
        counted = getattr(message, "usage_metadata", None) or {}
        tokens_in, tokens_out = (
            count if is_count(count := counted.get(name)) else 0
            for name in ("input_tokens", "output_tokens")
        )
        return Reply(
            text=_text(message),
            requests=_requests(message),
            cut_off=_is_cut_off(message),
            cost=Cost(
                tokens_in=tokens_in,
                tokens_out=tokens_out,
                # Clients make 0 of a missing count, but no question has 0 tokens.
                usd=self._usd_of(tokens_in, tokens_out) if tokens_in else None,
                calls=1,
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
            closed = self._takes_schema and not may_call
            choice: dict[str, Any] = {"tool_choice": "none"} if closed else {}
            try:
                chat = self._llm.bind_tools(list(tools), **choice)
                sent.append("tools")
            except NotImplementedError:
                self._without.add("tools")
        if self._is_service:
            # Its client leaves out what its server does not take, or not together with tools.
            return chat.bind(response_format=response_format), sent
        if self._takes_schema and not sent and "response_format" not in self._without:
            # Not as a parameter of its own, which would raise where a reply is cut off.
            chat = chat.bind(extra_body={"response_format": response_format})
            sent.append("response_format")
        return chat, sent

    def _failed(self, kind: str, told: str) -> ReasonerError:
        """The error for a failure that retries did not help."""
        error = f"{self.name}: {told}, {INSTEAD}"
        mendable = kind in MENDABLE and not self._has_answered
        if mendable or self._strict:
            return ReasonerError(error)
        return UnansweredError(error, of_this_one=kind in OF_ONE_PROMPT)

    def _clean(self, said: str) -> str:
        for secret in self._secrets:
            said = clean(said, secret)
        return clean(said, "")


class _TooMuchError(Exception):
    """What was sent is more than the model can read.

    Attributes:
        pictures: How many pictures it takes, where there were too many.
    """

    def __init__(self, told: str, pictures: int | None) -> None:
        super().__init__(told)
        self.told = told
        self.pictures = pictures


def _name_of(llm: BaseChatModel) -> str:
    parameters = llm._get_ls_params()  # noqa: SLF001  # the one place where all models have it
    name = parameters.get("ls_model_name") or type(llm).__name__
    return f"{parameters.get('ls_provider', 'own')}:{name}"


def _text(message: BaseMessage) -> str:
    refusal = message.additional_kwargs.get("refusal") or _filtered(message)
    return KNOWN.hide_in(without_thoughts(str(message.text)).text or str(refusal))


def _filtered(message: BaseMessage) -> str:
    """That a filter ended a reply, where the provider says so; else empty."""
    facts = message.response_metadata
    feedback = facts.get("prompt_feedback")  # Google's, of a prompt that it would not read.
    blocked = isinstance(feedback, Mapping) and feedback.get("block_reason")
    if blocked or any(FILTERED.match(str(facts.get(name))) for name in HOW_IT_ENDED):
        return "the service's content filter stopped the reply"
    return ""


def _requests(message: BaseMessage) -> tuple[Request, ...]:
    """What the model asks for, in order; arguments that are not JSON fail like wrong ones."""
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
    return any(AT_LIMIT.fullmatch(str(facts.get(name))) for name in HOW_IT_ENDED)
