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
    def _must_be_a_stretch(cls, within: tuple[float, float] | None) -> tuple[float, float] | None:
        if within is not None and not 0 <= within[0] < within[1] < math.inf:
            raise ValueError(f"{within[0]:g} to {within[1]:g} s is no stretch of a video")
        return within


class Options(BaseModel):
    """What may be decided for one run of the graph: its context. What is left out is as set."""

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


def add_seconds(so_far: dict[str, float], more: dict[str, float]) -> dict[str, float]:
    """Wall time by node; ``watch`` opens every question, so the account starts anew with it."""
    if "watch" in more:
        return more
    return so_far | {node: so_far.get(node, 0.0) + spent_s for node, spent_s in more.items()}


def add_cost(spent: dict[str, Any], stage: Stage, cost: Cost) -> dict[str, Any]:
    """What every stage has cost so far, with one more cost of one of them."""
    return spent | {stage: Cost.model_validate(spent[stage]).plus(cost).model_dump()}


class Watched(TypedDict):
    """After ``watch``: the captions are in the store.

    ``asked`` is the query, ``stretch`` the seconds that are searched, ``all_times`` whether every
    time is wanted; ``record`` a ``tools.store.store.VideoRecord`` as plain values; ``spent`` the
    ``agent.grounding.Cost`` of each stage as plain values, which starts anew.
    """

    asked: str
    stretch: tuple[float, float] | None
    all_times: bool
    record: dict[str, Any]
    spent: dict[str, Any]
    seconds: Annotated[dict[str, float], add_seconds]


class Retrieved(Watched):
    """After ``retrieve``: captions worth reading; the reasoner's #1 is the first.

    ``evidence`` holds captions as plain values: first the ``opening`` ones in time order, each with
    its ``relevance``, then those that look-ups brought, as they came: a number once shown stays.
    ``ranking`` holds the grounder's verdict, windows and events. ``attempts``, ``turns``
    (earlier replies as ``agent.reasoning.brief.Turn``) and ``refined_by`` (who gave the answer
    whose edges were looked at again) start anew, and so does ``order``: how the
    parts of the question stand in time, where a model told of each; and
    ``withheld``: why the reasoner gave no reply; and ``reader_note``: what the user should know of
    how it was asked. ``all_shown``: whether there is no caption that the reasoner was not shown.
    ``overview`` holds the scenes of a long video, summed up, as captions.
    """

    evidence: list[dict[str, Any]]
    ranking: dict[str, Any]
    opening: int
    coverage: dict[str, Any]
    attempts: int
    turns: list[dict[str, Any]]
    refined_by: str
    order: str
    withheld: str
    reader_note: str
    all_shown: bool
    overview: list[dict[str, Any]]


class Replied(Retrieved):
    """After ``reason``: one more reply; with ``requests`` it is no answer yet.

    ``in_parts`` says whether it tells of each part of the question, and not of the whole.
    ``asked_of`` names who was asked for it: ``name``, ``by`` and the versions of its ``prompts``.
    """

    reply: str
    cut_off: bool
    in_parts: bool
    asked_of: dict[str, Any]
    requests: list[dict[str, Any]]


class Checked(Replied):
    """After ``check``: an accepted answer, or one more refusal and ``accepted`` None.

    ``accepted`` is an ``agent.reasoning.answer.Answer`` as plain values; ``by`` says who gave it.
    ``refine_note`` says why edges could not be looked at more closely; empty where they were.
    """

    accepted: dict[str, Any] | None
    by: str
    refine_note: str


class Answered(TypedDict):
    """What comes out: a ``Grounding`` in its published JSON form."""

    grounding: dict[str, Any]


class State(Checked, Answered):
    """All of it, as the graph stores it."""
