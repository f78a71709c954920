"""A store that ends the process which reads it is damaged; what cannot be checked is an error."""

import os
import sys
from pathlib import Path

import pytest

from tests.tools.store.store_writer import TRACK, captions_of, vectors_of
from tools.errors import StoreError
from tools.store.soundness import is_sound
from tools.store.store import CaptionStore

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    with CaptionStore.open(folder, embedder="minilm") as store:
        store.add(captions_of("v", 150), vectors_of("v", 150))
        store.count("v", TRACK)
    return folder


def python_that(does: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = tmp_path / "python"
    stand_in.write_text(f"#!/bin/sh\n{does}\n")
    stand_in.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(stand_in))


def test_a_store_is_sound_until_its_vectors_are_lost(folder: Path) -> None:
    assert is_sound(folder)
    for file in folder.glob("*/data_level0.bin"):
        os.truncate(file, 10)
    assert not is_sound(folder)


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_a_store_that_ends_its_reader_is_damaged(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python_that("kill -SEGV $$", tmp_path, monkeypatch)
    assert not is_sound(folder)


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_a_check_that_cannot_be_made_is_an_error_and_damages_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python_that("echo 'no such module' >&2; exit 1", tmp_path, monkeypatch)
    with pytest.raises(StoreError, match="could not be checked: no such module"):
        is_sound(folder)
