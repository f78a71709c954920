"""The Hugging Face hub: how large a model is, and fetching one that was asked for.

The hub is asked once, with a limit of seconds, before anything else: its own client retries for
minutes where there is no network.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tools.captioners.checkpoints import SETTINGS, WEIGHTS, find_model, models_on_disk
from tools.errors import CaptionerError

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo

PATIENCE_S = 8.0
"""How long the hub has to answer a question."""

Answer = TypeVar("Answer")


def model_download_bytes(name: str) -> int | None:
    """Bytes that ``download_model`` would fetch: 0 if all is here, None if the hub does not answer.

    Raises:
        CaptionerError: If the hub knows no such model, or does not give it to this user.
    """
    if find_model(name):
        return 0
    try:
        files = _wanted_files(_ask_hub(name))
    except _UnreachableError:
        return None
    return sum(size for file, size in files.items() if not _is_cached(name, file))


def download_model(name: str) -> Path:
    """Fetch a model into the hub's cache, going on where an earlier try was cut off.

    Only what transformers reads is fetched. The caller asks the user first.

    Returns:
        Its folder.

    Raises:
        CaptionerError: If the hub does not answer, refuses, or the model cannot be used.
    """
    import httpx2
    from huggingface_hub import snapshot_download

    if folder := find_model(name):
        return folder
    try:
        snapshot_download(name, allow_patterns=sorted(_wanted_files(_ask_hub(name))))
    except _UnreachableError as exc:
        raise CaptionerError(f"{exc}; {choices()}") from exc
    except (httpx2.HTTPError, OSError) as exc:
        raise CaptionerError(
            f"the download of {name} from the hub was interrupted ({_line(exc)}); run it again to "
            f"go on from there; {choices()}"
        ) from exc
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


class _UnreachableError(Exception):
    """The hub did not answer."""


def _ask_hub(name: str) -> ModelInfo:
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
    )

    try:
        return _within(
            PATIENCE_S, lambda: HfApi().model_info(name, files_metadata=True, timeout=PATIENCE_S)
        )
    except HFValidationError as exc:
        raise CaptionerError(
            f"{name!r} is neither a folder nor the name of a model on the hub, which looks like "
            "HuggingFaceTB/SmolVLM-256M-Instruct"
        ) from exc
    except GatedRepoError as exc:
        raise CaptionerError(
            f"{name} is available only after its terms are accepted; do so on its page on the hub, "
            "then run `hf auth login`"
        ) from exc
    except RepositoryNotFoundError as exc:
        raise CaptionerError(
            f"the hub has no model {name}, or it is private; check the name, or run `hf auth login`"
        ) from exc
    except HfHubHTTPError as exc:
        raise _UnreachableError(f"the hub refused to answer about {name} ({_line(exc)})") from exc
    except (httpx2.HTTPError, OSError) as exc:
        raise _UnreachableError(
            f"{name} is not on this machine, and the hub cannot be reached ({_line(exc)})"
        ) from exc


def _within(limit_s: float, ask: Callable[[], Answer]) -> Answer:
    """The answer, or a TimeoutError: name look-ups and servers that drip bytes ignore time limits.

    It is asked in a thread that the program does not wait for at exit.
    """
    answers: list[Answer] = []
    errors: list[Exception] = []

    def note() -> None:
        try:
            answers.append(ask())
        except Exception as exc:  # noqa: BLE001 - raised again below, in the thread that asked
            errors.append(exc)

    asking = threading.Thread(target=note, daemon=True)
    asking.start()
    asking.join(limit_s)
    if errors:
        raise errors[0]
    if not answers:
        raise TimeoutError(f"no answer within {limit_s:g} s")
    return answers[0]


def _wanted_files(info: ModelInfo) -> dict[str, int]:
    """Bytes of each file that transformers reads: settings, and one of the forms of the weights."""
    top = {one.rfilename: one.size or 0 for one in info.siblings or () if "/" not in one.rfilename}
    weights = {name for name in top if WEIGHTS.fullmatch(name)}
    safe = {name for name in weights if name.endswith(".safetensors")}
    settings = {name for name in top if name.endswith(SETTINGS)}
    return {name: top[name] for name in settings | (safe or weights)}


def _is_cached(name: str, file: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(name, file), str)


def _line(error: BaseException) -> str:
    """The first line of an error's text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
