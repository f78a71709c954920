"""A model of a service that is shown frames with their times, and asked about them.

A captioner describes every frame in words; this asks one question about a few frames, or about a
whole clip, and the caller reads the reply.
"""

from __future__ import annotations

import base64
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from tools.captioners.traced_calls import TracedCalls
from tools.errors import CaptionerError, ServiceError
from tools.llm.client import Patience, Service
from tools.llm.completion import Completion
from tools.llm.frames_form import frames_block, pictures
from tools.llm.negotiation import Message, ServiceRequest
from tools.llm.outage import Outages, outages_of_run
from tools.llm.prices import Price, Prices
from tools.text import estimate_tokens

Frames = TypeVar("Frames")

IMAGE_TOKENS: Final = 1500
"""What one picture is assumed to cost at most; services count up to about this."""

LONGEST_REPLY_TOKENS: Final = 1000
"""Hidden reasoning included; where no more than a word is wanted, models stop sooner."""


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """A frame ready to be sent.

    Attributes:
        time_s: Its presentation time.
        jpeg: The picture.
    """

    time_s: float
    jpeg: bytes

    @property
    def as_base64(self) -> str:
        """The picture as it stands in a request."""
        return base64.b64encode(self.jpeg).decode()


@dataclass(frozen=True, slots=True)
class FrameQuestion:
    """Frames, and what is asked about them.

    Attributes:
        prompt: The question, told before the frames.
        frames: In time order.
        duration_s: Of the whole video.
        as_video: Whether they go as one video to a server that takes videos; they have to be of one
            size then. Otherwise they go as pictures.
        later: What was said since: earlier replies, and why they were refused.
        response_format: Of the reply, for services that can make a model follow it.
        odds: Of how many alternatives of each token the odds are wanted; None: of none.
    """

    prompt: str
    frames: Sequence[ShownFrame]
    duration_s: float
    as_video: bool = False
    later: Sequence[Message] = ()
    response_format: Mapping[str, Any] | None = None
    odds: int | None = None


@dataclass(frozen=True, slots=True)
class FrameAnswer:
    """What the model said.

    Attributes:
        reply: The reply itself.
        usd: What it cost in US dollars; None where that is not known.
        tokens_in: As the service counts them; 0 where it does not.
        tokens_out: As above.
    """

    reply: Completion = field(repr=False)
    usd: float | None
    tokens_in: int
    tokens_out: int


class AskedModel(Protocol):
    """A model that is shown frames and asked about them, of a service or on this machine."""

    name: str

    @property
    def most_frames(self) -> int | None:
        """How many frames it can be shown as pictures at once; None where nobody knows a limit."""
        ...

    def ask(
        self,
        question: FrameQuestion,
        calls: TracedCalls,
        *,
        stopping: threading.Event | None = None,
        until: float = math.inf,
        outages: Outages | None = None,
    ) -> FrameAnswer: ...

    def most_usd(self, prompt: str, frames: int) -> float | None: ...


def fewer(frames: Sequence[Frames], most: int | None) -> Sequence[Frames]:
    """As many of these, at even distances from each other and from the ends."""
    if most is None or len(frames) <= most:
        return frames
    return [frames[(2 * place + 1) * len(frames) // (2 * most)] for place in range(most)]


class ImageModel:
    """An image or video model of OpenAI, or of any server that speaks its chat API.

    Many threads may ask at the same time.

    Args:
        model: The service's name for it.
        api_key: Of the service; None for one that needs none.
        base_url: Such as ``http://localhost:8000/v1``; None for OpenAI.
        detail: How closely the model looks, where the service has such a setting.
        patience: How long the service is waited for.
        prices: The user's own, by model name.

    Attributes:
        name: ``openai:MODEL``.

    Raises:
        CaptionerError: If the key or the address is missing or unusable.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None,
        base_url: str | None,
        detail: str = "auto",
        patience: Patience | None = None,
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        self.name = f"openai:{model}"
        try:
            self._service = Service(model, api_key=api_key, base_url=base_url, patience=patience)
        except ServiceError as exc:
            raise CaptionerError(f"{self.name}: {exc}") from None
        self._model = model
        self._detail = detail
        self._prices = Prices(self._service.address, prices)

    @property
    def most_frames(self) -> int | None:
        """See ``AskedModel``; found out by showing it more."""
        return self._service.most_pictures

    def ask(
        self,
        question: FrameQuestion,
        calls: TracedCalls,
        *,
        stopping: threading.Event | None = None,
        until: float = math.inf,
        outages: Outages | None = None,
    ) -> FrameAnswer:
        """Ask once, however many tries that takes.

        Args:
            question: What to ask.
            calls: Told of the call.
            stopping: When set, a failed try is not followed by another.
            until: On the monotonic clock; then it is given up.
            outages: Of the run that this belongs to; None for the one under way in this thread.

        Raises:
            ServiceError: If there is no reply; says what to do. Of kind ``pictures`` where it was
                shown more than ``most_frames``, which says so by then.
        """
        shown = [(one.time_s, one.as_base64) for one in question.frames]
        blocks = (
            [frames_block(shown, duration_s=question.duration_s, detail=self._detail)]
            if question.as_video
            else pictures(shown, self._detail)
        )
        content: list[Any] = [{"type": "text", "text": question.prompt}, *blocks]
        request = ServiceRequest(
            [{"role": "user", "content": content}, *question.later],
            {
                "max_tokens": LONGEST_REPLY_TOKENS,
                "temperature": 0,
                "response_format": question.response_format,
                "logprobs": question.odds,
            },
        )
        times_s = [one.time_s for one in question.frames]
        jpegs = [one.jpeg for one in question.frames]
        noted, who = outages or outages_of_run(), ("frames", self._service.address, self.name)
        noted.check(who)
        with calls.call(self.name, question.prompt, times_s, jpegs) as call:
            try:
                reply = self._service.chat(request, stopping=stopping, until=until, outages=noted)
            except ServiceError as exc:
                noted.note_failure(who, exc)
                exc.usd = self._prices.cost_usd(self._model, exc.tokens_in, exc.tokens_out)
                raise
            noted.note_reply(who)
            call.reply = reply.text or reply.refusal
            call.tokens_in, call.tokens_out = reply.tokens_in, reply.tokens_out
            if reply.tokens_in is not None and reply.tokens_out is not None:
                call.usd = self._prices.cost_usd(self._model, reply.tokens_in, reply.tokens_out)
        return FrameAnswer(reply, call.usd, reply.tokens_in or 0, reply.tokens_out or 0)

    def most_usd(self, prompt: str, frames: int) -> float | None:
        """What a reply about this many frames costs at most, about; None where unknown."""
        tokens = estimate_tokens(prompt) + IMAGE_TOKENS * frames
        return self._prices.cost_usd(self._model, tokens, LONGEST_REPLY_TOKENS)
