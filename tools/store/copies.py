"""Copies of tracks that were read: a warm question finds captions and vectors without Chroma.

Chroma stays the store of record. A copy is used only while the database is, to the last write, the
one that it was made from; whatever writes to the store removes all copies, and so does forgetting,
which overwrites them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tools.kept_captions import KeptCaptions
from tools.private_files import make_private_file, make_private_folder
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.store.caption_rows import Read
    from tools.store.plain_client import Stamp

COPIES: Final = "copies"
"""Folder of the copies, within that of the store."""

FORM: Final = 2
"""Part of a copy's first line; raise it when what is in a copy changes."""

HALF: Final = "<f2"
"""Numbers of 16 bits."""

ALIGNED_BYTES: Final = 16
"""Vectors begin at a multiple of this, where the processor reads them fastest."""

PIECE_ROWS: Final = 1000
"""Vectors that are turned into bytes at a time."""

MOST_CAPTIONS: Final = 400_000
"""Of a longer track there is no copy: it would take more than 350 MB."""


def read_copy(
    folder: Path, collection: str, video_id: str, track: Track, stamp: Stamp
) -> Read | None:
    """Captions and vectors of a track as Chroma gave them; None where there is no valid copy.

    Args:
        folder: Of the store; its lock is held.
        collection: That the captions are in.
        video_id: Of the video.
        track: Whose captions they are.
        stamp: Of the database as it is now.
    """
    try:
        with _file(folder, collection, video_id, track).open("rb") as opened:
            head, body = opened.readline(), opened.read()
        told = json.loads(head)
        if told != _head(stamp, [body], told["text_bytes"], told["shape"], told["number"]):
            return None
        text = body[: told["text_bytes"]]
        numbers = np.frombuffer(body, told["number"], offset=len(text)).reshape(told["shape"])
        matrix = np.asarray(numbers, "<f4")
        matrix.flags.writeable = False
        captions = KeptCaptions(
            [
                Caption(video_id, Interval(start_s, end_s), said, source, track)
                for start_s, end_s, said, source in json.loads(text)
            ]
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return (captions, matrix) if len(captions) == len(matrix) else None


def write_copy(folder: Path, collection: str, video_id: str, stamp: Stamp, read: Read) -> None:
    """Keep what Chroma gave; without the space for it, the next question asks Chroma again.

    Args:
        folder: Of the store; its lock is held.
        collection: That the captions are in.
        video_id: Of the video.
        stamp: Of the database as it is now.
        read: A track's captions, in time order, and their vectors.
    """
    captions, matrix = read
    if not captions or len(captions) > MOST_CAPTIONS:
        return
    lines = [(one.start_s, one.end_s, one.text, one.source) for one in captions]
    text = json.dumps(lines, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNED_BYTES)
    number = HALF if is_half(matrix) else "<f4"

    def body() -> Iterator[bytes]:
        yield text
        for some in _pieces(matrix):
            yield np.ascontiguousarray(some, number).tobytes()

    head = json.dumps(_head(stamp, body(), len(text), list(matrix.shape), number)).encode()
    file = _file(folder, collection, video_id, captions[0].track)
    unfinished = file.with_name(f"{uuid.uuid4().hex}.part")
    try:
        make_private_folder(file.parent)
        make_private_file(unfinished)
        with unfinished.open("wb") as opened:
            opened.write(head + b"\n")
            opened.writelines(body())
        unfinished.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def is_half(matrix: NDArray[np.float32]) -> bool:
    """Whether half the bytes say the same, as of vectors that were rounded before they came."""
    with np.errstate(over="ignore"):
        return all(
            np.array_equal(some.astype(HALF).astype(np.float32), some) for some in _pieces(matrix)
        )


def _pieces(matrix: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Its rows, some at a time: of ten hours, each copy of the whole takes 55 MB."""
    for first in range(0, len(matrix), PIECE_ROWS):
        yield matrix[first : first + PIECE_ROWS]


def remove_copies(folder: Path) -> None:
    """Overwrite and delete every copy, also one that was never finished.

    Args:
        folder: Of the store; its lock is held.

    Raises:
        OSError: If one cannot be.
    """
    for file in _files(folder):
        with file.open("r+b") as opened:
            opened.write(bytes(os.fstat(opened.fileno()).st_size))
            opened.flush()
            os.fsync(opened.fileno())
        file.unlink()


def _files(folder: Path) -> Sequence[Path]:
    try:
        return list((folder / COPIES).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _file(folder: Path, collection: str, video_id: str, track: Track) -> Path:
    named = hashlib.sha256(f"{collection}\x1f{video_id}\x1f{track.key}".encode())
    return folder / COPIES / f"{named.hexdigest()[:32]}.copy"


def _head(
    stamp: Stamp, body: Iterable[bytes], text_bytes: int, shape: list[int], number: str
) -> dict[str, Any]:
    hashed = hashlib.blake2b(digest_size=16)
    for piece in body:
        hashed.update(piece)
    return {
        "form": FORM,
        "stamp": list(stamp),
        "text_bytes": text_bytes,
        "shape": shape,
        "number": number,
        "sum": hashed.hexdigest(),
    }
