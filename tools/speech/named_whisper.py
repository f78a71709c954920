"""Whisper models by size: what each takes, and fetching one that the user agreed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from tools import model_hub
from tools.errors import CaptionerError, HubError
from tools.speech.whisper import FILES, find_whisper

LICENCE: Final = "MIT"
"""Of all of them, as OpenAI states it."""

VOCABULARY: Final = ("vocabulary.txt", "vocabulary.json")


@dataclass(frozen=True, slots=True)
class NamedWhisper:
    """A size that is offered.

    Attributes:
        hub: Its name on the hub, for CTranslate2.
        about_mb: About how much is fetched.
        needs_gb: Memory of the machine, in 10**9 bytes, from which on it is offered.
    """

    hub: str
    about_mb: int
    needs_gb: float


NAMED: Final[dict[str, NamedWhisper]] = {
    "small": NamedWhisper("Systran/faster-whisper-small", 484, 12.0),
    "base": NamedWhisper("Systran/faster-whisper-base", 145, 6.0),
    "tiny": NamedWhisper("Systran/faster-whisper-tiny", 75, 0.0),
}
"""Best first. Sizes are those of the files on the hub in 2024."""


def fitting(ram_gb: float) -> str:
    """The best size for a machine; of one whose memory is not known (0), the middle one."""
    return next(name for name, one in NAMED.items() if (ram_gb or 6.0) >= one.needs_gb)


def is_here(name: str) -> bool:
    """Whether a model is on this machine; the network is asked for nothing."""
    try:
        find_whisper(name)
    except CaptionerError:
        return False
    return True


def fetch_whisper(name: str) -> None:
    """Fetch one of ``NAMED`` that is not here; the caller asked the user first.

    Raises:
        CaptionerError: If it cannot be fetched.
    """
    if is_here(name):
        return
    if find_spec("huggingface_hub") is None or find_spec("httpx2") is None:
        raise CaptionerError(
            f"the speech model {name} is not on this machine, and fetching it needs the hub's "
            "client: pip install 'whenabouts[see]'"
        )
    try:
        model_hub.download(NAMED[name].hub, _wanted)
    except HubError as exc:
        raise CaptionerError(f"{exc}; without it, speech is left out") from exc


def _wanted(files: Mapping[str, int]) -> dict[str, int]:
    names = (*FILES, *VOCABULARY, "preprocessor_config.json")
    return {name: files[name] for name in names if name in files}
