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

from agent.graph.many_videos import LeftOut, LibraryAnswers
from agent.graph.replay import Replayed
from agent.grounding import (
    SCHEMA_VERSION,
    AskedSource,
    Coverage,
    GroundedInterval,
    Grounding,
    LookUp,
    Usage,
)
from agent.settings import Settings
from agent.watching.forecast import Forecast
from tools.captioners.blank import BLANK
from tools.clock import clock, clock_span
from tools.grounding.seen_edges import SAID
from tools.indexing.estimate import Estimate
from tools.indexing.progress import Progress
from tools.ranking import EvidenceKind
from tools.text import counted, in_one_row, one_line, shorten
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
        parts.append(Padding(Text(_paths(grounding), style=style), INDENT))
    parts.append(Padding(Text(_provenance(grounding), style="dim"), INDENT))
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


def render_forecast(forecast: Forecast) -> list[RenderableType]:
    """What describing one video would take."""
    one = forecast.estimate
    give = f" ± {one.uncertainty}" if one.uncertainty else ""
    lines: list[RenderableType] = [
        Text(f"{in_one_row(forecast.path)}  {clock(one.duration_s)} long", style="bold"),
        f"  frames    {one.frames} at {forecast.rate_hz:g}/s",
        f"  captions  {one.captions}{give} by {forecast.captioner}"
        + (f", and {forecast.described} are there already" if forecast.described else ""),
    ]
    if one.tokens_in:
        lines.append(f"  tokens    {one.tokens_in:,} in, {one.tokens_out:,} out")
        lines.append(f"  price     {_usd(one.usd)}")
    lines.append(f"  time      {_minutes(one.minutes)}, if {forecast.assumes}")
    return lines


def total_line(forecasts: Sequence[Forecast]) -> str:
    """One line for several videos together."""
    estimates = [forecast.estimate for forecast in forecasts]
    usd = _usd_of(estimates)
    told = "price not known" if usd is None else _usd(usd)
    price = f", {told}" if any(one.tokens_in for one in estimates) else ""
    minutes = _minutes(sum(one.minutes for one in estimates))
    captions = sum(one.captions for one in estimates)
    return f"together: {counted(captions, 'caption')}{price}, {minutes}"


def ends_early(forecasts: Sequence[Forecast], settings: Settings) -> str:
    """Which limit would end a run before all of that is described; empty where none would."""
    estimates = [forecast.estimate for forecast in forecasts]
    usd = _usd_of(estimates)
    if settings.max_usd is not None and usd is None:
        return f"--max-usd {settings.max_usd:g} cannot be enforced: the price is not known"
    wanted = {
        "--max-captions": (settings.max_captions, sum(one.captions for one in estimates)),
        "--max-usd": (settings.max_usd, usd or 0.0),
        "--max-minutes": (settings.max_minutes, sum(one.minutes for one in estimates)),
    }
    shares = {
        f"{option} {limit:g}": limit / total
        for option, (limit, total) in wanted.items()
        if limit is not None and total > limit
    }
    if not shares:
        return ""
    first = min(shares, key=lambda option: shares[option])
    return f"{first} ends it when about {shares[first]:.0%} of that is described"


def _usd_of(estimates: Sequence[Estimate]) -> float | None:
    prices = [one.usd for one in estimates if one.usd is not None]
    return sum(prices) if len(prices) == len(estimates) else None


def _usd(usd: float | None) -> str:
    return (
        "not known (WHENABOUTS_PRICES names a file of prices)" if usd is None else f"{usd:.4f} USD"
    )


def _minutes(minutes: float) -> str:
    return f"{60 * minutes:.0f} s" if minutes < 2 else f"{minutes:.0f} min"


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


