"""A question of a dataset with its true answer, and the rules that a true answer has to keep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from evaluation.results import BenchmarkError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Windows = NDArray[np.float64]

ROUNDING_S = 2.0
"""How far past the video's end an annotator's rounded end may lie.

A sixth of Charades-STA's windows end up to 1.5 s past the length that Charades itself gives (and
TACoS's up to 0.3 s): they mean "until the end", and no answer could reach what is not there. Such
ends are cut to the video, as 2D-TAN and its successors do, and counted. What lies further out is
no rounding but a mistake, as in Charades-CD's AKKWU, 13–38 s of a video of 12 s.
"""

NOISE_S = 1e-6
"""Durations such as 95.03999999999999 come from arithmetic in floating point, not from rounding."""


NEVER: Final[Windows] = np.empty((0, 2))
"""The windows of what never happens."""


Value = TypeVar("Value")


class LineError(ValueError):
    """A line of annotations is malformed; the message says how, and its reader knows where."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question of a dataset with its true answer.

    Attributes:
        qid: The dataset's name for it; where it has none, the video and a running number.
        text: What is looked for, on one line.
        video_id: The dataset's name for the video that it is about.
        duration_s: Length of that video; None where the annotations do not say.
        windows: Shape ``(m, 2)``, true start and end in seconds; none where a label says that it
            never happens. Inside the video where its length is known.
        where: File and line it stands in.
        cut_s: How far the published windows reach past the video's end, where they were cut to it.
    """

    qid: str
    text: str
    video_id: str
    duration_s: float | None
    windows: Windows
    where: str = ""
    cut_s: float = 0.0

    @property
    def known_duration_s(self) -> float:
        """The duration, where there has to be one.

        Raises:
            BenchmarkError: If the annotations do not say.
        """
        if self.duration_s is None:
            raise BenchmarkError(f"{self.where}: the length of {self.video_id} is not known")
        return self.duration_s


@dataclass(frozen=True, slots=True)
class Annotations:
    """What a file of annotations holds.

    Attributes:
        queries: In the file's order.
        bad: What could not be used, a line each with file and line number.
    """

    queries: tuple[Query, ...]
    bad: tuple[str, ...] = ()

    def all_or_error(self, *, hint: str = "") -> list[Query]:
        """The queries of a file without a bad line.

        Args:
            hint: What else the reader of the message can do.

        Raises:
            BenchmarkError: If there is a bad line; names the first one.
        """
        if self.bad:
            left = len(self.bad) - 1
            more = f" (and {left} more bad line{'s' * (left > 1)})" if left else ""
            if not self.queries:
                raise BenchmarkError(f"{self.bad[0]}{more}; no line of the file is any better")
            raise BenchmarkError(f"{self.bad[0]}{more}{hint}")
        return list(self.queries)


def make_query(
    *,
    qid: str,
    text: object,
    video_id: object,
    duration_s: object,
    windows: object,
    where: str,
) -> Query:
    """A query from what a file says.

    Args:
        qid: Its name.
        text: A sentence; white space is put in order (ActivityNet's begin with a blank).
        video_id: A name.
        duration_s: A positive number, or None.
        windows: A list of pairs of numbers, in seconds, or ``NEVER``.
        where: File and line.

    Raises:
        LineError: If it is malformed; says how, without the place.
    """
    length_s = None if duration_s is None else number(duration_s, "the duration")
    if length_s is not None and length_s <= 0:
        raise LineError(f"the duration is {length_s:g} s")
    inside, cut_s = (NEVER, 0.0) if windows is NEVER else fit_windows(windows, length_s)
    return Query(
        qid=qid,
        text=" ".join(_words(text, "the query").split()),
        video_id=_words(video_id, "the video's name").strip(),
        duration_s=length_s,
        windows=inside,
        where=where,
        cut_s=cut_s,
    )


def fit_windows(windows: object, duration_s: float | None) -> tuple[Windows, float]:
    """Check true windows, and cut to the video's end what rounding put past it.

    Args:
        windows: A list of pairs of numbers, in seconds.
        duration_s: The video's length; None leaves every end where it is.

    Returns:
        windows: Shape ``(m, 2)``.
        cut_s: How far the furthest of them reached past the end.

    Raises:
        LineError: If there is none, or one starts before 0 or after the end, is reversed or has no
            length, or ends more than ``ROUNDING_S`` past the end.
    """
    if not isinstance(windows, Sequence | np.ndarray) or isinstance(windows, str):
        raise LineError(f"the windows are {shown(windows)}, not a list of [start, end]")
    if not len(windows):
        raise LineError("there is no window")
    pairs = [_window(window, duration_s) for window in windows]
    inside = np.array(pairs, dtype=np.float64)
    if duration_s is None:
        return inside, 0.0
    past_s = float(inside[:, 1].max() - duration_s)
    return np.minimum(inside, duration_s), past_s if past_s > NOISE_S else 0.0


def by_file_name(values: Mapping[str, Value], name: str) -> Value | None:
    """What is there of a video by this name, with the suffix of its file or without; else None."""
    stem, dot, suffix = name.rpartition(".")
    is_file_name = bool(dot) and len(suffix) <= 5 and suffix.isalnum() and not suffix.isdigit()
    return values.get(name, values.get(stem) if is_file_name else None)


def number(value: object, name: str) -> float:
    """A finite number, also as text, as CSV files have it.

    Raises:
        LineError: If it is no such thing.
    """
    try:
        read = float(value) if not isinstance(value, bool) else math.nan  # type: ignore[arg-type]  # what float() refuses is the point
    except (TypeError, ValueError, OverflowError):
        read = math.nan
    if not math.isfinite(read):
        raise LineError(f"{name} is {shown(value)}, not a number")
    return read


def shown(value: object) -> str:
    """A value as a message names it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _window(window: Any, duration_s: float | None) -> tuple[float, float]:
    if not isinstance(window, Sequence | np.ndarray) or len(window) != 2:
        raise LineError(f"a window is {shown(window)}, not [start, end]")
    start_s, end_s = number(window[0], "a start"), number(window[1], "an end")
    span = f"the window {start_s:g}–{end_s:g} s"
    if start_s < 0:
        raise LineError(f"{span} starts before 0")
    if end_s < start_s:
        raise LineError(f"{span} ends before it starts")
    if end_s == start_s:
        raise LineError(f"{span} has no length")
    if duration_s is not None and start_s >= duration_s:
        raise LineError(f"{span} starts after the video has ended, at {duration_s:g} s")
    if duration_s is not None and end_s > duration_s + ROUNDING_S:
        raise LineError(
            f"{span} ends {end_s - duration_s:.1f} s past the video's end at {duration_s:g} s"
        )
    return start_s, end_s


def _words(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise LineError(f"{name} is {shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise LineError(f"{name} {value!a} is no text") from None
    return value
