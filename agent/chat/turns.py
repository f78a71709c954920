"""A chat's answers, and what it remembers of them: plain values, small enough for a checkpoint."""

import itertools
from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.chat.follow_up import Fault, FollowUp, FollowUpError, find_video
from agent.grounding import Cost, Grounding, Seconds, VideoFacts
from tools.ranking import Verdict
from tools.text import shorten
from tools.timeline import Caption, Interval

SCHEMA_VERSION: Final = 1

Outcome = Verdict | Literal["read", "cut", "failed"]
"""A verdict; or what was done: captions read, a clip cut, nothing since there is no such video."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Moment(_Frozen):
    """A stretch of a video, with the confidence of the answer that it comes from.

    Attributes:
        confidence: In [0, 1]; None for a stretch that was named rather than found.
        shows: The caption at its start; empty for a candidate.
    """

    start_s: Seconds
    end_s: Seconds
    confidence: float | None = None
    shows: str = ""

    @property
    def span(self) -> Interval:
        """The same as an ``Interval``."""
        return Interval(self.start_s, self.end_s)


class ReadCaption(_Frozen):
    """What captions say over a stretch; equal ones in a row count as one."""

    start_s: Seconds
    end_s: Seconds
    text: str


class TurnRefusal(_Frozen):
    """A model's reading of a turn that was not accepted: why, what it was told, what it said."""

    attempt: int = Field(ge=1)
    kind: Fault
    message: str
    reply: str


class VideoResult(_Frozen):
    """The answer to one turn in one video.

    Attributes:
        video: None only where it cannot be asked.
        outcome: The verdict on the turn's question, its constraint included; or what was done.
        words: The answer in a sentence.
        intervals: The answer, in time order; for captions that were read, the stretch.
        found: The answer to the question without its constraint, best first; empty where that was
            not asked.
        candidates: What else the grounder ranked for that question, best first; they may overlap.
        by: Who gave ``found``, as in a ``Grounding``.
        reasoning: Why nothing was found, of a question that was asked; else empty.
        captions: What was read, in time order. Not remembered.
        clip: Where a clip was written.
        grounding: The whole answer to the question. Not remembered.
    """

    video: VideoFacts | None
    outcome: Outcome
    words: str
    intervals: tuple[Moment, ...] = ()
    found: tuple[Moment, ...] = ()
    candidates: tuple[Moment, ...] = ()
    by: str = ""
    reasoning: str = ""
    captions: tuple[ReadCaption, ...] = ()
    clip: str | None = None
    grounding: Grounding | None = None


class ChatAnswer(_Frozen):
    """The answer to one turn.

    Attributes:
        turn: Its number in the chat, from 1.
        said: The user's words.
        understood: In words, how they were read.
        by: Who read them: a text model, the grammar, or the grammar in place of a model whose
            readings were all refused.
        follow_up: How they were read.
        results: One for each video that was meant; never empty.
        refusals: Readings of a model that were not accepted.
        prompts: Version of each prompt by which a model read the turn.
        usage: What reading the turn cost; what answering it cost stands in each grounding.
        seconds: Wall time by step.
    """

    model_config = ConfigDict(populate_by_name=True)

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, alias="schema")
    turn: int = Field(ge=1)
    said: str
    understood: str
    by: Literal["llm", "grammar", "fallback"]
    follow_up: FollowUp
    results: tuple[VideoResult, ...] = Field(min_length=1)
    refusals: tuple[TurnRefusal, ...] = ()
    prompts: dict[str, str] = Field(default_factory=dict)
    usage: Cost = Field(default_factory=Cost)
    seconds: dict[str, float] = Field(default_factory=dict)

    @property
    def result(self) -> VideoResult:
        """The result that a follow-up refers to: the first with an interval, else the first."""
        return next((one for one in self.results if one.intervals), self.results[0])

    @property
    def cost(self) -> Cost:
        """What reading the turn and answering it cost together."""
        cost = self.usage
        for result in self.results:
            if result.grounding:
                for stage in result.grounding.usage.stages.values():
                    cost = cost.plus(stage)
        return cost

    def to_json(self) -> str:
        """One line of JSON."""
        return self.model_dump_json(by_alias=True)

    def remembered(self) -> dict[str, Any]:
        """Plain values, without what is only shown once; ``ChatAnswer`` reads them back."""
        once = {"grounding", "captions"}
        return self.model_dump(mode="json", by_alias=True, exclude={"results": {"__all__": once}})


