"""Embeddings kept on disk: a benchmark asks for the same hundred thousand in every run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.embedders.embedder import Embedder

_BATCH = 2048
_KEY_BYTES = 16


class CachedEmbedder:
    """An embedder that asks another one only for texts it has not seen on this disk.

    Two files grow side by side, one key and one vector a text; a run that is cut off loses at most
    the batch it was at. For one process at a time.

    Args:
        embedder: What makes the vectors.
        folder: Where they are kept; a subfolder for each embedder.
        progress: Called with how many of how many missing texts are done.
    """

    def __init__(
        self,
        embedder: Embedder,
        folder: Path,
        *,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        self._embedder = embedder
        self._progress = progress
        self.name = embedder.name
        digest = hashlib.sha256(embedder.name.encode()).hexdigest()[:16]
        self._folder = folder / digest
        self._folder.mkdir(parents=True, exist_ok=True)
        self._keys_path, self._vectors_path = self._folder / "keys", self._folder / "vectors.f32"
        self._vectors, self._row = self._load()

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._embedder.dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, from disk where they are there; see ``Embedder``."""
        missing = {key: text for text in texts if (key := _key(text)) not in self._row}
        keys = list(missing)
        for start in range(0, len(keys), _BATCH):
            batch = keys[start : start + _BATCH]
            self._append(batch, self._embedder.embed([missing[key] for key in batch]))
            self._progress(start + len(batch), len(keys))
        if missing:
            self._vectors, self._row = self._load()
        return np.asarray(self._vectors[[self._row[_key(text)] for text in texts]])

    def _append(self, keys: list[bytes], vectors: NDArray[np.float32]) -> None:
        with self._vectors_path.open("ab") as file:
            file.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
        with self._keys_path.open("ab") as file:
            file.write(b"".join(keys))

    def _load(self) -> tuple[NDArray[np.float32], dict[bytes, int]]:
        """What is whole in both files; a tail that only one of them has is cut off."""
        row_bytes = 4 * self.dimension
        counts = []
        for path, size in ((self._keys_path, _KEY_BYTES), (self._vectors_path, row_bytes)):
            path.touch()
            counts.append(path.stat().st_size // size)
        count = min(counts)
        for path, size in ((self._keys_path, _KEY_BYTES), (self._vectors_path, row_bytes)):
            with path.open("r+b") as file:
                file.truncate(count * size)
        raw = self._keys_path.read_bytes()
        keys = [raw[i : i + _KEY_BYTES] for i in range(0, len(raw), _KEY_BYTES)]
        vectors = np.fromfile(self._vectors_path, dtype="<f4").reshape(count, self.dimension)
        return vectors, {key: row for row, key in enumerate(keys)}


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:_KEY_BYTES]
