"""Fakes of our own protocols, shared by tests."""

import hashlib
import itertools
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tools.captioners.protocol import Description
from tools.timeline import Frame, Source


class WordEmbedder:
    """Texts that share words are near each other; nothing is loaded, nothing is random."""

    name = "words"
    dimension = 64

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[hashlib.sha256(word.encode()).digest()[0] % self.dimension] += 1
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


class BrightnessCaptioner:
    """Says how bright each frame is, and keeps what it was asked for.

    Args:
        model: Its name.
        sources: It says one thing for each.
        ahead: Frames it reads before it says anything of the first of them.
        backwards: Whether it then describes the latest of them first.
        before_saying: Called before each description with how many there were so far; may raise.

    Attributes:
        described_s: Times of the frames it described, once for each source.
    """

    prompt_version = "v1"

    def __init__(
        self,
        *,
        model: str = "brightness",
        sources: Sequence[Source] = ("vision",),
        ahead: int = 0,
        backwards: bool = False,
        before_saying: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.model = model
        self.described_s: list[float] = []
        self._sources = sources
        self._ahead = ahead
        self._backwards = backwards
        self._before_saying = before_saying

    def describe(self, frames: Iterable[Frame], *, seen: Container[float]) -> Iterator[Description]:
        coming = iter(frames)
        while read := list(itertools.islice(coming, self._ahead + 1)):
            for frame in reversed(read) if self._backwards else read:
                if frame.time_s in seen:
                    continue
                for source in self._sources:
                    self._before_saying(len(self.described_s))
                    self.described_s.append(frame.time_s)
                    text = f"brightness {frame.image.mean():.0f} by {source}"
                    yield Description(frame.time_s, text, source)
