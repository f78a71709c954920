"""An answer as a picture: filmstrip with the interval, relevance over time, proof of each edge."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.errors import QueryError
from agent.plotting.picture import Picture
from agent.plotting.relevance import RelevanceCurve
from tools.clock import clock, clock_span
from tools.text import one_line, shorten
from tools.timeline import Interval
from tools.video.thumbnails import filmstrip_times, thumbnails

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from agent.grounding import Evidence, GroundedInterval, Grounding
    from tools.ranking import EvidenceKind
    from tools.timeline import Image
    from tools.video.reader import Video

WIDTH_IN, DPI = 10.0, 120
STRIP_IN, CURVE_IN, EVIDENCE_IN = 0.85, 1.15, 1.95
HEAD_IN, FOOT_IN, SIDE_IN, GAP_IN, AXIS_IN = 0.62, 0.05, 0.35, 0.24, 0.4
FEWEST_FRAMES, MOST_FRAMES = 4, 24
SHOWN_EVIDENCE = 4
FRAME_PX, EVIDENCE_PX = 192, 384
STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 36000)
MOST_TICKS = 10

INK, MUTED, PALE = "#1d2733", "#6b7785", "#dde3ea"
COLOURS = {"found": "#d9480f", "not_found": "#8a6d00", "cannot_tell": "#7048a8"}
CURVE, CANDIDATE = "#1f5fa8", "#8fb8e6"

FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans", "Arial Unicode MS", "PingFang SC")
STYLE: dict[Any, Any] = {
    # Nothing in a query or a caption is a formula, whatever dollar signs there are.
    "text.parse_math": False,
    "font.size": 8,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.labelcolor": MUTED,
}


@dataclass(frozen=True, slots=True)
class _Frames:
    """The pictures of a plot; all absent where the file cannot be read."""

    strip: Sequence[Image | None]
    evidence: Sequence[Image | None]


def plot_answer(answer: Grounding, curve: RelevanceCurve, video: Video | None) -> Picture:
    """Draw an answer.

    Args:
        answer: What is drawn; of several intervals, the evidence of the best.
        curve: How well each caption fits.
        video: Its file; None draws no frames.

    Raises:
        QueryError: If matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib import font_manager
        from matplotlib.figure import Figure
    except ImportError as exc:
        raise QueryError(
            "a picture needs matplotlib; install it with: pip install 'whenabouts[plot]'"
        ) from exc
    evidence = _told(answer.intervals[0]) if answer.intervals else []
    frames = _read_frames(video, answer, evidence)
    known = {font.name for font in font_manager.fontManager.ttflist}
    style = STYLE | {"font.family": [font for font in FONTS if font in known]}
    height_in = HEAD_IN + STRIP_IN + GAP_IN + CURVE_IN + AXIS_IN + FOOT_IN
    height_in += EVIDENCE_IN if evidence else 0
    written = io.BytesIO()
    with mpl.rc_context(style), warnings.catch_warnings():
        # A letter that no font here has becomes a box.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure = Figure(figsize=(WIDTH_IN, height_in), dpi=DPI, facecolor="white")
        top_in = _paint_head(figure, answer, height_in)
        strip = _axes(figure, top_in - STRIP_IN, STRIP_IN)
        _paint_strip(strip, answer, frames.strip)
        top_in -= STRIP_IN + GAP_IN
        _paint_curve(_axes(figure, top_in - CURVE_IN, CURVE_IN), answer, curve)
        top_in -= CURVE_IN + AXIS_IN
        for place, (one, image) in enumerate(zip(evidence, frames.evidence, strict=True)):
            _paint_evidence(figure, place, one, image, top_in=top_in, colour=_colour(answer))
        told = {"Description": f"“{answer.query}”  {_verdict_line(answer)}", "Software": None}
        figure.savefig(written, format="png", metadata=told)
    return Picture(written.getvalue(), describe(answer))


def describe(answer: Grounding) -> str:
    """The answer in a sentence: what a reader of the picture sees first."""
    times = ", ".join(clock_span(one.span) for one in answer.intervals[:3])
    verdict = answer.verdict.replace("_", " ")
    return f"“{answer.query}”: {verdict}" + (f", {times}" if times else "")


