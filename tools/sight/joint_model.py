"""A model that puts pictures and words into one space, run by onnxruntime: CLIP, SigLIP and kin.

No torch, and no fastembed: that wants an older client of the hub than the captioners here do, and
brings one more way to fetch models.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tools.errors import SightError
from tools.onnx_memory import give_back_large_blocks, giving_back
from tools.sight.load_failures import load_failure, short_line
from tools.sight.model_folder import ModelFolder
from tools.sight.pictures import Preparation
from tools.sight.tokens import Tokens, open_tokenizer

if TYPE_CHECKING:
    import onnxruntime
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from tools.timeline import Image

BATCH_PICTURES = 8
MAX_THREADS = 8

MANY_WORDS = 60_000
"""CLIP's English alphabet of words has 49,408; those that know many languages have over 100,000."""

OUTPUTS = ("image_embeds", "text_embeds", "pooler_output", "sentence_embedding")
"""Outputs that are one vector each, by their usual names, the most wanted first."""

NUMBERS = {"tensor(float16)": np.float16, "tensor(float)": np.float32, "tensor(int32)": np.int32}
"""What an input may want other than what is prepared."""


class JointModel(Protocol):
    """Puts pictures and words into one space.

    Attributes:
        name: The same for the same vectors; stands in tracks and in the store.
        batch_pictures: How many it is best shown at a time.
    """

    @property
    def name(self) -> str: ...

    @property
    def batch_pictures(self) -> int: ...

    def embed_pictures(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Shape ``(n, d)``, rows of unit length, in the order of the pictures (RGB, any size).

        Raises:
            SightError: If the model fails.
        """
        ...

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape ``(n, d)``, rows of unit length, in the order of the texts.

        Raises:
            SightError: If the model fails.
        """
        ...


class OnnxJointModel:
    """A joint model from a folder; each half is loaded when it is first used.

    Args:
        folder: See ``tools.sight.model_folder``.
        name: What it is called; the folder's name where nothing is said.
        threads: For onnxruntime; None for the machine's processors, at most eight.

    Raises:
        SightError: If something is missing; says what.
    """

    def __init__(self, folder: Path, *, name: str = "", threads: int | None = None) -> None:
        self._files = ModelFolder.read(folder)
        self._preparation = Preparation.read(self._files.preparation)
        self._called = name or folder.name
        self._threads = threads or min(os.cpu_count() or 1, MAX_THREADS)

    @cached_property
    def name(self) -> str:
        """``sight:``, what it is called, and a digest of weights and settings."""
        return f"sight:{self._called}@{self._files.fingerprint()}"

    @cached_property
    def reads_latin_alone(self) -> bool:
        """Whether its words are too few for more than one script, as CLIP's are."""
        return self._tokenizer.get_vocab_size() < MANY_WORDS

    @cached_property
    def batch_pictures(self) -> int:
        """Some models were exported for one picture at a time."""
        return self._fixed or BATCH_PICTURES

    @cached_property
    def _fixed(self) -> int:
        """How many pictures it takes, no more and no fewer; 0 for any number."""
        fixed = self._pictures.get_inputs()[0].shape[0]
        return fixed if isinstance(fixed, int) and fixed > 0 else 0

    def embed_pictures(self, images: Sequence[Image]) -> NDArray[np.float32]:
        size = self.batch_pictures
        rows = []
        for first in range(0, len(images), size):
            prepared = self._preparation.prepare(images[first : first + size])
            here = len(prepared)
            if here < self._fixed:
                prepared = np.concatenate([prepared, np.repeat(prepared[-1:], size - here, axis=0)])
            rows.append(self._run(self._pictures, {"pixel_values": prepared})[:here])
        return np.concatenate(rows) if rows else np.empty((0, 0), np.float32)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self._files.is_lowered:
            texts = [text.lower() for text in texts]
        order: list[int] = []
        rows = []
        for chosen, given in self._tokens.batches(texts):
            order += chosen.tolist()
            rows.append(self._run(self._texts, given)[: len(chosen)])
        if not rows:
            return np.empty((0, 0), np.float32)
        return np.asarray(np.concatenate(rows)[np.argsort(order)], np.float32)

    def _run(
        self, session: onnxruntime.InferenceSession, given: dict[str, NDArray[Any]]
    ) -> NDArray[np.float32]:
        wanted = {one.name: one.type for one in session.get_inputs()}
        # A model for pictures has one input, whatever it is called.
        if len(wanted) == 1 and len(given) == 1:
            given = {next(iter(wanted)): next(iter(given.values()))}
        if unknown := [name for name in wanted if name not in given]:
            raise SightError(
                f"{self._called} wants {', '.join(unknown)}, which is not known here; export its "
                "two halves one by one"
            )
        names = {one.name: one for one in session.get_outputs()}
        output = next((name for name in OUTPUTS if name in names), session.get_outputs()[0].name)
        try:
            fed = {
                name: given[name].astype(NUMBERS.get(kind, given[name].dtype), copy=False)
                for name, kind in wanted.items()
            }
            (found,) = session.run([output], fed, giving_back())
        except Exception as exc:  # onnxruntime's errors share no narrower base class
            raise SightError(f"{self._called} failed ({short_line(exc)}); fetch it again") from exc
        vectors = np.asarray(found, np.float32)
        if vectors.ndim != 2:
            raise SightError(
                f"{self._called} gives {output} of shape {vectors.shape}, not one vector each; it "
                "was exported without the layer that joins pictures and words"
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise SightError(f"{self._called} gives vectors without a direction; fetch it again")
        return np.asarray(vectors / lengths, np.float32)

    @cached_property
    def _pictures(self) -> onnxruntime.InferenceSession:
        session = self._open(self._files.picture_file)
        made = (3, self._preparation.height_px, self._preparation.width_px)
        wanted = session.get_inputs()[0].shape[1:]
        if any(isinstance(one, int) and one != own for one, own in zip(wanted, made, strict=False)):
            raise SightError(
                f"{self._called} looks at pictures of shape {wanted}, and its preprocessor_config."
                f"json makes them {list(made)}: these are files of two models; fetch it again"
            )
        return session

    @cached_property
    def _texts(self) -> onnxruntime.InferenceSession:
        return self._open(self._files.text_file)

    def _open(self, file: Path) -> onnxruntime.InferenceSession:
        import onnxruntime

        give_back_large_blocks()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # What fails is told below, and nowhere else.
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        # Waiting threads sleep: the decoder wants the processor meanwhile.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as exc:  # as above
            raise SightError(load_failure(file, exc)) from exc

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return open_tokenizer(self._files.tokenizer_file)

    @cached_property
    def _tokens(self) -> Tokens:
        shapes = {one.name: one.shape for one in self._texts.get_inputs()}
        return Tokens(self._tokenizer, self._files, shapes)
