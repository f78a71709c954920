"""A question in the space of pictures, as an embedder: words said in several ways, or a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.sight.joint_model import JointModel
    from tools.timeline import Image

WAYS = ("{}", "a photo of {}", "a video frame of {}")
"""These models learned from what is written beside pictures, seldom from bare sentences. The mean
of several prompts is steadier than each (Radford et al., "Learning Transferable Visual Models From
Natural Language Supervision", 2021, section 3.1.4)."""

KEPT_TEXTS = 256
"""Texts whose vectors are kept: one question asks for the same words several times, and a model's
half for words takes longer than all that is done with the vector."""


class SightWords:
    """Embeds texts for comparison with pictures; see ``tools.embedders.embedder.Embedder``.

    Args:
        model: Embeds texts and pictures.
    """

    def __init__(self, model: JointModel) -> None:
        self._model = model
        self._dimension = 0
        self._known: dict[str, NDArray[np.float32]] = {}

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def dimension(self) -> int:
        if not self._dimension:
            self._dimension = self.embed(["a picture"]).shape[1]
        return self._dimension

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape ``(len(texts), d)``, rows of unit length.

        Raises:
            SightError: If the model fails.
        """
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        known = {text: self._known[text] for text in texts if text in self._known}
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            known |= zip(new, self._embed(new), strict=True)
            self._known = dict(list((self._known | known).items())[-KEPT_TEXTS:])
        return np.stack([known[text] for text in texts])

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        said = [way.format(_bare(text)) for text in texts for way in WAYS]
        each = self._model.embed_texts(said).reshape(len(texts), len(WAYS), -1)
        mean = each.mean(axis=1)
        length = np.linalg.norm(mean, axis=1, keepdims=True)
        # Ways that point in opposite directions leave nothing: the bare words decide then.
        vectors = np.where(length > 1e-6, mean / np.maximum(length, 1e-6), each[:, 0])
        return np.asarray(vectors, np.float32)


class PictureAsked:
    """A picture that is asked for, in place of words: whatever the words, they mean the picture.

    Args:
        model: Embeds pictures.
        picture: Shape ``(height, width, 3)``, RGB.

    Raises:
        SightError: If the model fails.
    """

    def __init__(self, model: JointModel, picture: Image) -> None:
        self.name = model.name
        self._vector = model.embed_pictures([picture])[0]

    @property
    def dimension(self) -> int:
        return len(self._vector)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape ``(len(texts), d)``, each row the picture's."""
        return np.tile(self._vector, (len(texts), 1))


def _bare(text: str) -> str:
    """A sentence as it goes on after "a photo of"."""
    return " ".join(text.split()).rstrip(".!? ") or text
