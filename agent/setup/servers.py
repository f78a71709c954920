"""Which local model servers answer on this machine; nothing else is asked, and not for long."""

from __future__ import annotations

import ipaddress
import json
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agent.setup.seeing import by_name, is_name, usable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

USUAL_PORTS = {11434: "Ollama", 1234: "LM Studio", 8080: "llama.cpp", 8000: "vLLM"}

OWNERS = {
    "library": "Ollama",
    "organization_owner": "LM Studio",
    "llamacpp": "llama.cpp",
    "vllm": "vLLM",
}
"""What servers write into ``owned_by`` of their models: none has to have its usual port."""

DEADLINE_S = 0.3
"""For all servers together, since they are asked at the same time."""

MOST_BYTES = 1_000_000
"""Of a list of models; a thousand of them are a tenth of that."""

MOST_ASKED_ABOUT = 8
"""Models that Ollama is asked about one by one."""

PLAIN = {"Accept-Encoding": "identity"}
"""What is unpacked may be a thousand times as large."""

REFUSED = (401, 403)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that speaks OpenAI's API on the loopback.

    Attributes:
        kind: What it is, as far as its port or its models tell.
        url: Its address, as ``OPENAI_BASE_URL`` wants it.
        models: What it serves.
        sees: Of these, those that it says look at pictures.
        blind: Those that it says do not.
        wants_key: Whether it told nothing, for want of a key.
    """

    kind: str
    url: str
    models: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    wants_key: bool = False

    @property
    def seeing(self) -> str:
        """The first of its models that looks at pictures, here; empty for none.

        Where the server does not say which do, their names tell.
        """
        named = (one for one in self.models if one not in self.blind and by_name(one))
        return next((one for one in (*self.sees, *named) if usable(one)), "")


def find_servers(
    ports: dict[int, str] = USUAL_PORTS, *, also: str = "", deadline_s: float = DEADLINE_S
) -> list[Server]:
    """The servers that answer in time, in the order of the ports, after the configured one.

    Args:
        ports: Ports of the loopback to ask, and what usually has them.
        also: An address that is configured; asked too where it is on the loopback.
        deadline_s: For all together.
    """
    import httpx  # noqa: F401  # Loading it is no part of the time that servers have.

    places = {f"http://127.0.0.1:{port}/v1": kind for port, kind in ports.items()}
    if also and is_loopback(also):
        same = [url for url in places if is_same(url, also)]
        kinds = [places.pop(url) for url in same]
        places = {also.strip().rstrip("/"): (kinds or ["a server"])[0]} | places
    found: dict[str, Server] = {}
    until_s = time.monotonic() + deadline_s

    def ask(url: str, kind: str) -> None:
        for server in _ask(url, kind, until_s):
            found[url] = server

    # Daemons: a server that drips bytes must hold up neither this nor the end of the program.
    asking = [
        threading.Thread(target=ask, args=place, daemon=True, name="setup")
        for place in places.items()
    ]
    for one in asking:
        one.start()
    for one in asking:
        one.join(max(0.0, until_s - time.monotonic()))
    there = dict(found)
    return [there[url] for url in places if url in there]


def is_loopback(address: str) -> bool:
    """Whether an address is on this machine."""
    try:
        host = (urlsplit(address.strip()).hostname or "").rstrip(".")
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_same(address: str, other: str) -> bool:
    """Whether two addresses of the loopback mean one server."""
    try:
        one, two = urlsplit(address.strip()), urlsplit(other.strip())
        return (one.scheme, one.port, one.path.rstrip("/")) == (
            two.scheme,
            two.port,
            two.path.rstrip("/"),
        )
    except ValueError:
        return False


def _ask(url: str, kind: str, until_s: float) -> Iterator[Server]:
    """The server at an address as it is known first, and then again with what it says of models."""
    import httpx

    # No proxy, no redirect: nothing leaves this machine.
    with httpx.Client(
        trust_env=False,
        timeout=max(0.01, until_s - time.monotonic()),
        follow_redirects=False,
        verify=url.startswith("https:"),
        headers=PLAIN,
    ) as client:
        status, listed = _read(client, until_s, "GET", f"{url}/models")
        if not isinstance(listed, dict):
            return
        if status in REFUSED and "error" in listed:
            yield Server(kind, url, wants_key=True)
        rows = _rows(listed.get("data"))
        if status != httpx.codes.OK or rows is None:
            return
        owner = next((str(one.get("owned_by")) for one in rows), "")
        kind = OWNERS.get(owner, kind)
        models = tuple(name for one in rows if is_name(name := str(one.get("id"))))
        server = Server(kind, url, models)
        yield server
        said: dict[str, bool] = {}
        if kind == "llama.cpp":
            said = _of_llama(listed)
        elif kind == "LM Studio":
            _, more = _read(client, until_s, "GET", _beside(url, "/api/v0/models"))
            listing = _rows(more.get("data")) if isinstance(more, dict) else None
            said = {
                str(one.get("id")): one["type"] == "vlm" for one in listing or () if "type" in one
            }
        elif kind == "Ollama":
            said = _of_ollama(client, until_s, url, models)
        yield replace(
            server,
            sees=tuple(one for one in models if said.get(one)),
            blind=tuple(one for one in models if said.get(one) is False),
        )


def _of_llama(listed: dict[str, Any]) -> dict[str, bool]:
    """What llama.cpp says: a model of any name sees nothing without its projector."""
    return {
        str(one.get(key)): "multimodal" in capabilities
        for one in _rows(listed.get("models")) or ()
        if isinstance(capabilities := one.get("capabilities"), list)
        for key in ("name", "model")
    }


def _of_ollama(
    client: httpx.Client, until_s: float, url: str, models: tuple[str, ...]
) -> dict[str, bool]:
    """What Ollama says of one model after another, until one looks at pictures."""
    said: dict[str, bool] = {}
    likeliest = sorted(filter(usable, models), key=lambda one: not by_name(one))
    for name in likeliest[:MOST_ASKED_ABOUT]:
        _, told = _read(client, until_s, "POST", _beside(url, "/api/show"), {"model": name})
        capabilities = told.get("capabilities") if isinstance(told, dict) else None
        if not isinstance(capabilities, list):
            break  # An older one says nothing of that; or there is no time left.
        said[name] = "vision" in capabilities
        if said[name]:
            break
    return said


def _read(
    client: httpx.Client, until_s: float, method: str, url: str, content: Any = None
) -> tuple[int, Any]:
    """Status and JSON of a reply; 0 and None where there is none in time, or too long a one."""
    import httpx

    body = bytearray()
    try:
        with client.stream(method, url, json=content) as reply:
            for part in reply.iter_raw():
                body += part
                if len(body) > MOST_BYTES or time.monotonic() > until_s:
                    return 0, None
            return reply.status_code, json.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError):
        return 0, None


def _rows(listed: Any) -> list[dict[str, Any]] | None:
    """A list of objects; None where it is something else."""
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        return None
    return listed


def _beside(url: str, path: str) -> str:
    """Another path of the same server."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{path}"
