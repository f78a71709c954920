"""The identity of a file: what is in it, not what it is called."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from typing import TYPE_CHECKING

from tools.errors import VideoError
from tools.video.playlist import playlist_of

if TYPE_CHECKING:
    from pathlib import Path

# Up to this size it is SHA-256, as in earlier versions; beyond it BLAKE2b, which is faster where
# the processor has no instructions for the other.
_SHORT_BYTES = 32 << 20
_READ_BYTES = 1 << 20

# What earlier versions took of a longer file: evenly spaced blocks, first and last included.
_BLOCKS = 64
_BLOCK_BYTES = 256 << 10

# A file that was changed this recently could be changed again without another time in its stamp:
# clocks of file systems tick a hundred times a second, or every two seconds.
_SETTLED_S = 3.0

_MOST_KNOWN = 10_000

SUFFIXES = frozenset(
    ".3gp .asf .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .vob .webm .wmv".split()
)

_known: dict[str, str] = {}
_knowing = threading.Lock()


def is_video_name(path: Path) -> bool:
    """Whether a file is named as video files are; a file named outright needs no such name."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def location(path: Path) -> Path:
    """The one way to write where a file lies, also when it is gone; a link keeps its own name."""
    return path.parent.resolve() / path.name


def content_id(path: Path) -> str:
    """Hash every byte of a video file, and its size: 32 hex digits; of a playlist, all its pieces.

    Name and date do not count, nor does what a decoder makes of the content: another version of
    the decoder must not change the identity. Reads the whole file, at the speed of the disk, unless
    it was hashed before and has the same ``stamp_of``.

    Raises:
        VideoError: If it is missing, empty, not a regular file, or not readable.
    """
    stamp = stamp_of(path)
    with _knowing:
        known = _known.get(stamp)
    if known:
        return known
    size = _size(path)
    short = size <= _SHORT_BYTES
    digest = hashlib.sha256() if short else hashlib.blake2b(digest_size=16)
    digest.update(f"{size}\n".encode())
    # Many playlists are alike to the letter, and name other pieces.
    for part in (path, *_pieces(path)):
        try:
            with part.open("rb", buffering=0) as file:
                while block := file.read(_READ_BYTES):
                    digest.update(block)
        except OSError as error:
            raise _unreadable(part, error) from error
    found = digest.hexdigest()[:32]
    # What was written while it was read may be in it or not.
    if stamp_of(path) == stamp and _is_settled(path):
        note_id(stamp, found)
    return found


def note_id(stamp: str, content: str) -> None:
    """Accept from an earlier process that a file with this stamp has this content."""
    with _knowing:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[stamp] = content


def known_stamp(path: Path) -> str:
    """The stamp that ``content_id`` will know the file by until it changes; empty where none is.

    It is for a later process's ``note_id``. A file that was changed a moment ago has none.

    Raises:
        VideoError: As ``content_id``.
    """
    stamp = stamp_of(path)
    with _knowing:
        return stamp if stamp in _known else ""


def known_id(path: Path) -> str:
    """The ``content_id`` of a file that was hashed and is unchanged since; empty for any other.

    Raises:
        VideoError: As ``content_id``.
    """
    stamp = stamp_of(path)
    with _knowing:
        return _known.get(stamp, "")


def stamp_of(path: Path) -> str:
    """What changes whenever a file is changed: device, inode, size and the times of its changes.

    The time of the last change of the inode is in it too, since that of the content can be set to
    any value.

    Raises:
        VideoError: As ``content_id``.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    parts = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    stamp = ":".join(map(str, parts))
    if pieces := "\n".join(stamp_of(one) for one in _pieces(path)):
        stamp += f":{hashlib.sha256(pieces.encode()).hexdigest()[:32]}"
    return stamp


def size_in(stamp: str) -> int | None:
    """Size in bytes of the file that a stamp is of; None where it is not a stamp."""
    return int(stamp.split(":")[2]) if stamp else None


def sampled_id(path: Path) -> str:
    """What earlier versions took for a file's identity: of a long one, a hash of samples alone.

    Two files that differ between the samples have the same. For a short one it is ``content_id``.

    Raises:
        VideoError: As ``content_id``.
    """
    size = _size(path)
    if size <= _SHORT_BYTES:
        return content_id(path)
    digest = hashlib.sha256(f"{size}\n".encode())
    try:
        with path.open("rb") as file:
            for number in range(_BLOCKS):
                file.seek(number * (size - _BLOCK_BYTES) // (_BLOCKS - 1))
                digest.update(file.read(_BLOCK_BYTES))
    except OSError as error:
        raise _unreadable(path, error) from error
    return digest.hexdigest()[:32]


def unchanged_since(path: Path, time_s: float) -> bool:
    """Whether a file was neither written nor moved since a time, in seconds since 1970."""
    try:
        found = path.stat()
    except OSError:
        return False
    return max(found.st_mtime, found.st_ctime) < time_s


def written_before(path: Path, time_s: float) -> bool:
    """Whether a file's content bears a date before a time, in seconds since 1970.

    Moving a file leaves that date alone; unlike what ``unchanged_since`` looks at, it can be set.
    """
    try:
        return path.stat().st_mtime < time_s
    except OSError:
        return False


def _pieces(path: Path) -> list[Path]:
    found = playlist_of(path)
    # A list that names itself, or lists of lists, are among its files.
    return [one for one in found.files if playlist_of(one) is None] if found else []


def _size(path: Path) -> int:
    """The size of a regular file that is not empty.

    Raises:
        VideoError: If it is something else.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise VideoError(f"{path} is a directory; give a video file in it")
    # A pipe or a device may never end.
    if not stat.S_ISREG(status.st_mode):
        raise VideoError(f"{path} is not a regular file; save the video to a file first")
    if status.st_size == 0:
        raise VideoError(f"{path} is empty; copy or download it again")
    return status.st_size


def _is_settled(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    # Of a date in the future too, a change would make another one: that of today.
    now_s = time.time()
    return all(abs(now_s - date_s) > _SETTLED_S for date_s in (found.st_mtime, found.st_ctime))


def _unreadable(path: Path, error: OSError) -> VideoError:
    if isinstance(error, FileNotFoundError):
        return VideoError(f"{path} does not exist; check the path")
    why = error.strerror or os.strerror(error.errno or 0)
    return VideoError(f"{path} cannot be read ({why}); check it and its folder")
