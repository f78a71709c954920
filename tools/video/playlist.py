"""Playlists of HLS given as a file: the film is in the pieces that they name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from tools.errors import VideoError

SUFFIXES = frozenset({".m3u8", ".m3u"})
"""FFmpeg reads no other file as such a list."""

_BEGIN = b"#EXTM3U"
_END = "#EXT-X-ENDLIST"
_PIECES = ("#EXTINF", "#EXT-X-BYTERANGE")
_NAMED = re.compile(r'^#EXT-X-(?:MAP|MEDIA|KEY|PART|I-FRAME-STREAM-INF):.*?\bURI="([^"]*)"')
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]+:", flags=re.IGNORECASE)

_MAX_BYTES = 8 << 20


@dataclass
class Playlist:
    """What a list names, and those lists that it names.

    Attributes:
        is_film: Whether it is one of HLS, whose pieces are one film; others name any files.
        files: That are there, each once, in the order of the list.
        missing: Names of those that are not.
        remote: Names that lead to another machine.
        is_endless: Whether a list of pieces does not say that it is whole.
        is_nested: Whether a list in it names further lists, or itself: a reader never ends.
    """

    is_film: bool = False
    files: list[Path] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    remote: list[str] = field(default_factory=list)
    is_endless: bool = False
    is_nested: bool = False


def playlist_of(path: Path) -> Playlist | None:
    """What a playlist names; None where a file is none. RFC 8216 says how they are written."""
    if path.suffix.lower() not in SUFFIXES:
        return None
    found = Playlist()
    return found if _add(path, found, is_named=False) else None


def check_playlist(path: Path) -> None:
    """Make sure that a file is no playlist that cannot be read to its end.

    Raises:
        VideoError: If it is.
    """
    found = playlist_of(path)
    if found is None:
        return
    if not found.is_film:
        raise VideoError(f"{path} is a list of other files, not a video; give one of those")
    if found.remote:
        raise VideoError(
            f"{path} is a playlist of pieces on the network ({found.remote[0]}), which are not "
            "fetched; download the video first"
        )
    if not found.files:
        named = f": {found.missing[0]} is missing" if found.missing else ""
        raise VideoError(f"{path} is a playlist, and nothing that it names is there{named}")
    if found.is_nested:
        raise VideoError(f"{path} is a playlist of lists that name further lists, or itself")
    if found.is_endless:
        raise VideoError(
            f"{path} is a playlist that does not say where it ends ({_END}): its recording is "
            "still going on, or was broken off; wait for its end, or add that line"
        )


def told_missing(path: Path) -> str:
    """How much of what a playlist names is missing, in a few words; empty where nothing is."""
    found = playlist_of(path)
    if not (found and found.missing):
        return ""
    count = len(found.files) + len(found.missing)
    names = ", ".join(found.missing[:3]) + (" …" if len(found.missing) > 3 else "")
    return f"of the {count} files that it names, {len(found.missing)} cannot be found: {names}"


def _add(path: Path, found: Playlist, *, is_named: bool) -> bool:
    """Add what a list names; whether it is one."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES)
    except OSError:
        return False
    if not content.removeprefix(b"\xef\xbb\xbf").startswith(_BEGIN):
        return False
    lines = [line.strip() for line in content.decode("utf-8", "replace").splitlines()]
    found.is_film |= any(line.startswith("#EXT-X-") for line in lines)
    if any(line.startswith(_PIECES) for line in lines) and _END not in lines:
        found.is_endless = True
    for line in lines:
        named = _NAMED.match(line)
        if named or (line and not line.startswith("#")):
            _add_file(path.parent, named[1] if named else line, found, is_named=is_named)
    return True


def _add_file(folder: Path, name: str, found: Playlist, *, is_named: bool) -> None:
    if _ELSEWHERE.match(name):
        found.remote.append(name)
        return
    file = next(
        (one for text in (name, unquote(name)) if (one := folder / text).is_file()),
        None,
    )
    if file is None:
        found.missing.append(name)
        return
    is_list = file.suffix.lower() in SUFFIXES
    found.is_nested |= is_list and is_named
    if file not in found.files:
        found.files.append(file)
        if is_list and not is_named:
            _add(file, found, is_named=True)