def _told(interval: GroundedInterval) -> list[Evidence]:
    """The captions that say most of the edges, in time order: the nearest to each edge first."""
    wanted = ("before", "start", "end", "after", "during")
    by_role = {one.role: one for one in reversed(interval.evidence)}
    by_role |= {one.role: one for one in interval.evidence if one.role in {"before", "end"}}
    chosen = [by_role[role] for role in wanted if role in by_role][:SHOWN_EVIDENCE]
    return sorted(chosen, key=lambda one: one.start_s)


def _read_frames(video: Video | None, answer: Grounding, evidence: Sequence[Evidence]) -> _Frames:
    if video is None:
        return _Frames([], [None] * len(evidence))
    aspect = video.width_px / max(1, video.height_px)
    wanted = round((WIDTH_IN - 2 * SIDE_IN) / (STRIP_IN * aspect))
    count = min(MOST_FRAMES, max(FEWEST_FRAMES, wanted))
    times_s = filmstrip_times(answer.video.duration_s, count)
    return _Frames(
        thumbnails(video, times_s, long_side_px=FRAME_PX),
        thumbnails(video, [one.start_s for one in evidence], long_side_px=EVIDENCE_PX),
    )


def _axes(figure: Figure, bottom_in: float, height_in: float) -> Axes:
    width_in, total_in = figure.get_size_inches()
    place = (SIDE_IN / width_in, bottom_in / total_in)
    return figure.add_axes((*place, 1 - 2 * SIDE_IN / width_in, height_in / total_in))


def _colour(answer: Grounding) -> str:
    return COLOURS[answer.verdict]


def _paint_head(figure: Figure, answer: Grounding, height_in: float) -> float:
    """Question and verdict; returns where the next row begins, in inches from the bottom."""
    left = SIDE_IN / WIDTH_IN
    question = shorten(one_line(answer.query), 92)
    figure.text(left, 1 - 0.26 / height_in, f"“{question}”", fontsize=12, fontweight="bold")
    figure.text(left, 1 - 0.48 / height_in, _verdict_line(answer), color=_colour(answer))
    return height_in - HEAD_IN


def _verdict_line(answer: Grounding) -> str:
    told = answer.verdict.replace("_", " ")
    if answer.intervals:
        best = answer.intervals[0]
        told += f"  {clock_span(best.span)}"
        told += "" if best.confidence is None else f"  confidence {best.confidence:.2f}"
        more = len(answer.intervals) - 1
        told += f"  and {more} more" if more else ""
    elif answer.closest_rejected:
        told += f"  closest, but not good enough: {clock_span(answer.closest_rejected.span)}"
    elif answer.advice:
        told += f"  {one_line(answer.advice)}"
    return shorten(told, 150)


def _paint_strip(axes: Axes, answer: Grounding, images: Sequence[Image | None]) -> None:
    duration_s = answer.video.duration_s
    axes.set(xlim=(0, duration_s), ylim=(0, 1), xticks=[], yticks=[])
    for index, image in enumerate(images):
        if image is not None:
            edges = (index * duration_s / len(images), (index + 1) * duration_s / len(images))
            axes.imshow(image, extent=(*edges, 0, 1), aspect="auto")
    axes.set(xlim=(0, duration_s), ylim=(0, 1))
    if not any(image is not None for image in images):
        axes.text(duration_s / 2, 0.5, "no frames: the file cannot be read", ha="center")
    chosen = [one.span for one in answer.intervals]
    for span in _between(chosen, duration_s) if chosen else ():
        axes.axvspan(span.start_s, span.end_s, color="white", alpha=0.55, lw=0)
    for span in chosen or [one.span for one in (answer.closest_rejected,) if one]:
        colour, line = _colour(answer), "-" if chosen else "--"
        axes.axvspan(
            span.start_s, span.end_s, fill=False, ec=colour, ls=line, lw=2.5, clip_on=False
        )


def _between(spans: Sequence[Interval], duration_s: float) -> list[Interval]:
    """What of the video lies in none of the spans."""
    left, at_s = [], 0.0
    for span in sorted(spans):
        if span.start_s > at_s:
            left.append(Interval(at_s, span.start_s))
        at_s = max(at_s, span.end_s)
    return [*left, Interval(at_s, duration_s)] if at_s < duration_s else left


