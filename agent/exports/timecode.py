"""Frames of a timeline as timecode (SMPTE ST 12-1), with drop-frame where the rate asks for it."""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from agent.errors import QueryError

NTSC = 1001
"""24000/1001, 30000/1001 and 60000/1001 frames a second: a little slower than they are counted."""

USUAL_RATES_HZ = (
    Fraction(24000, NTSC),
    Fraction(24),
    Fraction(25),
    Fraction(30000, NTSC),
    Fraction(30),
    Fraction(48),
    Fraction(50),
    Fraction(60000, NTSC),
    Fraction(60),
)
"""Rates of timelines that editors have."""

START_TIMECODE = "00:00:00:00"
"""Where a timeline begins, unless another place is named."""

_ROUNDING_FRAMES = 0.05
"""A time this little past a frame's own is that frame's: Matroska rounds to milliseconds."""

_WRITTEN = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)[:;](\d\d)")


@dataclass(frozen=True, slots=True)
class FrameClock:
    """A timeline of constant rate that counts its frames from a start timecode.

    Attributes:
        rate_hz: Frames a second; one of ``USUAL_RATES_HZ``.
        start_frame: What the first frame is counted as.
    """

    rate_hz: Fraction
    start_frame: int = 0

    @property
    def counted_hz(self) -> int:
        """Frames that a second of timecode holds: 30 at 29.97 a second."""
        return round(self.rate_hz)

    @property
    def drops_frames(self) -> bool:
        """Whether frame numbers are left out, so that timecode keeps up with the clock."""
        return self.rate_hz.denominator == NTSC and self.counted_hz % 30 == 0

    def passes_a_day(self, frame: int) -> bool:
        """Whether the timecode of a frame, counted from 0, has begun again at 00:00:00:00."""
        number = self.start_frame + frame
        if self.drops_frames:
            number = _with_dropped(number, self.counted_hz)
        return number >= 24 * 3600 * self.counted_hz

    def frame_at(self, time_s: float) -> int:
        """The first frame shown at or after a time, counted from 0."""
        return max(0, math.ceil(time_s * float(self.rate_hz) - _ROUNDING_FRAMES))

    def timecode(self, frame: int) -> str:
        """``01:00:07:12`` for a frame counted from 0; ``01:00:07;12`` with drop-frame."""
        rate = self.counted_hz
        number = self.start_frame + frame
        if self.drops_frames:
            number = _with_dropped(number, rate)
        seconds, frames = divmod(number, rate)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        mark = ";" if self.drops_frames else ":"
        return f"{hours % 24:02d}:{minutes:02d}:{seconds:02d}{mark}{frames:02d}"


def timeline_from(rate_hz: Fraction, start_timecode: str) -> FrameClock:
    """A timeline of that rate whose first frame has that timecode.

    Raises:
        QueryError: If there is no such timecode at this rate.
    """
    plain = FrameClock(rate_hz)
    hours, minutes, seconds, frames = parse_timecode(start_timecode)
    rate = plain.counted_hz
    dropped = rate // 15 if plain.drops_frames else 0
    all_minutes = hours * 60 + minutes
    is_dropped = frames < dropped and seconds == 0 and minutes % 10 != 0
    if frames >= rate or is_dropped:
        raise QueryError(
            f"--start-timecode {start_timecode}: there is no frame {frames:02d} in that second at "
            f"{float(rate_hz):.2f} frames a second; try 01:00:00:00"
        )
    number = (all_minutes * 60 + seconds) * rate + frames
    return FrameClock(rate_hz, number - dropped * (all_minutes - all_minutes // 10))


def parse_timecode(text: str) -> tuple[int, int, int, int]:
    """Hours, minutes, seconds and frames of ``01:00:00:00``.

    Raises:
        QueryError: If it is no timecode.
    """
    found = _WRITTEN.fullmatch(text)
    if not found or int(found[1]) > 23:
        raise QueryError(
            f"--start-timecode {text} is no timecode; write hours, minutes, seconds and frames, "
            "like 01:00:00:00"
        )
    hours, minutes, seconds, frames = map(int, found.groups())
    return hours, minutes, seconds, frames


def _with_dropped(frame: int, rate: int) -> int:
    """The number that drop-frame counting gives a frame: it skips some each minute but the 10th."""
    dropped = rate // 15
    in_minute = rate * 60 - dropped
    in_ten = in_minute * 10 + dropped
    tens, rest = divmod(frame, in_ten)
    # The first minute of ten drops nothing.
    skipped = 0 if rest < rate * 60 else (rest - rate * 60) // in_minute + 1
    return frame + dropped * (9 * tens + skipped)
