"""Text to vectors: the embedded model, or another one by its name."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tools.embedders.minilm import MiniLM, has_published_weights
from tools.embedders.minilm_int8 import MiniLMInt8
from tools.embedders.of_others import ModelOfOthers
from tools.embedders.service import BATCH_TEXTS, OpenAIEmbedder
from tools.errors import EmbedderError
from tools.user_paths import expand_user

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HUB_TIMEOUT_S = 5.0


class Embedder(Protocol):
    """Turns texts into directions that are close where meanings are.

    Attributes:
        name: The same for the same vectors.
        dimension: Length of every vector.
    """

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts; equal ones are sent to the model once.

        Returns:
            Shape ``(len(texts), dimension)``, rows of unit length, in the order of the texts.

        Raises:
            EmbedderError: If the model or service fails.
        """
        ...


@runtime_checkable
class OfService(Protocol):
    """An embedder whose service may be down."""

    def check(self) -> None:
        """Make sure that this run has not found its service down; nothing is asked.

        Raises:
            EmbedderError: If it has: captions would be made, and paid for, in vain.
        """
        ...


def open_embedder(
    name: str,
    *,
    cache: Path,
    api_key: str | None = None,
    base_url: str | None = None,
    batch_texts: int = BATCH_TEXTS,
    until: Callable[[], float] = lambda: math.inf,
) -> Embedder:
    """Open an embedder by name.

    Args:
        name: ``minilm`` (all-MiniLM-L6-v2: its published weights where their package is installed,
            else ``minilm-int8``), ``minilm-int8`` (the same in eight bits, which every installation
            brings), ``minilm:FOLDER`` (its published files in a folder of yours),
            ``openai:MODEL`` (OpenAI, or any server that speaks its API), or else a
            sentence-transformers model's name or folder.
        cache: Folder for what can be made again.
        api_key: For ``openai:``.
        base_url: Of the server for ``openai:``, such as ``http://localhost:8080/v1``.
        batch_texts: Sent at once to ``openai:``.
        until: When the run is over, on the monotonic clock; ``openai:`` has ``GRACE_S`` more.

    Raises:
        EmbedderError: If something is missing; says what to install or set.
    """
    kind, _, rest = name.partition(":")
    if name == MiniLMInt8.name or (name == "minilm" and not has_published_weights()):
        return MiniLMInt8(cache=cache)
    if kind == "minilm":
        return MiniLM(cache=cache, weights=expand_user(rest) if rest else None)
    if kind == "openai":
        return OpenAIEmbedder(
            rest, api_key=api_key, base_url=base_url, batch_texts=batch_texts, until=until
        )
    return SentenceTransformersEmbedder(name)


class SentenceTransformersEmbedder(ModelOfOthers):
    """A sentence-transformers model, from a folder or the Hugging Face hub.

    Raises:
        EmbedderError: If the library is absent, or the model is neither here nor can be fetched.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            library: Any = importlib.import_module("sentence_transformers")
        except ImportError as exc:
            raise EmbedderError(
                f"the embedder {name!r} needs sentence-transformers: "
                "pip install sentence-transformers, or use the embedder minilm"
            ) from exc
        try:
            self._model = library.SentenceTransformer(name, local_files_only=True)
        except (OSError, ValueError) as exc:
            _require_hub(name, exc)
            try:
                self._model = library.SentenceTransformer(name)
            except (OSError, ValueError) as failure:
                raise EmbedderError(
                    f"the embedder {name!r} cannot be loaded: {str(failure).splitlines()[0]}"
                ) from failure

    def _vectors(self, texts: list[str]) -> Any:
        return self._model.encode(texts, convert_to_numpy=True, show_progress_bar=False)


def _require_hub(name: str, not_here: Exception) -> None:
    """Try to reach the hub for a few seconds; the library itself would try for minutes."""
    import httpx

    constants: Any = importlib.import_module("huggingface_hub.constants")
    advice = f"the embedder {name!r} is not on this machine, and"
    if constants.HF_HUB_OFFLINE:
        raise EmbedderError(f"{advice} HF_HUB_OFFLINE forbids fetching it") from not_here
    try:
        httpx.head(constants.ENDPOINT, timeout=HUB_TIMEOUT_S)
    except httpx.HTTPError as exc:
        raise EmbedderError(
            f"{advice} {constants.ENDPOINT} cannot be reached; fetch it elsewhere and give its "
            "folder, or use the embedder minilm"
        ) from exc
