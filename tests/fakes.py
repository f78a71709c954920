"""Fakes of our own protocols and of LangChain's chat model, shared by tests."""

import hashlib
import itertools
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from numpy.typing import NDArray
from pydantic import Field

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


class ChatModelOf(BaseChatModel):
    """A chat model that is a function of the messages; what it was asked is kept."""

    answers: Callable[[list[BaseMessage]], AIMessage | str]
    takes_tools: bool = False
    asked: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "fake"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self if self.takes_tools else super().bind_tools(tools, **kwargs)

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self.asked.append(messages)
        said = self.answers(messages)
        message = AIMessage(said) if isinstance(said, str) else said
        return ChatResult(generations=[ChatGeneration(message=message)])


class BrightnessCaptioner:
    """Says how bright each frame is, and keeps what it was asked for.

    Args:
        model: Its name.
        sources: It says one thing for each.
        ahead: Frames it reads before it says anything of the first of them.
        backwards: Whether it then describes the latest of them first.
        before_saying: Called before each description with how many there were so far; may raise.
        needs_every_frame: Whether it wants to see frames that look like the one before.

    Attributes:
        described_s: Times of the frames it described, once for each source.
    """

    prompt_version = "v1"
    mode = "frame"

    def __init__(
        self,
        *,
        model: str = "brightness",
        sources: Sequence[Source] = ("vision",),
        ahead: int = 0,
        backwards: bool = False,
        before_saying: Callable[[int], None] = lambda _: None,
        needs_every_frame: bool = True,
    ) -> None:
        self.model = model
        self.needs_every_frame = needs_every_frame
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


class Titles:
    """Reads what a function says of a picture as one line, which stands in its upper left corner.

    Args:
        title_of: What the picture says; empty for nothing.
        side_px: Of the corner.

    Attributes:
        searched_in: The height and width of each picture, or part, in which it looked for text.
        read_in: The same for each time that it read the line.
    """

    def __init__(self, title_of: Callable[[NDArray[np.uint8]], str], *, side_px: int = 12) -> None:
        self._title_of = title_of
        self._side_px = side_px
        self.searched_in: list[tuple[int, ...]] = []
        self.read_in: list[tuple[int, ...]] = []

    def find(
        self, picture: NDArray[np.uint8], within: tuple[int, int, int, int] | None = None
    ) -> list[NDArray[np.float32]]:
        left, top, right, bottom = within or (0, 0, picture.shape[1], picture.shape[0])
        self.searched_in.append((bottom - top, right - left))
        side_px = self._side_px
        corners = np.array([[0, 0], [side_px, 0], [side_px, side_px], [0, side_px]], np.float32)
        is_within = left == 0 and top == 0
        return [corners] if is_within and self._title_of(picture) else []

    def read(
        self, picture: NDArray[np.uint8], boxes: Sequence[NDArray[np.float32]]
    ) -> Sequence[str]:
        self.read_in += [picture.shape[:2]] * len(boxes)
        return [self._title_of(picture) for _ in boxes]
