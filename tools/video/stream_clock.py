"""Timestamps of a video as seconds after its first picture, also where its clock is reset.

Pictures and sound of one file share this clock: what it says of packets alone, before anything is
decoded, is the same for every pass over the file.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tools.video.joined import joined_at

if TYPE_CHECKING:
    from av import Packet, VideoFrame, VideoStream
    from av.container import InputContainer

# Packets come in the order of decoding, so a timestamp this far back means that the clock was reset
# (recordings joined in one stream). A player goes on from where it was, and so does this.
_SET_BACK_S = 1.0

# In transport streams a clock that was set back by more than a minute may look like one that ran
# over, and is then a day ahead; and a minute without a picture there is only a seam.
_SET_AHEAD_S = 60.0

# Frames are not out of order by as much as this.
_OUT_OF_ORDER_S = 0.5

# AVFMT_TS_DISCONT and AVFMT_NOTIMESTAMPS of FFmpeg's avformat.h: formats whose clock may be reset,
# and those without any.
_CLOCK_MAY_RESET = 0x0200
_HAS_NO_CLOCK = 0x0080

# Formats without that flag whose files can be joined by putting one after the other.
_JOINED_BY_COPYING = frozenset({"flv"})

# In these, joined or not, the clock goes on.
_COUNTED_ON = frozenset({"avi"})

# Enough packets to know how far apart frames are.
_PACKETS_TO_KNOW_THE_INTERVAL = 16

# Where frames are further apart than this, how far tells nothing of how long the last one is shown.
_LONGEST_ASSUMED_S = 1.0

# Headers round.
_ROUNDING_S = 1e-3


def may_reset(container: InputContainer) -> bool:
    """Whether the clock of such a file may be reset in its middle."""
    name = container.format.name
    if name in _JOINED_BY_COPYING or container.format.flags & _CLOCK_MAY_RESET:
        return True
    return name not in _COUNTED_ON and bool(joined_at(container))


def has_clock(container: InputContainer) -> bool:
    """Whether such a file has timestamps; a bare stream of pictures has none."""
    return not container.format.flags & _HAS_NO_CLOCK


class StreamClock:
    """Turns timestamps into seconds, and knows how far apart frames really are.

    Args:
        container: The open file.
        stream: Its video.
        first_pts: Timestamp of the first presented frame, which is time 0; None takes what comes.
        nominal_interval_s: How far apart frames are that carry no timestamp.
        header_end_s: Where the header says that the stream ends; None where it says nothing.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        *,
        first_pts: int | None,
        nominal_interval_s: float,
        header_end_s: float | None = None,
    ) -> None:
        time_base = stream.time_base or Fraction(1, 1000)
        self._tick_s = float(time_base)
        self._tick_numerator, self._tick_denominator = time_base.as_integer_ratio()
        self._first_pts = first_pts
        self._nominal_interval_s = nominal_interval_s
        self._header_end_s = math.inf if header_end_s is None else header_end_s
        self._has_clock = has_clock(container)
        self._may_be_ahead = may_reset(container)
        # Of each stretch between two settings of the clock: its begin, and its first timestamp.
        self._begun_s: list[float] = []
        self._earliest: list[int] = []
        # Of the last one.
        self._latest = 0
        self._latest_declared = 0
        # Of all of them, and of those that are over.
        self._noted = 0
        self._declared_ticks = 0
        self._past_ticks = 0
        self._gaps = 0
        self._gap_ticks = 0
        self._counted_ticks = 0
        self._last_dts: int | None = None
        self._is_new = True
        self._shown = 0
        self._last_s = -math.inf

    def note(self, packet: Packet[Any]) -> None:
        """Count a packet, before it is decoded."""
        if packet.is_discard:
            # Cut away; only others are decoded with its help.
            return
        if packet.dts is not None:
            if self._last_dts is not None:
                ahead_s = (packet.dts - self._last_dts) * self._tick_s
                is_ahead = self._may_be_ahead and ahead_s > _SET_AHEAD_S
                self._is_new |= ahead_s < -_SET_BACK_S or is_ahead
                if not self._is_new and ahead_s > _LONGEST_ASSUMED_S:
                    self._gaps += 1
                    self._gap_ticks += packet.dts - self._last_dts
            self._last_dts = packet.dts
        if packet.pts is None or not self._has_clock:
            return
        if self._is_new:
            self._begin_stretch(packet.pts)
            self._is_new = False
        self._noted += 1
        self._declared_ticks += packet.duration or 0
        self._earliest[-1] = min(self._earliest[-1], packet.pts)
        if packet.pts >= self._latest:
            self._latest, self._latest_declared = packet.pts, packet.duration or 0

    @property
    def was_reset(self) -> bool:
        """Whether the clock was reset before the last packet noted."""
        return len(self._begun_s) > 1

    @property
    def stretches(self) -> int:
        """How often the clock was set so far, the first time included."""
        return len(self._begun_s)

    def behind_s(self, stretch: int) -> float:
        """What is to be added to the times of a stretch, counted from 0."""
        if stretch == 0:
            return 0.0
        return self._begun_s[stretch] - self.time_of(self._earliest[stretch])

    @property
    def interval_s(self) -> float | None:
        """Mean time between frames; None until it is known."""
        is_known = self._noted >= _PACKETS_TO_KNOW_THE_INTERVAL
        return self._mean_interval_s() if is_known else None

    @property
    def until_s(self) -> float | None:
        """End of the last frame noted; None where the packets do not tell it."""
        if not self._noted or self._first_pts is None:
            return None
        last_s = self.time_of(self._latest) + self.behind_s(len(self._begun_s) - 1)
        return self.end_of(last_s, self._latest_declared) if last_s >= 0 else None

    def time_of(self, pts: int) -> float:
        """Seconds from the first presented frame, in the first stretch."""
        # The product of whole numbers first: it rounds once, and equal times come out equal.
        ticks = pts - (self._first_pts or 0)
        return ticks * self._tick_numerator / self._tick_denominator

    def present(self, frame: VideoFrame) -> float | None:
        """When the frame is shown; None for one that comes too late to be shown at all."""
        if not self._has_clock:
            # Pictures may be shown for longer than others (a film at television's rate).
            time_s = self._counted_ticks * self._tick_s
            self._counted_ticks += frame.duration or round(self._nominal_interval_s / self._tick_s)
        elif frame.pts is None:
            # Nothing but the order is known.
            time_s = max(0.0, self._last_s + self._nominal_interval_s)
        else:
            if self._first_pts is None:
                self._first_pts = frame.pts
            time_s = self._time_in_order(frame.pts)
        if time_s <= self._last_s or time_s < 0:
            return None
        self._last_s = time_s
        return time_s

    def end_of(self, time_s: float, declared_ticks: int | None) -> float:
        """Until when the frame that is shown at a time is shown, if it is the last one.

        That is as long as it says itself, if what the others say fits their times, and not beyond
        the end that the header tells.
        """
        end_s = time_s + self._shown_for_s(declared_ticks)
        if time_s + _ROUNDING_S < self._header_end_s < end_s:
            return self._header_end_s
        return end_s

    def _begin_stretch(self, pts: int) -> None:
        begun_s = 0.0
        if self._begun_s:
            last_s = self.time_of(self._latest) + self.behind_s(len(self._begun_s) - 1)
            begun_s = last_s + self._usual_interval_s()
            self._past_ticks += self._latest - self._earliest[-1]
        self._begun_s.append(begun_s)
        self._earliest.append(pts)
        self._latest = pts

    def _time_in_order(self, pts: int) -> float:
        """The time in the stretch that is shown, or in the next one where it has begun."""
        time_s = self.time_of(pts) + self.behind_s(self._shown)
        if self._shown + 1 >= len(self._begun_s):
            return time_s
        next_s = self.time_of(pts) + self.behind_s(self._shown + 1)
        is_set_back = time_s < self._last_s - _OUT_OF_ORDER_S
        if max(0.0, self._last_s) < next_s and (is_set_back or next_s < time_s):
            self._shown += 1
            return next_s
        return time_s

    def _shown_for_s(self, declared_ticks: int | None) -> float:
        declared_s = (declared_ticks or 0) * self._tick_s
        if declared_s and 2 * self._declared_ticks > self._span_ticks():
            return declared_s
        usual_s = self._usual_interval_s()
        if usual_s > _LONGEST_ASSUMED_S:
            return declared_s or min(usual_s, self._nominal_interval_s)
        return usual_s

    def _usual_interval_s(self) -> float:
        """Mean time between frames, without the gaps where nothing was recorded or moved."""
        steps = self._noted - len(self._begun_s) - self._gaps
        span_ticks = self._span_ticks() - self._gap_ticks
        if steps > 0 and span_ticks > 0:
            return span_ticks * self._tick_s / steps
        return self._mean_interval_s()

    def _mean_interval_s(self) -> float:
        steps = self._noted - len(self._begun_s)
        span_ticks = self._span_ticks()
        return (
            span_ticks * self._tick_s / steps if steps and span_ticks else self._nominal_interval_s
        )

    def _span_ticks(self) -> int:
        return self._past_ticks + (self._latest - self._earliest[-1] if self._earliest else 0)
