"""Where a cut in an MP4's edit list falls between two pictures."""

from __future__ import annotations

import contextlib
from itertools import islice
from typing import TYPE_CHECKING

import av

from tools.video.streams import open_container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av import Packet
    from av.container import InputContainer
    from av.stream import Stream

# More packets than pictures are out of order by.
_PACKETS_AHEAD = 17


def cut_off_s(container: InputContainer, path: Path, stream_index: int) -> float:
    """How long after the start of a cut its first picture comes.

    FFmpeg lets that picture begin at once, and so too early by this beside the sound, whose cuts it
    keeps to the sample. 0 for a video that is not cut, or is cut at a picture.

    Args:
        container: The open file; some of its packets are read.
        path: Where it is.
        stream_index: Which of its streams is the video.
    """
    if "mp4" not in container.format.name:
        return 0.0
    packets = _packets(container, stream_index)
    first = next(packets, None)
    # Where all is shown that is decoded, nothing is cut.
    if first is None or not first.is_discard:
        return 0.0
    shown = (one for one in packets if not one.is_discard and one.pts is not None)
    # Of those that come first in the file, one is the first to be shown.
    earliest = min(islice(shown, _PACKETS_AHEAD), key=_pts, default=first)
    with open_container(path, with_edits=False) as whole:
        same = (one for one in _packets(whole, stream_index) if one.pos == earliest.pos)
        late = _pts(next(same, earliest)) - _pts(earliest)
        return max(0.0, float(late * (earliest.time_base or 0)))


def _pts(packet: Packet[Stream]) -> int:
    return packet.pts or 0


def _packets(container: InputContainer, stream_index: int) -> Iterator[Packet[Stream]]:
    """As far as they can be read."""
    with contextlib.suppress(av.FFmpegError):
        yield from container.demux(container.streams[stream_index])
