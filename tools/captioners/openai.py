"""The OpenAI-compatible captioner: an image model behind a chat API, many frames in flight."""

from __future__ import annotations

import base64
import copy
import math
import re
import threading
import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from tools.captioners.looks import LookMode, encode_jpeg, seconds_label, take_looks
from tools.captioners.protocol import Description, NoCaption
from tools.captioners.traced_calls import Call, TracedCalls
from tools.errors import CaptionerError, ServiceError
from tools.llm.caption_text import caption_of
from tools.llm.client import Patience, Service
from tools.llm.in_flight import run_in_flight
from tools.llm.negotiation import ServiceRequest
from tools.llm.outage import Outages, outages_of_run
from tools.llm.prices import Price, Prices, TokenUsage
from tools.text import one_line, shorten

if TYPE_CHECKING:
    from tools.captioners.looks import Look
    from tools.llm.completion import Completion
    from tools.timeline import Frame

Detail = Literal["auto", "low", "high"]

REFUSES = re.compile(
    r"(?:I['’]m|I am|Sorry|I apologi[sz]e)\b.{0,40}?"
    r"\bI (?:can(?:no|['’])t|am unable to|['’]m unable to|won['’]t) (?:\w+ ){0,2}?"
    r"(?:assist|help|describe|identify|provide|comply|analy[sz]e|process|caption)\b",
    re.IGNORECASE,
)
"""How models decline in their text, where the service has no field for it."""

HOPELESS = 20
"""Replies without a single caption, after which the model is taken to be unable to give one."""

FAILURES_IN_A_ROW = 5
"""After this many looks in a row that failed in spite of retries, the service is given up. A single
one may be a picture that the service cannot take."""

CAPTION_CHARS = 4000
"""Captions are shorter; a longer text is a model that did not stop."""

