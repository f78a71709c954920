"""The scale of a joint model: what it makes of everyday texts, and of pictures with their sentence.

It takes seconds by a large model, is the same for every question, and is kept in a file.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools.grounding.background import BACKGROUND
from tools.sight.cards import cards

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.sight.joint_model import JointModel

WAY = "a photo of {}"
VERSION = 1
"""Of what is measured; another one is measured anew."""


@dataclass(frozen=True, slots=True)
class SightScale:
    """How a joint model compares pictures with words.

    Attributes:
        texts: Shape ``(t, d)``, unit vectors of texts about everyday things.
        match: Median cosine of a drawn card and its sentence.
    """

    texts: NDArray[np.float32]
    match: float

    @classmethod
    def measure(cls, model: JointModel) -> SightScale:
        """That of a model.

        Raises:
            SightError: If the model fails.
        """
        sentences, pictures = zip(*cards(), strict=True)
        vectors = model.embed_texts([WAY.format(one) for one in (*BACKGROUND, *sentences)])
        texts, own = vectors[: len(BACKGROUND)], vectors[len(BACKGROUND) :]
        looks = model.embed_pictures(pictures)
        if looks.shape != own.shape:
            return cls(texts, 0.0)  # Halves of two models: told where a question is compared.
        return cls(texts, float(np.median(np.einsum("ij,ij->i", looks, own))))


def scale_of(model: JointModel, cache: Path) -> SightScale:
    """The scale of a model, measured unless that was done.

    Args:
        model: Its name tells whether it is the same one.
        cache: Folder of what can be made again.

    Raises:
        SightError: If the model fails.
    """
    digest = hashlib.sha256(f"{VERSION} {model.name}".encode()).hexdigest()[:16]
    file = cache / "sight" / f"{digest}.npz"
    # What cannot be read, or written, is measured again.
    with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        with file.open("rb") as opened, np.load(opened) as kept:
            texts, match = kept["texts"], float(kept["match"])
        if texts.ndim == 2 and len(texts) == len(BACKGROUND) and np.isfinite(texts).all():
            return SightScale(texts, match)
    scale = SightScale.measure(model)
    unfinished = file.with_suffix(f".{os.getpid()}.npz")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(unfinished, texts=scale.texts, match=scale.match)
        unfinished.replace(file)
    return scale
