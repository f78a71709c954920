"""Image-text checkpoints on this machine: which exist, whether one is complete, and its identity.

A checkpoint is a folder as transformers saves it: ``config.json``, a processor, and weights. It is
named by that folder, or by its name on the Hugging Face hub if it lies in the hub's cache. Nothing
here loads a model, and nothing here uses the network.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tools.errors import CaptionerError
from tools.model_hub import cached_folder
from tools.user_paths import expand_user

WEIGHTS = re.compile(r"(model|pytorch_model)(-\d+-of-\d+)?\.(safetensors|bin)")
"""As transformers names them; other frameworks' weights in the same folder are not read."""

SETTINGS = (".json", ".jinja", ".txt", ".model")
"""Ends of the names of files that say how weights are used: sizes, tokens, templates, pictures."""

SAMPLE_BYTES = 4096


def find_model(model: str | Path) -> Path | None:
    """The folder of a complete checkpoint, or None if there is none on this machine.

    Args:
        model: A folder, or a name on the hub such as ``HuggingFaceTB/SmolVLM-256M-Instruct``.
    """
    folder = expand_user(model)
    if not folder.is_dir():
        cached = cached_folder(str(model), "config.json")
        if cached is None:
            return None
        folder = cached
    return None if missing_parts(folder) else folder.absolute()


def is_on_disk(name: str | Path) -> bool:
    """Whether a checkpoint can be loaded without the network."""
    return find_model(name) is not None


def models_on_disk() -> list[str]:
    """Names of the complete image-text checkpoints in the hub's cache, the last used first."""
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        repositories = scan_cache_dir().repos
    except (CacheNotFound, OSError, ValueError):  # A cache that is no folder, or not ours to read.
        return []
    by_use = sorted(repositories, key=lambda one: one.last_accessed, reverse=True)
    return [one.repo_id for one in by_use if one.repo_type == "model" and _captions(one.repo_id)]


def missing_parts(folder: Path) -> list[str]:
    """What a folder lacks to be a complete checkpoint, in words; empty when it lacks nothing."""
    missing = []
    if not (folder / "config.json").is_file():
        missing.append("config.json")
    processors = ("processor_config.json", "preprocessor_config.json")
    if not any((folder / name).is_file() for name in processors):
        missing.append(processors[0])
    shards = _indexed_shards(folder)
    if shards is None and not any(
        (folder / name).is_file() for name in ("model.safetensors", "pytorch_model.bin")
    ):
        missing.append("model.safetensors")
    return missing + [name for name in shards or () if not (folder / name).is_file()]


def holds_conversations(folder: Path) -> bool:
    """Whether the checkpoint comes with a chat template: else it cannot be asked, only shown."""
    if any((folder / name).is_file() for name in ("chat_template.jinja", "chat_template.json")):
        return True
    files = (folder / "processor_config.json", folder / "tokenizer_config.json")
    return any("chat_template" in _read_json(file) for file in files)


def fingerprint(folder: Path) -> str:
    """Twelve hexadecimal digits that change whenever weights or settings of a checkpoint do.

    Settings files count whole, safetensors weights by every tensor's name, shape, and three samples
    of its numbers: training moves them all, and reading gigabytes would take longer than it is
    worth. Where the folder lies, and what else it holds, does not matter.

    Raises:
        CaptionerError: If a weights file is damaged.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix == ".safetensors":
            parts: Iterable[bytes] = _sample_tensors(file)
        elif file.suffix in SETTINGS:
            parts = [_without_paths(file)]
        elif WEIGHTS.fullmatch(file.name) or file.name == "adapter_model.bin":
            with file.open("rb") as opened:
                parts = [hashlib.file_digest(opened, "sha256").digest()]
        else:
            continue
        digest.update(file.name.encode() + b"\0")
        for part in parts:
            digest.update(part)
    return digest.hexdigest()[:12]


def _captions(name: str) -> bool:
    """Whether a cached checkpoint writes text about pictures, as far as its configuration says."""
    folder = find_model(name)
    if folder is None:
        return False
    config = _read_json(folder / "config.json")
    writes = any(
        one.endswith(("ForConditionalGeneration", "ForCausalLM"))
        for one in config.get("architectures") or ()
    )
    return writes and "vision_config" in config


def _indexed_shards(folder: Path) -> list[str] | None:
    """The weight files that an index names; None where there is no index."""
    for stem in ("model.safetensors", "pytorch_model.bin"):
        index = folder / f"{stem}.index.json"
        if index.is_file() and not (folder / stem).is_file():
            return sorted(set(_read_json(index).get("weight_map", {}).values()))
    return None


def _read_json(file: Path) -> dict[str, Any]:
    """A settings file; empty where there is none, or none that can be read: loading will say so."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _without_paths(file: Path) -> bytes:
    """A settings file, less the path where its base lay when it was saved."""
    content = file.read_bytes()
    return re.sub(rb'"(base_model_name_or_path|_name_or_path)":\s*"[^"]*"', b"", content)


def _sample_tensors(file: Path) -> Iterator[bytes]:
    """A safetensors file's header, and the start, middle and end of each tensor.

    The form is eight bytes of header length, a JSON header with each tensor's offsets, the numbers.
    """
    with file.open("rb") as opened:
        # In a damaged file, or in the pointer that git-lfs leaves, the length can be any number.
        length = int.from_bytes(opened.read(8), "little")
        header = opened.read(length) if length < file.stat().st_size else b""
        try:
            tensors = json.loads(header)
        except ValueError as exc:
            raise CaptionerError(
                f"{file} is damaged, or not fetched in full; fetch it again"
            ) from exc
        yield header
        tensors.pop("__metadata__", None)
        for name in sorted(tensors):
            first, end = tensors[name]["data_offsets"]
            for at in (first, (first + end) // 2, max(first, end - SAMPLE_BYTES)):
                opened.seek(8 + length + at)
                yield opened.read(min(SAMPLE_BYTES, end - at))
