"""Image-text checkpoints of the Hugging Face hub: how large one is, and fetching it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tools import model_hub
from tools.captioners.checkpoints import SETTINGS, WEIGHTS, find_model, models_on_disk
from tools.errors import CaptionerError, HubError


def model_download_bytes(name: str) -> int | None:
    """Bytes that ``download_model`` would fetch: 0 if all is here, None if the hub does not answer.

    Raises:
        CaptionerError: If the hub knows no such model, or does not give it to this user.
    """
    if find_model(name):
        return 0
    try:
        return model_hub.download_bytes(name, _wanted_files)
    except HubError as exc:
        raise CaptionerError(str(exc)) from exc


def download_model(name: str) -> Path:
    """Fetch a model into the hub's cache, going on where an earlier try was cut off.

    Only what transformers reads is fetched. The caller asks the user first.

    Returns:
        Its folder.

    Raises:
        CaptionerError: If the hub does not answer, refuses, or the model cannot be used.
    """
    if folder := find_model(name):
        return folder
    try:
        model_hub.download(name, _wanted_files)
    except HubError as exc:
        raise CaptionerError(f"{exc}; {choices()}" if exc.is_unreachable else str(exc)) from exc
    found = find_model(name)
    if found is None:
        raise CaptionerError(f"{name} on the hub is not an image-text checkpoint; {choices()}")
    return found


def choices() -> str:
    """What works without the hub, as the end of a sentence."""
    here = ", ".join(models_on_disk()[:5])
    cached = f"one that is on this machine already ({here}), " if here else ""
    return (
        f"what works without it: {cached}a folder that holds a model, an OpenAI-compatible server, "
        "or the captioner `classical`"
    )


def _wanted_files(files: Mapping[str, int]) -> dict[str, int]:
    """Bytes of each file that transformers reads: settings, and one of the forms of the weights."""
    top = {name: size for name, size in files.items() if "/" not in name}
    weights = {name for name in top if WEIGHTS.fullmatch(name)}
    safe = {name for name in weights if name.endswith(".safetensors")}
    settings = {name for name in top if name.endswith(SETTINGS)}
    return {name: top[name] for name in settings | (safe or weights)}
