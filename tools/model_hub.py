"""The Hugging Face hub: how large what is wanted of a model is, and fetching it after that.

The hub is asked once, with a limit of seconds, before anything else: its own client retries for
minutes where there is no network. Rooms that need models say here which files they want.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tools.errors import HubError

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo

PATIENCE_S = 8.0
"""How long the hub has to answer a question."""

Answer = TypeVar("Answer")

Wanted = Callable[[Mapping[str, int]], Mapping[str, int]]
"""Of all files of a model, by path, with their bytes: those that are wanted."""


def download_bytes(name: str, wanted: Wanted) -> int | None:
    """Bytes that ``download`` would fetch; None if the hub does not answer.

    Raises:
        HubError: If the hub knows no such model, or does not give it to this user.
    """
    try:
        files = wanted(_files(_ask_hub(name)))
    except HubError as exc:
        if exc.is_unreachable:
            return None
        raise
    return sum(size for file, size in files.items() if not _is_cached(name, file))


def download(name: str, wanted: Wanted) -> None:
    """Fetch what is wanted into the hub's cache, going on where an earlier try was cut off.

    The caller asks the user first.

    Raises:
        HubError: If the hub does not answer, refuses, or stops answering.
    """
    import httpx2
    from huggingface_hub import snapshot_download

    files = wanted(_files(_ask_hub(name)))
    try:
        snapshot_download(name, allow_patterns=sorted(files))
    except (httpx2.HTTPError, OSError) as exc:
        raise HubError(
            f"the download of {name} from the hub was interrupted ({_line(exc)}); run it again to "
            "go on from there",
            is_unreachable=True,
        ) from exc


def cached_folder(name: str, file: str) -> Path | None:
    """The folder in the hub's cache that holds this file of a model; None if it is not there."""
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None  # Without its client, nothing of the hub can be here.
    try:
        path = try_to_load_from_cache(name, file)
    except HFValidationError:
        return None
    if not isinstance(path, str):
        return None
    folder = Path(path)
    for _ in Path(file).parts:
        folder = folder.parent
    return folder


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
        raise HubError(
            f"{name!r} is neither a folder nor the name of a model on the hub, which looks like "
            "HuggingFaceTB/SmolVLM-256M-Instruct"
        ) from exc
    except GatedRepoError as exc:
        raise HubError(
            f"{name} is available only after its terms are accepted; do so on its page on the hub, "
            "then run `hf auth login`"
        ) from exc
    except RepositoryNotFoundError as exc:
        raise HubError(
            f"the hub has no model {name}, or it is private; check the name, or run `hf auth login`"
        ) from exc
    except HfHubHTTPError as exc:
        raise HubError(
            f"the hub refused to answer about {name} ({_line(exc)})", is_unreachable=True
        ) from exc
    except (httpx2.HTTPError, OSError) as exc:
        raise HubError(
            f"{name} is not on this machine, and the hub cannot be reached ({_line(exc)})",
            is_unreachable=True,
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


def _files(info: ModelInfo) -> dict[str, int]:
    return {one.rfilename: one.size or 0 for one in info.siblings or ()}


def _is_cached(name: str, file: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(name, file), str)


def _line(error: BaseException) -> str:
    """The first line of an error's text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