FITS: dict[EvidenceKind, str] = {
    "described": "how well each caption fits",
    "measured": "how well what is measured fits",
    "said": "how well what is said fits",
    "written": "how well text on the screen fits",
    "seen": "how well each frame fits",
}


def _paint_curve(axes: Axes, answer: Grounding, curve: RelevanceCurve) -> None:
    import numpy as np

    duration_s = answer.video.duration_s
    for gap in answer.coverage.gaps:
        axes.axvspan(gap.start_s, gap.end_s, color=PALE, hatch="////", ec="white", lw=0)
    low, high = min(curve.values, default=0.0), max(curve.values, default=1.0)
    height = (high - low) or 1.0
    # Candidates lie below the curve in lanes, the best one on top.
    lanes = answer.candidates[:5]
    for rank, one in enumerate(lanes):
        y = low - height * (0.12 + 0.09 * rank)
        bar = (one.start_s, one.end_s - one.start_s)
        axes.broken_barh([bar], (y, 0.06 * height), color=CANDIDATE, alpha=1 - 0.15 * rank, lw=0)
    for interval in answer.intervals:
        axes.axvspan(interval.start_s, interval.end_s, color=_colour(answer), alpha=0.15, lw=0)
    # Nobody knows how well it would fit where there is no caption: the line is broken there.
    times_s: list[float] = []
    values: list[float] = []
    for span, value in zip(curve.spans, curve.values, strict=True):
        if times_s and span.start_s > times_s[-1] + 1e-6:
            times_s.append(times_s[-1])
            values.append(np.nan)
        times_s += [span.start_s, span.end_s]
        values += [value, value]
    axes.plot(times_s, values, color=CURVE, lw=1.2)
    axes.set(xlim=(0, duration_s), yticks=[], ylabel="relevance")
    axes.set_ylim(low - height * (0.12 + 0.09 * len(lanes)), high + 0.08 * height)
    axes.spines[["top", "right"]].set_visible(False)
    ticks_s = _ticks_s(duration_s)
    axes.set_xticks(ticks_s, [_tick(at_s, ticks_s[-1]) for at_s in ticks_s])
    axes.tick_params(length=2.5)
    seen = "" if not answer.coverage.gaps else "; hatched: not looked at"
    note = f"line: {FITS[curve.of]}; bars: candidates, best on top{seen}"
    axes.annotate(
        note, (1, 1), xycoords="axes fraction", ha="right", va="bottom", fontsize=6.5, color=MUTED
    )


def _ticks_s(duration_s: float) -> list[float]:
    """Round times, at most ten; of a video shorter than any of the steps, its start alone."""
    step_s = next((one for one in STEPS_S if duration_s / one <= MOST_TICKS), STEPS_S[-1])
    return [step_s * index for index in range(int(duration_s / step_s) + 1)]


def _tick(at_s: float, last_s: float) -> str:
    told = clock(at_s, decimals=1)
    return told if last_s < 2 else told.rpartition(".")[0]


def _paint_evidence(
    figure: Figure, place: int, one: Evidence, image: Image | None, *, top_in: float, colour: str
) -> None:
    width_in, total_in = figure.get_size_inches()
    cell_in = (width_in - 2 * SIDE_IN) / SHOWN_EVIDENCE
    left_in = SIDE_IN + place * cell_in
    picture_in = 1.3
    shape = (left_in, top_in - 0.2 - picture_in, cell_in - 0.12, picture_in)
    box = (shape[0] / width_in, shape[1] / total_in, shape[2] / width_in, shape[3] / total_in)
    axes = figure.add_axes(box, xticks=[], yticks=[], anchor="NW")
    if image is not None:
        axes.imshow(image)
    is_inside = one.role in {"start", "during", "end"}
    for spine in axes.spines.values():
        spine.set(edgecolor=colour if is_inside else PALE, linewidth=1.6)
    at = (left_in / width_in, (top_in - 0.13) / total_in)
    figure.text(
        *at,
        f"{one.role}  {clock(one.start_s)}",
        color=colour if is_inside else MUTED,
        fontweight="bold",
    )
    lines = textwrap.wrap(shorten(one_line(one.text), 105), 38)
    figure.text(
        at[0], (top_in - 0.27 - picture_in) / total_in, "\n".join(lines), va="top", fontsize=7.5
    )
