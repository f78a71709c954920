"""What image models took: for one question, or for captions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.grounding import Cost
from tools.captioners.protocol import Metered
from tools.llm.prices import TokenUsage as CaptioningUsage

if TYPE_CHECKING:
    from tools.captioners.image_model import FrameAnswer
    from tools.captioners.protocol import Captioner


def cost_of(answer: FrameAnswer, frames: int) -> Cost:
    """What one question to an image model took, in which it was shown a number of frames."""
    return Cost(
        tokens_in=answer.tokens_in,
        tokens_out=answer.tokens_out,
        usd=answer.usd,
        calls=1,
        frames=frames,
    )


def metered(captioner: Captioner) -> CaptioningUsage:
    """What a captioner has used so far; nothing if it is free."""
    return captioner.usage if isinstance(captioner, Metered) else CaptioningUsage()


def cost_between(made: int, before: CaptioningUsage, now: CaptioningUsage) -> Cost:
    """What making these captions cost, by the captioner's meter before and after."""
    is_known = before.usd is not None and now.usd is not None
    return Cost(
        captions=made,
        tokens_in=now.tokens_in - before.tokens_in,
        tokens_out=now.tokens_out - before.tokens_out,
        usd=now.usd - before.usd if is_known else None,  # type: ignore[operator]  # is_known
    )
