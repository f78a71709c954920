"""What is forgotten is gone: from answers, from the files, and from runs that are under way."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tools.store.store_writer import TRACK, captions_of, vectors_of
from tools.errors import ForgottenError, StoreError
from tools.store.chroma import FolderConnection
from tools.store.store import CaptionGap, CaptionStore, VideoRecord
from tools.timeline import Caption, Interval

WHEN = "2026-11-02T10:00:00+00:00"
RECORD = VideoRecord("v", "/films/dog.mp4", 90.0, TRACK, 1.0, False, "", WHEN, 0, run="first")
SECRET = "zebra quilt harmonica"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Iterator[CaptionStore]:
    with CaptionStore.open(folder, embedder="minilm") as opened:
        yield opened


def secret(number: int, video_id: str = "v") -> Caption:
    span = Interval(float(number), number + 1.0)
    return Caption(video_id, span, f"{SECRET} {number}", "vision", TRACK)


def files_that_say(folder: Path, words: bytes) -> list[str]:
    return [
        str(one.relative_to(folder))
        for one in folder.rglob("*")
        if one.is_file() and words in one.read_bytes()
    ]


@pytest.mark.parametrize("count", [3, 250], ids=["in the queue", "in the index"])
def test_forgotten_text_is_in_no_file_any_more(
    store: CaptionStore, folder: Path, count: int
) -> None:
    store.put_record(RECORD)
    store.add([secret(n) for n in range(count)], np.ones((count, 4)))
    store.add_gaps([CaptionGap("v", Interval(900.0, 901.0), f"{SECRET} refused", TRACK)])
    store.add(captions_of("w", 5), vectors_of("w", 5)[:, :4])
    store.read("v", TRACK)
    assert any("copies" in one for one in files_that_say(folder, SECRET.encode()))
    assert store.forget("v") == count
    store.close()
    assert files_that_say(folder, SECRET.encode()) == []
    assert files_that_say(folder, b"films/dog") == []
    with CaptionStore.open(folder, embedder="minilm") as again:
        assert again.read("w", TRACK)[0] == captions_of("w", 5)
        found = again.search(vectors_of("w", 5)[2, :4], limit=1)
        assert found[0][0] == captions_of("w", 5)[2]


def test_the_word_index_holds_no_pieces_of_forgotten_words(
    store: CaptionStore, folder: Path
) -> None:
    store.add([secret(0)], np.ones((1, 4)))
    store.add(captions_of("w", 5), vectors_of("w", 5)[:, :4])
    store.forget("v")
    store.close()
    connection = sqlite3.connect(folder / "chroma.sqlite3")
    blocks = connection.execute("SELECT block FROM embedding_fulltext_search_data").fetchall()
    connection.close()
    assert not [block for (block,) in blocks if b"zeb" in block or b"ebr" in block]


def test_what_a_killed_forget_left_readable_is_overwritten_when_next_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CaptionStore.open(folder, embedder="minilm") as store:
        store.add([secret(0)], np.ones((1, 4)))
        monkeypatch.setattr(FolderConnection, "wipe", _killed)
        with pytest.raises(KeyboardInterrupt):
            store.forget("v")
    monkeypatch.undo()
    with CaptionStore.open(folder, embedder="minilm"):
        pass
    assert files_that_say(folder, SECRET.encode()) == []


def test_a_forget_that_cannot_overwrite_says_so(
    store: CaptionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add([secret(0)], np.ones((1, 4)))

    def full(_: object) -> None:
        raise StoreError("no space is left")

    monkeypatch.setattr(FolderConnection, "wipe", full)
    with pytest.raises(StoreError, match="1 captions were deleted, but their text can still"):
        store.forget("v")


def test_a_forget_that_is_killed_half_way_leaves_a_video_that_is_indexed_in_part(
    store: CaptionStore,
) -> None:
    store.put_record(replace(RECORD, complete=True))
    store.add([secret(0)], np.ones((1, 4)))
    with pytest.raises(KeyboardInterrupt):
        store.forget("v", also=lambda: _killed(None))
    (left,) = store.records("v")
    assert not left.complete
    assert store.forget("v") == 1
    assert store.records("v") == []


def _killed(_: object) -> None:
    raise KeyboardInterrupt


def test_a_run_writes_nothing_more_of_a_video_that_was_forgotten(store: CaptionStore) -> None:
    store.put_record(RECORD)
    store.add([secret(0)], np.ones((1, 4)), during=RECORD)
    store.forget("v")
    gap = CaptionGap("v", Interval(5.0, 6.0), "no", TRACK)
    for write in (
        lambda: store.add([secret(1)], np.ones((1, 4)), during=RECORD),
        lambda: store.add_gaps([gap], during=RECORD),
        lambda: store.settle(replace(RECORD, complete=True)),
        lambda: store.change_record(RECORD, lambda now: now),
    ):
        with pytest.raises(ForgottenError, match=r"dog\.mp4 was forgotten .*index it again"):
            write()
    assert (store.count("v", TRACK), store.gaps("v", TRACK), store.records("v")) == (0, [], [])


def test_a_run_of_before_does_not_write_into_the_one_that_came_after(store: CaptionStore) -> None:
    store.put_record(replace(RECORD, run="second"))
    with pytest.raises(ForgottenError):
        store.add([secret(1)], np.ones((1, 4)), during=RECORD)
    with pytest.raises(ForgottenError):
        store.settle(replace(RECORD, complete=True))


def test_an_index_is_complete_only_with_all_that_was_seen_or_written(store: CaptionStore) -> None:
    store.put_record(RECORD)
    store.add([secret(0), secret(1)], np.ones((2, 4)), during=RECORD)
    done = replace(RECORD, complete=True)
    with pytest.raises(StoreError, match=r"1 captions of /films/dog\.mp4 .* are gone; index"):
        store.settle(done, starts=[0.0, 1.0, 2.0])
    with pytest.raises(StoreError, match=r"3 captions .* are gone; index"):
        store.settle(done, captions=5)
    assert store.records("v") == [RECORD]
    settled = store.settle(done, starts=[0.0, 1.0], captions=2)
    assert store.records("v") == [settled] == [replace(done, captions=2)]


def test_a_note_of_where_a_file_lies_does_not_undo_what_became_of_its_index(
    store: CaptionStore,
) -> None:
    store.put_record(RECORD)
    stale = store.records("v")[0]
    store.put_record(replace(RECORD, complete=True, captions=7))
    moved = store.change_record(stale, lambda now: now.at(Path("/elsewhere/dog.mp4")))
    assert moved == replace(RECORD, complete=True, captions=7, path="/elsewhere/dog.mp4")
    assert store.records("v") == [moved]


def test_files_of_the_store_are_the_users_alone(store: CaptionStore, folder: Path) -> None:
    store.put_record(RECORD)
    store.add(captions_of("v", 150), vectors_of("v", 150))
    store.count("v", TRACK)
    with store.claim("v", TRACK, name="dog.mp4"):
        pass
    store.put_record(RECORD)
    open_to_others = [
        str(one) for one in (folder, *folder.rglob("*")) if one.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def test_a_folder_that_is_shared_on_purpose_stays_so(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o2770)
    with CaptionStore.open(folder, embedder="minilm") as store:
        store.put_record(RECORD)
    assert folder.stat().st_mode & 0o7777 == 0o2770


def test_of_two_who_want_the_same_captions_one_waits_and_is_told_so(
    store: CaptionStore, folder: Path
) -> None:
    script = (
        "import sys, pathlib\n"
        "from tools.store.store import CaptionStore\n"
        "from tests.tools.store.store_writer import TRACK\n"
        "store = CaptionStore.open(pathlib.Path(sys.argv[1]), embedder='minilm')\n"
        "with store.claim('v', TRACK, name='dog.mp4'):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    said: list[str] = []

    def tell(line: str) -> None:
        said.append(line)
        holder.kill()  # Its claim ends with it.

    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with store.claim("v", replace(TRACK, mode="other"), name="dog.mp4") as has_waited:
            assert not has_waited
        with (
            CaptionStore.open(folder, embedder="minilm", on_wait=tell) as other,
            other.claim("v", TRACK, name="dog.mp4") as has_waited,
        ):
            assert has_waited
    (line,) = said
    assert line.startswith("another process is already describing dog.mp4 with scripted; waiting")
