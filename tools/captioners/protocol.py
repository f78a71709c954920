"""What every captioner promises, so that the indexer can drive any of them."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tools.llm.prices import TokenUsage
from tools.timeline import Frame, Interval, Source

NO_TEXT = "no text on the screen"
"""What a reader of text says of frames without any: nobody misses anything there."""


@dataclass(frozen=True, slots=True)
class Description:
    """What one captioner says of one sampled frame, or of a few neighbouring ones together.

    Attributes:
        time_s: ``Frame.time_s`` of the frame described, or the first of them.
        text: One or more sentences, not blank.
        source: What kind of sense it came from.
        last_s: ``Frame.time_s`` of the last frame described; None where it is the only one.
        exact: What the text holds over where that was measured finer than frames are sampled: a
            cut. None where it holds from the frame until the next.
    """

    time_s: float
    text: str
    source: Source
    last_s: float | None = None
    exact: Interval | None = None


@dataclass(frozen=True, slots=True)
class NoCaption:
    """Frames that a captioner looked at and would or could not describe.

    Attributes:
        time_s: As in ``Description``.
        reason: Why, in a line: a refusal in its own words, or that nothing was said.
        last_s: As in ``Description``.
        is_final: Whether another try would end the same way; else a later index asks once more.
    """

    time_s: float
    reason: str
    last_s: float | None = None
    is_final: bool = True


class Captioner(Protocol):
    """Describes sampled frames in words.

    Attributes:
        model: Names what writes the captions; changes whenever the words would.
        prompt_version: Version of the prompt in use; empty where there is none.
        mode: How it is shown frames, as ``tools.captioners.looks.LookMode`` names it: ``frame``,
            ``grid4``.
    """

    @property
    def model(self) -> str: ...

    @property
    def prompt_version(self) -> str: ...

    @property
    def mode(self) -> str: ...

    def describe(
        self, frames: Iterable[Frame], *, seen: Container[float]
    ) -> Iterator[Description | NoCaption | None]:
        """Describe each frame, lazily and at most a few frames behind what it has read.

        When ``frames`` ends, it finishes what is under way; a caller that has to stop early ends
        ``frames`` and reads on, and so loses nothing that was paid for.

        Args:
            frames: Every sampled frame of the video from its start, in time order.
            seen: ``time_s`` of what is stored already (an interrupted index goes on): a captioner
                may learn from such frames, for example what the empty room looks like, but must not
                spend on them and yields nothing for them.

        Yields:
            For every frame, or group of frames that are shown together, whose first one is not in
            ``seen``: a ``NoCaption``, or at least one description, at most one per source (but any
            number of exact ones) and those next to each other. In any order of time. None where it
            waits for others, a good moment to store what came before.

        Raises:
            CaptionerError: If it cannot go on; what was yielded before stays valid.
        """
        ...


@runtime_checkable
class Metered(Protocol):
    """A captioner that costs tokens.

    Attributes:
        usage: What it has used since it was made.
    """

    @property
    def usage(self) -> TokenUsage: ...


@runtime_checkable
class Interruptible(Protocol):
    """A captioner whose replies may take long, and can be given up at a given time."""

    def until(self, at: float) -> Captioner:
        """The same captioner, on the same meter, that gives up at a time of the monotonic clock."""
        ...


@runtime_checkable
class ReadsSmallText(Protocol):
    """A captioner that may look at the picture at its own size.

    Attributes:
        wants_native: Whether its frames are to come with ``Frame.native``.
    """

    @property
    def wants_native(self) -> bool: ...


def wants_native(captioner: Captioner) -> bool:
    """Whether a captioner says so."""
    return isinstance(captioner, ReadsSmallText) and captioner.wants_native


@runtime_checkable
class TakesSeveral(Protocol):
    """A captioner whose model may take several pictures in one request.

    Attributes:
        most_together: How many, as far as is known; None where nobody knows a limit.
    """

    @property
    def most_together(self) -> int | None: ...

    def shown_together(
        self, prompt: str, prompt_version: str, *, frames: int
    ) -> "Captioner | None":
        """The same captioner, asked a prompt about that many frames at once, each after its time.

        It has room for a reply of some hundred tokens, and describes no more than these frames.
        None where the model takes one picture at a time.
        """
        ...


@runtime_checkable
class Promptable(Protocol):
    """A captioner that is asked a prompt, and so can be asked another one."""

    def asked(self, prompt: str, prompt_version: str) -> Captioner:
        """The same captioner with another prompt; it shares what is heavy, but not the meter."""
        ...
