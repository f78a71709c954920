"""A question about a track that was read before needs no Chroma, and is never told what was."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.tools.store.store_writer import TRACK, captions_of, vectors_of
from tools.kept_captions import KeptFrames
from tools.sight.frame_track import as_caption, sight_track
from tools.store.copies import COPIES
from tools.store.generations import NOTE
from tools.store.repair import repair_store
from tools.store.store import CaptionGap, CaptionStore, VideoRecord
from tools.timeline import Caption, Interval, Track

COUNT = 150
RECORD = VideoRecord("v", "/films/dog.mp4", 400.0, TRACK, 3.0, True, "", "2026-11-02", COUNT)
OTHER = Track("other", "", "file")


def open_store(folder: Path) -> CaptionStore:
    return CaptionStore.open(folder, embedder="minilm")


def read(folder: Path) -> tuple[list[Caption], list[list[float]]]:
    with open_store(folder) as store:
        captions, vectors = store.read("v", TRACK)
    return list(captions), vectors.tolist()


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copies") / "store"
    with open_store(folder) as store:
        store.add(captions_of("v", COUNT), vectors_of("v", COUNT))
        store.put_record(RECORD)
        store.count("v", TRACK)
    return folder


@pytest.fixture
def folder(made_once: Path, tmp_path: Path) -> Path:
    """A store whose only track was read once."""
    folder = tmp_path / "store"
    shutil.copytree(made_once, folder)
    read(folder)
    return folder


@pytest.fixture
def without_chroma(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def refuse(_: object) -> None:
        raise AssertionError("Chroma was opened")

    return lambda: monkeypatch.setattr("tools.store.chroma.open_client", refuse)


def only_copy(folder: Path) -> Path:
    (file,) = (folder / COPIES).iterdir()
    return file


def test_the_second_reader_needs_no_chroma_and_reads_the_same(
    folder: Path, without_chroma: Callable[[], None]
) -> None:
    shutil.rmtree(folder / COPIES)
    by_chroma = read(folder)
    without_chroma()
    assert read(folder) == by_chroma
    assert by_chroma[0] == captions_of("v", COUNT)


def test_a_copy_stays_good_where_chroma_was_only_opened(
    folder: Path, without_chroma: Callable[[], None]
) -> None:
    kept = only_copy(folder).read_bytes()
    for _ in range(2):
        with open_store(folder) as store:
            assert store.search(vectors_of("v", 1)[0], limit=1)  # Likeness is Chroma's to tell.
    without_chroma()
    assert read(folder)[0] == captions_of("v", COUNT)
    assert only_copy(folder).read_bytes() == kept


def test_a_note_of_an_opening_says_nothing_of_what_is_written_later(folder: Path) -> None:
    with open_store(folder) as store:
        store.search(vectors_of("v", 1)[0], limit=1)
    copy, note = only_copy(folder), (folder / NOTE).read_bytes()
    kept = copy.read_bytes()
    with open_store(folder) as store:
        store.add(captions_of("v", COUNT + 3), vectors_of("v", COUNT + 3))
    copy.write_bytes(kept)
    (folder / NOTE).write_bytes(note)
    assert len(read(folder)[0]) == COUNT + 3


@pytest.mark.parametrize("note", ["", "[]", "[[1], 2]", "{", "[[1, 2], null]", "[" * 100_000])
def test_a_note_that_cannot_be_read_says_nothing(folder: Path, note: str) -> None:
    (folder / NOTE).write_text(note)
    assert read(folder)[0] == captions_of("v", COUNT)


def test_records_and_counts_need_no_chroma(
    folder: Path, without_chroma: Callable[[], None]
) -> None:
    without_chroma()
    with open_store(folder) as store:
        assert store.records() == [RECORD]
        assert store.records("w") == []
        assert store.count("v", TRACK) == COUNT
        assert store.count("v", OTHER) == 0
        assert store.gaps("v", TRACK) == []


def test_forgetting_what_is_not_there_needs_no_chroma(
    folder: Path, without_chroma: Callable[[], None]
) -> None:
    without_chroma()
    with open_store(folder) as store:
        assert store.forget("w") == 0
        assert store.records() == [RECORD]


def test_nobody_else_can_read_a_copy(folder: Path) -> None:
    assert only_copy(folder).stat().st_mode & 0o777 == 0o600
    assert (folder / COPIES).stat().st_mode & 0o777 == 0o700


def test_what_was_added_since_is_read(folder: Path) -> None:
    with open_store(folder) as store:
        store.add(captions_of("v", COUNT + 1), vectors_of("v", COUNT + 1))
    assert len(read(folder)[0]) == COUNT + 1


def test_what_was_forgotten_is_not_read_and_in_no_copy(folder: Path) -> None:
    with open_store(folder) as store:
        assert store.forget("v") == COUNT
    assert read(folder) == ([], [])
    assert list((folder / COPIES).iterdir()) == []


@pytest.mark.slow
def test_what_another_process_wrote_is_read(folder: Path) -> None:
    kept = only_copy(folder).read_bytes()
    with open_store(folder) as store:
        store.read("v", TRACK)
        writer = [sys.executable, "-m", "tests.tools.store.store_writer", str(folder), "v", "200"]
        subprocess.run(writer, check=True, capture_output=True)
        assert len(store.read("v", TRACK)[0]) == 200
    # Even an earlier version, which knows no copies and leaves them, does not make one true again.
    only_copy(folder).write_bytes(kept)
    assert len(read(folder)[0]) == 200


def test_a_database_that_was_put_back_is_read_as_it_is(folder: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(folder, backup)
    with open_store(folder) as store:
        store.add(captions_of("v", COUNT + 7), vectors_of("v", COUNT + 7))
        store.read("v", TRACK)
    newer = only_copy(folder).read_bytes()
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)
    only_copy(folder).write_bytes(newer)
    assert len(read(folder)[0]) == COUNT


@pytest.mark.parametrize("place", [0, 40, 90, 300, -300, -1])
def test_a_damaged_copy_is_not_believed(folder: Path, place: int) -> None:
    whole = bytearray(only_copy(folder).read_bytes())
    whole[place] ^= 1
    only_copy(folder).write_bytes(whole)
    assert read(folder)[0] == captions_of("v", COUNT)


@pytest.mark.parametrize("bytes_left", [0, 1, 200, 3000])
def test_a_copy_that_was_cut_off_is_not_believed(folder: Path, bytes_left: int) -> None:
    os.truncate(only_copy(folder), bytes_left)
    assert read(folder)[0] == captions_of("v", COUNT)


def test_a_folder_that_takes_no_copy_is_read_all_the_same(folder: Path) -> None:
    shutil.rmtree(folder / COPIES)
    (folder / COPIES).write_text("in the way")
    assert read(folder)[0] == captions_of("v", COUNT)


@pytest.mark.slow
def test_repair_leaves_no_copy_of_what_was_damaged(folder: Path) -> None:
    for file in folder.glob("*/data_level0.bin"):
        file.write_bytes(b"no vectors")

    class Ones:
        name, dimension = "minilm", 8

        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return vectors_of("v", len(texts))

    repaired = repair_store(folder, open_embedder=lambda _: Ones())
    assert repaired.moved_to is not None
    assert not list(repaired.moved_to.rglob("*.copy"))
    assert read(folder)[0] == captions_of("v", COUNT)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE migrations SET version = 99 WHERE dir = 'metadb' AND version = 6",
        "DELETE FROM max_seq_id",
        "DROP TABLE max_seq_id",
    ],
)
def test_a_database_in_another_form_is_left_to_chroma(
    folder: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = sqlite3.connect(folder / "chroma.sqlite3")
    with connection:
        connection.execute(change)
    connection.close()
    asked = []

    def note(folder: Path) -> None:
        asked.append(folder)
        raise OSError("no more than asked")

    monkeypatch.setattr("tools.store.chroma.open_client", note)
    with pytest.raises(Exception, match="no more than asked"):
        open_store(folder)
    assert asked


def test_what_chroma_has_still_to_carry_out_is_not_missed(folder: Path) -> None:
    changed = VideoRecord("v", "/films/cat.mp4", 400.0, TRACK, 3.0, True, "", "2026-11-02", COUNT)
    gap = CaptionGap("v", Interval(390.0, 391.0), "not now", TRACK, is_final=False)
    with open_store(folder) as store:
        store.add_gaps([gap])
    with open_store(folder) as store:
        assert store.gaps("v", TRACK) == [gap]
        store.put_record(changed)
        assert store.forget_passing_gaps("v", TRACK) == 1
    for _ in range(2):
        with open_store(folder) as store:
            assert store.records() == [changed]
            assert store.gaps("v", TRACK) == []
            assert store.forget_track("v", TRACK) in {COUNT, 0}
            assert store.count("v", TRACK) == 0
            assert store.seen_starts("v", TRACK) == frozenset()
            store.put_record(changed)


def test_what_frames_look_like_takes_half_the_bytes_and_is_read_the_same_again(
    tmp_path: Path,
) -> None:
    track = sight_track("sight:tiny@1", "frame@1/s")
    frames = [as_caption("v", Interval(float(at), at + 1.0), track) for at in range(COUNT)]
    vectors = np.random.default_rng(1).normal(size=(COUNT, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with CaptionStore.open(tmp_path / "store", embedder=track.model) as store:
        store.add(frames, vectors)
    reads = []
    for _ in range(2):
        with CaptionStore.open(tmp_path / "store", embedder=track.model) as store:
            reads.append(store.read("v", track))
    (copy,) = (tmp_path / "store" / COPIES).iterdir()
    assert b'"<f2"' in copy.read_bytes()
    assert [*reads[0][0]] == [*reads[1][0]] == frames
    assert all(isinstance(read[0], KeptFrames) and read[1].dtype == np.float16 for read in reads)
    np.testing.assert_array_equal(reads[0][1], reads[1][1])
    np.testing.assert_allclose(reads[0][1], vectors, atol=5e-4)
    assert not any(read[1].flags.writeable for read in reads)
