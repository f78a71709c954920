"""The scale of a joint model is measured once, and anew where what is kept cannot be read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tools.grounding.background import BACKGROUND
from tools.retrieval.sight_scale import scale_of
from tools.sight.cards import cards


class Halves:
    """Texts and pictures whose vectors are as like as they are told to be."""

    batch_pictures = 8

    def __init__(self, name: str = "sight:halves@1", *, width: int = 3) -> None:
        self.name = name
        self.width = width
        self.asked = 0

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += len(texts)
        return np.tile(np.array([1, 0, 0], np.float32), (len(texts), 1))

    def embed_pictures(self, images: Sequence[Any]) -> np.ndarray:
        return np.tile(np.eye(self.width, dtype=np.float32)[0], (len(images), 1)) * 0.3


def test_it_is_measured_once_for_each_model(tmp_path: Path) -> None:
    model = Halves()
    first = scale_of(model, tmp_path)
    asked = model.asked
    assert asked == len(BACKGROUND) + len(cards())
    again = scale_of(model, tmp_path)
    assert model.asked == asked
    assert again.match == first.match == pytest.approx(0.3)
    assert np.array_equal(again.texts, first.texts)
    scale_of(Halves("sight:halves@2"), tmp_path)
    assert len(list((tmp_path / "sight").iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04half", b"not a file of numbers"])
def test_a_damaged_file_is_made_again(tmp_path: Path, content: bytes) -> None:
    scale_of(Halves(), tmp_path)
    (file,) = (tmp_path / "sight").iterdir()
    file.write_bytes(content)
    model = Halves()
    assert scale_of(model, tmp_path).match == pytest.approx(0.3)
    assert model.asked
    assert file.stat().st_size > len(content)


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "sight").write_text("a file in its place")
    assert scale_of(Halves(), tmp_path).match == pytest.approx(0.3)


def test_halves_of_two_models_have_no_match(tmp_path: Path) -> None:
    assert scale_of(Halves(width=4), tmp_path).match == 0.0


def test_every_card_is_told_apart() -> None:
    sentences, pictures = zip(*cards(), strict=True)
    assert len(set(sentences)) == len({picture.tobytes() for picture in pictures}) == len(sentences)
