"""Where in a file another recording begins, which was put behind the one before byte by byte."""

from __future__ import annotations

import contextlib
import mmap
import struct
from bisect import bisect
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import av

from tools.video.boxes import box_in, boxes
from tools.video.streams import choose_stream, open_container

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from av.container import InputContainer

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_DOC_TYPE = b"\x42\x82"
_HEAD_BYTES = 64


class Seam(NamedTuple):
    """Where in a file a part begins, and how much later its sound is heard than it says."""

    place: int
    late_s: float


def joined_at(container: InputContainer) -> tuple[int, ...]:
    """Places in a file from which on its clock begins anew.

    Known of AVI, Matroska, and MP4 in fragments.

    Args:
        container: The open file; nothing is read from it.
    """
    finder = _FINDERS.get(container.format.name)
    if finder is None:
        return ()
    path = Path(container.name.removeprefix("file:"))
    try:
        status = path.stat()
        return _joined_at(path, container.format.name, (status.st_size, status.st_mtime_ns))
    except OSError:
        return ()


def seams_of_sound(container: InputContainer, path: Path) -> Mapping[int, tuple[Seam, ...]]:
    """Of each sound of an AVI that was joined, by the stream's index, how its parts move.

    Pictures and sound are counted on, each by itself; yet in each part both begin together.

    Args:
        container: The open file; nothing is read from it.
        path: Where it is.

    Raises:
        VideoError: If it cannot be opened any more.
    """
    places = joined_at(container) if container.format.name == "avi" else ()
    return _seams_of_sound(path, places) if places else {}


@lru_cache(maxsize=4)
def _seams_of_sound(path: Path, places: tuple[int, ...]) -> Mapping[int, tuple[Seam, ...]]:
    first_s: dict[tuple[int, int], float] = {}
    with open_container(path) as container, contextlib.suppress(av.FFmpegError):
        pictures = choose_stream(container, path).index
        for packet in container.demux():
            if packet.pos is not None and packet.dts is not None and packet.time_base:
                part = bisect(places, packet.pos)
                first_s.setdefault(
                    (packet.stream.index, part), float(packet.dts * packet.time_base)
                )
    return {
        index: tuple(
            Seam(place, first_s[pictures, part] - first_s[index, part])
            for part, place in enumerate(places, start=1)
            if (pictures, part) in first_s and (index, part) in first_s
        )
        for index in {one for one, _ in first_s} - {pictures}
    }


@lru_cache(maxsize=16)
def _joined_at(path: Path, format_name: str, _: tuple[int, int]) -> tuple[int, ...]:
    with path.open("rb") as file:
        return tuple(_FINDERS[format_name](file, path.stat().st_size))


def _avi(file: BinaryIO, size: int) -> Iterator[int]:
    """A further RIFF of the kind AVI; one of the kind AVIX goes on with the same recording."""
    at = 0
    while at + 12 <= size:
        file.seek(at)
        riff, length, kind = struct.unpack("<4sI4s", file.read(12))
        if riff != b"RIFF" or not length:
            return
        if at and kind == b"AVI ":
            yield at
        at += 8 + length + length % 2


def _matroska(file: BinaryIO, size: int) -> Iterator[int]:
    at = 0
    while (body := _element_at(file, at, _EBML)) and body.end is not None:
        segment = _element_at(file, body.end, _SEGMENT)
        if segment is None:
            return
        # A recorder that wrote as it went did not know the length.
        next_at = segment.end or _next_head(file, segment.body, size)
        if next_at >= size or _element_at(file, next_at, _EBML) is None:
            return
        yield next_at
        at = next_at


class _Element(NamedTuple):
    """Where what is in an element begins, and where it ends; None where that is not known."""

    body: int
    end: int | None


def _element_at(file: BinaryIO, at: int, kind: bytes) -> _Element | None:
    """An element by its place (RFC 8794); None where another one stands."""
    file.seek(at)
    head = file.read(12)
    if head[:4] != kind or len(head) < 12 or not head[4]:
        return None
    width = 9 - head[4].bit_length()
    unknown = (1 << 7 * width) - 1
    length = int.from_bytes(head[4 : 4 + width], "big") & unknown
    body = at + 4 + width
    return _Element(body, None if length == unknown else body + length)


def _next_head(file: BinaryIO, at: int, size: int) -> int:
    """Where the next file of this kind begins: its first element names the kind near its start."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        while (at := content.find(_EBML, at)) >= 0:
            if _DOC_TYPE in content[at : at + _HEAD_BYTES]:
                return at
            at += 1
    return size


def _fragments(file: BinaryIO, size: int) -> Iterator[int]:
    """A fragment that begins before the one in front of it, by its decode time."""
    latest: dict[bytes, int] = {}
    for box in boxes(file, 0, size):
        if box.kind != b"moof":
            continue
        for part in boxes(file, box.body, box.end):
            found = box_in(file, part, b"tfdt") if part.kind == b"traf" else None
            head = box_in(file, part, b"tfhd") if found else None
            if not found or not head:
                continue
            file.seek(head.body + 4)
            track = file.read(4)
            file.seek(found.body)
            content = file.read(12)
            begun = int.from_bytes(content[4:12] if content[:1] == b"\1" else content[4:8], "big")
            if begun < latest.get(track, 0):
                latest.clear()
                yield box.body
            latest[track] = begun


_FINDERS = {
    "avi": _avi,
    "matroska,webm": _matroska,
    "mov,mp4,m4a,3gp,3g2,mj2": _fragments,
}
