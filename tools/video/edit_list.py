"""The times at which an MP4 that was cut without being encoded again shows its packets.

An edit list names the pieces of each track that are shown, and when. FFmpeg leaves out what is not
shown, but lets a piece of pictures begin with its first whole picture, and a piece of sound with
its first whole packet, so that pictures and sound drift apart by a little with each cut. Where the
list says between two pieces that nothing is shown for a while, FFmpeg shows the beginning again.
"""

from __future__ import annotations

import contextlib
import struct
from bisect import bisect
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import av

from tools.errors import VideoError
from tools.video.boxes import Box, box_in, boxes
from tools.video.streams import open_container

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from av import Packet
    from av.container import InputContainer
    from av.stream import Stream

# FFmpeg is off by less than the time between two pictures. Where it seems to be off by more than is
# ever between them, the list means something else than is read here, or is broken.
_MOST_OFF_S = 10.0

_MOST_EDITS = 100_000

_ROUNDING_S = 1e-3


class _Edits(NamedTuple):
    """See ``TrackTimes``; and where the last piece ends, None where the list does not say."""

    ahead_s: tuple[float, ...]
    empty_s: tuple[tuple[float, float], ...]
    until_s: float | None


class TrackTimes(NamedTuple):
    """What turns FFmpeg's times of a cut track into those at which it is shown.

    Attributes:
        ahead_s: Of each piece, how much later it is shown than it stands on the track's own clock;
            in ascending order, at least one.
        stored: By its place in the file, the timestamp of each packet on the track's own clock; of
            a track in one piece, which FFmpeg shifts as a whole, only that of the first one shown.
        shift_s: Of such a track, what is to be added to all times.
        empty_s: When, between two pieces, nothing is shown: from where until where.
    """

    ahead_s: tuple[float, ...]
    stored: dict[int, int]
    shift_s: float | None = None
    empty_s: tuple[tuple[float, float], ...] = ()

    def is_shown(self, packet: Packet[Stream]) -> bool:
        """Whether a packet belongs to a piece; asked before its time is corrected."""
        if not self.empty_s or packet.pts is None or not packet.time_base or packet.is_discard:
            return True
        time_s = float(packet.pts * packet.time_base) + _ROUNDING_S
        return not any(start_s <= time_s < end_s for start_s, end_s in self.empty_s)

    def correct(self, packet: Packet[Stream]) -> None:
        """Give a packet the time at which it is shown."""
        shift_s = self.shift_s if len(self.ahead_s) == 1 else self.off_by_s(packet)
        if shift_s and packet.pts is not None and packet.time_base:
            shift = round(shift_s / packet.time_base)
            packet.pts += shift
            if packet.dts is not None:
                packet.dts += shift

    def off_by_s(self, packet: Packet[Stream]) -> float:
        """How much later a packet is shown than it says; 0 where that is not known."""
        stored = self.stored.get(-1 if packet.pos is None else packet.pos)
        if stored is None or packet.pts is None or not packet.time_base:
            return 0.0
        ahead_s = float((packet.pts - stored) * packet.time_base)
        # What is shown twice is told apart by what FFmpeg makes of it.
        place = bisect(self.ahead_s, ahead_s)
        near_s = self.ahead_s[max(0, place - 1) : place + 1]
        off_s = min((one - ahead_s for one in near_s), key=abs)
        return off_s if abs(off_s) <= _MOST_OFF_S else 0.0


def cut_tracks(container: InputContainer, path: Path) -> Mapping[int, TrackTimes]:
    """Of each stream that is cut, what corrects its times, by the stream's index.

    Args:
        container: The open file; nothing is read from it.
        path: Where it is.

    Raises:
        VideoError: If it cannot be opened any more.
    """
    if "mp4" not in container.format.name:
        return {}
    try:
        status = path.stat()
        return _cut_tracks(path, (status.st_size, status.st_mtime_ns))
    except OSError as error:
        raise VideoError(f"{path} cannot be read any more ({error.strerror})") from error


def shown_until_s(path: Path, track: int) -> float | None:
    """Until when a track of an MP4 is shown by its edit list; None where there is none.

    Args:
        path: The file.
        track: The track's number in it, which FFmpeg calls the stream's id.

    Raises:
        OSError: If it cannot be read any more.
    """
    with path.open("rb") as file:
        edits = _edits(file, path.stat().st_size).get(track)
    return edits and edits.until_s


