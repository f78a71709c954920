"""One rule for all files that a command line names to be written.

Whether a file that is there may be replaced at all, ``--overwrite`` says. What a question is
answered from, what whenabouts keeps for itself, and videos that are asked or indexed are not
replaced even then.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from agent.errors import QueryError
from agent.settings import Settings
from agent.watching.moved_files import spare_videos
from tools.store.store import VideoRecord
from tools.video.identity import location

READ = ("captions", "subtitles", "env", "image", "trace")
"""Options of files that are read, or written line by line, while the question is asked."""


class Out(NamedTuple):
    """A file to be written, and the option that names it."""

    option: str
    path: Path


def check_apart(outs: Sequence[Out], args: argparse.Namespace) -> None:
    """Refuse two outputs in one file, and one in a file that this command reads.

    Raises:
        QueryError: If options name the same file.
    """
    seen: dict[Path, str] = {}
    for option, path in outs:
        if other := seen.get(location(path)):
            raise QueryError(
                f"{other} and {option} name the same file, {path}; give each its own"
                if other != option
                else f"two {option} options name the same file; give each its own"
            )
        seen[location(path)] = option
        for name in READ:
            given = getattr(args, name, None)
            if given and _is_same(path, Path(given)):
                does = "writes to" if name == "trace" else "reads"
                raise QueryError(
                    f"{option} writes to {path}, which --{name} {does}; give another name"
                )


def spare_own_files(outs: Iterable[Out], settings: Settings) -> None:
    """Refuse to write over what whenabouts keeps itself, such as the store, even if told to.

    Raises:
        QueryError: If an output would.
    """
    folders = [one.resolve() for one in (settings.home, settings.store_folder)]
    files = [one for one in (settings.settings_file, settings.trace) if one]
    for option, path in outs:
        is_own = path.exists() and (
            any(location(path).is_relative_to(one) for one in folders)
            or any(_is_same(path, one) for one in files)
        )
        if is_own:
            raise QueryError(
                f"{option} writes to {path}, which whenabouts keeps for itself; give another name"
            )


def spare_asked(
    outs: Iterable[Out], videos: Iterable[str | Path], records: Sequence[VideoRecord]
) -> None:
    """Refuse to write over a video that is asked or indexed.

    Raises:
        VideoError: If an output would.
    """
    asked = [Path(one) for one in videos]
    for one in outs:
        spare_videos(one.path, asked=asked, records=records)


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return location(path) == location(other)
