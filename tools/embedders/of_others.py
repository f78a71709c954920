"""What every other model's answer needs before it is trusted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.errors import EmbedderError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ModelOfOthers(ABC):
    """An embedder whose vectors are made into one unit row for each text, or refused."""

    name: str

    _numbers: int | None = None

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
        numbers = matrix.shape[1]
        if self._numbers not in {None, numbers}:
            raise EmbedderError(
                f"{self.name} gave vectors of {self._numbers} numbers before, and now of {numbers}"
            )
        self._numbers = numbers
        unit: NDArray[np.float32] = matrix / lengths[:, None]
        return unit[[row_of_text[text] for text in texts]]

    @abstractmethod
    def _vectors(self, texts: list[str]) -> Any:
        """One vector for each text, of any length."""