_ENDS_THE_RUN = frozenset({"settings", "key", "credit", "model", "unreachable", "busy", "stopped"})
"""Failures that have nothing to do with what was shown."""


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
        patience: How long the service is waited for.
        prices: The user's own, by model name; see ``tools.llm.prices.Prices``.

    Raises:
        CaptionerError: If the key or the address is missing or unusable.
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
        patience: Patience | None = None,
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        self._name = f"openai:{model}"
        try:
            self._service = Service(model, api_key=api_key, base_url=base_url, patience=patience)
        except ServiceError as exc:
            raise CaptionerError(f"{self._name}: {exc}") from None
        self._model = model
        self._prompt = prompt
        self._prompt_version = prompt_version
        self._mode = mode or LookMode()
        self._in_flight = in_flight
        self._detail = detail
        self._max_image_bytes = 1000 * max_image_kb
        self._long_side_px = long_side_px
        self._max_tokens = max_tokens
        self._prices = Prices(self._service.address, prices)
        self._meter = _Meter(model, self._prices)
        self._until = math.inf

    def asked(self, prompt: str, prompt_version: str) -> OpenAICaptioner:
        """The same model with another prompt: the same connections, a meter of its own."""
        other = copy.copy(self)
        other._prompt, other._prompt_version = prompt, prompt_version  # noqa: SLF001  # its own kind
        other._meter = _Meter(self._model, self._prices)  # noqa: SLF001
        return other

    @property
    def most_together(self) -> int | None:
        """See ``TakesSeveral``; found out by showing it more."""
        return self._service.most_pictures

    def shown_together(self, prompt: str, prompt_version: str, *, frames: int) -> OpenAICaptioner:
        """See ``TakesSeveral``: services for one picture a request say so when asked."""
        other = self.asked(prompt, prompt_version)
        other._mode = LookMode("clip", frames)  # noqa: SLF001  # its own kind
        other._until = self._until  # noqa: SLF001
        return other

    def until(self, at: float) -> OpenAICaptioner:
        """The same captioner, on the same meter, that gives up what is under way at a given time.

        Args:
            at: On the monotonic clock; looks that have no reply by then count as not shown.
        """
        other = copy.copy(self)
        other._until = at  # noqa: SLF001  # its own kind
        return other

    @property
    def model(self) -> str:
        return self._name + ("" if self._detail == "auto" else f"+{self._detail}")

    @property
    def prompt_version(self) -> str:
        return self._prompt_version

    @property
    def mode(self) -> str:
        return str(self._mode)

    @property
    def usage(self) -> TokenUsage:
        """What it has used since it was made, also for replies that nobody received."""
        return self._meter.usage

    def describe(
        self, frames: Iterable[Frame], *, seen: Container[float]
    ) -> Iterator[Description | NoCaption | None]:
        """Describe frames, many at a time; see ``Captioner``."""
        outages = outages_of_run()
        try:
            outages.check(self._who)
        except ServiceError as exc:
            raise self._given_up(exc) from None
        looks = take_looks(frames, self._mode, seen=seen, long_side_px=self._long_side_px)
        # Made into JPEG at once, so that what waits for its turn is small.
        questions = map(self._question, looks)
        calls = TracedCalls.of_this_step()

        def answer(
            question: ShownLooks, stopping: threading.Event
        ) -> Description | NoCaption | None:
            try:
                with calls.call(self.model, self._prompt, question.times_s, question.jpegs) as call:
                    return self._answer(question, stopping, call, outages)
            except _NoReplyError as exc:
                # Of this look only: told as an error in a trace, and as a gap here.
                reason = str(exc)
                return NoCaption(question.times_s[0], reason, question.times_s[-1], is_final=False)

        before = self._meter.usage
        yield from run_in_flight(answer, questions, limit=self._in_flight)
        is_new = isinstance(seen, Sized) and len(seen) == 0
        used = self._meter.usage
        replied = used.captions + used.no_captions - before.captions - before.no_captions
        if self._meter.last_failure and is_new and not replied:
            # Where nothing else came either, it was not one picture's fault.
            lost = used.unanswered - before.unanswered
            outages.note_failure(self._who, self._meter.last_failure, times=lost)
            raise self._given_up(self._meter.last_failure)

    def _question(self, look: Look) -> ShownLooks:
        jpegs = tuple(encode_jpeg(one, max_bytes=self._max_image_bytes) for one in look.images)
        return ShownLooks(look.times_s, jpegs)

    def _answer(
        self, question: ShownLooks, stopping: threading.Event, call: Call, outages: Outages
    ) -> Description | NoCaption | None:
        content = question.content(self._prompt, self._detail)
        request = ServiceRequest(
            [{"role": "user", "content": content}],
            # The same frames get the same captions, as far as the service can.
            {"max_tokens": self._max_tokens, "temperature": 0},
        )
        time_s, last_s = question.times_s[0], question.times_s[-1]
        try:
            reply = self._service.chat(
                request, stopping=stopping, until=self._until, outages=outages
            )
        except ServiceError as exc:
            if exc.of_run or (exc.kind == "timeout" and time.monotonic() >= self._until):
                # Also where a wait would pass the end: others may still be answered until then.
                stopping.wait(max(0.0, self._until - time.monotonic()))
                self._meter.count_lost(exc)
                return None
            if exc.kind == "declined":
                self._meter.count_lost(exc)
                call.reply = str(exc)
                self._give_up_if_hopeless(self._meter.count_refusal(), call.reply)
                return NoCaption(time_s, call.reply, last_s)
            if exc.kind == "pictures":
                raise self._shows_too_many(exc) from None
            if (
                exc.known
                or exc.kind in _ENDS_THE_RUN
                or self._meter.count_failure(exc) >= FAILURES_IN_A_ROW
            ):
                outages.give_up(self._who, exc)
                raise self._given_up(exc) from None
            raise _NoReplyError(str(exc)) from None
        caption = caption_of(reply.text, cut_off=reply.cut_off)
        reply = replace(reply, thought=reply.thought or caption.thought)
        text = shorten(one_line(caption.text), CAPTION_CHARS)
        refusal = reply.refusal or (text if REFUSES.match(text) else "")
        is_caption = bool(text) and not refusal
        call.reply = text or refusal
        call.tokens_in, call.tokens_out = reply.tokens_in, reply.tokens_out
        call.usd = self._meter.price(reply)
        used = self._meter.count(reply, is_caption=is_caption)
        if is_caption:
            return Description(time_s, text, "vision", last_s)
        reason = refusal or self._why_empty(reply)
        self._give_up_if_hopeless(used, reason)
        return NoCaption(time_s, reason, last_s, is_final=bool(refusal))

    def _shows_too_many(self, exc: ServiceError) -> CaptionerError:
        """The error where looks hold more pictures than the service takes: all of them fail."""
        most = self._service.most_pictures or 1
        mode = f"clip{most} or grid{self._mode.frames}" if most > 1 else f"grid{self._mode.frames}"
        return CaptionerError(f"{self._name}: {exc}; use --mode {mode}, or frame")

    @property
    def _who(self) -> tuple[str, str, str]:
        """Who is given up where pictures fail: the same model may answer questions."""
        return "captioner", self._service.address, self._name

    def _given_up(self, exc: ServiceError) -> CaptionerError:
        hint = "; is it a model that takes images?" if exc.kind == "refused" else ""
        kept = "; what was done is kept" if self._meter.usage.captions else ""
        return CaptionerError(f"{self._name}: {exc}{hint}{kept}")

    def _give_up_if_hopeless(self, used: TokenUsage, reason: str) -> None:
        if used.captions == 0 and used.no_captions >= HOPELESS:
            raise CaptionerError(
                f"{self.model} gave {used.no_captions} replies and no caption ({reason}); is it a "
                "model that takes images?"
            )

    def _why_empty(self, reply: Completion) -> str:
        if reply.thought:
            within = f" within {self._max_tokens} tokens" if reply.cut_off else ""
            return f"the model thought and said nothing{within}"
        if reply.cut_off and reply.text:
            return f"the model repeated itself until {self._max_tokens} tokens were used"
        if reply.cut_off:
            return f"no caption within {self._max_tokens} tokens"
        return reply.fault or "the reply was empty"


