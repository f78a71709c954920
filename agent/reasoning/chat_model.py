"""Opens the chat model that a name stands for; it is not asked anything, and nothing is sent."""

from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import ValidationError

from agent.errors import SettingsError
from agent.reasoning.clients_within import follow_no_redirects, leave_retries_to_us
from tools.errors import ServiceError
from tools.llm.chat_model import ServiceChatModel
from tools.llm.client import Patience, Service
from tools.text import one_line, shorten


def open_service(
    model: str,
    *,
    api_key: str | None,
    base_url: str | None,
    max_tokens: int,
    patience: Patience | None,
) -> ServiceChatModel:
    """A model of a service that speaks OpenAI's API.

    Args:
        model: The reasoner's whole name, ``openai:MODEL``.
        api_key: Of the service; None for one that needs none.
        base_url: Such as ``http://localhost:8000/v1``; None for OpenAI.
        max_tokens: Longest reply, hidden reasoning included.
        patience: How long the service is waited for.

    Raises:
        SettingsError: If the key or the address is missing or unusable.
    """
    try:
        service = Service(
            model.partition(":")[2], api_key=api_key, base_url=base_url, patience=patience
        )
    except ServiceError as exc:
        raise SettingsError(f"the reasoner {model}: {exc}") from None
    return ServiceChatModel(service=service, max_tokens=max_tokens)


def _cannot_be_opened(model: str, told: str) -> SettingsError:
    return SettingsError(f"the reasoner {model} cannot be opened: {shorten(one_line(told), 300)}")


def open_chat_model(model: str) -> BaseChatModel:
    """Let LangChain make the chat model of another provider.

    Args:
        model: The reasoner's whole name, ``PROVIDER:MODEL`` as ``init_chat_model`` knows them.

    Raises:
        SettingsError: If there is no such provider, or its package or key is missing.
    """
    provider, _, name = model.partition(":")
    from langchain.chat_models import init_chat_model

    try:
        llm: Any = init_chat_model(name, model_provider=provider)
    except ImportError as exc:
        raise SettingsError(f"the reasoner {model}: {one_line(str(exc))}") from None
    except ValidationError as exc:  # Its own text quotes what was given, and ends in an address.
        told = "; ".join(error["msg"].removeprefix("Value error, ") for error in exc.errors())
        raise _cannot_be_opened(model, told) from None
    except Exception as exc:  # noqa: BLE001  # each provider's own, for a key that is missing
        raise _cannot_be_opened(model, str(exc)) from None
    assert isinstance(llm, BaseChatModel)
    follow_no_redirects(llm)
    leave_retries_to_us(llm)
    return llm
