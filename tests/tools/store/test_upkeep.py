"""A store takes no more space than it needs once nobody has it open."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.tools.store.store_writer import ROUNDED, TRACK, captions_of
from tools.store.copies import COPIES
from tools.store.store import CaptionStore
from tools.store.upkeep import give_back_space

COUNT = 600


def unused_share(folder: Path) -> float:
    with closing(sqlite3.connect(folder / "chroma.sqlite3")) as connection:
        unused = connection.execute("PRAGMA freelist_count").fetchone()[0]
        return float(unused / connection.execute("PRAGMA page_count").fetchone()[0])


@pytest.mark.slow
def test_the_hole_that_adding_leaves_is_given_back_and_nothing_else(tmp_path: Path) -> None:
    captions = captions_of("v", COUNT)
    vectors = np.random.default_rng(0).normal(size=(COUNT, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with CaptionStore.open(tmp_path, embedder="minilm") as store:
        for first in range(0, COUNT, 100):
            store.add(captions[first : first + 100], vectors[first : first + 100])
        assert unused_share(tmp_path) > 0.1
        store.read("v", TRACK)
        (copy,) = (tmp_path / COPIES).iterdir()
        kept = copy.stat().st_ino
    assert unused_share(tmp_path) < 0.05
    with CaptionStore.open(tmp_path, embedder="minilm") as store:
        read, read_vectors = store.read("v", TRACK)
        (found, _), *_ = store.search(vectors[7], limit=1)
    assert read == captions
    np.testing.assert_allclose(read_vectors, vectors, atol=ROUNDED)
    assert found == captions[7]
    assert copy.stat().st_ino == kept, "it holds what the database holds"


def test_a_small_hole_is_left_for_what_comes_next(tmp_path: Path) -> None:
    with CaptionStore.open(tmp_path, embedder="minilm") as store:
        store.add(captions_of("v", 5), np.eye(5, 8, dtype=np.float32))
    assert not give_back_space(tmp_path)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"\xff" * 4096])
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(content)
    assert not give_back_space(tmp_path)
    assert (tmp_path / "chroma.sqlite3").read_bytes() == content
