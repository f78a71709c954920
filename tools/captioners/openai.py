"""The OpenAI-compatible captioner: an image model behind a chat API, many frames in flight."""

from __future__ import annotations

import base64
import copy
import re
import threading
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from tools.captioners.looks import LookMode, encode_jpeg, seconds_label, take_looks
from tools.captioners.protocol import Description, NoCaption
from tools.captioners.traced_calls import Call, TracedCalls
from tools.errors import CaptionerError
from tools.llm.client import ChatService
from tools.llm.in_flight import run_in_flight
from tools.llm.prices import OPENAI_PRICES, Price, Usage, cost_usd
from tools.text import one_line

if TYPE_CHECKING:
    from tools.captioners.looks import Look
    from tools.llm.client import Reply
    from tools.timeline import Frame

Detail = Literal["auto", "low", "high"]

REFUSES = re.compile(
    r"(?:I['’]m|I am|Sorry|I apologi[sz]e)\b.{0,40}?"
    r"\bI (?:can(?:no|['’])t|am unable to|['’]m unable to|won['’]t) (?:\w+ ){0,2}?"
    r"(?:assist|help|describe|identify|provide|comply|analy[sz]e|process|caption)\b",
    re.IGNORECASE,
)
"""How models decline in words, where the service has no field for it."""

HOPELESS = 20
"""So many replies without a single caption, and the model is taken for one that cannot."""


