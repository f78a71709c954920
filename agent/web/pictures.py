"""Thumbnails and clips of served videos, made when first asked for and kept on the disk."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from agent.errors import QueryError, VideoError
from tools.private_files import FILE, make_private_folder
from tools.timeline import Interval
from tools.video.clip import write_clip
from tools.video.identity import stamp_of
from tools.video.reader import look
from tools.video.still import still_jpeg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tools.video.reader import Video

MOST_CLIP_S = 600.0
KEPT_BYTES = 1 << 30
"""What is asked for longest ago goes first."""

SWEEP_EVERY = 200


class Pictures:
    """Thumbnails and clips, by video and time.

    Args:
        folder: Where they are kept; all in it can be made again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._making = [threading.Lock() for _ in range(8)]
        self._cutting = threading.Lock()
        self._made = 0

    def facts(self, path: Path) -> Video:
        """What its header and first frame tell, kept while the file stays the same.

        Raises:
            VideoError: If it is missing, or no video.
        """
        return _facts(path, stamp_of(path))

    def thumbnail(self, path: Path, time_s: float, *, exact: bool, long_side_px: int) -> Path:
        """A JPEG file of the picture at a time; see ``still_jpeg``.

        Raises:
            VideoError: If there is none.
        """
        key = f"{stamp_of(path)} {time_s:.3f} {exact} {long_side_px}"

        def make(out: Path) -> None:
            out.write_bytes(
                still_jpeg(self.facts(path), time_s, exact=exact, long_side_px=long_side_px)
            )

        return self._kept(key, ".jpg", make)

    def clip(self, path: Path, start_s: float, end_s: float) -> Path:
        """An MP4 file of a stretch; one is cut at a time, since that takes all the cores there are.

        Raises:
            QueryError: If it is empty, or longer than ``MOST_CLIP_S``.
            VideoError: If it lies outside the video, or cannot be decoded.
        """
        if not 0 < end_s - start_s <= MOST_CLIP_S:
            raise QueryError(
                f"a clip from {start_s:g} s to {end_s:g} s cannot be cut: it has to be longer than "
                f"nothing and at most {MOST_CLIP_S:g} s; choose a shorter stretch"
            )
        video = self.facts(path)
        if video.header_duration_s is not None and start_s >= video.header_duration_s:
            raise VideoError(
                f"the clip begins at {start_s:g} s, and the video ends at "
                f"{video.header_duration_s:.1f} s; choose an earlier stretch"
            )

        def make(out: Path) -> None:
            with self._cutting:
                write_clip(video, Interval(start_s, end_s), out, overwrite=True)

        return self._kept(f"{stamp_of(path)} {start_s:.3f} {end_s:.3f}", ".mp4", make)

    def _kept(self, key: str, suffix: str, make: Callable[[Path], None]) -> Path:
        name = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()[:32]
        path = self._folder / f"{name}{suffix}"
        # Two that ask for the same wait for one.
        with self._making[int(name[0], 16) % len(self._making)]:
            if path.exists():
                # Asked for now; its own date stays, or nobody could go on where sending broke off.
                os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
                return path
            make_private_folder(self._folder)
            part = self._folder / f"{name}.part{suffix}"
            try:
                make(part)
                part.chmod(FILE)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        self._made += 1
        if self._made % SWEEP_EVERY == 1:
            self._sweep(keep=path)
        return path

    def _sweep(self, *, keep: Path) -> None:
        files = sorted(
            ((file.stat().st_atime, file.stat().st_size, file) for file in self._folder.iterdir()),
            reverse=True,
        )
        held = 0
        for _, size, file in files:
            held += size
            if held > KEPT_BYTES and file != keep:
                file.unlink(missing_ok=True)


@lru_cache(maxsize=256)
def _facts(path: Path, _: str) -> Video:
    return look(path)
