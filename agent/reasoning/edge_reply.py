"""A reply about a few frames around an edge: how far the event has come in each. Pure.

{"frames": [{"frame": 1, "state": "not_begun", "sees": "the lid is closed"},
{"frame": 2, "state": "under_way", "sees": "a hand lifts it"}],
"first": 2, "last": 2}
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Protocol

from pydantic import AfterValidator, BeforeValidator, Field

from agent.errors import AnswerError
from agent.grounding import Cost
from agent.reasoning.answer import ModelReply, as_name, read_object
from agent.reasoning.said_numbers import Number
from prompts.catalog import Prompts
from tools.store.store import VideoRecord
from tools.text import one_line, shorten
from tools.timeline import Caption, Interval

FrameState = Literal["not_begun", "under_way", "done", "not_shown"]

SEES_CHARS = 160

FORM: Final = (
    '{"frames": [{"frame": 1, "state": "not_begun", "sees": "…"}, …], "first": 2, "last": 3}'
)

_WORDS: Final[dict[FrameState, str]] = {
    "not_begun": "Not begun",
    "under_way": "Under way",
    "done": "Done",
    "not_shown": "Not shown",
}
_ORDER: Final = ("not_begun", "under_way", "done")


class SeenFrame(ModelReply):
    """What one frame shows of the event."""

    frame: Number
    state: Annotated[FrameState, BeforeValidator(as_name)]
    sees: Annotated[str, AfterValidator(lambda sees: shorten(one_line(sees), SEES_CHARS))] = ""

    @property
    def text(self) -> str:
        """As a caption: the state, and what is seen."""
        return f"{_WORDS[self.state]}: {self.sees}" if self.sees else f"{_WORDS[self.state]}."


class EdgeReply(ModelReply):
    """A reply that passed every check: each frame once, in time order."""

    frames: tuple[SeenFrame, ...]
    first: Number | None = Field(default=None)
    last: Number | None = Field(default=None)


@dataclass(frozen=True, slots=True)
class EdgeLook:
    """Frames around an edge that were looked at together.

    Attributes:
        captions: One for each frame, in time order.
        shown: Whether each of them shows the event.
        cost: What it took.
        failed: Why there are none, where replies were paid for and not accepted; mostly empty.
    """

    captions: Sequence[Caption]
    shown: Sequence[bool]
    cost: Cost
    failed: str = ""


class EdgeLooks(Protocol):
    """Looks at a few frames of a stretch together, its first and its last moment among them."""

    def __call__(self, record: VideoRecord, query: str, span: Interval) -> EdgeLook | None:
        """Look; None where the image model takes one picture at a time.

        Raises:
            CaptionerError, VideoError: If it cannot.
        """
        ...


def parse_edge_reply(reply: str, *, frames: int) -> EdgeReply:
    """Find the JSON object in a reply and check it against the frames that were shown.

    Args:
        reply: What the model said.
        frames: How many frames it was shown.

    Raises:
        AnswerError: If there is no such object, its shape is wrong, a frame is missing, unknown or
            there twice, the states go back in time, or first and last contradict them.
    """
    said = read_object(reply, EdgeReply, field="frames", form=FORM)
    named = [one.frame for one in said.frames]
    if named != list(range(1, frames + 1)):
        listed = ", ".join(str(number)[:12] for number in named[:12]) or "none"
        raise AnswerError(
            "unknown_caption",
            f"frames names {listed}; name each frame from 1 to {frames} once, in this order.",
        )
    states = [one for one in said.frames if one.state != "not_shown"]
    for earlier, later in itertools.pairwise(states):
        if _ORDER.index(later.state) < _ORDER.index(earlier.state):
            raise AnswerError(
                "contradiction",
                f"frame {earlier.frame} is {earlier.state} and frame {later.frame} after it "
                f"{later.state}; an event goes from not_begun over under_way to done.",
            )
    under_way = [one.frame for one in said.frames if one.state == "under_way"]
    wanted = (under_way[0], under_way[-1]) if under_way else (None, None)
    if (said.first, said.last) != wanted:
        told = f"{wanted[0]} and {wanted[1]}" if under_way else "null"
        raise AnswerError(
            "contradiction",
            f"first and last are {str(said.first)[:12]} and {str(said.last)[:12]}, but by the "
            f"states they are {told}; decide which.",
        )
    return said


def edge_prompt(prompts: Prompts, query: str, *, frames: int, refused: str = "") -> str:
    """What the model is asked; ``refused`` says why its last reply was not accepted."""
    again = prompts.render("refine_again", reason=refused) if refused else ""
    text = prompts.render("refine_edge", query=query, count=str(frames), again=again)
    return text.replace("\n\n\n\n", "\n\n")


def is_under_way(text: str) -> bool:
    """Whether a caption that ``SeenFrame.text`` wrote says that the event is shown."""
    return text.startswith(_WORDS["under_way"])
