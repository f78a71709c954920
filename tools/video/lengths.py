"""How long a file says its video is, and where that says nothing of the video."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import av

from tools.video.boxes import boxes
from tools.video.edit_list import shown_until_s
from tools.video.stream_clock import has_clock, may_reset
from tools.video.streams import open_container

if TYPE_CHECKING:
    from pathlib import Path

    from av import VideoStream
    from av.container import InputContainer

# Formats whose header counts from 0, and not from where anything begins.
_COUNT_FROM_0 = frozenset({"matroska,webm", "flv", "asf"})

# Boxes that may stand at the beginning of a file of the MP4 family.
_FIRST_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"sidx", b"free", b"skip", b"emsg"})


def header_duration_s(
    container: InputContainer, stream: VideoStream, path: Path, first_pts: int | None
) -> float | None:
    """Length by the header, from the first presented frame on; None where it says none.

    Of a format without such a header (``tells_its_length``) it is FFmpeg's estimate.
    """
    time_base = stream.time_base
    if not has_clock(container) or not time_base:
        return None
    # Frames that do not decode come before the first one that is shown.
    begin = stream.start_time or 0
    first = begin if first_pts is None else max(begin, first_pts)
    first_s = float(first * time_base)
    edited_until_s = None
    if "mp4" in container.format.name:
        edited_until_s = shown_until_s(path, stream.id)
    if stream.duration:
        counts_from = 0 if container.format.name in _COUNT_FROM_0 else begin
        duration_s = float((stream.duration + counts_from) * time_base) - first_s
    elif container.duration:
        counts_from = 0 if container.format.name in _COUNT_FROM_0 else container.start_time or 0
        duration_s = (container.duration + counts_from) / av.time_base - first_s
    else:
        return None
    # A track may hold more than is shown of it, and a list of edits may show more than there is.
    if edited_until_s is not None:
        duration_s = min(duration_s, edited_until_s - first_s)
    return duration_s if duration_s > 0 else None


def tells_its_length(container: InputContainer) -> bool:
    """Whether the format has a header that could say how long the video is."""
    # FLV has one, though its clock may be reset.
    return has_clock(container) and (container.format.name == "flv" or not may_reset(container))


def file_start_s(container: InputContainer, stream: VideoStream, first_pts: int | None) -> float:
    """How long before its first presented frame a file begins: there a player's clock is at 0."""
    if not has_clock(container) or first_pts is None or not stream.time_base:
        return 0.0
    begin_s = (container.start_time or 0) / av.time_base
    return max(0.0, float(first_pts * stream.time_base) - begin_s)


def has_sound_after(path: Path, start_s: float, after_s: float) -> bool:
    """Whether the sound of a file goes on after a time.

    Args:
        path: The file.
        start_s: Where 0 is on the file's own clock.
        after_s: Seconds from there.

    Raises:
        VideoError: If it cannot be opened any more.
    """
    with open_container(path) as container, contextlib.suppress(av.FFmpegError):
        for packet in container.demux(*container.streams.audio) if container.streams.audio else ():
            if packet.pts is not None and packet.time_base:
                end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                if end_s - start_s >= after_s:
                    return True
    return False


def is_whole_piece(path: Path) -> bool:
    """Whether it is an MP4 in fragments that are all there, from the first byte to the last.

    Such a file may be a piece of a presentation: its header, or the time at which it begins, tells
    of the whole.

    Raises:
        OSError: If it cannot be read any more.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        found = boxes(file, 0, size)
        last = next(found, None)
        if last is None or last.kind not in _FIRST_BOXES:
            return False
        is_fragmented = False
        for last in found:
            is_fragmented |= last.kind == b"moof"
    return is_fragmented and last.end == size
