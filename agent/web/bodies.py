"""What the API takes and gives, beside answers and jobs."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from agent.question import LONGEST_QUERY

Seconds = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]
Stretch = Annotated[list[Seconds], Field(min_length=2, max_length=2)]
"""Start and end. A list, as generators of clients read no tuples."""

Query = Annotated[str, Field(min_length=1, max_length=LONGEST_QUERY)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class VideoCard(BaseModel):
    """A video of the list.

    Attributes:
        id: Names it in addresses.
        name: What people call it.
        uploaded: Whether it came in through the page.
        duration_s: Length; None where the file does not tell, or cannot be read.
        frame_rate_hz: Mean rate of its frames; None where not known.
        file_start_s: What to add to a time here to find it in a player.
        described: Whether the whole video is described, so that it can be asked.
        described_by: Who described it.
        captions: How many captions there are.
        state: ``ready``, ``new``, ``partly`` described, ``unusable`` or ``gone``.
        message: What the user should know of it.
    """

    id: str
    name: str
    uploaded: bool
    duration_s: float | None
    frame_rate_hz: float | None
    file_start_s: float
    described: bool
    described_by: list[str]
    captions: int
    state: str
    message: str


class CostEstimate(_Asked):
    """What describing a video would take.

    Attributes:
        video: Id of the video.
        captioner: Who would describe it.
        names_things: Whether that one says what things are; the classical describer does not.
        duration_s: Length of the video.
        captions: How many captions would be asked for.
        tokens_in: Tokens of input.
        tokens_out: Tokens of output.
        usd: US dollars; None where no price is known.
        minutes: Time for all of it.
        described: Captions that are there already.
        assumes: What the time rests on.
    """

    video: str
    captioner: str
    names_things: bool
    duration_s: float
    captions: int
    tokens_in: int
    tokens_out: int
    usd: float | None
    minutes: float
    described: int
    assumes: str


class QuestionForm(_Asked):
    """A question about a video."""

    query: Query
    within: Stretch | None = None
    every_time: bool = False

    @property
    def stretch(self) -> tuple[float, float] | None:
        """``within`` as a pair."""
        return (self.within[0], self.within[1]) if self.within else None


class FollowUpForm(_Asked):
    """What is said to an answer: the id of that answer, or of the follow-up before."""

    said: Query
    after: str = Field(max_length=64)


class NewJob(_Asked):
    """Which video is to be described."""

    video: str = Field(max_length=64)


class NewLink(_Asked):
    """The address of a video, such as a browser shows it."""

    link: str = Field(min_length=1, max_length=2000)


class Correction(_Asked):
    """Where a thing really happens; no intervals: it never does."""

    video: str = Field(max_length=64)
    query: Query
    intervals: list[Stretch] = Field(max_length=100)


class Withdrawal(_Asked):
    """Which correction is taken back: those of this query about the video of this file name."""

    video: str = Field(max_length=1000)
    query: Query


class Rows(BaseModel):
    """Rows of the file that ``whenabouts eval own --annotations`` reads."""

    rows: list[dict[str, Any]]


class Fault(BaseModel):
    """What was wrong, and what to do."""

    detail: str
