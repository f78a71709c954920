"""The one-shot baseline: a model is shown all frames at once, in place of captions.

It is a conversation for ``LLMReasoner``, so that its replies are judged, refused and told back like
those over captions.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from agent.reasoning.brief import Brief
from agent.reasoning.conversation import QUERY_CHARS, caption_time, refusal_messages, tame
from agent.reasoning.evidence import FEWEST
from prompts.catalog import PACKAGED, Prompts
from tools.text import shorten
from tools.timeline import Caption

PROMPTS = ("one_shot_system", "one_shot", "refused")

MOST_FRAMES = 64
"""Most frames shown at once; of more captions, this many at even distances."""

FramesOf = Callable[[Sequence[Caption]], Mapping[float, bytes]]
"""JPEG pictures of the frames that captions stand for, by ``start_s``."""


class FrameConversation:
    """Turns a brief into messages with pictures.

    Args:
        frames_of: Reads the frames.
        prompts: What it is told.
    """

    offers_look_ups = False
    asks_parts = False

    def __init__(self, frames_of: FramesOf, prompts: Prompts = PACKAGED) -> None:
        self._frames_of = frames_of
        self._prompts = prompts
        self._most_frames = MOST_FRAMES

    @property
    def prompts(self) -> dict[str, str]:
        return {name: self._prompts.version(name) for name in PROMPTS}

    def show_fewer(self, pictures: int) -> bool:
        """See ``Conversation``."""
        self._most_frames = min(self._most_frames, pictures)
        return pictures >= FEWEST

    def __call__(self, brief: Brief) -> list[BaseMessage]:
        """The rules, the frames, and each refused reply since."""
        messages: list[BaseMessage] = [
            SystemMessage(self._prompts.render("one_shot_system")),
            HumanMessage(content=self._shown(brief)),
        ]
        for turn in brief.turns:
            if turn.refusal:
                messages += refusal_messages(
                    turn, turn.refusal.message, self._prompts, last=brief.opening
                )
        return messages

    def _shown(self, brief: Brief) -> list[str | dict[Any, Any]]:
        numbered = [
            (number, caption)
            for number, caption in enumerate(brief.captions[: brief.opening], start=1)
            if number not in brief.hidden
        ]
        count = min(self._most_frames, len(numbered))
        # The first and the last frame, and those between at even distances.
        steps = max(1, count - 1)
        chosen = [numbered[round(place * (len(numbered) - 1) / steps)] for place in range(count)]
        jpegs = self._frames_of([caption for _, caption in chosen])
        query = shorten(tame(brief.query), QUERY_CHARS)
        text = self._prompts.render(
            "one_shot", query=query, count=str(len(chosen)), last=str(brief.opening)
        )
        blocks: list[str | dict[Any, Any]] = [{"type": "text", "text": text}]
        for number, caption in chosen:
            blocks.append({"type": "text", "text": f"#{number} {caption_time(caption)}"})
            jpeg = base64.b64encode(jpegs[caption.start_s]).decode()
            url = {"url": f"data:image/jpeg;base64,{jpeg}"}
            blocks.append({"type": "image_url", "image_url": url})
        return blocks
