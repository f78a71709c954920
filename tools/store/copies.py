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
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tools.half_numbers import widened
from tools.kept_captions import KeptCaptions, KeptFrames, edges_of
from tools.private_files import make_private_file, make_private_folder
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.store.caption_rows import Read
    from tools.store.plain_client import Stamp

COPIES: Final = "copies"
"""Folder of the copies, within that of the store."""

FORM: Final = 3
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
        count = told["shape"][0]
        edges_s = np.frombuffer(body, "<f8", 2 * count).reshape(count, 2)
        text = body[edges_s.nbytes : edges_s.nbytes + told["text_bytes"]]
        numbers = np.frombuffer(body, told["number"], offset=edges_s.nbytes + len(text))
        matrix = numbers.reshape(told["shape"])
        if (said := json.loads(text)) is None:
            return KeptFrames(video_id, track, edges_s), matrix
        captions = KeptCaptions(
            [
                Caption(video_id, Interval(start_s, end_s), text, source, track)
                for (start_s, end_s), (text, source) in zip(edges_s.tolist(), said, strict=True)
            ]
        )
        wide = widened(matrix)
        wide.flags.writeable = False
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return captions, wide


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
    # Of frames there is nothing to say.
    is_silent = isinstance(captions, KeptFrames)
    said = None if is_silent else [(one.text, one.source) for one in captions]
    text = json.dumps(said, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNED_BYTES)
    number = HALF if is_half(matrix) else "<f4"
    edges_s = np.stack(edges_of(captions), axis=1)

    def body() -> Iterator[bytes]:
        yield edges_s.astype("<f8").tobytes()
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


def is_half(matrix: NDArray[np.floating[Any]]) -> bool:
    """Whether half the bytes say the same, as of vectors that were rounded before they came."""
    if matrix.dtype == np.float16:
        return True
    with np.errstate(over="ignore"):
        return all(
            np.array_equal(some.astype(HALF).astype(np.float32), some) for some in _pieces(matrix)
        )


def _pieces(matrix: NDArray[np.floating[Any]]) -> Iterator[NDArray[np.floating[Any]]]:
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
    # Against what breaks by itself: who may write here may as well write to the database.
    summed = 0
    for piece in body:
        summed = zlib.crc32(piece, summed)
    return {
        "form": FORM,
        "stamp": list(stamp),
        "text_bytes": text_bytes,
        "shape": shape,
        "number": number,
        "sum": summed,
    }
