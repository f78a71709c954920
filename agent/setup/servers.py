"""Which local model servers answer on this machine; nothing else is asked, and not for long."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass

USUAL_PORTS = {11434: "Ollama", 1234: "LM Studio", 8080: "llama.cpp", 8000: "vLLM"}

DEADLINE_S = 0.3
"""For all ports together, since they are asked at the same time."""

MOST_BYTES = 1_000_000
"""Of a list of models; a thousand of them are a tenth of that."""

MOST_NAME = 200
PLAIN = {"Accept-Encoding": "identity"}
"""What is unpacked may be a thousand times as large."""

SEEING = (
    "smolvlm moondream qwen2-vl qwen2.5vl qwen2.5-vl qwen3-vl qwen3vl gemma3 gemma-3 gemma4 "
    "gemma-4 llava minicpm-v pixtral internvl vision"
).split()
"""Parts of the names of models that look at pictures; a server's list does not say which do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that speaks OpenAI's API on the loopback.

    Attributes:
        kind: What usually has that port.
        url: Its address, as ``OPENAI_BASE_URL`` wants it.
        models: What it serves.
    """

    kind: str
    url: str
    models: tuple[str, ...]

    @property
    def seeing(self) -> str:
        """The first of its models that looks at pictures, by its name; empty for none."""
        return next((one for one in self.models if any(part in one.lower() for part in SEEING)), "")


def find_servers(
    ports: dict[int, str] = USUAL_PORTS, *, deadline_s: float = DEADLINE_S
) -> list[Server]:
    """The servers that answer in time, in the order of the ports.

    Args:
        ports: Ports of the loopback to ask, and what usually has them.
        deadline_s: For all together.
    """
    found: dict[int, Server] = {}

    def ask(port: int, kind: str) -> None:
        models = _models(port, deadline_s)
        if models is not None:
            found[port] = Server(kind, f"http://127.0.0.1:{port}/v1", models)

    # Daemons: a server that drips bytes must hold up neither this nor the end of the program.
    asking = [
        threading.Thread(target=ask, args=(port, kind), daemon=True) for port, kind in ports.items()
    ]
    until_s = time.monotonic() + deadline_s
    for one in asking:
        one.start()
    for one in asking:
        one.join(max(0.0, until_s - time.monotonic()))
    there = dict(found)
    return [there[port] for port in ports if port in there]


def _models(port: int, patience_s: float) -> tuple[str, ...] | None:
    """What a server lists; None if there is none, or something else."""
    import httpx

    until_s = time.monotonic() + patience_s
    body = bytearray()
    try:
        # No proxy, no redirect: nothing leaves this machine.
        with (
            httpx.Client(trust_env=False, timeout=patience_s, follow_redirects=False) as client,
            client.stream("GET", f"http://127.0.0.1:{port}/v1/models", headers=PLAIN) as reply,
        ):
            if reply.status_code != httpx.codes.OK:
                return None
            for part in reply.iter_raw():
                body += part
                if len(body) > MOST_BYTES or time.monotonic() > until_s:
                    return None
        listed = json.loads(body)["data"]
        names = None if listed is None else [str(one["id"]) for one in listed]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return None if names is None else tuple(filter(_is_name, names))


def _is_name(text: str) -> bool:
    """Whether it may be a model's name: it will stand in a line of the settings."""
    return 0 < len(text) <= MOST_NAME and text.isprintable() and not set(text) & set(" \"'#$\\")
