"""A file of what was said of a video and is not in the store yet, so that it is not paid for twice.

A line is written as soon as its reply is there; batches go to the store later. A process killed in
between reads the file at the next start. A process that dies loses nothing that it wrote; a machine
that loses its power may lose the last seconds, since lines are not forced onto the disk one by one.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tools.captioners.protocol import Description, NoCaption
from tools.errors import StoreError
from tools.private_files import make_private_file, make_private_folder
from tools.timeline import Interval

if TYPE_CHECKING:
    from tools.timeline import Track

Said = Description | NoCaption


class Journal:
    """What was said of one track of one video, in the order of arrival.

    Two processes may write the same one: lines do not mix. Once opened, it is written where it was
    opened: a journal that was deleted meanwhile does not come back.

    Args:
        folder: Where journals lie; made when the first one is opened.
        video_id: Hash of the video's content.
        track: Whose captions they are.
    """

    def __init__(self, folder: Path, *, video_id: str, track: Track) -> None:
        self.path = folder / f"{video_id}-{track.key}.jsonl"
        self._file: BinaryIO | None = None
        self._failed = False

    def read(self) -> list[Said]:
        """What was written, by earlier runs too; a last line that is not whole is left out.

        Raises:
            StoreError: If the file is there and cannot be read.
        """
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as exc:
            raise StoreError(f"the journal {self.path} cannot be read: {exc}") from None
        return [said for line in lines if (said := _said(line)) is not None]

    def open(self) -> None:
        """Make the file, or go on with it.

        Raises:
            StoreError: If it cannot be written.
        """
        try:
            if self._file is None:
                self._file = self._open()
        except OSError as exc:
            raise self._unwritable(exc) from None

    def append(self, said: Said) -> None:
        """Write a line; it is there when this returns, also if the process is killed then.

        Raises:
            StoreError: If it cannot be written; the first time only, so that what else is under way
                can still go to the store.
        """
        if self._failed:
            return
        line = json.dumps(asdict(said), ensure_ascii=False).encode() + b"\n"
        try:
            if self._file is None:
                self._file = self._open()
            self._file.write(line)
        except OSError as exc:
            self._failed = True
            raise self._unwritable(exc) from None

    def close(self) -> None:
        """Close the file; harmless when repeated."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def delete(self) -> None:
        """Remove the file: all that it says is in the store."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _open(self) -> BinaryIO:
        make_private_folder(self.path.parent)
        make_private_file(self.path)
        # Unbuffered: a line is one write, at the end whatever other processes have written.
        file = self.path.open("ab", buffering=0)
        if file.tell() and not self.path.read_bytes().endswith(b"\n"):
            file.write(b"\n")
        return file

    def _unwritable(self, exc: OSError) -> StoreError:
        return StoreError(
            f"the journal {self.path} cannot be written: {exc}; make room, or choose another folder"
        )


def delete_journals(folder: Path, video_id: str) -> None:
    """Delete what was written down of a video and is not in the store.

    Raises:
        StoreError: If a file of it is there and cannot be deleted.
    """
    for path in folder.glob(f"{video_id}-*.jsonl"):
        try:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        except OSError as exc:
            raise StoreError(
                f"what was said of the video is still written in {path}: {exc}; delete that file"
            ) from None


def _said(line: bytes) -> Said | None:
    try:
        plain: Any = json.loads(line)
    except ValueError:
        return None  # Cut off by the end of a process.
    if "text" not in plain:
        return NoCaption(**plain)
    exact = plain.pop("exact", None)
    return Description(**plain, exact=Interval(**exact) if exact else None)
