"""Which videos are served: those in the folders named at the start, and uploads. No others.

A request names a video by an id that was handed out here, never by a path.
"""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import SettingsError
from tools.text import is_text, printable, shorten
from tools.video.identity import is_video_name
from tools.video.link_names import shown_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAME_SUFFIX = ".name"
"""Of the file beside an upload that holds the name it had."""


class NotServedError(Exception):
    """There is no such video, or it is not in a served folder any more."""


@dataclass(frozen=True, slots=True)
class ServedVideo:
    """A video that may be asked.

    Attributes:
        id: Names it in addresses; follows from where it lies.
        path: Where it lies, links resolved.
        name: What people call it.
        uploaded: Whether it came in through the page.
    """

    id: str
    path: Path
    name: str
    uploaded: bool


class Library:
    """The served folders.

    Args:
        folders: Videos in and below them are served; links out of them are not followed.
        uploads: Where uploads lie; None: there are none.
        fetched: Where videos lie that were fetched by link; None: only those are served that are
            let in.

    Raises:
        SettingsError: If one of the folders is none, or cannot be looked into.
    """

    def __init__(
        self, folders: Sequence[Path], uploads: Path | None, fetched: Path | None = None
    ) -> None:
        for folder in folders:
            if not folder.is_dir():
                raise SettingsError(f"{folder} is not a folder; name folders of videos to serve")
            if not os.access(folder, os.R_OK | os.X_OK):
                raise SettingsError(
                    f"{folder} cannot be looked into; give it read permission, or name another one"
                )
        self._uploads = uploads and uploads.resolve()
        self._roots = list(dict.fromkeys(folder.resolve() for folder in folders))
        own = (self._uploads, fetched and fetched.resolve())
        self._places = [*self._roots, *filter(None, own)]
        self._let_in: set[Path] = set()
        self._known: dict[str, ServedVideo] = {}
        self._looking = threading.Lock()

    def videos(self) -> list[ServedVideo]:
        """All that are there now, by name."""
        found = {video.id: video for video in self._look()}
        with self._looking:
            self._known = found
        return sorted(found.values(), key=lambda video: (video.name.lower(), video.id))

    def video(self, video_id: str) -> ServedVideo:
        """The video of an id.

        Raises:
            NotServedError: If there is none, or its path leads out of the served folders now.
        """
        video = self._known.get(video_id) or {one.id: one for one in self.videos()}.get(video_id)
        if video is None:
            raise NotServedError(f"there is no video {video_id[:40]!r} here; reload the list")
        if not self._is_inside(video.path):
            raise NotServedError(f"{video.name} is not in a served folder any more")
        return video

    def named(self, name: str) -> ServedVideo:
        """The video of an id, a path, or a file name that only one of them has.

        Args:
            name: A path may be absolute, or begin in a served folder.

        Raises:
            NotServedError: If it names none, or several.
        """
        videos = self.videos()
        places = {place for folder in self._roots if (place := _resolved(folder / name))}
        found = [one for one in videos if one.id == name or one.path in places]
        found = found or [one for one in videos if one.name == name]
        if len(found) > 1:
            ids = ", ".join(f"{one.id} ({one.path})" for one in found[:5])
            raise NotServedError(f"{len(found)} videos are called {name}: name one by id: {ids}")
        if not found:
            raise NotServedError(
                f"there is no video {shorten(printable(name), 200)!r} in the served folders; list "
                "them, and take an id or a name from there"
            )
        return found[0]

    def let_in(self, path: Path) -> ServedVideo:
        """Serve one more file, until the server stops."""
        path = path.resolve()
        self._let_in.add(path)
        return self._served(path)

    def label_name(self, video: ServedVideo) -> str:
        """What labels call a video: its path in the served folder, where no other one has it too.

        ``whenabouts eval own`` finds it in ``--videos FOLDER`` by that, or by the whole path.
        """
        home = next((one for one in self._places if video.path.is_relative_to(one)), None)
        if home is None or (home not in self._roots and home != self._uploads):
            return str(video.path)
        name = video.path.relative_to(home).as_posix()
        others = (place / name for place in self._places if place != home)
        return str(video.path) if any(other.is_file() for other in others) else name

    def has_file(self, video: ServedVideo) -> bool:
        """Whether its file is still there."""
        return video.path.is_file()

    def _look(self) -> Iterator[ServedVideo]:
        yield from (self._served(path) for path in list(self._let_in) if path.is_file())
        for root in self._places:
            for where, below, files in os.walk(root):
                below[:] = [one for one in below if not one.startswith(".")]
                for file in files:
                    path = Path(where, file)
                    if is_video_name(path) and is_text(file) and self._is_inside(path):
                        yield self._served(path.resolve())

    def _served(self, path: Path) -> ServedVideo:
        uploaded = self._uploads is not None and path.is_relative_to(self._uploads)
        name = shown_name(path)
        if uploaded:
            try:
                name = path.with_suffix(NAME_SUFFIX).read_text(encoding="utf-8")
            except OSError:
                name = path.name
        digest = hashlib.sha256(str(path).encode(errors="surrogateescape"))
        return ServedVideo(digest.hexdigest()[:16], path, name, uploaded)

    def _is_inside(self, path: Path) -> bool:
        real = _resolved(path)
        if real in self._let_in:
            return True
        return real is not None and any(real.is_relative_to(root) for root in self._places)


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # A circle of links, or no path at all.
        return None
