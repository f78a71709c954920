"""Packets with the times at which they are shown, where FFmpeg's are not quite that."""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING, Any

from tools.video.edit_list import cut_tracks
from tools.video.joined import seams_of_sound

if TYPE_CHECKING:
    from pathlib import Path

    from av import Packet, VideoFrame
    from av.container import InputContainer

# Timestamps of transport and programme streams have 33 bits.
_CLOCK_TICKS = 1 << 33
_CLOCKS_THAT_RUN_OVER = frozenset({"mpegts", "mpeg"})

# From the last timestamp before a clock runs over to the first one after it; less than between
# recordings that are joined, and more than packets are out of order by.
_MOST_BETWEEN_S = 5.0


# Formats that store when pictures are decoded, not when they are shown.
_ORDER_ONLY = frozenset({"avi"})


def has_order_only(container: InputContainer) -> bool:
    """Whether packets of such a file say when they are decoded, and nothing of when shown."""
    return container.format.name in _ORDER_ONLY


class PacketTimes:
    """Corrects the packets of one reading of a file, in stored order.

    The cuts of an MP4 are kept exactly (``tools.video.edit_list``), and the clock of a transport
    stream that runs over, after about 26.5 hours, goes on. FFmpeg sees to that only where it is the
    clock that the file begins with. In an AVI, what FFmpeg guesses is not believed: it knows the
    order of decoding alone, see ``ShownOrder``;
    and where another AVI was put behind it, sound begins with the pictures again.

    Args:
        container: The open file.
        path: Where it is.
    """

    def __init__(self, container: InputContainer, path: Path) -> None:
        self._cut = cut_tracks(container, path)
        self._has_order_only = has_order_only(container)
        self._seams = seams_of_sound(container, path)
        self._may_run_over = container.format.name in _CLOCKS_THAT_RUN_OVER
        # Of each stream: ticks that all its clock's runs were long, and its last timestamp.
        self._ran: dict[int, int] = {}
        self._last: dict[int, int] = {}

    def is_shown(self, packet: Packet[Any]) -> bool:
        """Whether a packet belongs to what is shown; asked before it is corrected."""
        cut = self._cut.get(packet.stream.index)
        return cut is None or cut.is_shown(packet)

    def correct(self, packet: Packet[Any]) -> None:
        """Set the packet's timestamps."""
        index = packet.stream.index
        if self._has_order_only:
            packet.pts = packet.dts
            self._join(packet)
        elif index in self._cut:
            self._cut[index].correct(packet)
        elif self._may_run_over and packet.time_base:
            self._go_on(packet, index, _MOST_BETWEEN_S / float(packet.time_base))

    def _join(self, packet: Packet[Any]) -> None:
        seams = self._seams.get(packet.stream.index, ())
        part = bisect(seams, packet.pos or 0, key=lambda one: one.place)
        if part and packet.dts is not None and packet.time_base:
            packet.dts += round(seams[part - 1].late_s / packet.time_base)
            packet.pts = packet.dts

    def _go_on(self, packet: Packet[Any], index: int, most_ticks: float) -> None:
        if packet.dts is not None:
            last = self._last.get(index, packet.dts)
            if abs(packet.dts + _CLOCK_TICKS - last) < most_ticks:
                self._ran[index] = self._ran.get(index, 0) + _CLOCK_TICKS
            self._last[index] = packet.dts
            if packet.pts is not None and packet.pts < packet.dts - _CLOCK_TICKS // 2:
                # Of packets out of order, only the picture's time has run over.
                packet.pts += _CLOCK_TICKS
            packet.dts += self._ran.get(index, 0)
        if packet.pts is not None:
            packet.pts += self._ran.get(index, 0)


class ShownOrder:
    """Times of frames that are decoded in another order than they are shown, and say only when.

    A decoder hands frames out in the order in which they are shown, each when the packet goes in
    that it waited for. So each is shown when that packet was decoded, less what the first one
    waited.
    """

    def __init__(self) -> None:
        self._first_in: int | None = None
        self._waited: int | None = None

    def note(self, packet: Packet[Any]) -> None:
        """Take note of a packet, before it is decoded."""
        if self._first_in is None:
            self._first_in = packet.dts

    def correct(self, frame: VideoFrame) -> None:
        """Set the frame's timestamp; to none for the last ones, which wait for no packet."""
        if frame.dts is None:
            frame.pts = None
            return
        if self._waited is None:
            self._waited = frame.dts - (frame.dts if self._first_in is None else self._first_in)
        frame.pts = frame.dts - self._waited
