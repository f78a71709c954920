"""Seconds as people read them: clock times, rounded for display alone."""

from tools.timeline import Interval


def clock(time_s: float) -> str:
    """``0:34.0``, ``12:05.5`` or ``1:02:03.4``: rounded for reading, never for reckoning."""
    tenths = round(time_s * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


def clock_span(span: Interval) -> str:
    """``0:34.0–0:41.5``."""
    return f"{clock(span.start_s)}–{clock(span.end_s)}"
