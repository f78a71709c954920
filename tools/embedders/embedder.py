"""Text to vectors: the embedded model, or another one by its name."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tools.embedders.minilm import MiniLM
from tools.errors import EmbedderError

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPENAI_URL = "https://api.openai.com/v1"
SERVICE_TIMEOUT_S = 30.0
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


def open_embedder(
    name: str, *, cache: Path, api_key: str | None = None, base_url: str | None = None
) -> Embedder:
    """Open an embedder by name.

    Args:
        name: ``minilm`` (all-MiniLM-L6-v2, in the weights package), ``minilm:FOLDER`` (its
            published files in a folder of yours), ``openai:MODEL`` (OpenAI, or any server that
            speaks its API), or else a sentence-transformers model's name or folder.
        cache: Folder for what can be made again.
        api_key: For ``openai:``.
        base_url: Of the server for ``openai:``, such as ``http://localhost:8080/v1``.

    Raises:
        EmbedderError: If something is missing; says what to install or set.
    """
    kind, _, rest = name.partition(":")
    if kind == "minilm":
        return MiniLM(cache=cache, weights=Path(rest).expanduser() if rest else None)
    if kind == "openai":
        return OpenAIEmbedder(rest, api_key=api_key, base_url=base_url)
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
        except ValueError as exc:  # rows of different lengths
            raise EmbedderError(f"{self.name} gave vectors that make no matrix: {exc}") from None
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
        EmbedderError: If the model's name, the key or the extra ``openai`` is missing.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None,
        base_url: str | None,
        timeout_s: float = SERVICE_TIMEOUT_S,
    ) -> None:
        if not model:
            raise EmbedderError("name the model, as in openai:text-embedding-3-small")
        if not (api_key or base_url):
            raise EmbedderError(
                f"openai:{model} needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL to a server "
                "that needs none"
            )
        try:
            from langchain_openai import OpenAIEmbeddings
        except ImportError as exc:
            raise EmbedderError(
                f"openai:{model} needs an extra: pip install 'whenabouts[openai]'"
            ) from exc
        from pydantic import SecretStr

        self.name = f"openai:{model}"
        self._base_url = base_url or OPENAI_URL
        self._key = api_key or "none"
        self._client = OpenAIEmbeddings(
            model=model,
            openai_api_key=SecretStr(self._key),
            openai_api_base=self._base_url,
            request_timeout=timeout_s,
            max_retries=1,
            # Else it downloads a tokenizer and sends token numbers, which only OpenAI reads.
            check_embedding_ctx_length=False,
        )

    def _vectors(self, texts: list[str]) -> Any:
        import openai

        try:
            return self._client.embed_documents(texts)
        except (openai.AuthenticationError, openai.PermissionDeniedError):
            # Not the server's words, nor a chain to them: they quote part of the key.
            raise EmbedderError(
                f"{self._base_url} refuses the key; set OPENAI_API_KEY to one that may use "
                f"{self.name}"
            ) from None
        except openai.APIConnectionError as exc:
            raise EmbedderError(
                f"{self.name}: no answer from {self._base_url} ({exc}); look at the network and "
                "OPENAI_BASE_URL, or use the embedder minilm"
            ) from exc
        except openai.APIStatusError as exc:
            said = exc.message.replace(self._key, "…")
            raise EmbedderError(
                f"{self.name}: {self._base_url} answers {exc.status_code}: {said}"
            ) from None
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as exc:
            # A server that answers 200 with something else fails deep inside the client.
            raise EmbedderError(
                f"{self.name}: {self._base_url} does not answer as the embeddings API does"
            ) from exc


class SentenceTransformersEmbedder(_ModelOfOthers):
    """A sentence-transformers model, from a folder or the Hugging Face hub.

    Raises:
        EmbedderError: If the library is absent, or the model neither here nor to be had.
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
    """Look for the hub for a few seconds; the library itself would try for minutes."""
    import httpx

    constants: Any = importlib.import_module("huggingface_hub.constants")
    advice = f"the embedder {name!r} is not on this machine, and"
    if constants.HF_HUB_OFFLINE:
        raise EmbedderError(f"{advice} HF_HUB_OFFLINE forbids to fetch it") from not_here
    try:
        httpx.head(constants.ENDPOINT, timeout=HUB_TIMEOUT_S)
    except httpx.HTTPError as exc:
        raise EmbedderError(
            f"{advice} {constants.ENDPOINT} cannot be reached; fetch it elsewhere and give its "
            "folder, or use the embedder minilm"
        ) from exc
