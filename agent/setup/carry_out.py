"""Does what the plan says: fetches, tries it on one frame, and writes the choice down."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.errors import SettingsError
from agent.settings import load_settings
from tools.private_files import make_private_folder
from tools.video.sound import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from agent.setup.plan import Plan
    from agent.watching.choice import Confirm
    from tools.timeline import Frame


def carry_out(plan: Plan, file: Path, *, confirm: Confirm) -> str:
    """Do it; the file is changed only after the model has looked at a frame.

    Args:
        plan: What to do.
        file: The settings file.
        confirm: Asked before a model is fetched.

    Returns:
        What the model made of the frame, in a line.

    Raises:
        WhenaboutsError: If a model cannot be fetched or used, or the file cannot be written.
    """
    if plan.choice == "sight":
        from tools.sight.named_models import open_sight

        model = open_sight(plan.writes["WHENABOUTS_SIGHT"], confirm=confirm)
        vector = model.embed_pictures([_frame().image])
        saw = f"{model.name} saw one frame: {vector.shape[1]} numbers"
    else:
        from agent.watching.choice import open_captioner
        from prompts.catalog import PACKAGED

        name = plan.writes["WHENABOUTS_CAPTIONER"]
        settings = load_settings(captioner=name).model_copy(
            update={"openai_base_url": plan.writes.get("OPENAI_BASE_URL")}
        )
        captioner = open_captioner(settings, name, prompts=PACKAGED, confirm=confirm)
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

    fetch_whisper(plan.speech)
    whisper = Whisper(plan.speech)
    heard = len(list(whisper(np.zeros(SAMPLE_RATE_HZ, np.float32))))
    write_settings(file, {"WHENABOUTS_SPEECH": plan.speech})
    return f"{whisper.model} listened to a second of silence: {heard} words"


def write_settings(file: Path, values: dict[str, str]) -> None:
    """Set these variables in a settings file; all other lines stay as they are.

    Raises:
        SettingsError: If it cannot be written.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        kept = [line for line in lines if _name(line) not in values]
        said = [*kept, *(f"{name}={value}" for name, value in values.items())]
        make_private_folder(file.parent)
        # Where a link leads, since the file may be kept elsewhere; made for this user alone.
        written = file.resolve()
        descriptor, name = tempfile.mkstemp(prefix=".whenabouts-", dir=written.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as unfinished:
                unfinished.write("\n".join(said) + "\n")
            Path(name).replace(written)
        finally:
            Path(name).unlink(missing_ok=True)
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(
            f"the settings file {file} cannot be written ({exc}); set these yourself: "
            + ", ".join(f"{name}={value}" for name, value in values.items())
        ) from exc


def _name(line: str) -> str:
    return line.partition("=")[0].strip().removeprefix("export ").strip()


def _frame() -> Frame:
    from tools.timeline import Frame

    image = np.full((96, 128, 3), 90, np.uint8)
    image[24:72, 40:88] = (220, 40, 40)
    luma = np.full((1, 36, 64), 90, np.uint8)
    return Frame(0.0, image, None, None, luma, np.zeros(1))
