"""Embeddings of OpenAI, or of any server that speaks its API."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.embedders.of_others import ModelOfOthers
from tools.errors import EmbedderError, ServiceError
from tools.llm.client import Patience, Service
from tools.llm.outage import AT_LAST, AT_ONCE, outages_of_run

if TYPE_CHECKING:
    from numpy.typing import NDArray

SERVICE_PATIENCE = Patience(timeout_s=30.0, max_retries=4)
BATCH_TEXTS = 256
"""Texts sent at once; halved where a server finds that too much."""
FEWEST_CHARS = 100
"""A text that is too long for a server is halved down to about this many characters."""
STAND_IN = "a picture"
"""What is embedded in place of a text that a service declines, or cannot embed."""

GRACE_S = 10.0
"""How much longer than the run a service may embed: captions that were paid for are to be kept."""

LEAST_S = 2.0
"""How long it may take for each batch of captions even then."""


class OpenAIEmbedder(ModelOfOthers):
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

    def check(self) -> None:
        """See ``OfService``."""
        try:
            outages_of_run().check(self._who)
        except ServiceError as exc:
            raise self._failed(exc) from None

    @property
    def _who(self) -> tuple[str, str, str]:
        return "embedder", self._service.address, self.name

    def _failed(self, exc: ServiceError) -> EmbedderError:
        return EmbedderError(f"{self.name}: {exc}, or use the embedder minilm")

    def _vectors(self, texts: list[str]) -> Any:
        self.check()
        left = [text[: self._most_chars] for text in texts]
        vectors: list[NDArray[np.float32] | None] = []
        at_once = self._batch_texts
        until = max(self._until() + GRACE_S, time.monotonic() + LEAST_S)
        while len(vectors) < len(texts):
            done = len(vectors)
            batch = left[done : done + min(at_once, self._batch_texts)]
            is_one = len(batch) == 1
            try:
                got = self._service.embeddings(batch, until=until)
            except ServiceError as exc:
                if exc.kind in {"refused", "context", "strange"} and not is_one:
                    # Servers differ in how much they take, and in how they say so.
                    self._batch_texts = -(-len(batch) // 2)
                elif exc.kind == "context" and len(batch[0]) > FEWEST_CHARS:
                    # Other embedders read no more than the beginning of a long text either.
                    self._most_chars = len(batch[0]) // 2
                    left = [text[: self._most_chars] for text in left]
                elif batch == [STAND_IN] or not self._is_about_text(exc, until):
                    if exc.kind in AT_ONCE | AT_LAST:
                        outages_of_run().give_up(self._who, exc)
                    raise self._failed(exc) from None
                elif is_one:
                    # It is still found by its words; one text must not keep all others out.
                    left[done] = STAND_IN
                else:
                    at_once = -(-len(batch) // 2)
                continue
            if len(got) != len(batch) and not is_one:
                # Some embed the first text alone, and say nothing of the others.
                self._batch_texts = 1 if len(got) == 1 else -(-len(batch) // 2)
                continue
            if len(got) != len(batch):
                raise EmbedderError(f"{self.name} gave {len(got)} vectors for 1 text")
            vectors += map(_direction, got)
            at_once = self._batch_texts
        return self._with_stand_ins(vectors, left, until)

    def _is_about_text(self, exc: ServiceError, until: float) -> bool:
        """Whether a service that failed would embed another text."""
        if exc.kind != "broken":
            return exc.kind == "declined"
        try:
            return bool(self._service.embeddings([STAND_IN], until=until))
        except ServiceError:
            return False

    def _with_stand_ins(
        self, vectors: list[NDArray[np.float32] | None], texts: list[str], until: float
    ) -> list[NDArray[np.float32]]:
        """The vectors, that of another text in place of those without a direction."""
        kept = [one for one in vectors if one is not None]
        if len(kept) == len(vectors):
            return kept
        wrong = texts[vectors.index(None)] if not kept else STAND_IN
        try:
            stand_in = _direction(self._service.embeddings([STAND_IN], until=until)[0])
        except (ServiceError, IndexError):
            stand_in = None
        if stand_in is None:
            raise EmbedderError(f"{self.name} gave {wrong[:60]!r} a vector without a direction")
        return [stand_in if one is None else one for one in vectors]


def _direction(told: Any) -> NDArray[np.float32] | None:
    """A vector as a service writes it, numbers or base64 of them; None where it points nowhere.

    Raises:
        ValueError, TypeError, OverflowError: If it is no vector.
    """
    if told is None:
        return None
    if isinstance(told, str):
        row = np.frombuffer(base64.b64decode(told, validate=True), "<f4").astype(np.float32)
    else:
        row = np.asarray(told, np.float32)
    if row.ndim != 1:
        raise ValueError(f"an array of shape {row.shape} for one text")
    length = np.linalg.norm(row)
    return row if np.isfinite(length) and length > 0 else None
