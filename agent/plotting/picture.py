"""A finished picture: shows itself in a notebook, and can be saved."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.errors import QueryError

SUFFIX = ".png"


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG.

    Attributes:
        png: Its bytes.
        description: In words, for those who cannot see it.
    """

    png: bytes
    description: str

    def _repr_png_(self) -> bytes:
        return self.png

    def save(self, out: Path, *, overwrite: bool = False) -> None:
        """Write it to a file, which appears whole or not at all.

        Raises:
            QueryError: If ``out`` cannot be written, or is there and is not to be replaced.
        """
        check_picture_path(out, overwrite=overwrite)
        unfinished: Path | None = None
        try:
            with tempfile.NamedTemporaryFile(dir=out.parent, suffix=SUFFIX, delete=False) as file:
                unfinished = Path(file.name)
                file.write(self.png)
            # As any new file: readable for those whom the umask allows.
            mask = os.umask(0)
            os.umask(mask)
            unfinished.chmod(0o666 & ~mask)
            unfinished.replace(out)
        except OSError as exc:
            raise QueryError(f"the picture {out} cannot be written: {exc.strerror}") from exc
        finally:
            if unfinished is not None:
                with suppress(OSError):
                    unfinished.unlink()


def check_picture_path(out: Path, *, overwrite: bool = False) -> None:
    """Refuse a place where no picture can be written, before any work is done for it.

    Raises:
        QueryError: If it is no ``.png``, a directory or no regular file, its folder is missing, or
            it is there and is not to be replaced.
    """
    if out.suffix.lower() != SUFFIX:
        raise QueryError(f"cannot write a picture to {out}: give a name that ends in {SUFFIX}")
    if out.is_dir():
        raise QueryError(f"cannot write a picture to {out}: it is a directory; give a file name")
    if not out.parent.is_dir():
        raise QueryError(f"cannot write a picture to {out}: there is no folder {out.parent}")
    if out.exists() and not out.is_file():
        raise QueryError(f"cannot write a picture to {out}: it is no regular file")
    if out.exists() and not overwrite:
        raise QueryError(f"{out} is there already; name another file, or add --overwrite")
