"""Whether a joint model may choose the frames that an image model is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.errors import SettingsError
from tools.video.near_duplicates import needs_every_frame

if TYPE_CHECKING:
    from agent.settings import Settings
    from agent.watching.sight import Sight
    from tools.captioners.protocol import Captioner

SIGHT_FIRST: Final = "sight-first"


def can_be_chosen_for(captioner: Captioner, sight: Sight, settings: Settings) -> Captioner:
    """The same captioner, if it can be shown chosen frames alone.

    Raises:
        SettingsError: If it cannot, or nothing is there that chooses; says what to do.
    """
    if needs_every_frame(captioner):
        raise SettingsError(
            f"the strategy sight-first chooses frames for an image model, and {captioner.model} "
            "looks at all of them; use --captioner openai:MODEL or local:MODEL, or --strategy "
            "general"
        )
    if settings.every_frame:
        raise SettingsError(
            "--every-frame has all frames described, and --strategy sight-first only some; leave "
            "one out"
        )
    if not captioner.mode.startswith("frame"):
        raise SettingsError(
            f"--mode {captioner.mode} shows neighbouring frames together, and --strategy "
            "sight-first leaves some out between; use --mode frame, or --strategy general"
        )
    if not sight.name:
        raise SettingsError(
            "--strategy sight-first needs a model that looks at frames: --sight siglip2-base, "
            "clip-vit-b32 or the folder of one; `whenabouts setup` says which suits this machine"
        )
    return captioner
