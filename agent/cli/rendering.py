"""Answers as text for a terminal: clock times, a timeline bar, the captions around each edge."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.cli.provenance import paths_line, provenance
from agent.graph.many_videos import LeftOut, LibraryAnswers
from agent.graph.replay import Replayed
from agent.grounding import (
    SCHEMA_VERSION,
    GroundedInterval,
    Grounding,
    LookUp,
)
from tools.clock import clock, clock_span
from tools.grounding.seen_edges import SAID
from tools.indexing.progress import Progress
from tools.text import counted, in_one_row, one_line
from tools.timeline import Interval
from tools.video.link_names import shown_name

BAR_CELLS = 60
FEWEST_CELLS = 10
SURE = 0.5
"""With this confidence or more, a window is no near miss: it shows something else of the query."""
LEAST_SURE = 0.01
SHOWN_INTERVALS = 12
SHOWN_IN_FULL = 2
"""Of more intervals, the first alone has all its evidence, the others what begins them."""
SHOWN_NAMES = 5
INDENT = (0, 0, 0, 2)
COLOURS = {"found": "green", "not_found": "yellow", "cannot_tell": "magenta"}


def timeline_bar(
    spans: Sequence[Interval],
    *,
    duration_s: float,
    cells: int = BAR_CELLS,
    unseen: Sequence[Interval] = (),
) -> str:
    """One line for the whole video, filled where a span lies, blank where nobody has looked.

    A short span still fills one cell.
    """
    filled = set[int]()
    for span in spans:
        first = min(cells - 1, int(span.start_s / duration_s * cells))
        last = max(first, min(cells - 1, int(span.end_s / duration_s * cells - 1e-9)))
        filled.update(range(first, last + 1))
    middles_s = ((cell + 0.5) * duration_s / cells for cell in range(cells))
    is_blank = [any(gap.start_s <= at_s < gap.end_s for gap in unseen) for at_s in middles_s]
    return "".join(
        "█" if cell in filled else " " if blank else "·" for cell, blank in enumerate(is_blank)
    )


def render_answer(grounding: Grounding) -> list[RenderableType]:
    """The whole answer, part by part: verdict, intervals, evidence, why, and who said so."""
    colour = COLOURS[grounding.verdict]
    head = Text()
    head.append(grounding.verdict.replace("_", " "), style=f"bold {colour}")
    head.append(f"  “{in_one_row(grounding.query)}”", style="bold")
    head.append(f"  in {in_one_row(shown_name(grounding.video.path))}")
    parts: list[RenderableType] = [head]
    if grounding.intervals:
        parts.append(_Bar(grounding, colour))
    shown = grounding.intervals[:SHOWN_INTERVALS]
    is_list = len(grounding.intervals) > SHOWN_IN_FULL
    parts.extend(
        _interval(one, colour, in_brief=is_list and place > 0) for place, one in enumerate(shown)
    )
    hidden = len(grounding.intervals) - SHOWN_INTERVALS
    if hidden > 0:
        parts.append(Text(f"  … and {hidden} more (--json lists them all)", style="dim"))
    if closest := _closest_line(grounding):
        parts.append(Text(f"  {closest}"))
    parts.append(Padding(Text(one_line(grounding.reasoning)), INDENT))
    if grounding.advice:
        parts.append(Text(textwrap.indent(grounding.advice, "  "), style="cyan"))
    if grounding.paths:
        style = "yellow" if any(one.agrees is False for one in grounding.paths) else "dim"
        parts.append(Padding(Text(paths_line(grounding), style=style), INDENT))
    parts.append(Padding(Text(provenance(grounding), style="dim"), INDENT))
    if grounding.warning:
        note = f"note: {in_one_row(grounding.warning)}"
        parts.append(Padding(Text(note, style="yellow"), INDENT))
    return parts


def _closest_line(grounding: Grounding) -> str:
    """The window that was no answer; empty where it is not even a little likely."""
    closest = grounding.closest_rejected
    if closest is None or closest.confidence < LEAST_SURE:
        return ""
    if grounding.by in {"llm", "direct"}:
        # The number is similarity's, and it did not decide.
        return f"most alike, but not it: {clock_span(closest.span)}"
    what = (
        "closest, but not good enough"
        if closest.confidence < SURE
        else "similar, but not asked for"
    )
    return f"{what}: {clock_span(closest.span)}  confidence {closest.confidence:.2f}"


def render_answers(query: str, answers: LibraryAnswers) -> list[RenderableType]:
    """Answers of several videos: those found in full, then a line for each of the others."""
    found = [answer for answer in answers if answer.verdict == "found"]
    parts: list[RenderableType] = []
    for answer in found:
        parts += [*render_answer(answer), ""]
    if not found:
        is_open = any(answer.verdict == "cannot_tell" for answer in answers)
        is_unasked = not answers and answers.left_out
        verdict = "cannot tell" if is_open or is_unasked else "not found"
        where = "in any of the likeliest videos" if answers else "in any of the videos"
        parts.append(Text(f"{verdict}  “{query}”  {where}", style="bold"))
    for answer in answers:
        if answer.verdict != "found":
            parts.append(Text(f"  {_closest(answer)}", style="dim"))
    return [*parts, *_left_out(answers.left_out)]


def _left_out(videos: Sequence[LeftOut]) -> list[RenderableType]:
    """How many more answer, and a line for each reason, with the videos that it applies to."""
    lines: list[RenderableType] = []
    more = [one for one in videos if one.found]
    if more:
        are = "1 more video answers" if len(more) == 1 else f"{len(more)} more videos answer"
        how = more[0].reason.partition("; ")[2]
        told = f"{are}: {_shortly([_name(one) for one in more])}; {how}"
        lines.append(Padding(Text(one_line(told), style="cyan"), INDENT))
    by_reason: dict[str, list[str]] = {}
    for one in videos:
        if not one.found:
            by_reason.setdefault(one.reason, []).append(_name(one))
    for reason, names in by_reason.items():
        told = f"no answer for: {_shortly(names)}: {reason}"
        lines.append(Padding(Text(one_line(told), style="magenta"), INDENT))
    return lines


def _name(video: LeftOut) -> str:
    return in_one_row(Path(video.path).name)


def _shortly(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return f"{', '.join(names[:SHOWN_NAMES])}{more}"


def render_replay(replayed: Replayed) -> RenderableType:
    """The two answers side by side, as far as they can differ."""
    before, after = replayed.before, replayed.after
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.add_column("")
    table.add_column("before", overflow="fold")
    table.add_column(f"from {replayed.node}", overflow="fold")
    for name, of in _COMPARED.items():
        was, now = of(before), of(after)
        table.add_row(name, Text(was), Text(now, style="" if was == now else "bold"))
    return Group(
        Text(in_one_row(f"“{after.query}”  in {shown_name(after.video.path)}"), style="bold"), table
    )


def _intervals_line(answer: Grounding) -> str:
    lines = [
        f"{clock_span(one.span)}  {how_sure(one)}" for one in answer.intervals[:SHOWN_INTERVALS]
    ]
    if len(answer.intervals) > SHOWN_INTERVALS:
        lines.append(f"… {len(answer.intervals)} in all")
    return "\n".join(lines)


_COMPARED: dict[str, Callable[[Grounding], str]] = {
    "verdict": lambda answer: answer.verdict.replace("_", " "),
    "intervals": _intervals_line,
    "reasoning": lambda answer: answer.reasoning,
    "decided by": lambda answer: f"{answer.models.reasoner} ({answer.by})",
    "captions": lambda answer: answer.models.captioner,
    "replies": lambda answer: f"{answer.attempts}, {len(answer.refusals)} refused",
    "tokens": lambda answer: f"{answer.usage.tokens_in} in, {answer.usage.tokens_out} out",
}


def render_json(query: str, answers: LibraryAnswers) -> str:
    """Answers of several videos as one JSON object, each in the published form."""
    plain = {
        "schema": SCHEMA_VERSION,
        "query": query,
        "answers": [answer.printed() for answer in answers],
        "left_out": [asdict(one) for one in answers.left_out],
    }
    return json.dumps(plain, indent=2)


def _closest(answer: Grounding) -> str:
    name = f"{answer.verdict.replace('_', ' ')} in {in_one_row(shown_name(answer.video.path))}"
    closest = answer.closest_rejected
    if closest is None:
        return name
    return f"{name}; closest {clock_span(closest.span)}, confidence {closest.confidence:.2f}"


def look_up_line(look_up: LookUp) -> str:
    """What a model asked to see before answering, and how much it was shown."""
    arguments = ", ".join(f"{name}={value}" for name, value in look_up.arguments.items())
    note = f"; {look_up.note}" if look_up.note else ""
    shown = counted(len(look_up.caption_ids), "caption")
    return f"looks up {look_up.tool}({arguments}): {shown}{note}"


def progress_line(progress: Progress, *, width: int = 100) -> str:
    """How far an index is: ``120 captions, 2:05 left, 0.0123 USD, 3.1/s, 40% of frames alike``.

    What matters least is left out where it does not fit into ``width`` characters.
    """
    parts = [f"{progress.captions} caption{'' if progress.captions == 1 else 's'}"]
    if progress.left_s is not None:
        parts.append(f"{clock(progress.left_s).rpartition('.')[0]} left")
    if progress.tokens:
        parts.append("price not known" if progress.usd is None else f"{progress.usd:.4f} USD")
    if progress.captions_per_s:
        parts.append(f"{progress.captions_per_s:.1f}/s")
    if progress.skipped:
        parts.append(f"{progress.skipped / progress.frames:.0%} of frames alike")
    if progress.tokens:
        parts.append(f"{progress.tokens:,} tokens")
    line = parts[0]
    for part in parts[1:]:
        longer = f"{line}, {part}"
        line = longer if len(longer) <= width else line
    return line


@dataclass(frozen=True, slots=True)
class _Bar:
    """The timeline between its first and last time, as long as there is room for."""

    grounding: Grounding
    colour: str

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        duration_s = self.grounding.video.duration_s
        begin, end = f"  {clock(0.0)} ", f" {clock(duration_s)}"
        cells = min(BAR_CELLS, max(FEWEST_CELLS, options.max_width - len(begin) - len(end)))
        bar = timeline_bar(
            [interval.span for interval in self.grounding.intervals],
            duration_s=duration_s,
            cells=cells,
            unseen=[gap.span for gap in self.grounding.coverage.gaps],
        )
        yield Text.assemble(begin, (bar, self.colour), end, no_wrap=True)


def how_sure(interval: GroundedInterval) -> str:
    """A number where one was calibrated, else the word."""
    if interval.confidence is None:
        return interval.sure or "not known"
    return f"{interval.confidence:.2f}"


def _interval(interval: GroundedInterval, colour: str, *, in_brief: bool) -> RenderableType:
    line = Text()
    line.append(clock_span(interval.span), style=f"bold {colour}")
    number = "confidence " if interval.confidence is not None else ""
    line.append(f"  {number}{how_sure(interval)}")
    line.append(f"  {_precision(interval)}", style="dim")
    rows = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(4):
        rows.add_column(overflow="fold")
    for one in interval.evidence:
        if in_brief and one.role != "start":
            continue
        said = "said: " if one.source in SAID else ""
        words = Text.assemble((said, "dim"), one_line(one.text), no_wrap=in_brief)
        words.overflow = "ellipsis" if in_brief else None
        rows.add_row("   ", Text(one.role, style="dim"), clock(one.start_s), words)
    return Group(Padding(line, INDENT), rows)


def _precision(interval: GroundedInterval) -> str:
    """How far off the edges may be, as far as looks tell, and whether a closer look decided.

    An end that nobody has seen is marked so.
    """
    edges = {
        "start": (interval.start_precision_s, interval.start_by),
        "end": (interval.end_precision_s, interval.end_by),
    }
    whence = {"closer_look": " by a closer look"}
    shown = {
        edge: f"± {off_s:.{2 if round(off_s, 6) < 0.1 else 1}f} s{whence.get(by, '')}"
        for edge, (off_s, by) in edges.items()
        if off_s
    }
    if interval.end_by == "unseen":
        shown["end"] = "not seen"
    if len(shown) == len(edges) and len(set(shown.values())) == 1:
        shown = {"edges": shown["start"]}
    return f"({', '.join(f'{edge} {by}' for edge, by in shown.items())})" if shown else ""
