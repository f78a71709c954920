"""How fast the frames of a video follow each other, by their own times, not by its header."""

from dataclasses import dataclass
from fractions import Fraction

import av

from agent.exports.timecode import USUAL_RATES_HZ
from tools.errors import VideoError
from tools.video.packet_times import PacketTimes
from tools.video.reader import Video
from tools.video.streams import open_container

_OFF_FRAMES = 0.5
"""A frame further than this from its place in a steady rate is not of that rate."""


@dataclass(frozen=True, slots=True)
class VideoRate:
    """The rate of a timeline that a video lies on.

    Attributes:
        timeline_hz: A rate that editors have.
        note: What to know about frames of that timeline; empty where each frame of the video
            begins exactly with one of them.
    """

    timeline_hz: Fraction
    note: str = ""


def read_rate(video: Video) -> VideoRate:
    """Find the rate from the presentation time of every frame; reads the file, decodes nothing.

    Raises:
        VideoError: If the file cannot be opened any more.
    """
    times_s, header_hz = _times_s(video)
    if len(times_s) < 2:
        return VideoRate(_nearest(header_hz or Fraction(25)))
    mean_hz = Fraction((len(times_s) - 1) / (times_s[-1] - times_s[0]))
    near = sorted(
        (_share(rate, mean_hz) for rate in USUAL_RATES_HZ), key=lambda rate: abs(rate - mean_hz)
    )
    for rate in (*near, *([header_hz] if header_hz else []), Fraction(round(mean_hz) or 1)):
        if _is_steady(times_s, rate):
            return _for_steady(rate)
    timeline_hz = _nearest(header_hz if header_hz and header_hz <= 60 else mean_hz)
    return VideoRate(
        timeline_hz,
        f"its frame rate varies (about {float(mean_hz):.2f} a second), so its times are set on a "
        f"timeline of {_said(timeline_hz)} frames a second, to the next frame of that",
    )


def _times_s(video: Video) -> tuple[list[float], Fraction | None]:
    try:
        with open_container(video.path) as container:
            stream = container.streams[video.stream_index]
            base = stream.time_base or Fraction(1, 90_000)
            times = PacketTimes(container, video.path)
            found = set[int]()
            for packet in container.demux(stream):
                times.correct(packet)
                if packet.pts is not None and not packet.is_discard:
                    found.add(packet.pts)
            header_hz = getattr(stream, "average_rate", None)
    except av.FFmpegError as error:
        raise VideoError(f"cannot read the frame times of {video.path}: {error}") from error
    first = video.first_pts or 0
    times_s = [float((tick - first) * base) for tick in sorted(found) if tick >= first]
    return times_s, header_hz


def _is_steady(times_s: list[float], rate_hz: Fraction) -> bool:
    rate = float(rate_hz)
    return all(abs(time_s * rate - index) < _OFF_FRAMES for index, time_s in enumerate(times_s))


def _for_steady(rate_hz: Fraction) -> VideoRate:
    if rate_hz in USUAL_RATES_HZ:
        return VideoRate(rate_hz)
    for timeline_hz in USUAL_RATES_HZ:
        if (timeline_hz / rate_hz).denominator == 1:
            return VideoRate(
                timeline_hz,
                f"{_said(rate_hz)} frames a second is not a standard timeline rate: each of its "
                f"frames is {timeline_hz / rate_hz} frames of one at {_said(timeline_hz)} a second",
            )
    timeline_hz = _nearest(rate_hz)
    return VideoRate(
        timeline_hz,
        f"{_said(rate_hz)} frames a second is not a standard timeline rate: its times are set on "
        f"one of {_said(timeline_hz)} a second, to the next frame of that",
    )


def _nearest(rate_hz: Fraction) -> Fraction:
    return min(USUAL_RATES_HZ, key=lambda rate: abs(_share(rate, rate_hz) - rate_hz))


def _share(timeline_hz: Fraction, rate_hz: Fraction) -> Fraction:
    """The rate nearest to ``rate_hz`` whose frames are whole numbers of frames of a timeline."""
    return timeline_hz / max(1, round(timeline_hz / rate_hz))


def _said(rate_hz: Fraction) -> str:
    return f"{float(rate_hz):.2f}".rstrip("0").rstrip(".")
