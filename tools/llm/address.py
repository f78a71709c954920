"""Where a service is, and whether its address and its key can be used at all."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from tools.errors import ServiceError

OPENAI_URL: Final = "https://api.openai.com/v1"


def is_openai(address: str) -> bool:
    """Whether an address is OpenAI's own."""
    host = urlsplit(address).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def check_service(api_key: str | None, base_url: str | None) -> tuple[str, str]:
    """The address and the key to use.

    Args:
        api_key: As the settings have it; None or blank for none.
        base_url: As the settings have it; None for OpenAI.

    Raises:
        ServiceError: If one of them cannot be used; of kind ``settings``.
    """
    address = (base_url or OPENAI_URL).strip().rstrip("/")
    key = (api_key or "").strip()
    if not key and (not base_url or is_openai(address)):
        raise ServiceError(
            "settings",
            "it needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL to a server that needs none",
        )
    if not (key.isascii() and key.isprintable()):
        raise ServiceError(
            "settings", "OPENAI_API_KEY holds characters that no key has; copy it again"
        )
    try:
        parts = urlsplit(address)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # A port that is not a number, or half of an IPv6 address.
        raise ServiceError(
            "settings",
            "OPENAI_BASE_URL is not an address; it must look like http://localhost:8000/v1",
        ) from None
    if parts.username or parts.password:
        # Not shown: it holds a secret.
        raise ServiceError(
            "settings",
            "OPENAI_BASE_URL holds a user or password; put the secret into OPENAI_API_KEY",
        )
    if parts.scheme not in {"http", "https"} or not has_host or not address.isprintable():
        raise ServiceError(
            "settings",
            f"OPENAI_BASE_URL is {base_url!r}; it must look like http://localhost:8000/v1",
        )
    return address, key


def proxy_of(address: str) -> str:
    """The host and port of the proxy that requests to an address go through; empty for none."""
    parts = urlsplit(address)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    named = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return named.netloc.rpartition("@")[2]
