"""Joint models by name: which there are, where the hub keeps them, and fetching one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tools import model_hub
from tools.errors import HubError, SightError
from tools.sight.joint_model import OnnxJointModel
from tools.sight.model_folder import (
    CONFIG,
    LAYOUTS,
    PICTURES,
    SMALLER_WORDS,
    WORDS,
    find_folder,
)
from tools.sight.pictures import INSTALL
from tools.user_paths import expand_user

Confirm = Callable[[str, int], bool]
"""Asked with a model's name and the bytes to fetch; whether to go on."""


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model that is offered.

    Attributes:
        hub: Its name on the hub, in ONNX.
        licence: Of the weights, as their authors state it.
        about_mb: About how much is fetched, from the number of weights; the hub says it exactly.
        about: What it is good for, in a few words.
    """

    hub: str
    licence: str
    about_mb: int
    about: str


NAMED = {
    "siglip2-base": NamedModel(
        "onnx-community/siglip2-base-patch16-224-ONNX",
        "Apache-2.0",
        670,
        "knows more, in many languages",
    ),
    "clip-vit-b32": NamedModel(
        "Xenova/clip-vit-base-patch32", "MIT", 420, "three times as fast, English alone"
    ),
}
"""SigLIP 2 base (Tschannen et al., 2025) and CLIP ViT-B/32 (Radford et al., 2021), best first."""

DEFAULT = "siglip2-base"
OFF = "off"


def open_sight(
    model: str, *, confirm: Confirm | None, threads: int | None = None
) -> OnnxJointModel:
    """Open a joint model, after fetching it if the user agrees to that.

    Args:
        model: One of ``NAMED``, a folder, or a model's name on the hub.
        confirm: Asked before anything is fetched; None: nothing is fetched.
        threads: For onnxruntime.

    Raises:
        SightError: If it cannot be used here; says what to do.
    """
    folder = expand_user(model)
    if folder.is_dir():
        return OnnxJointModel(folder, threads=threads)
    if folder.is_file():
        raise SightError(f"{folder} is a file; name the folder that holds the whole model")
    found = find_sight(model)
    if found is None and (model.startswith((".", "/", "~")) or model.count("/") > 1):
        raise SightError(
            f"there is no folder {model}; name one that holds a joint model in ONNX, or "
            f"{', or '.join(NAMED)}"
        )
    if found is None:
        _fetch(model, confirm)
        found = find_sight(model)
    if found is None:
        raise SightError(
            f"{model} on the hub is no joint image-text model in ONNX; use {' or '.join(NAMED)}"
        )
    return OnnxJointModel(found, name=model, threads=threads)


def find_sight(model: str) -> Path | None:
    """The folder of a model that is on this machine; the network is asked for nothing."""
    return find_folder(NAMED[model].hub if model in NAMED else model)


def sights_on_disk() -> list[str]:
    """Which of ``NAMED`` are on this machine, best first."""
    return [name for name in NAMED if find_sight(name)]


def choices() -> str:
    """What works without the hub, as the end of a sentence."""
    here = ", ".join(sights_on_disk())
    cached = f"one that is on this machine already ({here}), " if here else ""
    return f"what works without it: {cached}the folder of a model in ONNX, or --sight off"


def _fetch(model: str, confirm: Confirm | None) -> None:
    from rich.filesize import decimal

    if find_spec("huggingface_hub") is None or find_spec("httpx2") is None:
        raise SightError(
            f"the model {model} is not on this machine, and fetching it needs the hub's client: "
            f"{INSTALL}"
        )
    named = NAMED.get(model)
    name = named.hub if named else model
    shown = f"{model} ({name}, licence {named.licence})" if named else name
    try:
        size_bytes = model_hub.download_bytes(name, _wanted)
        # Without a size, the hub did not answer; fetching will say so.
        if size_bytes and not (confirm and confirm(shown, size_bytes)):
            raise SightError(
                f"{shown} is not on this machine, and {decimal(size_bytes)} to fetch from the hub; "
                f"--yes fetches it; {choices()}"
            )
        model_hub.download(name, _wanted)
    except HubError as exc:
        raise SightError(f"{exc}; {choices()}") from exc


def _wanted(files: Mapping[str, int]) -> dict[str, int]:
    """The two halves in one of the layouts, and what says how to use them."""
    settings = (CONFIG, PICTURES, WORDS, "tokenizer_config.json")
    wanted = {name: files[name] for name in settings if name in files}
    for picture, text in LAYOUTS:
        smaller = f"{text.removesuffix('.onnx')}{SMALLER_WORDS}"
        words = smaller if smaller in files else text
        if picture in files and words in files:
            halves = (picture, words)
            more = [f"{half}_data" for half in halves if f"{half}_data" in files]
            return wanted | {name: files[name] for name in (*halves, *more)}
    raise HubError(
        f"that model holds no joint image-text model in ONNX: neither {LAYOUTS[0][0]} nor another "
        f"usual name is there; use {' or '.join(NAMED)}"
    )
