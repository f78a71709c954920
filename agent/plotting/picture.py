"""A finished picture: shows itself in a notebook, and can be saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.errors import QueryError
from tools.output_files import check_place, write_whole

SUFFIX = ".png"

_WHAT, _OPTION = "a picture", "--plot"


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

    def save(self, out: str | Path, *, overwrite: bool = False) -> None:
        """Write it to a file, which appears whole or not at all.

        Raises:
            QueryError: If it is no ``.png``.
            VideoError: If ``out`` cannot be written, or is there and is not to be replaced.
        """
        place = Path(out)
        check_picture_path(place, overwrite=overwrite)

        def fill(part: Path) -> None:
            part.write_bytes(self.png)

        write_whole(place, fill, what=_WHAT, option=_OPTION, overwrite=overwrite)


def check_picture_path(out: Path, *, overwrite: bool = False) -> None:
    """Refuse a place where no picture can be written, before any work is done for it.

    Raises:
        QueryError: If it is no ``.png``.
        VideoError: As ``tools.output_files.check_place``.
    """
    if out.suffix.lower() != SUFFIX:
        raise QueryError(f"cannot write a picture to {out}: give a name that ends in {SUFFIX}")
    check_place(out, what=_WHAT, option=_OPTION, overwrite=overwrite)
