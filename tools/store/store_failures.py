"""What a failure of the embedded store means for the user, and what to do about it.

No message tells users to give up captions unless a check of the file found it damaged.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3
import tempfile
from pathlib import Path

from tools.errors import StoreError

DATABASE = "chroma.sqlite3"

FULL_BYTES = 2**20
"""With less space than this, on the disk or up to a limit, a failed write is blamed on it."""

MOVE = "or set WHENABOUTS_HOME to another folder"

REPAIR = "`whenabouts repair` builds a sound one from the captions that can still be read"

# https://www.sqlite.org/rescode.html; the low byte of a longer code.
_BUSY, _LOCKED, _NO_MEMORY, _READ_ONLY, _IO, _FULL, _CANNOT_OPEN = 5, 6, 7, 8, 10, 13, 14


def store_failure(folder: Path, exc: BaseException) -> StoreError:
    """The error to raise for one of Chroma's or of the system's.

    Args:
        folder: Of the store; no client may be open, since the file may be checked.
        exc: What was raised.
    """
    where = f"the caption store in {folder}"
    if isinstance(exc, (FileExistsError, NotADirectoryError)):
        return StoreError(f"{where} cannot be made: a file is there; move it away, {MOVE}")
    told = trouble_around(folder, exc, what=where)
    return StoreError(told) if told else _after_a_check(folder, first_line(exc))


def trouble_around(folder: Path, exc: BaseException, *, what: str) -> str | None:
    """What is wrong around a database that is itself unharmed; None where it is something else.

    Args:
        folder: In which it lies.
        exc: What was raised.
        what: The database, for the user.
    """
    said = first_line(exc)
    code = _sqlite_code(exc)
    number = exc.errno if isinstance(exc, OSError) else _system_code(exc)
    if number in {errno.EMFILE, errno.ENFILE} or not has_descriptors(1):
        return (
            f"{what} cannot be opened: too many files are open in this process or on this machine; "
            "close some, or raise the limit (ulimit -n). What is stored is unharmed"
        )
    if full := _full_folder(folder, number=number, code=code, what=what):
        return full
    if number == errno.EFBIG or _is_at_limit(folder):
        return (
            f"{what} cannot grow: files may not be larger than the limit of this process "
            f"(ulimit -f); raise it, {MOVE}. What is stored is unharmed"
        )
    disk = (
        f"the disk gave an error with {what}: {said}; check that it is mounted and sound, and that "
        "no limit of file size or quota is reached, and try again. There is no sign that what is "
        "stored is harmed"
    )
    if number in {errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV}:
        return disk
    if number is not None or code in {_READ_ONLY, _CANNOT_OPEN}:
        return f"{what} cannot be written: {said}; give it write permission, {MOVE}"
    others = {
        _IO: disk,
        _BUSY: f"another program uses {what} ({said}); close it, and try again",
        _LOCKED: f"another program uses {what} ({said}); close it, and try again",
        _NO_MEMORY: f"there is not enough memory for {what}; close other programs",
    }
    return others.get(code or 0)


def damage(folder: Path) -> str | None:
    """What a check of the whole database finds wrong, in a line; None where it is sound.

    Raises:
        sqlite3.Error: If it could not be checked.
    """
    file = folder / DATABASE
    if not file.exists():
        return None
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)
    try:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as exc:
        if exc.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return str(exc)
        raise
    finally:
        connection.close()
    return None if found == "ok" else str(found).splitlines()[-1]


def first_line(exc: BaseException) -> str:
    """What it says, in a line."""
    return (str(exc) or type(exc).__name__).splitlines()[0]


def _after_a_check(folder: Path, said: str) -> StoreError:
    where = f"the caption store in {folder}"
    try:
        found = damage(folder)
    except (sqlite3.Error, OSError) as exc:
        return StoreError(
            f"{where} cannot be read: {said}; nor could it be checked ({first_line(exc)}). Try "
            f"again, {MOVE}"
        )
    if found:
        return StoreError(
            f"{where} is damaged: {found}; {REPAIR}; if that fails too, move the folder away and "
            "index again"
        )
    return StoreError(
        f"{where} cannot be read: {said}; its captions themselves passed a check, and {REPAIR}"
    )


def _full_folder(folder: Path, *, number: int | None, code: int | None, what: str) -> str | None:
    says_so = number in {errno.ENOSPC, errno.EDQUOT} or code == _FULL
    if not says_so and (number is not None or code not in {None, _IO, _CANNOT_OPEN}):
        return None
    if _is_full(folder):
        return f"no space is left for {what}; free some, {MOVE}. What is stored is unharmed"
    if code in {_FULL, _IO, _CANNOT_OPEN} and (temporary := _full_temporary()):
        return (
            f"no space is left in the temporary folder {temporary}, which {what} needs too; free "
            "some, or set SQLITE_TMPDIR to a folder with space. What is stored is unharmed"
        )
    if says_so:
        return (
            f"no space is left for {what}, or a quota is reached; free some, {MOVE}. What is "
            "stored is unharmed"
        )
    return None


def _sqlite_code(exc: BaseException) -> int | None:
    if isinstance(exc, sqlite3.Error):
        return exc.sqlite_errorcode & 0xFF
    said = str(exc)
    found = re.search(r"\(code: (\d+)\)", said)
    if found:
        return int(found[1]) & 0xFF
    named = {"readonly database": _READ_ONLY, "unable to open": _CANNOT_OPEN}
    return next((code for words, code in named.items() if words in said), None)


def _system_code(exc: BaseException) -> int | None:
    """The error of the system that Rust code quotes."""
    found = re.search(r"\bOs \{ code: (\d+)|\(os error (\d+)\)", str(exc))
    return int(found[1] or found[2]) if found else None


def has_descriptors(count: int) -> bool:
    """Whether this many more files can be opened."""
    opened: list[int] = []
    try:
        opened.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(count))
    except OSError:
        return False
    finally:
        for one in opened:
            os.close(one)
    return True


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < FULL_BYTES
    except OSError:
        return False


def _is_at_limit(folder: Path) -> bool:
    """Whether a file there has grown to what one may have in this process."""
    try:
        import resource
    except ImportError:  # Windows has no such limits.
        return False
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit == resource.RLIM_INFINITY:
        return False
    try:
        sizes = [one.stat().st_size for one in folder.rglob("*") if one.is_file()]
    except OSError:
        return False
    return max(sizes, default=0) + FULL_BYTES > limit


def _full_temporary() -> Path | None:
    """The full one of the folders that SQLite may put in what it sorts.

    See https://www.sqlite.org/tempfiles.html.
    """
    usual = (tempfile.gettempdir(), "/var/tmp", "/tmp")  # noqa: S108  # SQLite's own list
    return next((Path(one) for one in usual if _is_full(Path(one))), None)