class OpenAICaptioner:
    """Describes frames with a model of OpenAI, or of any server that speaks its chat API.

    Captions come as they arrive, in any order. A refusal or an empty reply is a ``NoCaption``.

    Args:
        model: The service's name for it, such as ``gpt-5-mini``.
        prompt: What to ask of each look, rendered.
        prompt_version: Of that prompt; with the query in it where the prompt shows one.
        api_key: Of the service; None for one that needs none.
        base_url: Such as ``http://localhost:8000/v1``; None for OpenAI.
        mode: What is shown at a time.
        in_flight: Requests at a time.
        detail: How closely the model looks, where the service has such a setting: at ``low``,
            OpenAI's make do with 512 pixels and few tokens.
        max_image_kb: Largest JPEG to send, in 1,000 bytes.
        long_side_px: Larger pictures are made smaller. Frames come 512 px long at most, so this
            matters to grids.
        max_tokens: Longest reply, the model's hidden reasoning included.
        max_retries: Of one request, after 429, 5xx, timeouts and broken connections.
        timeout_s: Longest wait for one reply.
        backoff_s: First wait before a retry where the service names none; it doubles.
        prices: The user's own, by model name. They come before the built-in ones, which count only
            for OpenAI itself.

    Raises:
        CaptionerError: If the key, the address or the extra ``openai`` is missing or unusable.
    """

    def __init__(
        self,
        model: str,
        *,
        prompt: str,
        prompt_version: str,
        api_key: str | None,
        base_url: str | None = None,
        mode: LookMode | None = None,
        in_flight: int = 16,
        detail: Detail = "auto",
        max_image_kb: int = 500,
        long_side_px: int = 1024,
        max_tokens: int = 1000,
        max_retries: int = 8,
        timeout_s: float = 120.0,
        backoff_s: float = 0.5,
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        self._service = ChatService(
            model,
            api_key=api_key,
            base_url=base_url,
            max_tokens=max_tokens,
            timeout_s=timeout_s,
            max_retries=max_retries,
            backoff_s=backoff_s,
        )
        self._model = model
        self._prompt = prompt
        self._prompt_version = prompt_version
        self._mode = mode or LookMode()
        self._in_flight = in_flight
        self._detail = detail
        self._max_image_bytes = 1000 * max_image_kb
        self._long_side_px = long_side_px
        self._max_tokens = max_tokens
        self._prices = {**(OPENAI_PRICES if self._service.is_openai else {}), **(prices or {})}
        self._meter = _Meter(model, self._prices)

    def asked(self, prompt: str, prompt_version: str) -> OpenAICaptioner:
        """The same model asked something else over the same connections, metered anew."""
        other = copy.copy(self)
        other._prompt, other._prompt_version = prompt, prompt_version  # noqa: SLF001  # its own kind
        other._meter = _Meter(self._model, self._prices)  # noqa: SLF001
        return other

    @property
    def model(self) -> str:
        return self._service.name + ("" if self._detail == "auto" else f"+{self._detail}")

    @property
    def prompt_version(self) -> str:
        return self._prompt_version

    @property
    def mode(self) -> str:
        return str(self._mode)

    @property
    def usage(self) -> Usage:
        """What it has used since it was made, also for replies that nobody received."""
        return self._meter.usage

    def describe(
        self, frames: Iterable[Frame], *, seen: Container[float]
    ) -> Iterator[Description | NoCaption | None]:
        """Describe frames, many at a time; see ``Captioner``."""
        looks = take_looks(frames, self._mode, seen=seen, long_side_px=self._long_side_px)
        # Made into JPEG at once: what waits for its turn is then small.
        questions = map(self._question, looks)
        calls = TracedCalls.of_this_step()

        def answer(question: _Question, stopping: threading.Event) -> Description | NoCaption:
            with calls.call(self.model, self._prompt, question.times_s, question.jpegs) as call:
                return self._answer(question, stopping, call)

        yield from run_in_flight(answer, questions, limit=self._in_flight)

    def _question(self, look: Look) -> _Question:
        jpegs = tuple(encode_jpeg(one, max_bytes=self._max_image_bytes) for one in look.images)
        return _Question(look.times_s, jpegs)

    def _answer(
        self, question: _Question, stopping: threading.Event, call: Call
    ) -> Description | NoCaption:
        from langchain_core.messages import HumanMessage

        content = question.content(self._prompt, self._detail)
        reply = self._service.ask([HumanMessage(content=content)], stopping=stopping)
        text = one_line(reply.text)
        refusal = reply.refusal or (text if REFUSES.match(text) else "")
        is_caption = bool(text) and not refusal
        call.reply = text or refusal
        call.tokens_in, call.tokens_out = reply.tokens_in, reply.tokens_out
        call.usd = self._meter.price(reply)
        used = self._meter.count(reply, is_caption=is_caption)
        time_s, last_s = question.times_s[0], question.times_s[-1]
        if is_caption:
            return Description(time_s, text, "vision", last_s)
        reason = refusal or self._why_empty(reply)
        if used.captions == 0 and used.no_captions >= HOPELESS:
            raise CaptionerError(
                f"{self.model} gave {used.no_captions} replies and no caption ({reason}); is it a "
                "model that takes images?"
            )
        return NoCaption(time_s, reason, last_s)

    def _why_empty(self, reply: Reply) -> str:
        if reply.cut_off:
            return f"no caption within {self._max_tokens} tokens"
        return "the reply was empty"


@dataclass(frozen=True, slots=True)
class _Question:
    """A look, ready to be sent."""

    times_s: tuple[float, ...]
    jpegs: tuple[bytes, ...]

    def content(self, prompt: str, detail: Detail) -> list[str | dict[Any, Any]]:
        """The prompt first, since services remember beginnings; each picture of a clip timed."""
        blocks: list[str | dict[Any, Any]] = [{"type": "text", "text": prompt}]
        for time_s, jpeg in zip(self.times_s, self.jpegs, strict=False):
            if len(self.jpegs) > 1:
                blocks.append({"type": "text", "text": seconds_label(time_s)})
            url = {"url": f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"}
            how = {} if detail == "auto" else {"detail": detail}
            blocks.append({"type": "image_url", "image_url": url | how})
        return blocks


class _Meter:
    """Counts what replies cost; many threads may count at the same time."""

    def __init__(self, model: str, prices: Mapping[str, Price]) -> None:
        self._model = model
        self._prices = prices
        self._lock = threading.Lock()
        # None from the first, where nobody knows what it will come to.
        self.usage = Usage(usd=cost_usd(model, 0, 0, prices))

    def price(self, reply: Reply) -> float | None:
        """Of one reply, in USD; None where it is not known."""
        if reply.tokens_in is None or reply.tokens_out is None:
            return None
        return cost_usd(self._model, reply.tokens_in, reply.tokens_out, self._prices)

    def count(self, reply: Reply, *, is_caption: bool) -> Usage:
        """Add a reply; returns the sums with it."""
        unmetered = reply.tokens_in is None or reply.tokens_out is None
        with self._lock:
            sums = replace(
                self.usage,
                captions=self.usage.captions + is_caption,
                no_captions=self.usage.no_captions + (not is_caption),
                tokens_in=self.usage.tokens_in + (reply.tokens_in or 0),
                tokens_out=self.usage.tokens_out + (reply.tokens_out or 0),
                unmetered=self.usage.unmetered + unmetered,
            )
            usd = cost_usd(self._model, sums.tokens_in, sums.tokens_out, self._prices)
            self.usage = replace(sums, usd=None if sums.unmetered else usd)
            return self.usage
