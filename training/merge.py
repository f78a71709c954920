"""``whenabouts tune merge``: an adapter becomes part of its base's weights."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from tools.output_files import give_usual_mode
from training.conversations import TuningError
from training.full_disk import writing
from training.student import check_installed, find_base, load_for_training


def merge(adapter: Path, out: Path, *, base: str | None = None) -> Path:
    """Write a whole checkpoint with the adapter in it; returns its folder.

    Args:
        adapter: Folder of the adapter.
        out: A new folder.
        base: Where the base is now; None for where the adapter says.

    Raises:
        TuningError: If one of them is not there or does not fit, or the disk does not take it.
    """
    check_installed()
    from tools.captioners.vision_model import adapt
    from tools.errors import CaptionerError

    if os.path.lexists(out):
        raise TuningError(f"{out} is there already; name a new folder with --out")
    try:
        named = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        folder = find_base(base or str(named["base_model_name_or_path"]))
    except (OSError, ValueError, KeyError) as exc:
        raise TuningError(f"{adapter} is not a LoRA adapter: {exc}") from None
    processor, net = load_for_training(folder)
    try:
        merged = adapt(net, adapter)
    except (ValueError, RuntimeError, CaptionerError) as exc:
        raise TuningError(f"{adapter} does not fit {folder}: {exc}") from None
    merged.config.use_cache = True
    beside: Path | None = None
    try:
        with writing(out, "nothing of it is left; free some space, and merge again"):
            out.parent.mkdir(parents=True, exist_ok=True)
            beside = Path(tempfile.mkdtemp(prefix=".whenabouts-", dir=out.parent))
            merged.save_pretrained(str(beside))
            processor.save_pretrained(str(beside))
            give_usual_mode(beside)
            beside.rename(out)
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)
    return out
