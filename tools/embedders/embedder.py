"""Text to vectors: the embedded model, or another one by its name."""

from __future__ import annotations

import importlib
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tools.embedders.minilm import MiniLM, has_published_weights
from tools.embedders.minilm_int8 import MiniLMInt8
from tools.errors import EmbedderError, ServiceError
from tools.llm.client import Patience, Service
from tools.user_paths import expand_user

if TYPE_CHECKING:
    from numpy.typing import NDArray

SERVICE_PATIENCE = Patience(timeout_s=30.0, max_retries=4)
BATCH_TEXTS = 256
"""Texts sent at once; halved where a server finds that too much."""
FEWEST_CHARS = 100
"""A text that is too long for a server is halved down to about this many characters."""
STAND_IN = "a picture"
"""What is embedded in place of a text that a service declines."""
HUB_TIMEOUT_S = 5.0

GRACE_S = 10.0
"""How much longer than the run a service may embed: captions that were paid for are to be kept."""


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
        until: When the run is over, on the monotonic clock; ``openai:`` has ``GRACE_S`` at least.

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


class _ModelOfOthers(ABC):
    """What every other model's answer needs before it is trusted: one unit row for each text."""

    name: str

    @cached_property
    def dimension(self) -> int:
        """Length of every vector, asked of the model once."""
        return len(self.embed(["how long is a vector"])[0])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        row_of_text = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        distinct = list(row_of_text)
        try:
            matrix = np.asarray(self._vectors(distinct), np.float32)
        except (
            ValueError,
            TypeError,
            OverflowError,
        ) as exc:  # rows of different lengths, no numbers
            raise EmbedderError(f"{self.name} gave vectors that cannot be used: {exc}") from None
        if matrix.ndim != 2 or len(matrix) != len(distinct):
            raise EmbedderError(
                f"{self.name} gave an array of shape {matrix.shape} for {len(distinct)} texts"
            )
        lengths = np.linalg.norm(matrix, axis=1)
        useless = ~np.isfinite(lengths) | (lengths == 0)
        if useless.any():
            text = distinct[int(useless.argmax())]
            raise EmbedderError(f"{self.name} gave {text[:60]!r} a vector without a direction")
        unit: NDArray[np.float32] = matrix / lengths[:, None]
        return unit[[row_of_text[text] for text in texts]]

    @abstractmethod
    def _vectors(self, texts: list[str]) -> Any:
        """One vector for each text, of any length."""


class OpenAIEmbedder(_ModelOfOthers):
    """An embedding model of OpenAI, or of a server that speaks its API.

    Raises:
        EmbedderError: If the model's name or the key is missing, or the address unusable.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None,
        base_url: str | None,
        patience: Patience = SERVICE_PATIENCE,
        batch_texts: int = BATCH_TEXTS,
        until: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self.name = f"openai:{model}"
        self._until = until
        self._batch_texts = batch_texts
        self._most_chars: int | None = None
        try:
            self._service = Service(model, api_key=api_key, base_url=base_url, patience=patience)
        except ServiceError as exc:
            raise EmbedderError(f"{self.name}: {exc}") from None

    def _vectors(self, texts: list[str]) -> Any:
        left = [text[: self._most_chars] for text in texts]
        vectors: list[Any] = []
        at_once = self._batch_texts
        until = max(self._until(), time.monotonic() + GRACE_S)
        while len(vectors) < len(texts):
            done = len(vectors)
            batch = left[done : done + min(at_once, self._batch_texts)]
            try:
                got = self._service.embeddings(batch, until=until)
            except ServiceError as exc:
                is_one = len(batch) == 1
                if exc.kind in {"refused", "context", "strange"} and not is_one:
                    # Servers differ in how much they take, and in how they say so.
                    self._batch_texts = -(-len(batch) // 2)
                elif exc.kind == "context" and len(batch[0]) > FEWEST_CHARS:
                    # Other embedders read no more than the beginning of a long text either.
                    self._most_chars = len(batch[0]) // 2
                    left = [text[: self._most_chars] for text in left]
                elif exc.kind == "declined" and not is_one:
                    at_once = -(-len(batch) // 2)
                elif exc.kind == "declined" and batch[0] != STAND_IN:
                    # It is still found by its words; one text must not keep all others out.
                    left[done] = STAND_IN
                else:
                    raise EmbedderError(f"{self.name}: {exc}, or use the embedder minilm") from None
                continue
            if len(got) != len(batch):
                raise EmbedderError(f"{self.name} gave {len(got)} vectors for {len(batch)} texts")
            vectors += got
            at_once = self._batch_texts
        return vectors


class SentenceTransformersEmbedder(_ModelOfOthers):
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
