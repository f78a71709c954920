"""Who writes what the small model learns: a stronger image model, or the people who annotated."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from agent.reasoning.reply import find_object
from tools.captioners.looks import encode_jpeg
from tools.captioners.openai import REFUSES, ShownLooks
from tools.errors import ServiceError
from tools.llm.client import Service
from tools.llm.negotiation import ServiceRequest
from tools.llm.prices import Prices, TokenUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompts.catalog import Prompts
    from tools.captioners.looks import Look
    from tools.llm.completion import Completion
    from tools.llm.prices import Price
    from training.samples import Sample

NOT_SHOWN = "Not shown."
MAX_TOKENS = 1500
MAX_IMAGE_BYTES = 300_000
TRIES = 3
"""Of one lesson: the first, and two after a refusal with its reason."""

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=800)]


class QuestionAnswer(BaseModel):
    """A question that the pictures answer."""

    model_config = ConfigDict(extra="ignore")
    question: Sentence
    answer: Sentence


class Lesson(BaseModel):
    """What a teacher says of one sample.

    Attributes:
        visible: Whether the event is to be seen, as the teacher sees it.
        description: What is being done; begins with ``NOT_SHOWN`` where it is not the event.
        questions: With their answers.
    """

    model_config = ConfigDict(extra="ignore")
    visible: bool
    description: Sentence
    questions: list[QuestionAnswer] = Field(default_factory=list, max_length=8)


@dataclass(frozen=True, slots=True)
class Taught:
    """What came of asking.

    Attributes:
        lesson: None where the teacher gave none that can be used.
        reason: Then, why.
        usage: Tokens and US dollars of all tries.
    """

    lesson: Lesson | None
    reason: str
    usage: TokenUsage


class Teacher(Protocol):
    """Says what is to be learnt of a sample; many threads may ask at the same time."""

    @property
    def name(self) -> str:
        """As the manifest names it."""
        ...

    @property
    def prompts(self) -> Mapping[str, str]:
        """Version of each prompt that it is asked with, by name; none where nobody is asked."""
        ...

    def teach(self, sample: Sample, look: Look, stopping: threading.Event) -> Taught:
        """Ask for a lesson.

        Raises:
            ServiceError: If the service cannot be asked any further.
        """
        ...


class HumanTeacher:
    """The sentences of the annotators stand in for a model: human against synthetic data."""

    name = "human"
    prompts: ClassVar[Mapping[str, str]] = {}

    def teach(self, sample: Sample, look: Look, stopping: threading.Event) -> Taught:  # noqa: ARG002 - it looks at nothing
        """The sentence inside its event, and outside of it what else is annotated there."""
        if sample.inside:
            text = _sentence(sample.query.text)
        else:
            text = " ".join([NOT_SHOWN, *map(_sentence, sample.others)])
        return Taught(Lesson(visible=sample.inside, description=text), "", TokenUsage())


class ServiceTeacher:
    """An image model behind an OpenAI-compatible service.

    Args:
        model: The service's name for it.
        api_key: Of the service; None for one that needs none.
        base_url: None for OpenAI.
        prompts: Its prompts are ``teach`` and ``teach_refused``.
        prices: The user's own.

    Raises:
        ServiceError: If key or address are missing or unusable.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None,
        base_url: str | None,
        prompts: Prompts,
        prices: Mapping[str, Price],
    ) -> None:
        self.name = f"openai:{model}"
        self._model = model
        self._service = Service(model, api_key=api_key, base_url=base_url)
        self._prompts = prompts
        self.prompts = {name: prompts.version(name) for name in ("teach", "teach_refused")}
        self._prices = Prices(self._service.address, prices)

    @property
    def price(self) -> Price | None:
        """Of the model; None where it is not known."""
        return self._prices.find(self._model)

    def prompt(self, sample: Sample) -> str:
        """What is asked of one sample."""
        state = (
            "They marked this moment as a part of the event."
            if sample.inside
            else "They marked the event at another time of the video, not here."
        )
        others = " ".join(map(_sentence, sample.others))
        return self._prompts.render(
            "teach",
            query=sample.query.text,
            state=state,
            others=f" What they wrote of this moment: {others}" if others else "",
        )

    def teach(self, sample: Sample, look: Look, stopping: threading.Event) -> Taught:
        """See ``Teacher``."""
        jpegs = tuple(encode_jpeg(one, max_bytes=MAX_IMAGE_BYTES) for one in look.images)
        content = ShownLooks(look.times_s, jpegs).content(self.prompt(sample), "auto")
        messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
        usage = TokenUsage(usd=self._prices.cost_usd(self._model, 0, 0))
        reason = ""
        for _ in range(TRIES):
            try:
                reply = self._service.chat(
                    ServiceRequest(messages, {"max_tokens": MAX_TOKENS, "temperature": 0}),
                    stopping=stopping,
                )
            except ServiceError as exc:
                if exc.kind == "declined":
                    return Taught(None, f"declined: {exc}", usage)
                raise
            usage = self._with(usage, reply)
            lesson, reason = read_lesson(reply)
            if lesson is not None or reply.refusal:
                return Taught(lesson, reason, usage)
            refused = self._prompts.render("teach_refused", reason=reason)
            messages = [
                *messages[:1],
                {"role": "assistant", "content": reply.text or "(nothing)"},
                {"role": "user", "content": refused},
            ]
        return Taught(None, reason, usage)

    def _with(self, usage: TokenUsage, reply: Completion) -> TokenUsage:
        tokens_in = usage.tokens_in + (reply.tokens_in or 0)
        tokens_out = usage.tokens_out + (reply.tokens_out or 0)
        unmetered = usage.unmetered + (reply.tokens_in is None or reply.tokens_out is None)
        usd = None if unmetered else self._prices.cost_usd(self._model, tokens_in, tokens_out)
        return TokenUsage(tokens_in=tokens_in, tokens_out=tokens_out, unmetered=unmetered, usd=usd)


def read_lesson(reply: Completion) -> tuple[Lesson | None, str]:
    """The lesson in a reply, or None and why there is none that can be used."""
    if reply.refusal or REFUSES.match(reply.text):
        return None, f"refused: {reply.refusal or reply.text[:200]}"
    found = find_object(reply.text, "description")
    if found.value is None:
        cut = "it was cut off" if reply.cut_off else "it holds no JSON object"
        return None, found.fault or cut
    try:
        lesson = Lesson.model_validate(found.value)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        return None, f"{'.'.join(map(str, first['loc'])) or 'the object'}: {first['msg']}"
    says_not = lesson.description.lower().startswith(NOT_SHOWN[:-1].lower())
    if lesson.visible == says_not:
        return None, (
            f"visible is {str(lesson.visible).lower()}, and the description "
            f"{'begins' if says_not else 'does not begin'} with {NOT_SHOWN!r}"
        )
    return lesson, ""


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
