"""Small files that are there whole or not at all, and for this user alone."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from tools.private_files import make_private_file, make_private_folder

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, text: str, *, is_synced: bool = True) -> None:
    """Write a file beside its place and move it there: a stop in between leaves the old one.

    Args:
        path: Where it is to lie.
        text: What it is to hold.
        is_synced: Whether it is on the disk when this returns, and survives a power cut.
    """
    make_private_folder(path.parent)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        make_private_file(part)
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            if is_synced:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
