"""What is configured already: whether it answers, and whether it looks at pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.setup.servers import is_loopback, is_same
from agent.watching.choice import has_service
from tools.text import shown_address

if TYPE_CHECKING:
    from agent.settings import Settings
    from agent.setup.servers import Server

UNCHECKED = "not checked, since nothing outside this machine is asked"
NAMED_MODELS = 5
OPENAI = "openai:"

Choice = tuple[str, str, dict[str, str]]
"""As ``choice``, ``why`` and ``writes`` of ``agent.setup.plan.Plan``."""


def choose_configured(settings: Settings, servers: Sequence[Server]) -> Choice | None:
    """What to do about the service that is configured; None where there is none.

    Args:
        settings: Name it.
        servers: Those on this machine that answer, its own among them if it does.
    """
    if not has_service(settings):
        return None
    captioner, address = settings.captioner, str(settings.openai_base_url or "")
    shown = f"{shown_address(address)}, which is configured,"
    if captioner != "auto" and not captioner.startswith(OPENAI):
        return "service", f"{captioner} is configured to describe frames; nothing to do", {}
    if not is_loopback(address):
        where = shown if address else "OpenAI, whose key is configured,"
        return "service", f"{where} describes frames ({UNCHECKED})", {}
    server = next((one for one in servers if is_same(one.url, address)), None)
    return _answering(shown, server, settings) if server else _silent(shown, servers)


def _silent(shown: str, servers: Sequence[Server]) -> Choice:
    other = next((one for one in servers if one.seeing), None)
    if other is None:
        start = "start that server, or take OPENAI_BASE_URL away, and run this again"
        return "none", f"{shown} does not answer; {start}", {}
    writes = {
        "OPENAI_BASE_URL": other.url,
        "WHENABOUTS_CAPTIONER": f"{OPENAI}{other.seeing}",
    }
    return "server", f"{shown} does not answer; {other.seeing} of {other.kind} does", writes


def _answering(shown: str, server: Server, settings: Settings) -> Choice:
    if server.wants_key:
        key = "the key was not sent" if settings.openai_api_key else "set OPENAI_API_KEY"
        return "service", f"{shown} answers, and wants a key ({key})", {}
    if settings.captioner == "auto":
        return _unnamed(shown, server)
    return _named(shown, settings.captioner.removeprefix(OPENAI), server)


def _named(shown: str, model: str, server: Server) -> Choice:
    if model not in server.models:
        some = ", ".join(server.models[:NAMED_MODELS]) or "no model"
        return "none", f"{shown} answers, but not with {model}; it lists {some}", {}
    if model in server.blind:
        return "none", f"{shown} answers, but says that {model} does not look at pictures", {}
    return "service", f"{shown} describes frames by {model}; nothing to do", {}


def _unnamed(shown: str, server: Server) -> Choice:
    if not server.seeing:
        return "none", f"{shown} answers, but none of its models is known to look at pictures", {}
    if len(server.models) == 1:
        return "service", f"{shown} describes frames by {server.seeing}; nothing to do", {}
    # With several, it has to be said which is meant.
    writes = {"WHENABOUTS_CAPTIONER": f"{OPENAI}{server.seeing}"}
    return "server", f"{server.seeing} of {shown} describes frames on this machine", writes
