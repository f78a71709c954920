"""Opens the models that the settings name, and chooses one where they say ``auto``.

``auto`` is a service where a key or an address of one is configured; else, for frames, a model that
is on this disk already; else what needs no model. Nothing is fetched unless the user agreed.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.errors import CaptionerError, SettingsError
from agent.reasoning.brief import Reasoner, SimilarityReasoner
from tools.captioners.looks import LookMode
from tools.captioners.protocol import Promptable
from tools.errors import ServiceError
from tools.llm.address import is_openai
from tools.llm.prices import Price, read_prices
from tools.user_paths import expand_user

if TYPE_CHECKING:
    from agent.reasoning.one_shot import FramesOf
    from agent.settings import Settings
    from prompts.catalog import Prompts
    from tools.captioners.image_model import ImageModel
    from tools.captioners.protocol import Captioner
    from tools.llm.budget import Budget

OPENAI_MODEL: Final = "gpt-5-mini"
"""What ``auto`` asks of OpenAI itself: it reads images, answers in JSON, and costs little."""

FRAMES: Final = "frames:"
"""Before a model's name: it is shown the frames themselves, all at once."""

Confirm = Callable[[str, int], bool]
"""Asked with a model's name and the bytes to fetch; whether to go on."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Who was chosen, as the settings would name it.

    Attributes:
        name: ``classical``, ``similarity``, ``openai:MODEL``, ``local:MODEL`` or another model.
        why: In a line, why, and what the alternative is; empty where the settings name it.
    """

    name: str
    why: str = ""

    @property
    def is_model(self) -> bool:
        """Whether it is a model that can be asked a question, not only shown frames."""
        return self.name.startswith(("openai:", "local:"))


def choose_captioner(settings: Settings) -> Choice:
    """Who describes frames.

    Raises:
        SettingsError: If the service that is configured cannot say which model it serves, or there
            is no captioner of that name.
    """
    name = settings.captioner
    if name == "auto":
        return _auto_captioner(settings)
    if name not in {"classical", "none"} and not Choice(name).is_model:
        raise SettingsError(
            f"there is no captioner {name!r}; use auto, classical, none, openai:MODEL "
            "or local:MODEL"
        )
    return Choice(name)


def means_model(settings: Settings) -> bool:
    """Whether frames are described by a model that can be asked; no service is asked which."""
    if settings.captioner == "auto":
        return has_service(settings) or bool(local_models())
    return Choice(settings.captioner).is_model


def choose_reasoner(settings: Settings) -> Choice:
    """Who decides from captions. A service that cannot say what it serves is left alone."""
    if settings.reasoner != "auto":
        return Choice(settings.reasoner)
    if not has_service(settings):
        return Choice("similarity")
    try:
        model, set_by = _service_model(settings)
    except SettingsError as exc:
        return Choice("similarity", f"answers by the LLM-free grounder; {exc}")
    return Choice(
        f"openai:{model}",
        f"answers by openai:{model}, since {set_by} is set (--reasoner similarity asks nobody)",
    )


def has_service(settings: Settings) -> bool:
    """Whether a key, or the address of a server, is configured."""
    return bool(settings.openai_api_key or settings.openai_base_url)


def open_captioner(
    settings: Settings, name: str, *, prompts: Prompts, confirm: Confirm | None
) -> Captioner:
    """Open a captioner with the general prompt; a model on this disk is loaded with its first look.

    Args:
        settings: How it is asked.
        name: As in ``Choice``.
        prompts: What it is told.
        confirm: Asked before a model is fetched; None: nothing is fetched.

    Raises:
        CaptionerError: If it cannot be used here; says what can.
    """
    kind, _, model = name.partition(":")
    if kind == "classical":
        from tools.captioners.classical import ClassicalCaptioner

        read_text = settings.read_text
        if read_text is None:
            read_text = importlib.util.find_spec("rapidocr") is not None
        return ClassicalCaptioner(read_text=read_text)
    if kind == "none":
        from tools.captioners.blank import BlankCaptioner

        return BlankCaptioner()
    prompt, version = prompts.render("describe_general"), prompts.version("describe_general")
    mode = LookMode.parse(settings.mode)
    if kind == "local":
        from tools.captioners.local import LocalCaptioner, check_installed

        check_installed(settings.adapter)
        _have(model, confirm)
        return LocalCaptioner(
            model,
            prompt=prompt,
            prompt_version=version,
            mode=mode,
            adapter=settings.adapter,
            device=settings.device,
            dtype=settings.dtype,
        )
    from tools.captioners.openai import OpenAICaptioner

    return OpenAICaptioner(
        model,
        prompt=prompt,
        prompt_version=version,
        api_key=_key(settings),
        base_url=settings.openai_base_url,
        mode=mode,
        in_flight=settings.in_flight,
        detail=settings.detail,
        max_image_kb=settings.max_image_kb,
        prices=prices_of(settings),
    )


