"""Texts as the half for words wants them: as many at once and as long as it was made for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from tools.errors import SightError
from tools.sight.model_folder import ModelFolder
from tools.sight.tokens import Tokens, open_tokenizer

WORDS = {"zero": 0, "one": 1, "two": 2, "three": 3, "[PAD]": 4}
TEXTS = ["one two three", "two", "three one", "one"]
OPEN = ("n", "m")


def tokens(shapes: dict[str, Any], *, most: int | None = None, is_padded: bool = False) -> Tokens:
    tokenizer = Tokenizer(WordLevel(WORDS, unk_token="zero"))
    tokenizer.pre_tokenizer = Whitespace()
    here = Path()
    files = ModelFolder(here, here, here, here, {}, most, is_padded, is_lowered=False)
    return Tokens(tokenizer, files, shapes)


def given(one: Tokens) -> list[tuple[list[int], list[list[int]], list[list[int]]]]:
    return [
        (at.tolist(), inputs["input_ids"].tolist(), inputs["attention_mask"].tolist())
        for at, inputs in one.batches(TEXTS)
    ]


def test_with_a_mask_all_are_run_at_once_and_what_fills_up_is_masked() -> None:
    (only,) = given(tokens({"input_ids": OPEN, "attention_mask": OPEN}))
    order, ids, mask = only
    assert sorted(order) == [0, 1, 2, 3]
    assert ids[order.index(2)] == [3, 1, 4]
    assert mask[order.index(2)] == [1, 1, 0]


def test_without_a_mask_no_text_is_filled_up_for_the_sake_of_others() -> None:
    runs = given(tokens({"input_ids": OPEN}))
    assert sorted(at for order, _, _ in runs for at in order) == [0, 1, 2, 3]
    assert [4 in row for _, ids, _ in runs for row in ids] == [False] * 4


@pytest.mark.parametrize("shape", [(1, 5), (3, 5), ("n", 2), (1, "m")])
def test_a_model_that_was_exported_for_one_shape_is_given_that(shape: tuple[Any, Any]) -> None:
    one = tokens({"input_ids": shape, "attention_mask": shape}, most=77)
    seen: list[int] = []
    for order, inputs in one.batches(TEXTS):
        seen += order.tolist()
        for array in inputs.values():
            wanted = zip(array.shape, shape, strict=True)
            assert all(is_ == of for is_, of in wanted if isinstance(of, int))
        # A row of nobody still has a token: of none, a mean is no number.
        assert inputs["attention_mask"].any(axis=1).all()
    assert sorted(seen) == [0, 1, 2, 3]


def test_long_texts_are_cut_and_short_ones_filled_up_where_the_model_learned_that() -> None:
    ((order, ids, _),) = given(tokens({"input_ids": OPEN}, most=2, is_padded=True))
    assert [ids[order.index(at)] for at in range(4)] == [[1, 2], [2, 4], [3, 1], [1, 4]]


def test_no_text_is_no_run() -> None:
    assert list(tokens({"input_ids": OPEN}).batches([])) == []
    ((_, inputs),) = tokens({"input_ids": OPEN}).batches([""])
    assert inputs["input_ids"].tolist() == [[4]]
    assert np.array_equal(inputs["position_ids"], [[0]])


def test_a_damaged_tokenizer_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text('{"version": "1.0"}')
    with pytest.raises(SightError, match="fetch the model again") as caught:
        open_tokenizer(file)
    assert "\n" not in str(caught.value)