def read_captions(captions: Sequence[Caption], span: Interval) -> list[ReadCaption]:
    """What the captions that touch a span say, in time order; neighbours that say the same joined.

    Args:
        captions: One track of one video, in time order.
        span: The stretch; captions that reach past its edges keep their own.
    """
    inside = [caption for caption in captions if caption.span.overlap_s(span) > 0]
    read: list[ReadCaption] = []
    for text, same in itertools.groupby(inside, key=lambda caption: caption.text):
        run = list(same)
        read.append(ReadCaption(start_s=run[0].start_s, end_s=run[-1].end_s, text=text))
    return read


def focus(turn: ChatAnswer, number: int | None = None) -> Moment | None:
    """The interval of a turn that "that" means: the surest, or the one of that number."""
    intervals = turn.result.intervals
    if number is None:
        return max(intervals, key=lambda moment: moment.confidence or 0.0, default=None)
    return intervals[number - 1] if number <= len(intervals) else None


def latest_focus(turns: list[ChatAnswer]) -> ChatAnswer | None:
    """The latest turn that has an interval to refer to."""
    return next((turn for turn in reversed(turns) if turn.result.intervals), None)


def latest_query(turns: Sequence[ChatAnswer]) -> ChatAnswer | None:
    """The latest turn that looked for something, and not only during another answer."""
    for turn in reversed(turns):
        read = turn.follow_up
        is_about_another = read.relation == "during" and read.turn is not None
        if read.query and not is_about_another:
            return turn
    return None


def check_references(
    follow_up: FollowUp, *, turns: list[ChatAnswer], videos: Sequence[str]
) -> FollowUp:
    """The same follow-up, its videos by path; refused where it names what is not there.

    Args:
        follow_up: As read by a model or the grammar.
        turns: The turns before it.
        videos: Paths of the videos of this chat.

    Raises:
        FollowUpError: If there is no such turn, interval or video, or they do not go together.
    """
    known = list(dict.fromkeys([*videos, *(path for turn in turns for path in _paths(turn))]))
    named: list[str] = []
    for name in follow_up.videos:
        path = find_video(name, known)
        if name.strip().casefold() == "all" and path is None:
            named += videos
        elif path is None:
            raise FollowUpError(
                "unknown_video",
                f"there is no video {shorten(name, 80)!r} in this chat; there are: "
                f"{', '.join(known) or 'none'}",
            )
        else:
            named.append(path)
    if follow_up.turn is not None:
        own = _check_turn(follow_up, turns)
        if named and set(named) != {own}:
            raise FollowUpError(
                "contradiction",
                f"turn {follow_up.turn} is about {own}; its times mean nothing in another video",
            )
        named = [own]
    return follow_up.model_copy(update={"videos": tuple(dict.fromkeys(named))})


def _check_turn(follow_up: FollowUp, turns: list[ChatAnswer]) -> str:
    """The path of the video that the turn meant is about."""
    meant = next((turn for turn in turns if turn.turn == follow_up.turn), None)
    if meant is None or meant.result.video is None:
        last = turns[-1].turn if turns else 0
        known = f"they are numbered to {last}" if last else "this is the first"
        raise FollowUpError("unknown_turn", f"there is no turn {follow_up.turn}; {known}")
    is_any = follow_up.kind == "recap" and follow_up.interval is None
    if focus(meant, follow_up.interval) is None and not is_any:
        count = len(meant.result.intervals)
        raise FollowUpError(
            "unknown_turn",
            f"turn {follow_up.turn} has no interval {follow_up.interval or 1}; it has {count}",
        )
    return meant.result.video.path


def _paths(turn: ChatAnswer) -> list[str]:
    return [result.video.path for result in turn.results if result.video]
