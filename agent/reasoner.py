"""Who decides from captions: the protocol, and the LLM-free reasoner that always answers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agent.grounding import Refusal
from tools.ranking import Window
from tools.timeline import Caption


@dataclass(frozen=True, slots=True)
class Brief:
    """What a reasoner is shown.

    Attributes:
        query: The user's words.
        captions: In time order; the reasoner knows them as #1, #2, …
        windows: The LLM-free grounder's candidates, best first; they may overlap.
        events: Those of them that it would answer with; none where it would say "not there".
        refusals: This question's earlier replies and why each was refused, oldest first.
    """

    query: str
    captions: Sequence[Caption]
    windows: Sequence[Window]
    events: Sequence[Window]
    refusals: Sequence[Refusal] = field(default=())


class Reasoner(Protocol):
    """Answers a brief with text; ``agent.answer`` judges the text.

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

    def reply(self, brief: Brief) -> str: ...


class SimilarityReasoner:
    """Repeats the LLM-free grounder's own decision, in the form every reply has."""

    name = "similarity"
    by: Literal["llm", "similarity"] = "similarity"

    @property
    def prompts(self) -> dict[str, str]:
        return {}

    def reply(self, brief: Brief) -> str:
        """The ranking's events as first and last caption numbers."""
        events = [_numbers(window, brief.captions) for window in brief.events]
        answer: dict[str, Any] = {"steps": [], "found": bool(events), "events": events}
        return json.dumps(answer)


def _numbers(window: Window, captions: Sequence[Caption]) -> dict[str, int]:
    inside = [
        number
        for number, caption in enumerate(captions, start=1)
        if window.span.start_s <= caption.start_s and caption.end_s <= window.span.end_s
    ]
    return {"first": inside[0], "last": inside[-1]}
