"""Does what the plan says: fetches, tries it on one frame, and writes the choice down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.setup.settings_lines import check_writable, write_settings
from tools.video.sound import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from agent.settings import Settings
    from agent.setup.plan import Plan
    from agent.watching.choice import Confirm
    from tools.timeline import Frame


def carry_out(plan: Plan, file: Path, *, settings: Settings, confirm: Confirm) -> str:
    """Do it; the file is changed only after the model has looked at a frame.

    Args:
        plan: What to do.
        file: The settings file.
        settings: As they are so far.
        confirm: Asked before a model is fetched.

    Returns:
        What the model made of the frame, in a line.

    Raises:
        WhenaboutsError: If a model cannot be fetched or used, or the file cannot be written.
    """
    check_writable(file, plan.writes)
    if plan.choice == "sight":
        from tools.sight.named_models import open_sight

        model = open_sight(plan.writes["WHENABOUTS_SIGHT"], confirm=confirm)
        vector = model.embed_pictures([_frame().image])
        saw = f"{model.name} saw one frame: {vector.shape[1]} numbers"
    else:
        from agent.watching.choice import open_captioner
        from prompts.catalog import PACKAGED

        name = plan.writes["WHENABOUTS_CAPTIONER"]
        address = plan.writes.get("OPENAI_BASE_URL", settings.openai_base_url)
        meant = settings.model_copy(update={"captioner": name, "openai_base_url": address})
        captioner = open_captioner(meant, name, prompts=PACKAGED, confirm=confirm)
        said = [one for one in captioner.describe([_frame()], seen=()) if one is not None]
        saw = f"{name} looked at one frame: {getattr(said[0], 'text', said[0]) if said else '-'}"
    write_settings(file, plan.writes)
    return saw


def listen(plan: Plan, file: Path) -> str:
    """Fetch the Whisper model of the plan, try it on a second of silence, and write it down.

    Returns:
        What became of it, in a line.

    Raises:
        CaptionerError: If it cannot be fetched or used; the file is as it was then.
        SettingsError: If the file cannot be written.
    """
    from tools.speech.named_whisper import fetch_whisper
    from tools.speech.whisper import Whisper

    writes = {"WHENABOUTS_SPEECH": plan.speech}
    check_writable(file, writes)
    fetch_whisper(plan.speech)
    whisper = Whisper(plan.speech)
    heard = len(list(whisper(np.zeros(SAMPLE_RATE_HZ, np.float32))))
    write_settings(file, writes)
    return f"{whisper.model} listened to a second of silence: {heard} words"


def _frame() -> Frame:
    from tools.timeline import Frame

    image = np.full((96, 128, 3), 90, np.uint8)
    image[24:72, 40:88] = (220, 40, 40)
    luma = np.full((1, 36, 64), 90, np.uint8)
    return Frame(0.0, image, None, None, luma, np.zeros(1))
