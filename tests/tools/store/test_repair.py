"""A damaged store is made sound again from what its database still says; nothing is deleted."""

import errno
import json
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.tools.store.store_writer import ROUNDED, TRACK, captions_of
from tools.embedders.embedder import Embedder
from tools.errors import EmbedderError, StoreError
from tools.sight.frame_track import as_caption, sight_track
from tools.store import soundness
from tools.store.layout import metadata_of
from tools.store.repair import repair_store
from tools.store.store import CaptionGap, CaptionStore, VideoRecord
from tools.timeline import Caption, Interval

COUNT = 1100
RECORD = VideoRecord(
    "v", "/films/dog.mp4", 400.0, TRACK, 3.0, True, "", "2026-11-02T10:00:00", COUNT
)
GAP = CaptionGap("v", Interval(390.0, 391.0), "I cannot describe this.", TRACK)


class Scattered:
    """Texts lie anywhere, equal ones in the same place: an index of those is easily searched."""

    name = "words"
    dimension = 16

    def __init__(self) -> None:
        self.texts = 0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += len(texts)
        seeds = [zlib.crc32(text.encode()) for text in texts]
        rows = [np.random.default_rng(seed).normal(size=self.dimension) for seed in seeds]
        vectors = np.array(rows, np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def open_words(name: str) -> Embedder:
    assert name == "words"
    return Scattered()


@pytest.fixture(scope="module")
def sound_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole store, which is made once. Copy it, change nothing."""
    folder = tmp_path_factory.mktemp("sound") / "store"
    captions = captions_of("v", COUNT)
    with CaptionStore.open(folder, embedder="words") as store:
        store.add(captions, Scattered().embed([one.text for one in captions]))
        store.put_record(RECORD)
        store.add_gaps([GAP])
    return folder


@pytest.fixture
def folder(tmp_path: Path, sound_folder: Path) -> Path:
    return shutil.copytree(sound_folder, tmp_path / "store")


def break_index(folder: Path) -> None:
    for pickled in folder.glob("*/index_metadata.pickle"):
        pickled.write_bytes(b"no pickle")


def assert_whole(folder: Path) -> None:
    captions = captions_of("v", COUNT)
    with CaptionStore.open(folder, embedder="words") as store:
        read, vectors = store.read("v", TRACK)
        assert read == captions
        wanted = Scattered().embed([one.text for one in captions])
        np.testing.assert_allclose(vectors, wanted, atol=ROUNDED)
        assert store.records() == [RECORD]
        assert store.gaps("v", TRACK) == [GAP]
        assert store.search(wanted[7], limit=1)[0][1] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.slow
def test_a_broken_index_is_built_anew_and_the_old_files_are_kept(folder: Path) -> None:
    break_index(folder)
    told: list[tuple[int, int]] = []
    repaired = repair_store(
        folder, open_embedder=open_words, report=lambda done, total: told.append((done, total))
    )
    assert (repaired.captions, repaired.videos, repaired.left_out) == (COUNT, 1, [])
    assert told[-1] == (COUNT, COUNT)
    assert repaired.moved_to is not None
    assert (repaired.moved_to / "chroma.sqlite3").exists()
    assert_whole(folder)


@pytest.mark.slow
def test_a_second_repair_within_a_second_keeps_both_old_stores(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or at the same time of another day: the clock may be set back."""
    at = datetime(2026, 10, 25, 2, 30, tzinfo=UTC)
    monkeypatch.setattr("tools.store.repair.datetime", SimpleNamespace(now=lambda _: at))
    for _ in range(2):
        break_index(folder)
        repair_store(folder, open_embedder=open_words)
    assert_whole(folder)
    kept = sorted(path.name for path in folder.parent.iterdir() if "damaged" in path.name)
    assert kept == [f"{folder.name}-damaged-20261025-023000{more}" for more in ("", "-2")]


@pytest.mark.slow
def test_a_sound_store_is_left_as_it_is(folder: Path) -> None:
    repaired = repair_store(folder, open_embedder=open_words)
    assert repaired.moved_to is None
    assert sorted(one.name for one in folder.parent.iterdir()) == ["store"]
    assert_whole(folder)


@pytest.mark.slow
def test_lost_vectors_are_damage_too(folder: Path) -> None:
    for index in folder.glob("*/data_level0.bin"):
        shutil.rmtree(index.parent)
    repaired = repair_store(folder, open_embedder=open_words)
    assert repaired.moved_to is not None
    assert_whole(folder)


@pytest.mark.slow
@pytest.mark.parametrize("moves", range(4))
def test_a_repair_that_is_broken_off_is_finished_by_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    break_index(folder)
    move, moved = shutil.move, 0

    def breaks_off(source: Path, target: Path) -> None:
        nonlocal moved
        moved += 1
        if moved > moves:
            raise KeyboardInterrupt
        move(source, target)

    monkeypatch.setattr("tools.store.repair.shutil.move", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        repair_store(folder, open_embedder=open_words)
    monkeypatch.undo()
    with pytest.raises(StoreError, match=r"repair .* was interrupted; finish it with"):
        CaptionStore.open(folder, embedder="words")
    repair_store(folder, open_embedder=open_words)
    assert_whole(folder)
    assert len([one for one in folder.parent.iterdir() if one != folder]) == 1


@pytest.mark.slow
def test_captions_of_an_embedder_that_cannot_be_had_are_named_and_kept_aside(folder: Path) -> None:
    with CaptionStore.open(folder, embedder="other") as store:
        store.add(captions_of("w", 3), np.ones((3, 2)))
    break_index(folder)

    def open_some(name: str) -> Embedder:
        if name == "other":
            raise EmbedderError("install it")
        return open_words(name)

    repaired = repair_store(folder, open_embedder=open_some)
    assert repaired.left_out == ["3 captions of other: install it"]
    assert_whole(folder)


@pytest.mark.slow
def test_frames_are_asked_of_no_embedder_and_are_to_be_looked_at_again(folder: Path) -> None:
    track = sight_track("sight:tiny@1", "frame@1/s")
    frames = [as_caption("v", Interval(float(at), at + 1.0), track) for at in range(3)]
    with CaptionStore.open(folder, embedder=track.model) as store:
        store.add(frames, np.eye(3))
        store.put_record(replace(RECORD, track=track, captions=3))
    break_index(folder)
    repaired = repair_store(folder, open_embedder=open_words)
    (left_out,) = repaired.left_out
    assert left_out.startswith("3 frames that sight:tiny@1 has seen")
    assert_whole(folder)
    with CaptionStore.open(folder, embedder=track.model) as store:
        (record,) = store.records("v")
        assert not record.complete
        store.add(frames, np.eye(3))


@pytest.mark.slow
def test_a_record_whose_captions_are_lost_is_not_complete_any_more(folder: Path) -> None:
    break_index(folder)
    with sqlite3.connect(folder / "chroma.sqlite3") as connection:
        connection.execute(
            "DELETE FROM embeddings WHERE id IN (SELECT id FROM embedding_metadata "
            "WHERE key = 'said' AND string_value LIKE '% v 5')"
        )
    connection.close()
    repair_store(folder, open_embedder=open_words)
    with CaptionStore.open(folder, embedder="words") as store:
        (record,) = store.records()
        assert not record.complete
        assert store.count("v", TRACK) == COUNT - 1


@pytest.mark.slow
def test_what_is_no_database_is_said_to_be_lost_and_left_alone(folder: Path) -> None:
    (folder / "chroma.sqlite3").write_bytes(b"no database " * 500)
    with pytest.raises(StoreError, match=r"nothing can be read .* move the folder .* away"):
        repair_store(folder, open_embedder=open_words)
    assert (folder / "chroma.sqlite3").read_bytes() == b"no database " * 500
    assert not (folder / "repair").exists()


@pytest.mark.slow
def test_an_embedder_is_asked_for_each_caption_once(folder: Path) -> None:
    break_index(folder)
    counted = Scattered()
    repair_store(folder, open_embedder=lambda _: counted)
    assert counted.texts == COUNT


def of_earlier_version(caption: Caption) -> dict[str, str]:
    plain = {k: str(v) for k, v in caption.as_dict().items() if k not in {"id", "text"}}
    return plain | {"track": caption.track.key, "chroma:document": caption.text}


@pytest.mark.slow
@pytest.mark.parametrize("form", [metadata_of, of_earlier_version])
def test_what_waits_in_the_queue_is_taken_over_too(
    folder: Path, form: Callable[[Caption], dict[str, str]]
) -> None:
    """A process that is killed between a write and its sorting in leaves it there."""
    break_index(folder)
    late = captions_of("v", COUNT + 1)[-1]
    with sqlite3.connect(folder / "chroma.sqlite3") as connection:
        (collection,) = connection.execute(
            "SELECT id FROM collections WHERE name LIKE 'captions-%'"
        ).fetchone()
        connection.execute(
            "INSERT INTO embeddings_queue (operation, topic, id, metadata) VALUES (0, ?, ?, ?)",
            (f"persistent://default/default/{collection}", late.id, json.dumps(form(late))),
        )
    connection.close()
    assert repair_store(folder, open_embedder=open_words).captions == COUNT + 1


def wait_in_queue(folder: Path, name: str, *waiting: tuple[int, str, str | None]) -> None:
    """What Chroma was told last, and has not sorted in yet: on a full disk, or when killed."""
    with sqlite3.connect(folder / "chroma.sqlite3") as connection:
        (collection,) = connection.execute(
            "SELECT id FROM collections WHERE name LIKE ?", (f"{name}%",)
        ).fetchone()
        connection.executemany(
            "INSERT INTO embeddings_queue (operation, topic, id, metadata) VALUES (?, ?, ?, ?)",
            [
                (operation, f"persistent://default/default/{collection}", id_, metadata)
                for operation, id_, metadata in waiting
            ],
        )
    connection.close()


@pytest.mark.slow
def test_a_change_that_waits_in_the_queue_leaves_the_rest_as_it_is(folder: Path) -> None:
    break_index(folder)
    (id_,) = read_ids(folder, "videos")
    changed = json.dumps(replace(RECORD, warning="it was being forgotten").as_dict())
    said = json.dumps({"chroma:document": changed})
    wait_in_queue(folder, "videos", (1, id_, said), (1, "nobody", said))
    assert repair_store(folder, open_embedder=open_words).captions == COUNT
    with CaptionStore.open(folder, embedder="words") as store:
        (record,) = store.records()
    assert record.warning == "it was being forgotten"


@pytest.mark.slow
def test_what_waits_to_be_deleted_does_not_come_back(folder: Path) -> None:
    break_index(folder)
    ids = read_ids(folder, "captions-")
    wait_in_queue(folder, "captions-", *((3, id_, None) for id_ in ids[:100]))
    assert repair_store(folder, open_embedder=open_words).captions == COUNT - 100


def read_ids(folder: Path, name: str) -> list[str]:
    with sqlite3.connect(folder / "chroma.sqlite3") as connection:
        found = connection.execute(
            "SELECT e.embedding_id FROM embeddings e JOIN segments s ON s.id = e.segment_id "
            "JOIN collections c ON c.id = s.collection WHERE c.name LIKE ?",
            (f"{name}%",),
        ).fetchall()
    connection.close()
    return [id_ for (id_,) in found]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), soundness.UNKNOWN),
        (OSError(errno.EMFILE, "Too many open files"), soundness.UNKNOWN),
        (ValueError("hnsw"), soundness.DAMAGED),
    ],
)
def test_a_full_disk_is_no_damage(
    error: Exception, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Path) -> bool:
        raise error

    monkeypatch.setattr(soundness, "_are_vectors_sound", fails)
    monkeypatch.setattr("sys.argv", ["soundness", str(tmp_path)])
    assert soundness.main() == code


@pytest.mark.slow
@pytest.mark.parametrize(("has_record", "expected"), [(True, COUNT), (False, 0)])
def test_what_marks_mean_is_told_by_the_records_too(
    folder: Path, has_record: bool, expected: int
) -> None:
    break_index(folder)
    with sqlite3.connect(folder / "chroma.sqlite3") as connection:
        lost = ["tracks"] if has_record else ["tracks", "videos"]
        connection.execute(
            "DELETE FROM embeddings WHERE segment_id IN (SELECT s.id FROM segments s "
            "JOIN collections c ON s.collection = c.id WHERE c.name IN (?, ?))",
            (lost[0], lost[-1]),
        )
        connection.execute("DELETE FROM embeddings_queue")
    connection.close()
    repaired = repair_store(folder, open_embedder=open_words)
    assert repaired.captions == expected
    assert any("nothing says of what" in line for line in repaired.left_out) is not has_record
