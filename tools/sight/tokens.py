"""Texts as the half for words of a joint model wants them: cut into numbers, and filled up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.errors import SightError
from tools.sight.model_folder import MOST_TOKENIZER_BYTES, read_within

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from tools.sight.model_folder import ModelFolder

BATCH_TEXTS = 16

PADS = ("<pad>", "[PAD]", "<|endoftext|>")
"""What a text is filled up with, where the tokenizer's file does not say: the first that it has."""

IDS, MASK = "input_ids", "attention_mask"


def open_tokenizer(file: Path) -> Tokenizer:
    """A tokenizer from its file.

    Raises:
        SightError: If it is damaged.
    """
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_buffer(read_within(file, MOST_TOKENIZER_BYTES))
    except SightError:
        raise
    except Exception as exc:  # the Rust library raises plain Exception
        why = (str(exc).strip().splitlines() or [type(exc).__name__])[0][:200]
        raise SightError(f"{file} is damaged ({why}); fetch the model again") from exc


class Tokens:
    """Makes what a model is given of texts.

    Args:
        tokenizer: Cuts them.
        files: Say how long a text may be, and whether shorter ones are filled up to that.
        shapes: Of the model's inputs, by name; a number is what the model was exported for.
    """

    def __init__(
        self, tokenizer: Tokenizer, files: ModelFolder, shapes: Mapping[str, Sequence[Any]]
    ) -> None:
        self._tokenizer = tokenizer
        texts, length = (*shapes.get(IDS, ()), None, None)[:2]
        self._size = texts if isinstance(texts, int) and texts > 0 else 0
        self._length = length if isinstance(length, int) and length > 0 else 0
        most = min(filter(None, (self._length, files.max_tokens)), default=0)
        if files.is_padded and not self._length:
            self._length = files.max_tokens or 0
        # Without a mask, what a text is filled up with counts as part of it.
        self._is_filled_up = MASK in shapes or self._length > 0
        said = tokenizer.padding or {}
        pad = said.get("pad_token") or next(
            (one for one in PADS if tokenizer.token_to_id(one) is not None), PADS[0]
        )
        self._pad_id = tokenizer.token_to_id(pad) or 0
        tokenizer.no_padding()
        if most:
            tokenizer.enable_truncation(most)

    def batches(
        self, texts: Sequence[str]
    ) -> Iterator[tuple[NDArray[np.intp], dict[str, NDArray[np.int64]]]]:
        """What to run: which of the texts, and inputs by name, of which the first rows are theirs.

        All inputs that such models are known to have are there, whether this one wants them or not.
        """
        ids = [one.ids for one in self._tokenizer.encode_batch(list(texts))]
        lengths = np.array([len(one) for one in ids])
        order = np.argsort(lengths, kind="stable")
        first = 0
        while first < len(order):
            chosen = order[first : first + (self._size or BATCH_TEXTS)]
            if not self._is_filled_up:
                chosen = chosen[lengths[chosen] == lengths[chosen[0]]]
            first += len(chosen)
            yield chosen, self._filled([ids[at] for at in chosen])

    def _filled(self, ids: Sequence[Sequence[int]]) -> dict[str, NDArray[np.int64]]:
        width = self._length or max(1, *(len(one) for one in ids), 1)
        shape = (self._size or len(ids), width)
        filled, mask = np.full(shape, self._pad_id, np.int64), np.zeros(shape, np.int64)
        for row, one in enumerate(ids):
            filled[row, : len(one)] = one
            mask[row, : len(one)] = 1
        # Rows beyond the last text are of nobody; without a token they might be no number.
        mask[len(ids) :, 0] = 1
        return {
            IDS: filled,
            MASK: mask,
            "token_type_ids": np.zeros(shape, np.int64),
            "position_ids": np.tile(np.arange(width), (shape[0], 1)),
        }
