"""The boxes that a file of the MP4 family is made of (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


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
