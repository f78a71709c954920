"""Small files that are there whole or not at all, and for this user alone."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from tools.private_files import make_private_file, make_private_folder

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its place and move it there: a stop in between leaves the old one."""
    make_private_folder(path.parent)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        make_private_file(part)
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
