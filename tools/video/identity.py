"""The identity of a file: what is in it, not what it is called."""

from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING

from tools.errors import VideoError

if TYPE_CHECKING:
    from pathlib import Path

# Up to this size every byte is hashed; beyond it, evenly spaced blocks, first and last included.
_WHOLE_BYTES = 32 << 20
_BLOCKS = 64
_BLOCK_BYTES = 256 << 10


SUFFIXES = frozenset(
    ".3gp .asf .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .vob .webm .wmv".split()
)


def is_video_name(path: Path) -> bool:
    """Whether a file is named as video files are; a file named outright needs no such name."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def content_id(path: Path) -> str:
    """Hash a video file's content: SHA-256, the first 32 hex digits.

    It takes the size and every byte of a file up to 32 MiB; of a longer one the size and 64 blocks
    of 256 KiB spread evenly from the first byte to the last, which hold its header and index. Name
    and date do not count, nor does what a decoder makes of the content: another version of the
    decoder must not change the identity.

    Raises:
        VideoError: If it is missing, empty, not a regular file, or not readable.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise VideoError(f"{path} is a directory; give a video file in it")
        # A pipe or a device may never end.
        if not stat.S_ISREG(status.st_mode):
            raise VideoError(f"{path} is not a regular file; save the video to a file first")
        size = status.st_size
        if size == 0:
            raise VideoError(f"{path} is empty; copy or download it again")
        digest = hashlib.sha256(f"{size}\n".encode())
        with path.open("rb") as file:
            if size <= _WHOLE_BYTES:
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
            else:
                for number in range(_BLOCKS):
                    file.seek(number * (size - _BLOCK_BYTES) // (_BLOCKS - 1))
                    digest.update(file.read(_BLOCK_BYTES))
    except FileNotFoundError as error:
        raise VideoError(f"{path} does not exist; check the path") from error
    except OSError as error:
        raise VideoError(
            f"{path} cannot be read ({error.strerror}); check it and its folder"
        ) from (error)
    return digest.hexdigest()[:32]