@lru_cache(maxsize=4)
def _cut_tracks(path: Path, _: tuple[int, int]) -> Mapping[int, TrackTimes]:
    with path.open("rb") as file:
        edits = _edits(file, path.stat().st_size)
    with open_container(path) as container:
        streams = (*container.streams.video, *container.streams.audio)
        cut = {one.index: edits[one.id] for one in streams if one.id in edits}
        # Of sound that is cut once, FFmpeg keeps the cut to the sample.
        once = {one.index for one in container.streams.video} & cut.keys()
    several = {index: found for index, found in cut.items() if len(found.ahead_s) > 1}
    stored = _stored(path, several) if several else {}
    found = {
        index: TrackTimes(edit.ahead_s, stored[index], empty_s=edit.empty_s)
        for index, edit in several.items()
    }
    for index in once - several.keys():
        if shift_s := _late_s(path, index, cut[index].ahead_s):
            found[index] = TrackTimes(cut[index].ahead_s, {}, shift_s)
    return found


def _late_s(path: Path, index: int, pieces: tuple[float, ...]) -> float:
    """How much later a video that is cut once is shown than FFmpeg says."""
    with open_container(path) as container:
        packets = _packets(container, index)
        first = next(packets, None)
        # Where all is shown that is decoded, nothing is cut.
        if first is None or not first.is_discard:
            return 0.0
        shown = next((one for one in packets if not one.is_discard and one.pts is not None), first)
        with open_container(path, with_edits=False) as whole:
            same = (one for one in _packets(whole, index) if one.pos == shown.pos)
            stored = next(same, shown).pts
        if stored is None or shown.pos is None:
            return 0.0
        return TrackTimes(pieces, {shown.pos: stored}).off_by_s(shown)


def _stored(path: Path, indices: Iterable[int]) -> dict[int, dict[int, int]]:
    """By stream and place in the file, each packet's timestamp on the track's own clock."""
    found: dict[int, dict[int, int]] = {index: {} for index in indices}
    for index, stored in found.items():
        with open_container(path, with_edits=False) as whole:
            stored |= {
                one.pos: one.pts
                for one in _packets(whole, index)
                if one.pos is not None and one.pts is not None
            }
    return found


def _packets(container: InputContainer, index: int) -> Iterator[Packet[Stream]]:
    """As far as they can be read."""
    with contextlib.suppress(av.FFmpegError):
        yield from container.demux(container.streams[index])


def _edits(file: BinaryIO, size: int) -> dict[int, _Edits]:
    """Of each track that has an edit list, by the track's number."""
    film = next((one for one in boxes(file, 0, size) if one.kind == b"moov"), None)
    film_ticks = film and _ticks_a_second(file, film, b"mvhd")
    if not film or not film_ticks:
        return {}
    found: dict[int, _Edits] = {}
    for track in boxes(file, film.body, film.end):
        if track.kind != b"trak":
            continue
        number = _number(file, track)
        ticks = _ticks_a_second(file, track, b"mdia", b"mdhd")
        edits = _pieces(file, track, film_ticks, ticks) if ticks else None
        if number is not None and edits:
            found[number] = edits
    return found


def _pieces(file: BinaryIO, track: Box, film_ticks: int, ticks: int) -> _Edits | None:
    """None where there is no list, or it is broken or asks for another speed."""
    box = box_in(file, track, b"edts", b"elst")
    if box is None:
        return None
    file.seek(box.body)
    version, count = struct.unpack(">B3xI", file.read(8).ljust(8, b"\0"))
    row = struct.Struct(">Qqhh" if version else ">Iihh")
    content = file.read(row.size * min(count, _MOST_EDITS))
    if len(content) < row.size * count:
        return None
    ahead_s, empty_s = list[float](), list[tuple[float, float]]()
    shown, until_s = 0, None
    for length, stored, rate, rate_fraction in row.iter_unpack(content):
        if (rate, rate_fraction) != (1, 0):
            return None
        if stored >= 0:
            ahead_s.append(shown / film_ticks - stored / ticks)
            # A piece of no length is one of all fragments that follow.
            until_s = (shown + length) / film_ticks if length else None
        elif ahead_s:
            empty_s.append((shown / film_ticks, (shown + length) / film_ticks))
        shown += length
    return _Edits(tuple(sorted(ahead_s)), tuple(empty_s), until_s) if ahead_s else None


def _ticks_a_second(file: BinaryIO, box: Box, *path: bytes) -> int | None:
    """The clock of a film or a track."""
    return _field(file, box_in(file, box, *path), (12, 20))


def _number(file: BinaryIO, track: Box) -> int | None:
    return _field(file, box_in(file, track, b"tkhd"), (12, 20))


def _field(file: BinaryIO, box: Box | None, places: tuple[int, int]) -> int | None:
    """A number of 32 bits, at the first place in a box of version 0, or the second in version 1."""
    if box is None:
        return None
    file.seek(box.body)
    content = file.read(places[1] + 4)
    at = places[bool(content[:1] > b"\0")]
    return int.from_bytes(content[at : at + 4], "big") or None
