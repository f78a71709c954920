"""``find_moment``: the whole application as one LangChain tool, for your own agent."""

from pathlib import Path

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, ConfigDict, Field

from agent.api import Grounder, Grounding
from agent.errors import WhenaboutsError
from agent.grounding import GroundedInterval
from tools.text import counted

MOST_INTERVALS = 5
"""How many the model is told; the artifact holds them all."""


class MomentQuery(BaseModel):
    """What to look for, in which video."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, description="What to look for, in one plain sentence.")
    video: str = Field(min_length=1, description="Path of a video file, or id of an indexed video.")


class MomentInThisVideo(BaseModel):
    """What to look for."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, description="What to look for, in one plain sentence.")


def make_find_moment(grounder: Grounder, *, video: str | Path | None = None) -> BaseTool:
    """A tool that tells a model when something happens.

    The model reads intervals in seconds with the captions at their edges, or that it is not there;
    the tool message's ``artifact`` is the whole ``Grounding``. What cannot be asked (a missing
    file, an empty query) is said to the model too, so that its agent goes on.

    Args:
        grounder: Answers; it stays open.
        video: The only video there is; None: the model names one each time.
    """

    def find(query: str, video_name: str) -> tuple[str, Grounding]:
        try:
            grounding = grounder.find(video_name, query)
        except WhenaboutsError as exc:
            raise ToolException(str(exc)) from exc
        return describe_answer(grounding), grounding

    def find_in_any(query: str, video: str) -> tuple[str, Grounding]:
        return find(query, video)

    def find_in_this(query: str) -> tuple[str, Grounding]:
        return find(query, str(video))

    return StructuredTool.from_function(
        find_in_any if video is None else find_in_this,
        name="find_moment",
        description=grounder.prompts.render("find_moment"),
        args_schema=MomentQuery if video is None else MomentInThisVideo,
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


def describe_answer(grounding: Grounding) -> str:
    """An answer as a model reads it: a line for the verdict, one for each interval and edge."""
    seen = (
        f"{grounding.coverage.seen_s / grounding.video.duration_s:.0%} of the video was looked at"
    )
    lines = [f"{grounding.verdict}: {grounding.reasoning} ({seen})"]
    for interval in grounding.intervals[:MOST_INTERVALS]:
        lines.append(f"{interval.start_s:.2f}-{interval.end_s:.2f} s, {_sure(interval)}")
        lines += [f"  {one.role} [{one.start_s:.2f} s] {one.text}" for one in interval.evidence]
    hidden = len(grounding.intervals) - MOST_INTERVALS
    if hidden > 0:
        lines.append(f"and {counted(hidden, 'more interval')} of lower confidence")
    if grounding.advice:
        lines.append(grounding.advice)
    return "\n".join(lines)


def _sure(interval: GroundedInterval) -> str:
    if interval.confidence is None:
        return interval.sure or "not known how sure"
    return f"confidence {interval.confidence:.2f}"
