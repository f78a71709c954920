"""What each step of the graph reads and writes: plain values only, so that checkpoints stay small.

Each node takes the narrowest state it needs and returns only what it owns.
"""

import math
from typing import Annotated, Any

from langgraph.channels import EphemeralValue
from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import (
    TypedDict,  # pydantic wants it before Python 3.12: Studio shows schemas
)

from agent.graph.plain_values import (
    AnswerState,
    CaptionState,
    CostState,
    CoverageState,
    DirectState,
    EvidenceState,
    JudgingState,
    PathState,
    RankingState,
    RecordState,
    RefinedState,
    ReplyState,
    TurnState,
)
from agent.grounding import Cost, Stage


class Question(BaseModel):
    """One query about one video: the graph's input.

    The fields live for one question only: a later one on the same thread inherits none of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    video: Annotated[str, EphemeralValue] = Field(
        title="Video", description="Path of a video file, or the id of an indexed video."
    )
    query: Annotated[str, EphemeralValue] = Field(
        title="Query", description="What to look for, in a sentence.", examples=["the dog jumps"]
    )
    captions: Annotated[str | None, EphemeralValue] = Field(
        default=None,
        title="Captions file",
        description="Captions of your own (JSON Lines) to answer from.",
    )
    within: Annotated[tuple[float, float] | None, EphemeralValue] = Field(
        default=None,
        title="Within",
        description="Only this stretch of the video: its start and its end, in seconds.",
        examples=[[60.0, 90.0]],
    )
    every_time: Annotated[bool, EphemeralValue] = Field(
        default=False,
        title="Every time",
        description="Answer with all the times that it happens, the less sure ones too, and not "
        "only with the best. A text model always names all that it sees.",
    )

    @field_validator("within")
    @classmethod
    def _must_lie_in_a_video(cls, within: tuple[float, float] | None) -> tuple[float, float] | None:
        if within is not None and not 0 <= within[0] < within[1] < math.inf:
            raise ValueError(
                f"{within[0]:g} to {within[1]:g} s is not a stretch of a video: it has to begin at "
                "0 s or later, and to end after it begins"
            )
        return within


class Options(BaseModel):
    """What may be decided for one run of the graph: its context. The settings give the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reasoner: str | None = Field(
        default=None,
        title="Reasoner",
        description="Who decides from the captions: similarity, or a text model.",
        examples=["similarity", "openai:gpt-5-mini"],
    )
    max_attempts: int | None = Field(
        default=None,
        ge=1,
        le=10,
        title="Most attempts",
        description="Answers asked of a text model before the LLM-free grounder stands in.",
    )
    max_look_ups: int | None = Field(
        default=None,
        ge=0,
        le=10,
        title="Most look-ups",
        description="How often a text model may look something up before it answers.",
    )
    refine: bool | None = Field(
        default=None,
        title="Look closer",
        description="Whether the edges of an answer are looked at again, where somebody can look.",
    )
    verify: bool | None = Field(
        default=None,
        title="Judge",
        description="Whether an image model judges the likeliest windows, where there is one.",
    )
    direct: bool | None = Field(
        default=None,
        title="Direct",
        description="Whether a video model is shown frames, where there is one.",
    )

    @property
    def is_silent_on_direct(self) -> bool:
        """Whether it is left to the settings if a video model is asked."""
        return self.direct is None and self.reasoner is None


def add_seconds(so_far: dict[str, float], more: dict[str, float]) -> dict[str, float]:
    """Wall time by node; ``watch`` opens every question, so the times start again from there."""
    if "watch" in more:
        return more
    return so_far | {node: so_far.get(node, 0.0) + spent_s for node, spent_s in more.items()}


Spent = dict[Stage, CostState]
"""What each stage has cost."""


def add_cost(spent: Spent, stage: Stage, cost: Cost) -> Spent:
    """What every stage has cost so far, with one more cost of one of them."""
    # A thread of an earlier version knows fewer stages.
    before = Cost.model_validate(spent.get(stage, {}))
    return spent | {stage: cost_state(before.plus(cost))}


def cost_state(cost: Cost) -> CostState:
    """The same as plain values."""
    return CostState(
        captions=cost.captions,
        tokens_in=cost.tokens_in,
        tokens_out=cost.tokens_out,
        usd=cost.usd,
        calls=cost.calls,
        frames=cost.frames,
    )


class AfterWatch(TypedDict):
    """After ``watch``: the captions are in the store.

    ``asked`` is the query, ``asked_within`` the seconds that are searched, ``all_times`` whether
    every time is wanted; ``record`` the track that the question is answered from; ``spent`` what
    each stage has cost, counted from the start again.
    """

    asked: str
    asked_within: tuple[float, float] | None
    all_times: bool
    record: RecordState
    spent: Spent
    seconds: Annotated[dict[str, float], add_seconds]


class AfterRetrieve(AfterWatch):
    """After ``retrieve``: captions worth reading; the reasoner's #1 is the first.

    ``evidence`` holds first the ``opening`` captions in time order, each with its relevance, then
    those that look-ups brought, as they came: a caption keeps its number. ``ranking`` holds the
    grounder's verdict, windows and events. These are reset: ``attempts``; ``turns`` (earlier
    replies); ``refined`` (the events of the accepted answer once their edges were looked at again,
    empty before that, and None where nothing was refined); ``order`` (how
    the parts of the question lie in time, where a model told of each); ``withheld`` (why the
    reasoner gave no reply); ``reader_note`` (what the user should know about how it was asked).
    ``all_shown`` says whether the reasoner was shown every caption, and ``is_granted`` whether the
    question takes it for granted that it happens in this video. ``overview`` holds summaries
    of the scenes of a long video. ``refine_note`` says why edges could not be looked at more
    closely; empty where they were. ``direct`` is what became of asking a video model, ``judging``
    of judging windows, and ``paths`` what each way to an answer says.
    """

    evidence: list[EvidenceState]
    ranking: RankingState
    opening: int
    coverage: CoverageState
    attempts: int
    turns: list[TurnState]
    refined: list[RefinedState] | None
    refine_note: str
    order: str
    withheld: str
    reader_note: str
    all_shown: bool
    is_granted: bool
    overview: list[CaptionState]
    direct: DirectState
    judging: JudgingState
    paths: list[PathState]


class AfterReason(AfterRetrieve):
    """After ``reason``: one more reply; with requests it is no answer yet."""

    reply: ReplyState


class AfterCheck(AfterReason):
    """After ``check``: an accepted answer, or one more refusal and ``accepted`` None.

    ``by`` says who gave it.
    """

    accepted: AnswerState | None
    by: str


class Answered(TypedDict):
    """What comes out: a ``Grounding`` in its published JSON form."""

    grounding: dict[str, Any]


class State(AfterCheck, Answered):
    """All of it, as the graph stores it."""


class Update(TypedDict, total=False):
    """What a node changes: some of ``State``, each with the same type."""

    asked: str
    asked_within: tuple[float, float] | None
    all_times: bool
    record: RecordState
    spent: Spent
    seconds: dict[str, float]
    evidence: list[EvidenceState]
    ranking: RankingState
    opening: int
    coverage: CoverageState
    attempts: int
    turns: list[TurnState]
    refined: list[RefinedState] | None
    refine_note: str
    order: str
    withheld: str
    reader_note: str
    all_shown: bool
    is_granted: bool
    overview: list[CaptionState]
    direct: DirectState
    judging: JudgingState
    paths: list[PathState]
    reply: ReplyState
    accepted: AnswerState | None
    by: str
    grounding: dict[str, Any]
