"""Videos of benchmarks, which must not be trained on: lists of digests of their names.

Names are hashed so that a list can be passed on without the benchmark it is made from.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from tools.output_files import check_place, write_whole
from training.conversations import TuningError, digest

_DIGEST = re.compile(r"[0-9a-f]{64}")


def source_name(video_id: str) -> str:
    """A video's name without folders, suffix of its file and times of an excerpt.

    ``val/bO9cyWTc1G0_60.0_210.0.mp4`` (QVHighlights) and ``bO9cyWTc1G0`` are one video.
    """
    name = re.split(r"[/\\]", video_id.strip())[-1]
    stem = re.sub(r"\.(mp4|mkv|webm|avi|mov|m4v)$", "", name, flags=re.IGNORECASE)
    return re.sub(r"_\d+(\.\d+)?_\d+(\.\d+)?$", "", stem)


def name_digest(video_id: str) -> str:
    """Of the name of the video that a name is of."""
    return digest(f"whenabouts {source_name(video_id)}".encode())


def write_list(video_ids: Iterable[str], file: Path) -> int:
    """Write the digests of some names, sorted, to a new file; returns how many.

    Raises:
        VideoError: If the file is there already, or cannot be written.
    """
    digests = sorted({name_digest(one) for one in video_ids})
    what = "a list"
    check_place(file, what=what)

    def fill(part: Path) -> None:
        part.write_text("".join(f"{one}\n" for one in digests), encoding="ascii")

    write_whole(file, fill, what=what)
    return len(digests)


def read_lists(files: Sequence[Path]) -> frozenset[str]:
    """The digests of several lists; lines that begin with # are comments.

    Raises:
        TuningError: If a file cannot be read or is no such list.
    """
    digests: set[str] = set()
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeError) as exc:
            raise TuningError(f"the list {file} cannot be read: {exc}") from None
        for number, line in enumerate(lines, 1):
            one = line.strip()
            if one and not one.startswith("#"):
                if not _DIGEST.fullmatch(one):
                    raise TuningError(
                        f"{file}, line {number}: {one[:40]!r} is no digest of a video's name; "
                        "whenabouts tune exclude makes such a list from annotations"
                    )
                digests.add(one)
    return frozenset(digests)


def refuse_excluded(video_ids: Iterable[str], excluded: Collection[str]) -> None:
    """See that none of some videos is on a list.

    Raises:
        TuningError: If one is; names it.
    """
    found = sorted({one for one in video_ids if name_digest(one) in excluded})
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise TuningError(
            f"{found[0]}{more} must not be trained on: a list of excluded videos names it; leave "
            "it out of the annotations"
        )
