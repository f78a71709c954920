"""Writing a file that the user named: whole or not at all, and never over another one unasked."""

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.errors import VideoError


def check_place(out: Path, *, what: str, option: str = "", overwrite: bool = False) -> None:
    """Refuse a place where no file can be written, before any work is done for it.

    Args:
        out: Where to.
        what: What is to be written, for the message: ``a clip``.
        option: The option of ``ask`` that names the file, for the message: ``--clip``; empty for a
            command that replaces nothing.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        VideoError: If it is a directory or no regular file, its folder is missing or cannot be
            written, or it is there and is not to be replaced.
    """
    if out.is_dir():
        raise VideoError(f"cannot write {what} to {out}: it is a directory; give a file name")
    if not out.parent.is_dir():
        raise VideoError(f"cannot write {what} to {out}: there is no directory {out.parent}")
    if not os.access(out.parent, os.W_OK | os.X_OK):
        raise VideoError(
            f"cannot write {what} to {out}: the folder {out.parent} cannot be written; name a file "
            "in another one"
        )
    if not overwrite and os.path.lexists(out):
        raise _is_there(out, option)
    if out.exists() and not out.is_file():
        raise VideoError(
            f"cannot write {what} to {out}: it is not a regular file; give another name"
        )


def write_whole(
    out: Path,
    fill: Callable[[Path], object],
    *,
    what: str,
    option: str = "",
    overwrite: bool = False,
) -> None:
    """Have a file filled beside ``out``, and then give it that name.

    Args:
        out: Where to.
        fill: Writes the file that it is given.
        what: As for ``check_place``.
        option: As for ``check_place``.
        overwrite: Whether a file that is there is replaced.

    Raises:
        VideoError: If it cannot be written, or ``out`` has appeared meanwhile.
    """
    try:
        # In the same directory, because only there can it be renamed in one step.
        # Not with its name in it, which may be as long as a name can be.
        descriptor, name = tempfile.mkstemp(prefix=".whenabouts-", suffix=".part", dir=out.parent)
    except OSError as error:
        raise _unwritable(out, what, error) from error
    os.close(descriptor)
    part = Path(name)
    try:
        fill(part)
        give_usual_mode(part)
        _put(part, out, option, overwrite=overwrite)
    except OSError as error:
        raise _unwritable(out, what, error) from error
    finally:
        part.unlink(missing_ok=True)


def _unwritable(out: Path, what: str, error: OSError) -> VideoError:
    return VideoError(
        f"cannot write {what} to {out}: {error.strerror}; name a file in another folder, or free "
        "what is short"
    )


def give_usual_mode(path: Path) -> None:
    """Give a temporary file or folder, which is the user's alone, the mode of any new one."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)


def _put(part: Path, out: Path, option: str, *, overwrite: bool) -> None:
    """Give a finished file its name; unlike a rename, a link never replaces what is there."""
    if overwrite:
        part.replace(out)
        return
    try:
        out.hardlink_to(part)
    except FileExistsError:
        raise _is_there(out, option) from None
    except OSError:
        # A file system without links; a file that appears from here on is replaced.
        if os.path.lexists(out):
            raise _is_there(out, option) from None
        part.replace(out)


def _is_there(out: Path, option: str) -> VideoError:
    how = f", or let {option} replace it with --overwrite" if option else ""
    return VideoError(f"{out} is there already; give another name{how}")


def refuse_strange_files(folder: Path, names: Iterable[str], *, marker: str) -> None:
    """Refuse a folder of results in which somebody else's files have the names of ours.

    Args:
        folder: Where results are to be written; it need not be there.
        names: Of the files and folders that are written there.
        marker: What is in every folder of such results before anything else is.

    Raises:
        VideoError: If it has one of them without the marker.
    """
    if os.path.lexists(folder / marker):
        return
    there = sorted(name for name in names if os.path.lexists(folder / name))
    if there:
        raise VideoError(
            f"{folder} holds {', '.join(there)} and no {marker}, so that is not of whenabouts; "
            "name another folder"
        )
