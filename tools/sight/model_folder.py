"""The folder of a joint image-text model in ONNX: which files it needs, and what they say.

Three layouts are in use, each with a file for pictures and one for words: `onnx/vision_model.onnx`
(as transformers.js and Optimum write it), the same without `onnx/`, and `vision/model.onnx` (two
models of one pair in two folders, as Qdrant publishes CLIP).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.errors import SightError, VideoError
from tools.model_hub import cached_folder
from tools.user_paths import expand_user
from tools.video.identity import sampled_id

LAYOUTS = (
    ("onnx/vision_model.onnx", "onnx/text_model.onnx"),
    ("vision_model.onnx", "text_model.onnx"),
    ("vision/model.onnx", "text/model.onnx"),
)
"""The file for pictures and the file for words."""

SMALLER_WORDS = "_quantized.onnx"
"""End of the name of the same file for words in whole numbers: of SigLIP 2, whose words are many, a
quarter of the size."""

SMALLER = ("_fp16.onnx", SMALLER_WORDS, "_int8.onnx", "_uint8.onnx", "_q4.onnx")
"""Ends of the names of the same files in smaller numbers, as transformers.js has them; the first is
taken where the full one is not there."""

MOST_SETTINGS_BYTES, MOST_TOKENIZER_BYTES = 10**6, 200 * 10**6
"""Settings take a few kilobytes, and a tokenizer of 256,000 words 34 megabytes: what is far larger
is something else, and reading it would take all memory."""

PICTURES, WORDS, CONFIG = "preprocessor_config.json", "tokenizer.json", "config.json"
"""Says how pictures are prepared; how words are cut; which architecture it is."""

TOKENS_OF = {"clip": 77, "siglip": 64, "siglip2": 64}
"""How many tokens a text is long at most, where the configuration leaves it out, as it may."""

MOST_TOKENS = 10_000
"""What is more is no limit."""

PADDED = ("siglip",)
"""Architectures, by the start of their name, that learned from texts filled up to that length."""

LOWERED = ("siglip2",)
"""Architectures that were trained on texts in lower case, which their tokenizer file leaves out."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A complete folder.

    Attributes:
        folder: Where it is.
        picture_file: The ONNX model for pictures.
        text_file: The ONNX model for words.
        tokenizer_file: How words are cut into tokens.
        preparation: How pictures are prepared, as transformers writes it.
        max_tokens: Most tokens of a text; None where nothing says so.
        is_padded: Whether shorter texts are filled up to ``max_tokens``.
        is_lowered: Whether texts are to be in lower case.
    """

    folder: Path
    picture_file: Path
    text_file: Path
    tokenizer_file: Path
    preparation: dict[str, Any]
    max_tokens: int | None
    is_padded: bool
    is_lowered: bool

    @classmethod
    def read(cls, folder: Path) -> ModelFolder:
        """Read what the files say; weights are not loaded.

        Raises:
            SightError: If it lacks something, or a file cannot be read; names everything missing.
        """
        try:
            missing = missing_files(folder)
        except OSError as exc:
            raise SightError(
                f"{folder} cannot be read ({exc.strerror}); check who may read it"
            ) from exc
        if missing:
            raise SightError(
                f"{folder} holds no joint image-text model in ONNX: {' and '.join(missing)} "
                f"missing; export one with `optimum-cli export onnx`, or name one with --sight "
                "that can be fetched"
            )
        picture, text = _pair(folder)
        assert picture is not None
        assert text is not None
        tokenizer = _beside(folder, text, WORDS)
        preparation = _beside(folder, picture, PICTURES)
        config = _json(folder / CONFIG) if (folder / CONFIG).is_file() else {}
        kind = str(config.get("model_type", ""))
        return cls(
            folder=folder,
            picture_file=picture,
            text_file=text,
            tokenizer_file=tokenizer,
            preparation=_json(preparation),
            max_tokens=_max_tokens(config, kind, tokenizer),
            is_padded=kind.startswith(PADDED),
            is_lowered=kind.startswith(LOWERED),
        )

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change whenever the vectors would.

        Of weights, size and samples count: to read gigabytes would take longer than it is worth.

        Raises:
            SightError: If a file cannot be read.
        """
        digest = hashlib.sha256()
        try:
            for file in self._weights():
                digest.update(sampled_id(file).encode())
            for file in (self.tokenizer_file, *self._settings()):
                digest.update(read_within(file, MOST_TOKENIZER_BYTES))
        except (OSError, VideoError) as exc:
            raise SightError(f"{self.folder} cannot be read ({exc}); fetch it again") from exc
        return digest.hexdigest()[:12]

    def _weights(self) -> Iterator[Path]:
        for file in (self.picture_file, self.text_file):
            yield file
            for more in (file.with_name(f"{file.name}_data"), file.with_suffix(".onnx.data")):
                if more.is_file():
                    yield more

    def _settings(self) -> list[Path]:
        files = (_beside(self.folder, self.picture_file, PICTURES), self.folder / CONFIG)
        return [file for file in files if file.is_file()]


