"""What a question to an image model took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.grounding import Cost

if TYPE_CHECKING:
    from tools.captioners.image_model import FrameAnswer


def cost_of(answer: FrameAnswer, frames: int) -> Cost:
    """What one question to an image model took, in which it was shown a number of frames."""
    return Cost(
        tokens_in=answer.tokens_in,
        tokens_out=answer.tokens_out,
        usd=answer.usd,
        calls=1,
        frames=frames,
    )
