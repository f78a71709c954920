"""A file is known by every byte of it, read once; whatever changes it changes its identity."""

import hashlib
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tools.errors import VideoError
from tools.video import identity
from tools.video.identity import content_id, known_stamp, note_id, sampled_id, stamp_of

LONG_BYTES = (32 << 20) + 12_345


@pytest.fixture(scope="module")
def noise() -> bytes:
    return random.Random(0).randbytes(LONG_BYTES)


@pytest.fixture
def long(tmp_path: Path, noise: bytes) -> Path:
    path = tmp_path / "long.mp4"
    path.write_bytes(noise)
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for every long file that is hashed; nothing is known at first."""
    monkeypatch.setattr(identity, "_known", {})
    made: list[str] = []
    blake2b = hashlib.blake2b

    def counted(*, digest_size: int) -> Any:
        made.append("read")
        return blake2b(digest_size=digest_size)

    monkeypatch.setattr("tools.video.identity.hashlib.blake2b", counted)
    return made


def let_it_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if all files had been there for a while."""
    now = time.time()
    monkeypatch.setattr("tools.video.identity.time.time", lambda: now + 60)


@pytest.mark.slow
def test_no_edit_in_place_keeps_the_identity_not_even_with_the_old_date(long: Path) -> None:
    before = content_id(long)
    ids = {before}
    places = random.Random(1)
    for _ in range(12):
        status = long.stat()
        with long.open("r+b") as file:
            file.seek(places.randrange(LONG_BYTES - 1000))
            file.write(places.randbytes(1000))
        os.utime(long, ns=(status.st_atime_ns, status.st_mtime_ns))
        ids.add(content_id(long))
    assert len(ids) == 13


@pytest.mark.slow
def test_an_edit_right_after_it_was_known_is_seen_too(
    long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one tick of the file system's clock, two states of a file have the same stamp."""
    stamp = stamp_of(long)
    monkeypatch.setattr(identity, "stamp_of", lambda _: stamp)
    before = content_id(long)
    with long.open("r+b") as file:
        file.write(b"changed")
    assert content_id(long) != before


@pytest.mark.slow
def test_a_long_file_is_read_once_while_it_stays_as_it_is(
    long: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_it_settle(monkeypatch)
    first = content_id(long)
    assert content_id(long) == first
    assert reads == ["read"]
    long.touch()
    assert content_id(long) == first
    assert len(reads) == 2


@pytest.mark.parametrize("year_s", [-(10**9), 4 * 10**9])
def test_a_file_of_a_strange_date_is_read_once_too(
    long: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch, year_s: int
) -> None:
    """Before 1970, or in the next century, as cameras without a clock have it."""
    os.utime(long, (year_s, year_s))
    let_it_settle(monkeypatch)
    assert content_id(long) == content_id(long)
    assert reads == ["read"]
    assert known_stamp(long)


def test_a_clock_that_was_set_back_makes_no_file_look_as_if_it_were_changing(
    long: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr("tools.video.identity.time.time", lambda: now - 10**8)
    assert content_id(long) == content_id(long)
    assert reads == ["read"]


def test_what_an_earlier_process_found_spares_reading_the_file(
    long: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_it_settle(monkeypatch)
    found = content_id(long)
    stamp = known_stamp(long)
    assert stamp
    monkeypatch.setattr(identity, "_known", {})
    assert known_stamp(long) == ""
    note_id(stamp, found)
    assert content_id(long) == found
    assert reads == ["read"]


def test_a_file_that_was_changed_a_moment_ago_has_no_stamp_to_be_known_by(long: Path) -> None:
    content_id(long)
    assert known_stamp(long) == ""


def test_a_copy_is_the_same_video_and_one_byte_more_another(long: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mkv"
    copy.write_bytes(long.read_bytes())
    assert content_id(copy) == content_id(long)
    with copy.open("ab") as file:
        file.write(b"\0")
    assert content_id(copy) != content_id(long)


def test_short_files_are_known_as_they_always_were(tmp_path: Path) -> None:
    path = tmp_path / "short.mp4"
    path.write_bytes(b"a short film")
    wanted = hashlib.sha256(b"12\na short film").hexdigest()[:32]
    assert content_id(path) == sampled_id(path) == wanted


def test_samples_of_a_long_file_are_those_of_earlier_versions(tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    with path.open("wb") as file:
        for number in range(33):
            file.write(bytes([number]) * (1 << 20))
    assert sampled_id(path) == "5eb16b857af93d15dc9926bea8954988"


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "pipe"])
def test_what_is_no_file_of_bytes_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "film.mp4"
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "pipe":
        os.mkfifo(path)
    words = {"missing": "does not exist", "folder": "directory", "empty": "is empty"}
    with pytest.raises(VideoError, match=words.get(kind, "not a regular file")):
        content_id(path)
