"""What videos that were fetched by link are called: their links, not their files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tools.errors import VideoError
from tools.text import printable, shorten, without_passwords

FOLDER: Final = "links"
"""Of a cache: fetched videos, each in a folder named by its content."""

NAME_SUFFIX: Final = ".name"
"""Of the file beside a fetched one that holds its link."""


def is_link(name: str) -> bool:
    """Whether it is the address of a video, and no file."""
    return re.match(r"https?://", name, re.IGNORECASE) is not None


def shown_name(path: str | Path) -> str:
    """What people call a video: its link if it was fetched by one, else its file name."""
    path = Path(path)
    place = path.parent
    if place.parent.name != FOLDER or not re.fullmatch("[0-9a-f]{16}", place.name):
        return path.name
    try:
        return shorten(path.with_suffix(NAME_SUFFIX).read_text(encoding="utf-8"), 200)
    except (OSError, ValueError):
        return path.name


def checked_link(link: str) -> str:
    """The link as it may be shown.

    Raises:
        VideoError: If it is none that can be fetched.
    """
    shown = shorten(without_passwords(printable(link)), 200)
    try:
        host = urlsplit(link).hostname
    except ValueError:
        host = None
    if not host or not link.isprintable() or any(letter.isspace() for letter in link):
        raise VideoError(f"{shown} is no address of a video; copy it from the browser once more")
    return shown


def file_name_of(link: str) -> str:
    """A file name that reads like the link."""
    plain = re.sub(r"^https?://(www\.)?", "", link, flags=re.IGNORECASE)
    plain = re.sub(r"\.\w{2,5}$", "", plain)
    return re.sub(r"[^\w.=-]+", "_", plain).strip("._")[:80] or "video"
