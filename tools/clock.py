"""Seconds as people read them: clock times, rounded for display alone."""

from tools.timeline import Interval

MOMENT_S = 0.5
"""A shorter span is read to the hundredth: a cut between two frames."""


def clock(time_s: float, *, decimals: int = 1) -> str:
    """``0:34.0``, ``12:05.5`` or ``1:02:03.4``: rounded for reading, never for calculation."""
    parts = 10**decimals
    minutes, rest = divmod(round(time_s * parts), 60 * parts)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // parts:02d}.{rest % parts:0{decimals}d}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


def clock_span(span: Interval) -> str:
    """``0:34.0–0:41.5``; of a moment ``0:34.00–0:34.04``."""
    decimals = 2 if span.length_s < MOMENT_S else 1
    return f"{clock(span.start_s, decimals=decimals)}–{clock(span.end_s, decimals=decimals)}"
