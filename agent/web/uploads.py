"""Uploads: streamed to the disk, held to a size and to what a video is, under a name of our own."""

from __future__ import annotations

import errno
import secrets
import shutil
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final

from anyio import to_thread

from agent.errors import VideoError
from agent.web.library import NAME_SUFFIX
from agent.web.plain_files import write_whole
from tools.private_files import make_private_file, make_private_folder
from tools.text import one_line, printable, shorten
from tools.video.containers import HEAD_BYTES, begins_as_video
from tools.video.identity import SUFFIXES
from tools.video.reader import look

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PART: Final = ".part"
BLOCK_BYTES: Final = 1 << 20
SPARE_BYTES: Final = 256 << 20
"""The store needs room too."""


class RefusedUploadError(Exception):
    """An upload that is not kept.

    Attributes:
        status: The HTTP status that says so.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Uploads:
    """The folder of uploads.

    Args:
        folder: Where they lie; made when the first one comes.
        most_bytes: Largest one that is taken.
    """

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        self.folder = folder
        self._most_bytes = most_bytes

    def sweep(self) -> None:
        """Delete what was left of uploads that a stop interrupted."""
        for part in self.folder.glob(f"*{PART}"):
            part.unlink(missing_ok=True)

    async def take(self, name: str, size: int | None, blocks: AsyncIterator[bytes]) -> Path:
        """Write an upload; returns its file, which decodes.

        Args:
            name: What the sender calls it: shown to people, and no part of any path but its suffix.
            size: Bytes announced; None where nothing was.
            blocks: The bytes.

        Raises:
            RefusedUploadError: If it is too large, no video, or there is no room for it.
        """
        shown, suffix = _names(name)
        self._check_size(size or 0)
        make_private_folder(self.folder)
        if (size or 0) + SPARE_BYTES > shutil.disk_usage(self.folder).free:
            raise _full()
        part = self.folder / f"{secrets.token_hex(12)}{PART}"
        try:
            await self._write(part, blocks, shown)
            path = part.with_suffix(suffix)
            part.rename(path)
            try:
                await to_thread.run_sync(look, path)
                write_whole(path.with_suffix(NAME_SUFFIX), shown)
            except VideoError as exc:
                path.unlink()
                why = str(exc).replace(str(path), shown)
                raise RefusedUploadError(415, why) from None
            except OSError:
                path.unlink()
                raise
        except OSError as exc:
            if exc.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise _full() from None
            raise
        finally:
            part.unlink(missing_ok=True)
        return path

    async def _write(self, part: Path, blocks: AsyncIterator[bytes], shown: str) -> None:
        written, waiting = 0, bytearray()
        make_private_file(part)
        with part.open("wb", buffering=0) as file:
            async for block in blocks:
                waiting += block
                self._check_size(written + len(waiting))
                if len(waiting) >= BLOCK_BYTES:
                    _check_begins(waiting if not written else None, shown)
                    written += await to_thread.run_sync(_write_all, file, bytes(waiting))
                    waiting.clear()
            _check_begins(waiting if not written else None, shown)
            await to_thread.run_sync(_write_all, file, bytes(waiting))

    def _check_size(self, size: int) -> None:
        if size > self._most_bytes:
            raise RefusedUploadError(
                413,
                f"the file is larger than {self._most_bytes / 1e6:.0f} MB, the most that is taken; "
                "put it into a served folder, or start the server with a larger --max-upload",
            )


def _write_all(file: object, block: bytes) -> int:
    view = memoryview(block)
    while view:
        view = view[file.write(view) :]  # type: ignore[attr-defined]  # a raw file may write less
    return len(block)


def _check_begins(head: bytearray | None, shown: str) -> None:
    if head is not None and not begins_as_video(bytes(head[:HEAD_BYTES])):
        raise RefusedUploadError(
            415, f"{shown} does not begin as a video file does; send MP4, MKV, WebM, MOV or AVI"
        )


def _names(name: str) -> tuple[str, str]:
    """What to show of a sender's name, and which known suffix it has."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    shown = shorten(printable(one_line(last)), 120).strip() or "video"
    suffix = Path(shown).suffix.lower()
    return shown, suffix if suffix in SUFFIXES else ".mp4"


def _full() -> RefusedUploadError:
    return RefusedUploadError(507, "the disk is full; free some space and send the file again")
