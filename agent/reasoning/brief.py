"""Who decides from captions: the protocol, and the LLM-free reasoner that always answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from agent.grounding import LookUp, Refusal
from agent.reasoning.reply import Reply
from tools.ranking import PartFound, Window
from tools.signals.claims import is_moment
from tools.timeline import Caption

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.tools import BaseTool


class Turn(BaseModel):
    """One earlier reply to the same question, and how it was received.

    Attributes:
        said: Its text.
        look_ups: What it asked to see, and which captions the model was shown.
        refusal: Why it was not accepted as an answer; None where it was no answer yet.
    """

    model_config = ConfigDict(frozen=True)

    said: str
    look_ups: tuple[LookUp, ...] = ()
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Brief:
    """What a reasoner is shown.

    Attributes:
        query: The user's words.
        captions: By number: the reasoner knows them as #1, #2, … The first ``opening`` of them are
            in time order; look-ups brought the others. A caption keeps its number.
        opening: How many captions it was shown at once.
        windows: The LLM-free grounder's candidates, best first; they may overlap.
        events: Those of them that it would answer with; none where it would say "not there".
        turns: This question's earlier replies, oldest first.
        tools: Makes the tools for look-ups, should it want to see more.
        rounds_left: How often it may still ask.
        overview: The scenes of a long video, summed up; they have no numbers.
        parts: Of a question with an order in it, what is looked for, and the grounder's times.
        nothing_more: Whether no look-up could show anything that is not shown already.
        hidden: Numbers of captions that are not shown after all, since the model cannot read more.
        is_granted: Whether the question takes it for granted that it happens: "why did he jump?"
    """

    query: str
    captions: Sequence[Caption]
    opening: int
    windows: Sequence[Window]
    events: Sequence[Window]
    turns: Sequence[Turn] = field(default=())
    tools: Callable[[], Sequence[BaseTool]] = tuple
    rounds_left: int = 0
    overview: Sequence[Caption] = field(default=())
    parts: Sequence[PartFound] = field(default=())
    nothing_more: bool = False
    hidden: frozenset[int] = frozenset()
    is_granted: bool = False

    @property
    def refusals(self) -> list[Refusal]:
        """Why each of the earlier answers was refused, oldest first."""
        return [turn.refusal for turn in self.turns if turn.refusal]


class Reasoner(Protocol):
    """Answers a brief with text; ``agent.reasoning.answer`` judges the text.

    Attributes:
        name: Names the model; stands in every answer.
        by: How its answers are marked.
        prompts: Version of each prompt it uses, by name.
    """

    @property
    def name(self) -> str: ...

    @property
    def by(self) -> Literal["llm", "similarity"]: ...

    @property
    def prompts(self) -> dict[str, str]: ...

    def reply(self, brief: Brief) -> Reply:
        """Answer, or ask to look something up.

        Raises:
            ReasonerError: If there is no reply.
        """
        ...


@runtime_checkable
class Converses(Protocol):
    """A text model that can be asked for other things than moments."""

    @property
    def name(self) -> str: ...

    def converse(self, messages: Sequence[BaseMessage], *, schema: dict[str, Any]) -> Reply:
        """Ask once; ``schema`` is a hint that a service may make the model follow.

        Raises:
            ReasonerError: If there is no reply.
        """
        ...


class SimilarityReasoner:
    """Repeats the LLM-free grounder's own decision, in the form every reply has."""

    name = "similarity"
    by: Literal["llm", "similarity"] = "similarity"

    @property
    def prompts(self) -> dict[str, str]:
        return {}

    def reply(self, brief: Brief) -> Reply:
        """The ranking's events as first and last caption numbers."""
        shown = brief.captions[: brief.opening]
        events = [
            dict(zip(("first", "last"), caption_numbers(window, shown), strict=True))
            for window in brief.events
        ]
        return Reply(json.dumps({"steps": [], "found": bool(events), "events": events}))


def are_shown(window: Window, captions: Sequence[Caption]) -> bool:
    """Whether captions that make both edges of a window are among those shown."""
    inside = [one for one in captions if one.start_s >= window.span.start_s]
    return any(one.start_s == window.span.start_s for one in inside) and any(
        one.end_s == window.span.end_s or _is_cut_after(window, one) for one in inside
    )


def caption_numbers(window: Window, captions: Sequence[Caption]) -> tuple[int, int]:
    """The numbers of the first and the last caption in a window of the grounder's.

    A window that ends with a cut ends with the caption that tells of it.

    Args:
        window: Its edges are edges of captions, some of which are always shown.
        captions: In time order, #1 first.
    """
    inside = [
        (number, caption)
        for number, caption in enumerate(captions, start=1)
        if window.span.start_s <= caption.start_s and caption.end_s <= window.span.end_s
    ]
    if not any(is_moment(one) and one.span == window.span for _, one in inside):
        numbered = enumerate(captions, start=1)
        inside += [(number, one) for number, one in numbered if _is_cut_after(window, one)]
    # Of several tracks, those captions count whose edges the window has.
    inside = [one for one in inside if one[1].track.key == window.track] or inside
    # What is said or written may lie in the middle of what is seen: the window gives the edges.
    first, _ = min(inside, key=lambda one: one[1].start_s)
    last, _ = max(inside, key=lambda one: one[1].end_s)
    return first, last


def _is_cut_after(window: Window, caption: Caption) -> bool:
    return caption.start_s == window.span.end_s and is_moment(caption)
