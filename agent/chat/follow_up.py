"""``FollowUp``: what a turn of a chat asks for, as a value that cannot contradict itself.

A text model or the grammar resolves a turn: it names times in the user's own words ("2:10"),
earlier answers by turn and interval, and events in a sentence. Code turns all three into seconds.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from agent.errors import WhenaboutsError

Kind = Literal["find", "describe", "still_there", "cut", "recap"]
Edge = Literal["start", "end"]
Relation = Literal["anywhere", "after", "before", "during", "at"]
Fault = Literal[
    "no_json",
    "wrong_schema",
    "unknown_turn",
    "unknown_video",
    "contradiction",
    "cut_off",
    "unclear",
]

# 1:30, 1:02:03.5; 90 s, 90.5 seconds; 1 m 30 s. A bare number is no time: it may count something.
CLOCK: Final = (
    r"(?:(?:\d+:)?\d{1,3}:\d{2}(?:\.\d+)?"
    r"|\d+(?:\.\d+)?\s?(?:s|sec|secs|seconds?)\b"
    r"|\d+\s?(?:m|min|minutes?)(?:\s?\d+\s?(?:s|sec|secs|seconds?))?\b)"
)


class ChatError(WhenaboutsError):
    """A turn that cannot be answered, or a memory that cannot be kept; the chat goes on."""


class FollowUpError(ChatError):
    """A turn that is not understood, or a model's reply that is no valid reading of it.

    Attributes:
        kind: Which rule it breaks.
    """

    def __init__(self, kind: Fault, message: str) -> None:
        super().__init__(message)
        self.kind: Fault = kind


def parse_clock(text: str) -> float:
    """Seconds of ``1:30``, ``1:02:03.5``, ``90 s``, ``90 seconds`` or ``1m30s``.

    Raises:
        ValueError: If it is none of these, or its minutes or seconds are 60 or more.
    """
    words = text.strip().lower()
    if not re.fullmatch(CLOCK, words):
        raise ValueError(f"{text!r} is no time; write 1:30, 1:02:03 or 90 s")
    parts = [float(part) for part in re.findall(r"\d+(?:\.\d+)?", words)]
    if ":" not in words:
        weights = {"m": (60.0, 1.0), "s": (1.0,)}["m" if re.search(r"\d\s?m", words) else "s"]
        return sum(part * weight for part, weight in zip(parts, weights, strict=False))
    if parts[-1] >= 60 or (len(parts) == 3 and parts[1] >= 60):
        raise ValueError(f"{text!r} is no time: it has 60 seconds or minutes and more")
    return sum(part * 60.0**place for place, part in enumerate(reversed(parts)))


def _must_be_a_time(text: str) -> str:
    parse_clock(text)
    return text


Clock = Annotated[str, AfterValidator(_must_be_a_time)]
Words = Annotated[str, Field(min_length=1, max_length=1000)]


class FollowUp(BaseModel):
    """One turn, resolved: it says the same without the turns before it.

    Where ``relation`` is not ``anywhere``, exactly one of ``times``, ``turn`` and ``event`` says
    what it relates to. For a ``cut``, exactly one of them says what is cut; a ``recap`` is of a
    turn.

    Attributes:
        kind: ``find`` intervals; ``describe`` what the captions of a stretch say; ``still_there``,
            whether something is there at a moment; ``cut`` a stretch out into a file; ``recap``
            what was answered: when, how long, how surely.
        query: What to look for, in words that need no earlier turn; for ``find`` and
            ``still_there``.
        videos: Names of the videos it is about; none: the current one.
        relation: Where in time the answer has to lie.
        times: As the user said them: one for ``at``, ``after`` and ``before``, two for ``during``.
        turn: Number of an earlier turn whose answer is meant.
        interval: Which of that answer's intervals, from 1, in the order they were shown; None: the
            surest.
        event: Something to be found first, in a sentence.
        which: Of the intervals that fit, in time order: 1 the first, 2 the second, -1 the last;
            None: all of them.
        every_time: For ``find``: whether all the times are wanted, the less sure ones too, as for
            "how many times?".
        edge: For ``recap``: only where the answer starts or ends, as for "when is it over?". The
            grammar reads it; a text model is not asked for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    query: Words | None = None
    videos: tuple[str, ...] = ()
    relation: Relation = "anywhere"
    times: tuple[Clock, ...] = Field(default=(), max_length=2)
    turn: Annotated[int, Field(strict=True, ge=1)] | None = None
    interval: Annotated[int, Field(strict=True, ge=1)] | None = None
    event: Words | None = None
    which: Annotated[int, Field(strict=True, ge=-99, le=99)] | None = None
    every_time: bool = False
    edge: Edge | None = None

    @property
    def times_s(self) -> list[float]:
        """The times in seconds."""
        return [parse_clock(text) for text in self.times]

    @property
    def is_plain(self) -> bool:
        """Whether it is a question that would mean the same outside a chat."""
        is_whole = self.relation == "anywhere" and self.which is None
        return self.kind == "find" and is_whole and not self.every_time

    @model_validator(mode="after")
    def _must_hold_together(self) -> "FollowUp":
        asks = self.kind in {"find", "still_there"}
        anchors = [name for name in ("times", "turn", "event") if getattr(self, name)]
        is_placeless = self.kind in {"cut", "recap"}
        wants_anchor = self.relation != "anywhere" or is_placeless
        if asks != (self.query is not None):
            raise ValueError(f"kind {self.kind!r} {'needs a' if asks else 'takes no'} query")
        if self.kind == "describe" and self.relation == "anywhere":
            raise ValueError("kind 'describe' needs a relation: which stretch is meant?")
        if self.kind == "still_there" and self.relation != "at":
            raise ValueError("kind 'still_there' needs relation 'at'")
        if self.kind == "cut" and self.relation != "anywhere":
            raise ValueError("kind 'cut' takes relation 'anywhere', and what to cut")
        if self.kind == "recap" and (self.relation != "anywhere" or not self.turn):
            raise ValueError("kind 'recap' takes relation 'anywhere', and the turn that is meant")
        if self.which is not None and (self.kind != "find" or self.which == 0):
            raise ValueError("which is 1, 2, … or -1, for kind 'find' alone")
        if self.every_time and (self.kind != "find" or self.which is not None):
            raise ValueError("every_time is for kind 'find', and without which")
        if self.edge and self.kind != "recap":
            raise ValueError("edge is for kind 'recap'")
        if self.interval is not None and self.turn is None:
            raise ValueError("interval needs the turn whose interval it is")
        if len(anchors) != wants_anchor:
            given = ", ".join(anchors) or "none of them"
            raise ValueError(
                f"kind {self.kind!r} with relation {self.relation!r} needs "
                f"{'exactly one' if wants_anchor else 'none'} of times, turn and event, not {given}"
            )
        if self.times:
            self._check_times()
        return self

    def _check_times(self) -> None:
        wanted = 2 if self.relation == "during" or self.kind == "cut" else 1
        if len(self.times) != wanted:
            raise ValueError(
                f"relation {self.relation!r} needs {wanted} of times, not {len(self.times)}"
            )
        if wanted == 2 and self.times_s[1] <= self.times_s[0]:
            raise ValueError(f"{self.times[1]} does not come after {self.times[0]}")


def find_video(name: str, paths: Sequence[str]) -> str | None:
    """The video that a name in a turn means: its path, file name, or file name without ending."""
    wanted = name.strip().casefold()
    for spell in (_whole, _file, _stem):
        meant = {path for path in paths if spell(path) == wanted}
        if len(meant) == 1:
            return meant.pop()
    return None


def _whole(path: str) -> str:
    return path.casefold()


def _file(path: str) -> str:
    return re.split(r"[/\\]", path)[-1].casefold()


def _stem(path: str) -> str:
    return _file(path).rsplit(".", 1)[0]
