"""What a teacher said, as it came: a line for each reply, and room on the disk before one is asked.

A reply is paid for once it is on its way. So there is room for it in the file before the question
goes out: a disk that is full is found out then, and not when there is something to lose. Until it
is used, the room is empty lines at the end of the file.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from tools.output_files import refuse_strange_files
from training.conversations import HELD_OUT, IMAGES, MANIFEST, TRAIN, TuningError

REPLIES = "replies.jsonl"

_BEGINNINGS = (b'{"teacher": ', b'{"key": ')
"""Of a line; earlier versions did not say how a reply was asked for."""

ROOM_BYTES = 32_000
"""For one reply; the longest that is accepted takes less, unless it is mostly escapes."""


class ReplyFile:
    """The replies of a folder, open for more; see ``open_replies``."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = _end_of_lines(file)
        self._rooms = 0
        self._guard = threading.Lock()

    def make_room(self) -> None:
        """For one more reply, before it is asked for; from any thread.

        Raises:
            OSError: If the disk does not have it.
        """
        with self._guard:
            self._rooms += 1
            self._pad()

    def keep(self, row: Mapping[str, Any]) -> None:
        """Write a reply into the room that was made for it.

        Raises:
            OSError: If the disk does not take it.
        """
        line = f"{json.dumps(row, ensure_ascii=False)}\n".encode()
        with self._guard:
            self._write(self._end, line)
            self._end += len(line)
            self._rooms -= 1

    def give_back_room(self) -> None:
        """Take the empty lines away."""
        with self._guard:
            self._file.truncate(self._end)

    def _pad(self) -> None:
        size = self._file.seek(0, os.SEEK_END)
        wanted = self._end + self._rooms * ROOM_BYTES
        if wanted > size:
            self._write(size, b"\n" * (wanted - size))

    def _write(self, at: int, data: bytes) -> None:
        self._file.seek(at)
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]


@contextmanager
def open_replies(folder: Path) -> Iterator[ReplyFile]:
    """Open the replies of a folder for more; nobody else may at that time.

    Raises:
        TuningError: If another process is at it.
        OSError: If the disk does not take it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{REPLIES}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise TuningError(
            f"another `whenabouts tune data` is writing to {folder}; wait until it is done, or "
            "name another folder with --out"
        ) from None
    try:
        (folder / REPLIES).touch()
        # Unbuffered: what was written is written, however the process ends.
        with (folder / REPLIES).open("r+b", buffering=0) as file:
            replies = ReplyFile(file)
            try:
                yield replies
            finally:
                replies.give_back_room()
    finally:
        lock.release()


def read_replies(folder: Path, asked: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What was bought before, by sample; a line that is not whole is left out.

    Args:
        folder: Of the data set.
        asked: What a reply depends on besides its sample, by name, such as the teacher. A reply
            that does not say one of these was kept before it was noted, and passes.

    Raises:
        TuningError: If they cannot be read, or one was asked for in another way.
        VideoError: If files that are not of such a data set would be replaced.
    """
    refuse_strange_files(folder, (TRAIN, HELD_OUT, MANIFEST, IMAGES), marker=REPLIES)
    try:
        lines = (folder / REPLIES).read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise TuningError(f"{folder / REPLIES} cannot be read ({exc.strerror or exc})") from None
    first = lines[0] if lines else b""
    # Of replies, the first may have been cut off.
    if first.strip() and not any(one.startswith(first[: len(one)]) for one in _BEGINNINGS):
        raise TuningError(
            f"{folder / REPLIES} does not hold replies of a teacher; name another folder with --out"
        )
    rows = {}
    for line in lines:
        try:
            row = json.loads(line)
            key = row["key"]
        except (ValueError, TypeError, KeyError):
            continue  # The process was killed while it wrote this line.
        for name, value in asked.items():
            if row.get(name, value) != value:
                raise TuningError(
                    f"{folder} holds replies with {name} {_shown(row[name])}, and now "
                    f"it is {_shown(value)}; name another folder with --out"
                )
        rows[key] = row
    return rows


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _end_of_lines(file: BinaryIO) -> int:
    """Where the next line begins; one that a killed process left unfinished is ended first."""
    file.seek(0)
    content = file.read().rstrip(b"\n")
    if not content:
        return 0
    file.seek(len(content))
    file.write(b"\n")
    return len(content) + 1
