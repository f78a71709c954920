"""When a closed client has really left its folder: other threads of it close files a moment later.

What they had not written yet comes to the disk then, and nobody else should be in the folder.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

DESCRIPTORS = Path("/proc/self/fd")
"""Of this process, where the system lists them."""

LONGEST_S = 5.0
POLL_S = 0.001


def wait_until_left(folder: Path, *, longest_s: float = LONGEST_S) -> bool:
    """Wait until this process has no file of a store open, apart from those of our own.

    Args:
        folder: Of the store, whose own files are those of Chroma: the database and what lies in
            folders below.
        longest_s: Longest wait.

    Returns:
        Whether it has left, or that cannot be told here.
    """
    until = time.monotonic() + longest_s
    inside = f"{os.path.realpath(folder)}{os.sep}"
    while any(map(_is_of_chroma, _open_below(inside))):
        if time.monotonic() > until:
            return False
        time.sleep(POLL_S)
    return True


def _open_below(inside: str) -> list[str]:
    """What is open there, by its path from there."""
    found: list[str] = []
    with contextlib.suppress(OSError):
        for descriptor in DESCRIPTORS.iterdir():
            # Closed again meanwhile, most of all the one that lists them.
            with contextlib.suppress(OSError):
                path = str(descriptor.readlink())
                if path.startswith(inside):
                    found.append(path.removeprefix(inside))
    return found


def _is_of_chroma(path: str) -> bool:
    name = path.partition(os.sep)
    return path.startswith("chroma.sqlite3") or (name[0] != "claims" and name[2].endswith(".bin"))