class _NoReplyError(Exception):
    """One look has no reply, and others may have one."""


@dataclass(frozen=True, slots=True)
class ShownLooks:
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
    """Counts what replies cost, and failures; many threads may count at the same time."""

    def __init__(self, model: str, prices: Prices) -> None:
        self._model = model
        self._prices = prices
        self._lock = threading.Lock()
        self._failures = 0
        self.last_failure: ServiceError | None = None
        # None from the first, where the cost cannot be known.
        self.usage = TokenUsage(usd=prices.cost_usd(model, 0, 0))

    def count_failure(self, exc: ServiceError) -> int:
        """Note a failed look and its cost; returns how many have failed since the last reply."""
        with self._lock:
            self.last_failure = exc
            self._failures += 1
            self._add_lost(exc)
            self.usage = replace(self.usage, unanswered=self.usage.unanswered + 1)
            return self._failures

    def count_lost(self, exc: ServiceError) -> None:
        """Note tokens that were counted though no reply came."""
        with self._lock:
            self._add_lost(exc)

    def _add_lost(self, exc: ServiceError) -> None:
        sums = replace(
            self.usage,
            tokens_in=self.usage.tokens_in + exc.tokens_in,
            tokens_out=self.usage.tokens_out + exc.tokens_out,
        )
        usd = self._prices.cost_usd(self._model, sums.tokens_in, sums.tokens_out)
        self.usage = replace(sums, usd=None if sums.unmetered else usd)

    def count_refusal(self) -> TokenUsage:
        """Note a look that the service declined by an error, which costs nothing."""
        with self._lock:
            self._failures = 0
            self.usage = replace(self.usage, no_captions=self.usage.no_captions + 1)
            return self.usage

    def price(self, reply: Completion) -> float | None:
        """Of one reply, in USD; None where it is not known."""
        if reply.tokens_in is None or reply.tokens_out is None:
            return None
        return self._prices.cost_usd(self._model, reply.tokens_in, reply.tokens_out)

    def count(self, reply: Completion, *, is_caption: bool) -> TokenUsage:
        """Add a reply; returns the sums with it."""
        unmetered = reply.tokens_in is None or reply.tokens_out is None
        with self._lock:
            self._failures = 0
            sums = replace(
                self.usage,
                captions=self.usage.captions + is_caption,
                no_captions=self.usage.no_captions + (not is_caption),
                tokens_in=self.usage.tokens_in + (reply.tokens_in or 0),
                tokens_out=self.usage.tokens_out + (reply.tokens_out or 0),
                unmetered=self.usage.unmetered + unmetered,
            )
            usd = self._prices.cost_usd(self._model, sums.tokens_in, sums.tokens_out)
            self.usage = replace(sums, usd=None if sums.unmetered else usd)
            return self.usage
