"""Videos by their links: fetched by the user's own yt-dlp, once, and kept by their content."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tools.errors import VideoError
from tools.video.containers import HEAD_BYTES, begins_as_video
from tools.video.identity import SUFFIXES, content_id
from tools.video.link_names import FOLDER, NAME_SUFFIX, checked_link, file_name_of
from tools.video.yt_dlp_process import (
    SPARE_BYTES,
    Look,
    download,
    find_command,
    find_offer,
    too_large,
)

MOST_BYTES: Final = 20_000_000_000

ABANDONED_S: Final = 86_400.0
"""What was half fetched that long ago belongs to a program that was killed."""

_PART: Final = ".fetching-"

Confirm = Callable[[str, int], bool]
"""Asked with what would be fetched and its bytes (0: not known); True: fetch it."""


class Links:
    """The videos that were fetched by link.

    Args:
        cache: In whose ``FOLDER`` they are kept.
        tell: Receives, in a line, what is about to be fetched.
        confirm: Asked before that; None: nothing is fetched.
        look: Told how far it is; may end it.
        most_bytes: Largest one that is fetched.
        takes_inside: Whether links into this machine and its network are fetched too: for a person
            at the terminal, who could open them as well.
    """

    def __init__(
        self,
        cache: Path,
        *,
        tell: Callable[[str], None],
        confirm: Confirm | None,
        look: Look = lambda _: None,
        most_bytes: int = MOST_BYTES,
        takes_inside: bool = True,
    ) -> None:
        self._folder = cache / FOLDER
        self._tell = tell
        self._confirm = confirm
        self._look = look
        self._most_bytes = most_bytes
        self._takes_inside = takes_inside

    def fetch(self, link: str) -> Path:
        """The file of a link: the one that is here already, or fetched now.

        Raises:
            VideoError: If there is no yt-dlp, nobody agrees, or no video comes.
        """
        shown = checked_link(link)
        if (kept := self.kept(link)) is not None:
            return kept
        command = find_command(link, shown, takes_inside=self._takes_inside)
        offer = find_offer(command, link, shown, self._look)
        size = offer.size_bytes
        if size is not None and size > self._most_bytes:
            raise too_large(shown, self._most_bytes)
        mb = "of a size that the site does not say" if size is None else f"{size / 1e6:.1f} MB"
        self._tell(f"{shown}: “{offer.title}”, {mb}, to be fetched with yt-dlp")
        if self._confirm is None or not self._confirm(f"“{offer.title}” ({shown})", size or 0):
            raise VideoError(
                f"{shown} is not on this disk, and nobody agreed to fetch it; --yes agrees"
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        if (size or 0) + SPARE_BYTES > shutil.disk_usage(self._folder).free:
            raise VideoError(f"the disk has no room for {shown} ({mb}); free some, and try again")
        self._sweep()
        with tempfile.TemporaryDirectory(prefix=_PART, dir=self._folder) as part:
            file = download(
                command, link, shown, Path(part), look=self._look, most_bytes=self._most_bytes
            )
            return self._keep(link, shown, file)

    def kept(self, link: str) -> Path | None:
        """The file of a link that was fetched before; None where it is not here any more."""
        try:
            name = self._note(link).read_text(encoding="utf-8")
        except OSError:
            return None
        path = self._folder / Path(name).parent.name / Path(name).name
        return path if path.is_file() else None

    def _sweep(self) -> None:
        for part in self._folder.glob(f"{_PART}*"):
            if time.time() - part.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(part, ignore_errors=True)

    def _note(self, link: str) -> Path:
        return self._folder / f"{hashlib.sha256(link.encode()).hexdigest()[:32]}.link"

    def _keep(self, link: str, shown: str, file: Path) -> Path:
        from tools.video.reader import look

        with file.open("rb") as opened:
            head = opened.read(HEAD_BYTES)
        if not begins_as_video(head):
            raise VideoError(f"{shown} leads to a file that is no video")
        try:
            look(file)
        except VideoError as exc:
            raise VideoError(str(exc).replace(str(file), shown)) from None
        place = self._folder / content_id(file)[:16]
        place.mkdir(exist_ok=True)
        suffix = file.suffix.lower() if file.suffix.lower() in SUFFIXES else ".mp4"
        path = next((one for one in place.iterdir() if one.suffix != NAME_SUFFIX), None)
        if path is None:
            path = place / f"{file_name_of(shown)}{suffix}"
            path.with_suffix(NAME_SUFFIX).write_text(shown, encoding="utf-8")
            file.replace(path)
        self._note(link).write_text(f"{place.name}/{path.name}", encoding="utf-8")
        return path
