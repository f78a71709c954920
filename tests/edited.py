"""Gives an MP4 another edit list, as programs do that cut without encoding again."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

EMPTY = (-1.0, 0.0)
"""A piece of a second in which nothing is shown."""


def edit(
    path: Path, source: Path, pieces_s: Sequence[tuple[float, float]], *, rate: int = 1
) -> Path:
    """What of an MP4 is shown, in which order, in its pictures and its sound.

    Args:
        path: Where to.
        source: A file whose tracks have an edit list of one piece, after all that it holds.
        pieces_s: Where each piece begins and ends, in seconds of the source; or ``EMPTY``.
        rate: How fast all is shown.
    """
    content = source.read_bytes()
    at = content.index(b"moov") - 4
    film = content[at:]
    ticks = struct.unpack_from(">I", film, film.index(b"mvhd") + 16)[0]
    tracks = film.split(b"trak")
    edited = [tracks[0], *(_with_pieces(track, pieces_s, ticks, rate) for track in tracks[1:])]
    path.write_bytes(content[:at] + _sized(b"trak".join(edited)))
    return path


def _with_pieces(
    track: bytes, pieces_s: Sequence[tuple[float, float]], film_ticks: int, rate: int
) -> bytes:
    """Without its length, which stands before its name."""
    begin = track.index(b"edts") - 4
    length = struct.unpack_from(">I", track, begin)[0]
    first = struct.unpack_from(">i", track, track.index(b"elst") + 16)[0]
    ticks = struct.unpack_from(">I", track, track.index(b"mdhd") + 16)[0]
    rows = b"".join(
        struct.pack(
            ">Iihh",
            round((end - start) * film_ticks),
            -1 if (start, end) == EMPTY else first + round(start * ticks),
            rate,
            0,
        )
        for start, end in pieces_s
    )
    table = _box(b"elst", struct.pack(">II", 0, len(pieces_s)) + rows)
    return track[:begin] + _box(b"edts", table) + track[begin + length :]


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def _sized(film: bytes) -> bytes:
    """The lengths of the film and its tracks, as they now are."""
    starts = [one for one in range(len(film)) if film[one : one + 4] == b"trak"]
    ends = [*(one - 4 for one in starts[1:]), None]
    sized = bytearray(film)
    for start, end in zip(starts, ends, strict=True):
        stop = _end_of_track(film, start) if end is None else end
        sized[start - 4 : start] = struct.pack(">I", stop - start + 4)
    sized[:4] = struct.pack(">I", len(film))
    return bytes(sized)


def _end_of_track(film: bytes, start: int) -> int:
    """Where the last track ends: before what belongs to the film as a whole."""
    at = film.find(b"udta", start)
    return len(film) if at < 0 else at - 4
