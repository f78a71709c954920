"""What every captioner promises, so that the indexer can drive any of them."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tools.timeline import Frame, Source


@dataclass(frozen=True, slots=True)
class Description:
    """What one captioner says of one sampled frame.

    Attributes:
        time_s: ``Frame.time_s`` of the frame described.
        text: One or more sentences, not blank.
        source: What kind of sense it came from.
    """

    time_s: float
    text: str
    source: Source


class Captioner(Protocol):
    """Describes sampled frames in words.

    Attributes:
        model: Names what writes the captions; changes whenever the words would.
        prompt_version: Version of the prompt in use; empty where there is none.
    """

    @property
    def model(self) -> str: ...

    @property
    def prompt_version(self) -> str: ...

    def describe(self, frames: Iterable[Frame], *, seen: Container[float]) -> Iterator[Description]:
        """Describe each frame, lazily and at most a few frames behind what it has read.

        Args:
            frames: Every sampled frame of the video from its start, in time order.
            seen: ``time_s`` of frames whose captions are stored already (an interrupted index goes
                on): a captioner may learn from them, for example what the empty room looks like,
                but must not spend on them and yields nothing for them.

        Yields:
            At least one description for every frame not in ``seen``, at most one per source, all
            those of one frame next to each other.

        Raises:
            CaptionerError: If it cannot go on; what was yielded before stays valid.
        """
        ...
