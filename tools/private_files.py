"""Folders and files that nobody else on the machine can read: captions say what is in videos.

What root makes in somebody else's folder is given to them: else they could not use it any more.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

FOLDER, FILE = 0o700, 0o600

OTHERS = 0o077
SHARED = 0o022
"""A folder that others may write into is shared on purpose."""


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone.

    One that is there already is left as it is.

    Raises:
        OSError: If it cannot be made.
    """
    missing = []
    above = folder
    while not above.exists() and above != above.parent:
        missing.append(above)
        above = above.parent
    for one in reversed(missing):
        one.mkdir(mode=FOLDER, exist_ok=True)
        give_to_owner(one)
    folder.mkdir(exist_ok=True)


def make_private_file(file: Path) -> None:
    """Make an empty file for this user alone, where there is none yet.

    Raises:
        OSError: If it cannot be made.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE))
        give_to_owner(file)


def give_to_owner(path: Path) -> None:
    """Give a file or folder that root has just made to the owner of the folder that it is in.

    A file that has a second name is left: that may be one of root's own, put there by the owner.
    """
    with contextlib.suppress(OSError):
        if not _is_root():
            return
        owner = path.parent.stat()
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            now = os.fstat(opened)
            is_ours = stat.S_ISDIR(now.st_mode) or (stat.S_ISREG(now.st_mode) and now.st_nlink == 1)
            if is_ours and now.st_uid == 0 and owner.st_uid != 0:
                os.fchown(opened, owner.st_uid, owner.st_gid)
        finally:
            os.close(opened)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def keep_private(folder: Path) -> None:
    """Make a folder and all in it private to this user, unless it is shared on purpose.

    What belongs to somebody else, or is gone again, is skipped.
    """
    with contextlib.suppress(OSError):
        if stat.S_IMODE(folder.stat().st_mode) & SHARED:
            return
    for where, folders, files in os.walk(folder):
        for path in (where, *(os.path.join(where, one) for one in (*folders, *files))):  # noqa: PTH118  # a Path for each takes ten times as long
            with contextlib.suppress(OSError):
                now = os.lstat(path)
                mode = now.st_mode
                if now.st_uid == 0:
                    give_to_owner(Path(path))
                if mode & OTHERS and not stat.S_ISLNK(mode):
                    os.chmod(path, stat.S_IMODE(mode) & ~OTHERS)  # noqa: PTH101  # as above
