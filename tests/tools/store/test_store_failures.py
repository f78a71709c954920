"""A store is called damaged only where a check of it failed; all else is told as what it is."""

import errno
import os
import resource
import sqlite3
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.small_files import files_of_at_most
from tests.tools.store.store_writer import captions_of, vectors_of
from tools.errors import StoreError
from tools.store.store import CaptionStore
from tools.store.store_failures import store_failure


class Usage(NamedTuple):
    free: int


class SaidError(Exception):
    """What Chroma says of SQLite."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    with CaptionStore.open(folder, embedder="minilm") as store:
        store.add(captions_of("v", 3), vectors_of("v", 3))
    return folder


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("error returned from database: (code: 13) database or disk is full", "no space is left"),
        ("error returned from database: (code: 778) disk I/O error", "the disk gave an error"),
        ("error returned from database: (code: 10) disk I/O error", "the disk gave an error"),
        ("error returned from database: (code: 5) database is locked", "another program uses"),
        ("(code: 1032) attempt to write a readonly database", "give it write permission"),
        ("(code: 14) unable to open database file", "give it write permission"),
        ("(code: 7) out of memory", "not enough memory"),
        ('value: Os { code: 24, kind: Uncategorized, message: "Too many"}', "too many files are"),
        ("cannot write: No space left on device (os error 28)", "no space is left"),
        ("(code: 1) no such table: embeddings", "passed a check"),
        ("Error loading hnsw index", "whenabouts repair"),
    ],
)
def test_what_is_wrong_around_a_sound_store_is_told_as_that(
    folder: Path, said: str, told: str
) -> None:
    message = str(store_failure(folder, SaidError(said)))
    assert told in message
    assert "delete" not in message
    assert "is damaged" not in message
    assert "index again" not in message


@pytest.mark.parametrize("said", ["(code: 778) disk I/O error", "Error in compaction: Failed to"])
def test_a_limit_of_file_size_is_named(folder: Path, said: str) -> None:
    with files_of_at_most(2**20):
        message = str(store_failure(folder, SaidError(said)))
    assert "larger than the limit of this process (ulimit -f)" in message
    assert "What is stored is unharmed" in message


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EFBIG])
def test_errors_of_a_disk_are_not_taken_for_a_lack_of_permission(folder: Path, number: int) -> None:
    message = str(store_failure(folder, OSError(number, os.strerror(number))))
    assert "permission" not in message
    assert "harmed" in message


def test_a_full_temporary_folder_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tools.store.store_failures.shutil.disk_usage",
        lambda path: Usage(10**9 if path == folder else 0),
    )
    said = SaidError("error returned from database: (code: 13) database or disk is full")
    message = str(store_failure(folder, said))
    assert "no space is left in the temporary folder" in message
    assert "What is stored is unharmed" in message


def test_damage_is_said_where_a_check_finds_it(folder: Path) -> None:
    file = folder / "chroma.sqlite3"
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"\xff" * 40_000)
    message = str(store_failure(folder, SaidError("(code: 11) database disk image is malformed")))
    assert "is damaged" in message
    assert "whenabouts repair" in message
    assert "move the folder away" in message


def test_the_limit_of_open_files_is_told_as_that(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 40, hard))
    kept: list[int] = []
    try:
        while True:
            try:
                kept.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        message = str(store_failure(folder, SaidError("(code: 14) unable to open database file")))
    finally:
        for descriptor in kept:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "too many files are open" in message


def test_what_python_says_of_sqlite_counts_too(folder: Path) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA max_page_count = 2")
    connection.execute("CREATE TABLE t (x)")
    with pytest.raises(sqlite3.OperationalError) as full:
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    connection.close()
    assert "no space is left" in str(store_failure(folder, full.value))


def test_a_panic_of_chroma_is_an_error_of_the_store(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PanicException(BaseException):  # its name in Rust
        pass

    def panic(_: object) -> None:
        raise PanicException("range end index 4 out of range")

    monkeypatch.setattr("tools.store.chroma.open_client", panic)
    with (
        CaptionStore.open(folder, embedder="minilm") as store,
        pytest.raises(StoreError, match="range end index"),
    ):
        store.search([1.0, 0.0], limit=1)