def _provenance(grounding: Grounding) -> str:
    coverage, models = grounding.coverage, grounding.models
    look = models.mode.partition("@")[0]
    looked = f", {look}" if look not in {"frame", "file"} else ""
    is_looked = coverage.rate_hz and models.mode != "file"
    rate = f", {coverage.rate_hz:g}/s" if is_looked else ""
    share = coverage.seen_s / grounding.video.duration_s
    spent_s = sum(grounding.usage.seconds.values())
    by = models.reasoner
    if grounding.by == "fallback":
        why = "its replies were refused" if grounding.refusals else "it was not asked"
        by = f"similarity in place of {by}: {why}"
    seen = f"{share:.0%} of the video seen{_not_described(coverage)}"
    # Captions that only mark frames say nothing: what was seen is who saw it.
    looks = (models.sight or models.direct) if models.captioner == BLANK else ""
    what = f"frames: {looks}" if looks else f"captions: {models.captioner}{looked}"
    if looks and not models.sight:
        rate = ""  # A video model is shown frames at a rate of its own.
    answering = [one for one in grounding.sources if one.answers]
    if len(grounding.sources) > 1 and {one.kind for one in answering} == {"measured"}:
        # What was seen is then told of what was measured.
        what = f"measured: {answering[0].name}"
        rate = f", {coverage.rate_hz:g}/s" if coverage.rate_hz else ""
    return (
        f"{in_one_row(f'{what}{rate}, {seen}')}\n"
        f"{_answered_by(grounding.sources)}"
        f"decided by: {by}, in {spent_s:.1f} s{_spent(grounding.usage)}"
    )


PATHS = {
    "captions": "the text model",
    "similarity": "similarity",
    "judge": "the judge",
    "direct": "the video model",
}


def _paths(grounding: Grounding) -> str:
    """Which ways to an answer agree with it, and what the others say."""
    agree = [PATHS[one.path] for one in grounding.paths if one.agrees]
    others = [
        f"{PATHS[one.path]} prefers {clock_span(Interval(*one.best))}"
        if one.best
        else f"{PATHS[one.path]} says {one.verdict.replace('_', ' ')}"
        for one in grounding.paths
        if one.agrees is False
    ]
    unsure = [PATHS[one.path] for one in grounding.paths if one.agrees is None]
    named = _listed(agree)
    # One alone agrees with nobody.
    alone = len(agree) == 1 and bool(others or unsure)
    told = [f"{'said' if alone else 'agreed'} by {named}"] if agree else []
    told += others
    told += [f"{', '.join(unsure)} cannot tell"] if unsure and not others else []
    return "paths: " + "; ".join(told)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def _answered_by(sources: Sequence[AskedSource]) -> str:
    """A line about what answers, where several sources were asked."""
    if len(sources) < 2:
        return ""
    named = {
        answers: ", ".join(_source(one) for one in sources if one.answers is answers)
        for answers in (True, False)
    }
    asked = f"; asked too: {named[False]}" if named[False] else ""
    agreement = agreement_line(sources)
    return f"answered by: {named[True]}{asked}\n" + (f"{agreement}\n" if agreement else "")


def agreement_line(sources: Sequence[AskedSource]) -> str:
    """Which sources agree with the answer, and what the others say; empty where none says so.

    That none of them found it is what "not found" says already.
    """
    agree = [KINDS[one.kind] for one in sources if one.agrees and one.verdict == "found"]
    others = [
        f"{clock_span(Interval(*one.best)) if one.best else 'not found'} according to "
        f"{KINDS[one.kind]}"
        for one in sources
        if one.agrees is False
    ]
    told = [f"{_listed(agree)} agree"] if len(agree) > 1 else []
    told += others
    return f"evidence: {'; '.join(told)}" if told else ""


KINDS: dict[EvidenceKind, str] = {
    "described": "captions",
    "measured": "measurement",
    "said": "speech",
    "seen": "frames",
    "written": "text on the screen",
}


def _source(source: AskedSource) -> str:
    kind = KINDS[source.kind]
    name = in_one_row(source.name)
    return name if name.startswith("subtitles") else f"{kind} ({name})"


def _not_described(coverage: Coverage) -> str:
    """How often a captioner that was shown frames said nothing, and why it did the first time."""
    reasons = [gap.reason for gap in coverage.gaps if gap.reason]
    if not reasons:
        return ""
    stretches = "1 stretch" if len(reasons) == 1 else f"{len(reasons)} stretches"
    return f" ({stretches} not described: {shorten(reasons[0], 100)})"


def _spent(usage: Usage) -> str:
    tokens = usage.tokens_in + usage.tokens_out
    reused = sum(cost.calls for cost in usage.kept.values())
    kept = f", {reused} repl{'y' if reused == 1 else 'ies'} kept from before" if reused else ""
    if not tokens:
        return kept
    usd = "at a price not known here" if usage.usd is None else f"{usage.usd:.4f} USD"
    calls = sum(cost.calls for cost in usage.stages.values())
    asked = f", {calls} call{'' if calls == 1 else 's'}" if calls else ""
    frames = f" with {counted(usage.frames, 'frame')}" if usage.frames else ""
    return f"{asked}{frames}, {tokens:,} tokens, {usd}{kept}"
