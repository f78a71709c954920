"""The boxes that a file of the MP4 family is made of (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Box(NamedTuple):
    """A box, by places in the file.

    Attributes:
        kind: Its four letters.
        body: Where what is in it begins.
        end: Where it ends; beyond the end of a file that was cut off.
    """

    kind: bytes
    body: int
    end: int


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """The boxes that lie one after the other between two places; no further than they are sound."""
    while start + 8 <= end:
        file.seek(start)
        head = file.read(16)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head[:8])
        body = start + 8
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack(">Q", head[8:])
            body = start + 16
        elif length == 0:
            length = end - start
        if length < body - start:
            return
        yield Box(kind, body, start + length)
        start += length


def box_in(file: BinaryIO, box: Box, *path: bytes) -> Box | None:
    """A box by a path of kinds, from box to box; of several of a kind, the first."""
    for kind in path:
        inside = boxes(file, box.body, box.end)
        found = next((one for one in inside if one.kind == kind), None)
        if found is None:
            return None
        box = found
    return box


def lacks_index(path: Path) -> bool:
    """Whether it is an MP4 with its pictures and sound, but nothing that says where they are."""
    try:
        with path.open("rb") as file:
            kinds = {one.kind for one in boxes(file, 0, path.stat().st_size)}
    except OSError:
        return False
    return b"mdat" in kinds and not kinds & {b"moov", b"moof"}


def hides_another_film(path: Path) -> bool:
    """Whether behind an MP4 another one stands, which no player shows.

    Raises:
        OSError: If it cannot be read any more.
    """
    with path.open("rb") as file:
        kinds = [one.kind for one in boxes(file, 0, path.stat().st_size)]
    return kinds[:1] == [b"ftyp"] and kinds.count(b"moov") > 1 and b"moof" not in kinds