def find_folder(model: str | Path) -> Path | None:
    """The folder of a complete model, or None if there is none on this machine.

    Args:
        model: A folder, or the name of a model on the hub, which may lie in the hub's cache.
    """
    folder = expand_user(model)
    if not folder.is_dir():
        cached = cached_folder(str(model), PICTURES)
        if cached is None:
            return None
        folder = cached
    try:
        return None if missing_files(folder) else folder.absolute()
    except OSError:  # Nobody may look into it: opened, it is told.
        return None


def missing_files(folder: Path) -> list[str]:
    """What a folder lacks to be complete, in words; empty when it lacks nothing."""
    picture, text = _pair(folder)
    missing = []
    if picture is None:
        missing.append(LAYOUTS[0][0])
    if text is None:
        missing.append(LAYOUTS[0][1])
    if not _beside(folder, picture or folder / "x", PICTURES).is_file():
        missing.append(PICTURES)
    if not _beside(folder, text or folder / "x", WORDS).is_file():
        missing.append(WORDS)
    return missing


def _pair(folder: Path) -> tuple[Path | None, Path | None]:
    """The files for pictures and for words, of the layout that the folder has most of."""
    found = [(_weights(folder / one), _weights(folder / other)) for one, other in LAYOUTS]
    return max(found, key=lambda pair: sum(one is not None for one in pair))


def _file(path: Path) -> Path | None:
    # A link into the hub's cache may lead nowhere where a download was cut off.
    return path if path.is_file() and path.stat().st_size else None


def _weights(path: Path) -> Path | None:
    smaller = (path.with_name(f"{path.stem}{end}") for end in SMALLER)
    return next(filter(None, map(_file, (path, *smaller))), None)


def _beside(folder: Path, file: Path, name: str) -> Path:
    """A settings file, which lies in the folder or beside the weights."""
    return folder / name if (folder / name).is_file() else file.with_name(name)


def _max_tokens(config: dict[str, Any], kind: str, tokenizer: Path) -> int | None:
    words = config.get("text_config")
    said = words.get("max_position_embeddings") if isinstance(words, dict) else None
    if said is None and kind in TOKENS_OF:
        return TOKENS_OF[kind]
    if said is None:
        beside = tokenizer.with_name("tokenizer_config.json")
        said = _json(beside).get("model_max_length") if beside.is_file() else None
    # Where there is no limit, transformers writes a number with thirty digits.
    return int(said) if isinstance(said, int | float) and 0 < said < MOST_TOKENS else None


def read_within(file: Path, most_bytes: int) -> bytes:
    """The content of a settings file.

    Raises:
        SightError: If it cannot be read, or is larger than such a file is.
    """
    try:
        size_bytes = file.stat().st_size
        if size_bytes > most_bytes:
            raise SightError(
                f"{file} has {size_bytes:,} bytes, and such a file {most_bytes:,} at most: it is "
                "something else; fetch the model again"
            )
        return file.read_bytes()
    except OSError as exc:
        raise SightError(
            f"{file} cannot be read ({exc.strerror}); check who may read it, or fetch it again"
        ) from exc


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_within(file, MOST_SETTINGS_BYTES).decode("utf-8-sig"))
    except (ValueError, RecursionError) as exc:
        raise SightError(f"{file} is damaged, or not fetched in full; fetch it again") from exc
    if not isinstance(content, dict):
        raise SightError(f"{file} holds no JSON object; fetch the model again")
    return content