def with_an_eye_on(captioner: Captioner, query: str, *, prompts: Prompts) -> Captioner:
    """The same captioner with the activity prompt, which shows it the query.

    Its prompt version names the query too: captions made for one query do not answer another.

    Raises:
        SettingsError: If it is not a model that can be asked a question.
    """
    if not isinstance(captioner, Promptable):
        raise SettingsError(
            f"the activity strategy shows the question to an image model, and {captioner.model} is "
            "not one; use --captioner openai:MODEL or local:MODEL, or --strategy general"
        )
    prompt = prompts.render("describe_activity", query=query)
    digest = hashlib.sha256(prompt.encode()).hexdigest()[:8]
    return captioner.asked(prompt, f"{prompts.version('describe_activity')}.{digest}")


def open_reasoner(
    settings: Settings,
    name: str,
    *,
    prompts: Prompts,
    frames_of: FramesOf,
    budget: Callable[[], Budget] | None = None,
) -> Reasoner:
    """Open a reasoner; nothing is asked of it yet.

    Args:
        settings: How it is asked.
        name: As in ``Choice``; ``frames:MODEL`` is shown frames in place of captions.
        prompts: What a text model is told.
        frames_of: Reads those frames.
        budget: Keeps a text model within the limits of a run.

    Raises:
        SettingsError: If there is no such model, or its key, address or package is missing.
    """
    if name == "similarity":
        return SimilarityReasoner()
    from agent.reasoning.conversation import CaptionConversation
    from agent.reasoning.one_shot import FrameConversation
    from agent.reasoning.text_model import LLMReasoner

    model = name.removeprefix(FRAMES)
    reasoner = LLMReasoner(
        model,
        api_key=_key(settings),
        base_url=settings.openai_base_url,
        prices=prices_of(settings),
        conversation=FrameConversation(frames_of, prompts)
        if model != name
        else CaptionConversation(prompts),
        budget=budget,
        strict=settings.strict,
    )
    reasoner.name = name
    return reasoner


def open_image_model(settings: Settings, name: str) -> ImageModel:
    """Open a model of the configured service that is shown frames with a question.

    Args:
        settings: How it is asked.
        name: ``openai:MODEL``.

    Raises:
        CaptionerError: If its key or address is missing or unusable.
    """
    from tools.captioners.image_model import ImageModel

    return ImageModel(
        name.partition(":")[2],
        api_key=_key(settings),
        base_url=settings.openai_base_url,
        detail=settings.detail,
        prices=prices_of(settings),
    )


def prices_of(settings: Settings) -> Mapping[str, Price]:
    """The user's own prices; none where no file is named.

    Raises:
        PriceError: If the file cannot be used.
    """
    return read_prices(settings.prices) if settings.prices else {}


def _auto_captioner(settings: Settings) -> Choice:
    if has_service(settings):
        model, set_by = _service_model(settings)
        return Choice(
            f"openai:{model}",
            f"captions by openai:{model}, since {set_by} is set (--captioner classical keeps "
            "frames here)",
        )
    if here := local_models():
        return Choice(
            f"local:{here[0]}",
            f"captions by local:{here[0]}, which is on this disk (--captioner classical is "
            "quicker, and sees less)",
        )
    return Choice(
        "classical",
        "captions by the classical describer, which does not name things: no key, server or local "
        "model is set up (whenabouts doctor)",
    )


def local_models() -> list[str]:
    """Names of the image-text models that are on this disk and can be run, last used first."""
    needed = ("torch", "transformers", "huggingface_hub")
    if any(importlib.util.find_spec(name) is None for name in needed):
        return []
    from tools.captioners.checkpoints import models_on_disk

    return models_on_disk()


def _service_model(settings: Settings) -> tuple[str, str]:
    """The model to ask of the configured service, and the variable that configures it."""
    address = settings.openai_base_url
    if not address:
        return OPENAI_MODEL, "OPENAI_API_KEY"
    if is_openai(address):
        return OPENAI_MODEL, "OPENAI_BASE_URL"
    served = _served_models(address, settings)
    if len(served) != 1:
        offered = f"it serves {', '.join(served[:8])}" if served else "it lists no model"
        raise SettingsError(
            f"which model of {address} is meant? {offered}; name one with --captioner and "
            "--reasoner, as in openai:MODEL, or use --captioner classical --reasoner similarity"
        )
    return served[0], "OPENAI_BASE_URL"


def _served_models(address: str, settings: Settings) -> list[str]:
    from tools.llm.discovery import served_models

    try:
        return served_models(address, _key(settings))
    except ServiceError as exc:
        raise SettingsError(
            f"{exc}; or name a model with --captioner and --reasoner, as in openai:MODEL"
        ) from None


def _key(settings: Settings) -> str | None:
    key = settings.openai_api_key
    return key.get_secret_value() if key else None


def _have(model: str, confirm: Confirm | None) -> None:
    """Fetch a model that is not here, if the user agrees to its size."""
    from rich.filesize import decimal

    from tools.captioners.hub import choices, download_model, model_download_bytes

    if expand_user(model).is_dir():
        return
    size_bytes = model_download_bytes(model)
    # Without a size, the hub did not answer; fetching will say so, and what works without it.
    if size_bytes and not (confirm and confirm(model, size_bytes)):
        raise CaptionerError(
            f"{model} is not on this machine, and {decimal(size_bytes)} to fetch from the hub; "
            f"--yes fetches it; {choices()}"
        )
    download_model(model)
