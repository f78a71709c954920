"""The store keeps what it is given, exactly and once, beside other users; Chroma is real."""

import gc
import math
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromadb.api.models.Collection import Collection

from tests.patience import PATIENCE_S
from tests.tools.store import store_writer
from tests.tools.store.store_writer import DIMENSION, ROUNDED, TRACK, captions_of, vectors_of
from tools.errors import StoreBusyError, StoreError
from tools.kept_captions import KeptCaptions
from tools.store.store import CaptionGap, CaptionStore, VideoRecord
from tools.timeline import Caption, Interval, Track

OTHER_TRACK = Track("openai:gpt-5-mini", "a1b2c3", "frame@2/s")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Iterator[CaptionStore]:
    with open_store(folder) as opened:
        yield opened


def open_store(folder: Path, **options: Any) -> CaptionStore:
    return CaptionStore.open(folder, embedder="minilm", **options)


def caption(text: str = "a dog runs", *, start_s: float = 0.0, video_id: str = "v") -> Caption:
    return Caption(video_id, Interval(start_s, start_s + 2), text, "vision", TRACK)


def record(video_id: str = "v", **changed: Any) -> VideoRecord:
    values: dict[str, Any] = {
        "video_id": video_id,
        "path": "/films/dog.mp4",
        "duration_s": 0.1 + 0.2,
        "track": TRACK,
        "rate_hz": 1.0,
        "complete": False,
        "warning": "",
        "indexed_at": "2026-11-02T10:00:00+00:00",
        "captions": 0,
    }
    return VideoRecord(**(values | changed))


# --- captions


def test_captions_come_back_in_time_order_with_their_own_vectors(store: CaptionStore) -> None:
    captions, vectors = captions_of("v", 40), vectors_of("v", 40)
    backwards = list(reversed(range(40)))
    assert store.add([captions[row] for row in backwards], vectors[backwards]) == 40
    read, read_vectors = store.read("v", TRACK)
    assert read == captions
    assert read_vectors.dtype == np.float32
    np.testing.assert_allclose(read_vectors, vectors, atol=ROUNDED)


def test_times_come_back_to_the_last_bit_so_that_ids_stay(store: CaptionStore) -> None:
    random = np.random.default_rng(0)
    starts = [0.1 + 0.2, 1 / 3, 5e-324, 1e15 / 7, *(random.random(300) * 1e4)]
    captions = [
        Caption(
            "v",
            Interval(float(start), math.nextafter(float(start) * 1.7, math.inf)),
            "x",
            "screen",
            TRACK,
        )
        for start in starts
    ]
    store.add(captions, np.ones((len(captions), DIMENSION)))
    read, _ = store.read("v", TRACK)
    assert {one.id for one in read} == {one.id for one in captions}


def test_adding_again_changes_nothing_and_counts_nothing(store: CaptionStore) -> None:
    captions, vectors = captions_of("v", 10), vectors_of("v", 10)
    assert store.add(captions[:6], vectors[:6]) == 6
    assert store.add(captions, -vectors) == 4
    assert store.add(captions, vectors) == 0
    read, read_vectors = store.read("v", TRACK)
    assert read == captions
    np.testing.assert_allclose(read_vectors[:6], vectors[:6], atol=ROUNDED)


def test_of_a_caption_given_twice_the_first_counts(store: CaptionStore) -> None:
    assert store.add([caption("first"), caption("second")], np.eye(2, DIMENSION)) == 1
    assert [one.text for one in store.read("v", TRACK)[0]] == ["first"]


@pytest.mark.slow
def test_more_captions_than_one_batch_of_chroma_takes(store: CaptionStore) -> None:
    captions = [caption(start_s=float(second)) for second in range(6000)]
    assert store.add(captions, np.tile(vectors_of("v", 60), (100, 1))) == 6000
    assert store.count("v", TRACK) == 6000
    assert store.forget("v") == 6000


