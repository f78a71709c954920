"""The worst answers of a run, each as bands on the time axis of its video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.figures.answers import top_iou
from evaluation.figures.decomposition import outcome
from evaluation.report.reported_runs import Run
from evaluation.report.words import NAMES, VERDICTS, probability, span
from evaluation.results import Result, ScoredSpan, Span

WORST = 20

_LANE_PX = 6
_BAND_PX = 14
_GAP_PX = 5
_MOST_TICKS = 8
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 36000)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a video.

    Attributes:
        x: Where it begins, in percent of the axis.
        width: How long it is, in the same unit.
        y: Its top, in pixels.
        height: In pixels.
        opacity: 1 for what is certain.
        says: Its times, and what it is scored.
    """

    x: float
    width: float
    y: int
    height: int
    opacity: float
    says: str


@dataclass(frozen=True, slots=True)
class Band:
    """Bars of one meaning.

    Attributes:
        name: ``truth``, ``answer``, ``candidates`` or ``shown``.
        y: Its top, in pixels.
        height: In pixels.
        bars: What it holds; nothing where there is no such thing.
    """

    name: str
    y: int
    height: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One answered query.

    Attributes:
        result: The question and its answer.
        facts: What the answer was, in a few words each.
        bands: From the top down.
        ticks: Where on the axis, in percent, and the time there.
        height: Of all bands together, in pixels.
    """

    result: Result
    facts: tuple[str, ...]
    bands: tuple[Band, ...]
    ticks: tuple[tuple[float, str], ...]
    height: int


def worst(run: Run, count: int = WORST) -> list[Timeline]:
    """The own queries with the lowest IoU; among equals, those that were most confidently wrong.

    Questions that failed are left out: there is no answer to look at.
    """
    scored = [
        (float(iou), one)
        for iou, one in zip(top_iou(run.results), run.own, strict=True)
        if one.verdict != "error"
    ]
    scored.sort(key=lambda pair: (pair[0], -pair[1].confidence))
    return [timeline(one, iou) for iou, one in scored[:count]]


def timeline(result: Result, iou: float) -> Timeline:
    """The bands of one answer."""
    spans = [*result.truth, *result.shown, *(one[:2] for one in _windows(result))]
    # Some predictions end after their video does, and that should be seen.
    axis_s = max([result.duration_s, *(end_s for _, end_s in spans)]) or 1.0
    bands: list[Band] = []
    y = 0
    for name, bars in (
        ("truth", _bars(result.truth, y, axis_s)),
        ("answer", _answer(result, y + _BAND_PX + _GAP_PX, axis_s)),
        ("candidates", _candidates(result, y + 2 * (_BAND_PX + _GAP_PX), axis_s)),
    ):
        bottom = max((bar.y + bar.height for bar in bars), default=y + _BAND_PX)
        bands.append(Band(name, y, max(bottom - y, _BAND_PX), bars))
        y += bands[-1].height + _GAP_PX
    bands.append(Band("shown", y, _LANE_PX, _bars(result.shown, y, axis_s, _LANE_PX)))
    facts = [
        NAMES[outcome(result)],
        f"IoU {iou:.2f}",
        f"verdict “{VERDICTS[result.verdict]}” by {result.by or 'nobody'}",
        f"confidence {result.confidence:.2f}",
        f"presence {probability(result.presence)}",
        f"{result.attempts} {'answer' if result.attempts == 1 else 'answers'} asked for",
    ]
    if result.look_ups:
        facts.append(f"{result.look_ups} look-ups")
    return Timeline(result, tuple(facts), tuple(bands), _ticks(axis_s), y + _LANE_PX)


def _windows(result: Result) -> Sequence[ScoredSpan]:
    return (*result.intervals, *result.candidates)


def _bars(spans: Sequence[Span], y: int, axis_s: float, height: int = _BAND_PX) -> tuple[Bar, ...]:
    return tuple(_bar(one, axis_s, y, height=height, says=span(*one)) for one in spans)


def _answer(result: Result, y: int, axis_s: float) -> tuple[Bar, ...]:
    """The first interval in full colour; others, which do not count for R@1, paler."""
    return tuple(
        _bar(one[:2], axis_s, y, opacity=0.4 if rank else 1.0, says=_scored(one, "confidence"))
        for rank, one in enumerate(result.intervals)
    )


def _candidates(result: Result, y: int, axis_s: float) -> tuple[Bar, ...]:
    """Windows in lanes, each in the first where it overlaps nothing, so the best are on top."""
    lanes: list[list[Span]] = []
    bars = []
    for rank, one in enumerate(result.candidates):
        start_s, end_s = one[:2]
        lane = next(
            (
                number
                for number, taken in enumerate(lanes)
                if all(end_s <= other[0] or start_s >= other[1] for other in taken)
            ),
            len(lanes),
        )
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((start_s, end_s))
        # Paler by rank; scores of different grounders have no scale in common.
        opacity = max(0.3, 1 - 0.12 * rank)
        says = f"{rank + 1}. {_scored(one, 'score')}"
        lane_y = y + lane * (_LANE_PX + 1)
        bars.append(_bar(one[:2], axis_s, lane_y, height=_LANE_PX, opacity=opacity, says=says))
    return tuple(bars)


def _scored(one: ScoredSpan, what: str) -> str:
    return f"{span(*one[:2])}, {what} {one[2]:.3g}"


def _bar(
    one: Span, axis_s: float, y: int, *, height: int = _BAND_PX, opacity: float = 1.0, says: str
) -> Bar:
    start_s, end_s = one
    width = 100 * max(end_s - start_s, 0) / axis_s
    return Bar(100 * start_s / axis_s, width, y, height, opacity, says)


def _ticks(axis_s: float) -> tuple[tuple[float, str], ...]:
    step_s = next((step for step in _STEPS_S if axis_s / step <= _MOST_TICKS), _STEPS_S[-1])
    times_s = range(0, int(axis_s) + 1, step_s)
    return tuple((100 * time_s / axis_s, _clock(time_s)) for time_s in times_s)


def _clock(time_s: int) -> str:
    hours, minutes = time_s // 3600, time_s // 60 % 60
    if hours:
        return f"{hours}:{minutes:02d}:{time_s % 60:02d}"
    return f"{minutes}:{time_s % 60:02d}"
