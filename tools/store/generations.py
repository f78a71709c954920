"""Which state of the store a database holds: it is written anew at times, and holds the same.

At each opening Chroma writes a row that says nothing, and after a long index we give back unused
space. Without a note of that, all that was read before would look old.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from pathlib import Path
from typing import Final

from tools.private_files import make_private_file
from tools.store.plain_client import Stamp, stamp_of

NOTE: Final = "unchanged"
"""File in the folder; once something was written, it is of no state that there is."""


def generation_of(folder: Path) -> Stamp | None:
    """Another one whenever what is stored has changed, or may have; None where it cannot be told.

    Args:
        folder: Of the store.
    """
    stamp = stamp_of(folder)
    noted = _noted(folder) if stamp else None
    return noted[1] if noted and noted[0] == stamp else stamp


def note_unchanged(folder: Path, before: Stamp | None) -> None:
    """Note that the database holds what it held, however it was written since.

    Args:
        folder: Of the store; its lock has been held since ``before`` was read.
        before: Its generation then.
    """
    after = stamp_of(folder)
    if before is None or after is None or after == before:
        return
    file = folder / NOTE
    unfinished = file.with_name(f"{uuid.uuid4().hex}.part")
    try:
        make_private_file(unfinished)
        unfinished.write_text(json.dumps([after, before]), encoding="utf-8")
        unfinished.replace(file)
    except OSError:  # Without the space for it, copies are made anew.
        with contextlib.suppress(OSError):
            unfinished.unlink()


def _noted(folder: Path) -> tuple[Stamp, Stamp] | None:
    """A stamp, and the generation that it is of."""
    try:
        after, before = json.loads((folder / NOTE).read_bytes())
        return tuple(map(int, after)), tuple(map(int, before))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
