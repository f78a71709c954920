"""Opens the chat model that a name stands for; nothing is asked of it, nor sent anywhere."""

from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel

from agent.errors import SettingsError
from tools.text import one_line, shorten

CONNECT_TIMEOUT_S = 3.0


def is_openai(address: str) -> bool:
    """Whether an address is OpenAI's own."""
    host = urlsplit(address).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def openai_options(
    model: str, api_key: str | None, address: str, *, timeout_s: float, max_retries: int
) -> dict[str, Any]:
    """What ``open_chat_model`` needs for a service that speaks OpenAI's API.

    Args:
        model: The reasoner's whole name, for messages.
        api_key: Of the service; None for one that needs none.
        address: Such as ``http://localhost:8000/v1``.
        timeout_s: Longest wait for one try of a reply.
        max_retries: Further tries, by the client itself.

    Raises:
        SettingsError: If the extra ``openai``, the key or the address is missing or unusable.
    """
    if find_spec("langchain_openai") is None:
        raise SettingsError(
            f"the reasoner {model} needs an extra: pip install 'whenabouts[openai]'"
        )
    key = (api_key or "").strip()
    if not key and is_openai(address):
        raise SettingsError(
            f"the reasoner {model} needs OPENAI_API_KEY, or OPENAI_BASE_URL of a server that needs "
            "no key"
        )
    if not (key.isascii() and key.isprintable()):
        raise SettingsError("OPENAI_API_KEY holds characters that no key has; copy it again")
    parts = urlsplit(address)
    if parts.username or parts.password:
        raise SettingsError(
            "OPENAI_BASE_URL holds a user or password; put the secret into OPENAI_API_KEY"
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(
            f"OPENAI_BASE_URL is {address!r}; it must be like http://localhost:8000/v1"
        )
    import openai

    class Discreet(openai.DefaultHttpxClient):
        """Some servers quote the key in their errors, and a tracer keeps errors in full."""

        def send(self, request: Any, **options: Any) -> Any:
            response = super().send(request, **options)
            if not (key and response.is_error):
                return response
            body = response.read().replace(key.encode(), "…".encode())
            # Of the headers, those that say how the body was sent no longer hold.
            stale = {"content-length", "content-encoding", "transfer-encoding"}
            headers = {name: value for name, value in response.headers.items() if name not in stale}
            return type(response)(
                response.status_code, headers=headers, content=body, request=request
            )

    return {
        "http_client": Discreet(follow_redirects=False),
        "api_key": key or "none",
        "base_url": address,
        "timeout": openai.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
        "max_retries": max_retries,
        "use_responses_api": False,
    }


def open_chat_model(model: str, provider: str, name: str, options: dict[str, Any]) -> BaseChatModel:
    """Let LangChain make the chat model.

    Args:
        model: The reasoner's whole name, for messages.
        provider: Its first part, as ``init_chat_model`` knows it.
        name: The rest, as the provider knows it.
        options: For the provider's class.

    Raises:
        SettingsError: If there is no such provider, or its package or key is missing.
    """
    if not (provider and name):
        raise SettingsError(
            f"there is no reasoner {model!r}; use auto, similarity, or PROVIDER:MODEL such as "
            "openai:gpt-5-mini"
        )
    from langchain.chat_models import init_chat_model

    try:
        llm = init_chat_model(name, model_provider=provider, **options)
    except ImportError as exc:
        raise SettingsError(f"the reasoner {model}: {one_line(str(exc))}") from None
    except ValueError as exc:
        # An unknown provider, or a key that its own variable does not hold.
        raise SettingsError(
            f"the reasoner {model} cannot be had: {shorten(one_line(str(exc)), 300)}"
        ) from None
    assert isinstance(llm, BaseChatModel)
    return llm