def test_a_second_read_asks_chroma_for_nothing_until_something_is_written(
    store: CaptionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(captions_of("v", 10), vectors_of("v", 10))
    gets: list[str] = []
    get = Collection.get

    def noting(self: Collection, **arguments: Any) -> Any:
        gets.append(self.name)
        return get(self, **arguments)

    monkeypatch.setattr(Collection, "get", noting)
    first, second = store.read("v", TRACK), store.read("v", TRACK)
    assert len(gets) == 1
    assert first[0] == second[0]
    assert first[0] is second[0]
    store.put_record(record())
    store.read("v", TRACK)
    assert len(gets) == 2


@pytest.mark.slow
def test_records_that_were_read_are_told_while_another_process_keeps_the_store(
    folder: Path,
) -> None:
    with open_store(folder, busy_timeout_s=0.05) as store:
        store.put_record(record())
        known = store.records()
        holder = start_holder(folder)
        try:
            assert store.records() == known == [record()]
        finally:
            holder.kill()
            holder.wait()
        store.put_record(record(captions=8))
        assert store.records() == [record(captions=8)]


def test_a_list_of_records_is_its_readers_own(store: CaptionStore) -> None:
    store.put_record(record())
    store.records().clear()
    assert store.records() == [record()]


def test_what_is_read_cannot_be_changed_for_the_next_reader(store: CaptionStore) -> None:
    store.add(captions_of("v", 3), vectors_of("v", 3))
    captions, vectors = store.read("v", TRACK)
    assert isinstance(captions, KeptCaptions)
    with pytest.raises(TypeError, match="make a list of them"):
        captions.clear()
    with pytest.raises(ValueError, match="read-only"):
        vectors[0] = 0
    assert len(store.read("v", TRACK)[0]) == 3


def test_a_reader_sees_what_another_store_of_this_process_writes_and_forgets(
    folder: Path, store: CaptionStore
) -> None:
    with open_store(folder) as other:
        for count in (2, 5):
            other.add(captions_of("v", count), vectors_of("v", count))
            assert len(store.read("v", TRACK)[0]) == count
        other.add_gaps([CaptionGap("v", Interval(7, 8), "too dark", TRACK)])
        assert store.gaps("v", TRACK) == [CaptionGap("v", Interval(7, 8), "too dark", TRACK)]
        other.forget("v")
        assert store.read("v", TRACK)[0] == []
        assert store.gaps("v", TRACK) == []


@pytest.mark.parametrize("kept", ["", "v", "vw"])
def test_the_minutes_around_a_span_are_read_alone(store: CaptionStore, kept: str) -> None:
    captions = [caption(f"{n}", start_s=20.0 * n) for n in range(30)]
    vectors = vectors_of("v", 30)
    store.add(captions, vectors)
    store.add([caption(start_s=130, video_id="w")], vectors[:1])
    for video_id in kept:  # What was read whole is not read again.
        store.read(video_id, TRACK)
    (read, read_vectors), other_track, past_the_end, other_video, shared = store.read_around(
        [
            ("v", TRACK, Interval(100, 190)),
            ("v", OTHER_TRACK, Interval(100, 190)),
            ("v", TRACK, Interval(9000, 9001)),
            ("w", TRACK, Interval(120, 121)),
            ("v", TRACK, Interval(200, 250)),
        ]
    )
    assert [one.start_s for one in read] == [20.0 * n for n in range(3, 12)]
    np.testing.assert_allclose(read_vectors, vectors[3:12], atol=ROUNDED)
    assert other_track[0] == past_the_end[0] == []
    assert [one.video_id for one in other_video[0]] == ["w"]
    assert [one.start_s for one in shared[0]] == [240.0, 260.0, 280.0]
    assert store.read_around([]) == []


def test_tracks_and_videos_are_kept_apart(store: CaptionStore) -> None:
    other = Caption("v", Interval(5, 6), "a cat", "vision", OTHER_TRACK)
    store.add([caption(start_s=1.5), caption(video_id="w"), other], np.eye(3, DIMENSION))
    assert store.seen_starts("v", TRACK) == {1.5}
    assert store.seen_starts("v", OTHER_TRACK) == {5.0}
    assert store.count("w", TRACK) == 1
    assert store.read("w", OTHER_TRACK)[0] == []


def test_an_empty_store_reads_as_empty(store: CaptionStore) -> None:
    captions, vectors = store.read("v", TRACK)
    assert (captions, len(vectors)) == ([], 0)
    assert store.records() == []
    assert store.seen_starts("v", TRACK) == frozenset()
    assert store.search([1.0, 0.0], limit=3) == []
    assert store.forget("v") == 0
    assert store.add([], np.empty((0, DIMENSION))) == 0


@pytest.mark.parametrize(
    ("vectors", "complaint"),
    [
        (np.ones((1, DIMENSION)), r"2 captions, .* not an array of shape \(1, 8\)"),
        (np.ones(DIMENSION), r"shape \(8,\)"),
        ([[1.0] * DIMENSION, [math.nan] * DIMENSION], "caption at 4.0 s of v .'a cat'. is not fin"),
        ([[1.0] * DIMENSION, [0.0] * DIMENSION], "caption at 4.0 s of v"),
    ],
)
def test_vectors_that_do_not_fit_are_refused_and_nothing_is_written(
    store: CaptionStore, vectors: Any, complaint: str
) -> None:
    with pytest.raises(StoreError, match=complaint):
        store.add([caption(), caption("a cat", start_s=4.0)], vectors)
    assert store.count("v", TRACK) == 0


def test_vectors_of_another_length_name_both_lengths(store: CaptionStore) -> None:
    store.add([caption()], np.ones((1, DIMENSION)))
    with pytest.raises(StoreError, match="vectors of 5 dimensions do not fit the store's 8"):
        store.add([caption(start_s=9.0)], np.ones((1, 5)))
    with pytest.raises(StoreError, match="vectors of 5 dimensions"):
        store.search(np.ones(5), limit=1)


# --- search across videos


def test_search_finds_the_nearest_of_all_videos_with_their_cosine(store: CaptionStore) -> None:
    for video_id in ("v", "w"):
        store.add(captions_of(video_id, 30), vectors_of(video_id, 30))
    wanted = vectors_of("w", 30)[17]
    found = store.search(wanted, limit=5)
    assert found[0][0] == captions_of("w", 30)[17]
    cosines = np.concatenate([vectors_of("v", 30), vectors_of("w", 30)]) @ wanted
    expected = np.sort(cosines)[::-1][:5]
    np.testing.assert_allclose([cosine for _, cosine in found], expected, atol=1e-5)


def test_a_search_without_a_direction_is_refused(store: CaptionStore) -> None:
    with pytest.raises(StoreError, match="finite vector that is not zero"):
        store.search(np.zeros(DIMENSION), limit=1)


# --- records


def test_a_record_comes_back_exactly_and_a_later_one_takes_its_place(store: CaptionStore) -> None:
    first = record(rate_hz=None)
    store.put_record(first)
    assert store.records("v") == [first]
    done = record(complete=True, captions=7, warning="the file ends early")
    store.put_record(done)
    store.put_record(record(track=OTHER_TRACK))
    store.put_record(record("w", path="/films/a.mp4"))
    assert store.records() == [record("w", path="/films/a.mp4"), *store.records("v")]
    assert done in store.records("v")
    assert len(store.records("v")) == 2


def test_a_record_reads_back_its_plain_values() -> None:
    assert VideoRecord.from_dict(record().as_dict()) == record()
    assert record().at(Path("/elsewhere/dog.mp4")).path == "/elsewhere/dog.mp4"


def test_another_embedders_records_and_captions_are_not_seen_but_are_forgotten(
    folder: Path, store: CaptionStore
) -> None:
    store.add([caption()], np.ones((1, DIMENSION)))
    store.put_record(record())
    with CaptionStore.open(folder, embedder="openai:text-embedding-3-small") as other:
        assert other.records() == []
        assert other.add([caption()], np.ones((1, 3))) == 1
        assert other.forget("v") == 2
    assert store.records() == []
    assert store.count("v", TRACK) == 0


def test_forgetting_leaves_other_videos_alone(store: CaptionStore) -> None:
    for video_id in ("v", "w"):
        store.add(captions_of(video_id, 5), vectors_of(video_id, 5))
        store.put_record(record(video_id))
    assert store.forget("v") == 5
    assert [one.video_id for one in store.records()] == ["w"]
    assert store.read("v", TRACK)[0] == []
    assert store.read("w", TRACK)[0] == captions_of("w", 5)
    assert store.add(captions_of("v", 5), vectors_of("v", 5)) == 5


# --- several users at once


def test_stores_of_one_process_share_their_folder(folder: Path, store: CaptionStore) -> None:
    with open_store(folder) as second:
        second.add([caption()], np.ones((1, DIMENSION)))
        assert store.count("v", TRACK) == 1
    assert store.add([caption(start_s=3.0)], np.ones((1, DIMENSION))) == 1


def test_threads_add_to_one_store(store: CaptionStore) -> None:
    def add(video_id: str) -> None:
        for first in range(0, 40, 10):
            batch = slice(first, first + 10)
            store.add(captions_of(video_id, 40)[batch], vectors_of(video_id, 40)[batch])

    threads = [threading.Thread(target=add, args=(video_id,)) for video_id in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for video_id in "abc":
        assert_whole(store, video_id, 40)


def test_a_closed_store_can_be_closed_again_and_opened_anew(folder: Path) -> None:
    store = open_store(folder)
    store.add([caption()], np.ones((1, DIMENSION)))
    store.close()
    store.close()
    with open_store(folder) as again:
        assert again.count("v", TRACK) == 1


@pytest.mark.slow
def test_an_open_reader_sees_what_another_process_adds(folder: Path, store: CaptionStore) -> None:
    store.add(captions_of("v", 30), vectors_of("v", 30))
    assert store.search(vectors_of("v", 30)[0], limit=1)
    run_writer(folder, "v", 40)
    assert_whole(store, "v", 40)
    assert store.read("w", TRACK)[0] == []
    run_writer(folder, "w", 30)
    assert_whole(store, "w", 30)
    assert store.search(vectors_of("w", 30)[4], limit=1)[0][0] == captions_of("w", 30)[4]
    store.add(captions_of("x", 30), vectors_of("x", 30))
    run_writer(folder, "y", 30)
    for video_id in "wxy":
        assert_whole(store, video_id, 30)


@pytest.mark.slow
def test_processes_that_write_and_read_at_once_lose_nothing(folder: Path) -> None:
    count = 600
    with (
        start_writer(folder, "a", count) as first,
        start_writer(folder, "b", count) as second,
        start_writer(folder, "c", count) as third,
        open_store(folder) as reader,
    ):
        writers = [first, second, third]
        while any(writer.poll() is None for writer in writers):
            captions, vectors = reader.read("a", TRACK)
            rows = [captions_of("a", count).index(one) for one in captions]
            if rows:
                np.testing.assert_allclose(vectors, vectors_of("a", count)[rows], atol=ROUNDED)
                assert reader.search(vectors_of("a", count)[rows[0]], limit=1)[0][1] > 0.999
        assert [writer.wait() for writer in writers] == [0, 0, 0]
        for video_id in "abc":
            assert_whole(reader, video_id, count)
    with open_store(folder) as fresh:
        for video_id in "abc":
            assert_whole(fresh, video_id, count)


@pytest.mark.slow
def test_a_killed_writer_leaves_whole_batches_and_the_rest_can_be_added(folder: Path) -> None:
    count = 1200
    random = np.random.default_rng(1)
    for _ in range(4):
        with start_writer(folder, "v", count) as writer:
            assert writer.stdout is not None
            # Kill somewhere in the work of the next batches, not at one moment of them.
            for _ in range(int(random.integers(1, 5))):
                writer.stdout.readline()
            time.sleep(float(random.uniform(0, 0.03)))
            writer.kill()
            finished = sum(line == b"batch\n" for line in writer.stdout.readlines())
        with open_store(folder) as store:
            stored, vectors = store.read("v", TRACK)
            assert stored == captions_of("v", count)[: len(stored)]
            assert len(stored) % store_writer.BATCH == 0 or len(stored) == count
            assert len(stored) >= finished * store_writer.BATCH
            np.testing.assert_allclose(vectors, vectors_of("v", count)[: len(stored)], atol=ROUNDED)
    with open_store(folder) as store:
        store.add(captions_of("v", count), vectors_of("v", count))
        assert_whole(store, "v", count)


def test_a_store_that_others_keep_busy_says_who_and_gives_up(folder: Path) -> None:
    said: list[str] = []
    with open_store(folder, busy_timeout_s=0.05, on_wait=said.append) as store:
        holder = start_holder(folder)
        try:
            with pytest.raises(
                StoreBusyError, match=f"process 7 on far has held .*{folder}.* 0.05 s"
            ):
                store.records()
        finally:
            holder.kill()
            holder.wait()
        assert said == [f"waiting for process 7 on far, which uses {folder}"]
        assert store.records() == []


# --- what can be wrong with a folder


def test_a_file_in_the_folders_place_is_named(folder: Path) -> None:
    folder.write_text("not a folder")
    with pytest.raises(StoreError, match=f"{folder} cannot be made: a file is there"):
        open_store(folder)


def test_a_damaged_database_is_named_with_the_next_step(folder: Path) -> None:
    folder.mkdir()
    (folder / "chroma.sqlite3").write_bytes(b"no database " * 500)
    with pytest.raises(StoreError, match=f"{folder} is damaged: .*whenabouts repair"):
        open_store(folder)


@pytest.mark.slow
def test_a_damaged_index_is_named_with_the_next_step(folder: Path) -> None:
    with open_store(folder) as store:
        store.add(captions_of("v", 1100), vectors_of("v", 1100))
    for pickled in folder.glob("*/index_metadata.pickle"):
        pickled.write_bytes(b"no pickle")
    with (
        open_store(folder) as store,
        pytest.raises(StoreError, match=f"{folder} cannot be read: .*; its captions .* repair"),
    ):
        store.read("v", TRACK)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own; skips where one cannot be mounted."""
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small or read-only file system is not allowed here")
    try:
        yield
    finally:
        # Lazily: Chroma lets go of its files a moment after it is closed.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_folder_that_cannot_be_written_says_so(folder: Path) -> None:
    with (
        mounted(folder, "ro,size=1m"),
        pytest.raises(StoreError, match=f"{folder} cannot be written: .*WHENABOUTS_HOME"),
    ):
        open_store(folder)


@pytest.mark.slow
def test_a_full_disk_says_so_and_keeps_what_was_written(folder: Path) -> None:
    written = 0

    def fill(store: CaptionStore) -> None:
        nonlocal written
        for number in range(200):
            captions = [caption("long " * 20, start_s=1000.0 * number + row) for row in range(50)]
            written += store.add(captions, np.ones((50, DIMENSION)))

    with mounted(folder, "size=2m"):
        with (
            open_store(folder) as store,
            pytest.raises(StoreError, match=f"no space is left for .*{folder}; free some"),
        ):
            fill(store)
        subprocess.run(["mount", "-o", "remount,size=9m", folder], check=True)
        with open_store(folder) as store:
            stored = store.count("v", TRACK)
    assert stored >= written > 0
    assert stored % 50 == 0


# --- a server


@pytest.mark.slow
def test_a_server_keeps_captions_and_records_as_a_folder_does(
    server_url: str, folder: Path
) -> None:
    with open_store(folder, url=server_url) as store, open_store(folder, url=server_url) as other:
        assert store.add(captions_of("v", 50), vectors_of("v", 50)) == 50
        assert other.add(captions_of("v", 60), vectors_of("v", 60)) == 10
        assert_whole(store, "v", 60)
        store.put_record(record())
        assert other.records() == [record()]
        assert other.search(vectors_of("v", 60)[3], limit=1)[0][0] == captions_of("v", 60)[3]
        assert other.forget("v") == 60
        assert store.records() == []
    assert not folder.exists()


@pytest.mark.slow
def test_a_store_that_is_closed_leaves_no_connection_to_the_server(
    server_url: str, folder: Path
) -> None:
    port = int(server_url.rpartition(":")[2])
    with open_store(folder, url=server_url) as store:
        store.records()
        assert connections_to(port)
    assert not connections_to(port)


def test_a_server_that_does_not_answer_is_named_with_the_line_that_starts_it(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(StoreError, match=f"127.0.0.1:{port}; start it with `chroma run --port"):
        open_store(folder, url=f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("url", ["localhost:8000", "http://", "http://h:port", "ftp://host"])
def test_an_address_that_is_none_is_refused(folder: Path, url: str) -> None:
    with pytest.raises(StoreError, match="address"):
        open_store(folder, url=url)


# --- helpers


def connections_to(port: int) -> list[socket.socket]:
    """The open sockets of this process that lead there."""
    # By type, since isinstance reads an attribute, of which some objects warn.
    sockets = [one for one in gc.get_objects() if issubclass(type(one), socket.socket)]
    return [one for one in sockets if one.fileno() != -1 and _peer_port(one) == port]


def _peer_port(one: socket.socket) -> int | None:
    """Of a connection over the network; sockets of other kinds have none."""
    try:
        peer = one.getpeername()
    except OSError:
        return None
    return peer[1] if isinstance(peer, tuple) else None


def assert_whole(store: CaptionStore, video_id: str, count: int) -> None:
    captions, vectors = store.read(video_id, TRACK)
    assert captions == captions_of(video_id, count)
    np.testing.assert_allclose(vectors, vectors_of(video_id, count), atol=ROUNDED)
    assert store.count(video_id, TRACK) == count


def start_writer(folder: Path, video_id: str, count: int) -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "tests.tools.store.store_writer", str(folder)]
    command += [video_id, str(count)]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE)


def run_writer(folder: Path, video_id: str, count: int) -> None:
    with start_writer(folder, video_id, count) as writer:
        writer.communicate()
    assert writer.returncode == 0


def start_holder(folder: Path) -> subprocess.Popen[bytes]:
    """A process that holds the folder's lock under another name until it is killed."""
    script = (
        "import pathlib, sys, filelock, time\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "with filelock.FileLock(folder / 'lock'):\n"
        "    (folder / 'last-user').write_text('process 7 on far (0)')\n"
        "    print('held', flush=True)\n"
        f"    time.sleep({PATIENCE_S})\n"
    )
    command = [sys.executable, "-c", script, str(folder)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    holder.stdout.close()
    return holder
