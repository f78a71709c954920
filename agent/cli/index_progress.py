"""How far an index is, and what a question does meanwhile: bars on a terminal, else lines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from agent.api import Event
from agent.cli.printing import say, stderr
from agent.cli.rendering import look_up_line, progress_line
from agent.grounding import Refusal
from tools.clock import clock
from tools.indexing.indexer import Progress as IndexProgress
from tools.indexing.indexer import Report
from tools.llm.retries import Retry
from tools.sight.frame_track import PREFIX as SIGHT
from tools.text import shorten
from tools.waiting import NowAndThen

BAR_CELLS = 16
NAME_CHARS = 24
"""Widest that a progress bar, and the name before it, may be."""


@contextmanager
def progress_bar() -> Iterator[Report]:
    """A bar for each video being indexed; nothing at all where everything is indexed already."""
    # The figures get about half of the width, be it 80 columns or 40.
    name_chars = min(NAME_CHARS, stderr.width // 4)
    bar_cells = min(BAR_CELLS, stderr.width // 6)
    columns = (
        # File names are not markup.
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_cells, finished_style="green"),
        TextColumn("{task.fields[told]}", markup=False),
    )
    bars = Progress(*columns, console=stderr, disable=not stderr.is_terminal)
    tasks: dict[str, TaskID] = {}
    lines: dict[str, NowAndThen] = {}

    def report(progress: IndexProgress) -> None:
        if progress.path not in tasks:
            bars.start()  # No sooner: redrawing a bar would wipe away a question to the user.
            goes_on = "continuing with" if progress.resumed else "indexing"
            what = "frames" if progress.model.startswith(SIGHT) else "captions"
            say(f"{goes_on} {progress.path} ({what} by {progress.model})")
            lines[progress.path] = NowAndThen(say)
            name = shorten(Path(progress.path).name, name_chars)
            tasks[progress.path] = bars.add_task(name, total=progress.total_s, told="")
        if not stderr.is_terminal:
            lines[progress.path](lambda: _progress_said(progress))
            return
        told = progress_line(progress, width=stderr.width - name_chars - bar_cells - 3)
        bars.update(tasks[progress.path], completed=progress.seen_s, told=told)

    try:
        yield report
    finally:
        bars.stop()


def _progress_said(progress: IndexProgress) -> str:
    """A line of progress where no bar can be drawn."""
    of = "" if progress.total_s is None else f" of {clock(progress.total_s)}"
    name = Path(progress.path).name
    return f"{name}: {clock(progress.seen_s)}{of}, {progress_line(progress)}"


def tell_events(report: Report) -> Callable[[Event], None]:
    """Pass the graph's progress events on to a bar, and print the other events."""

    def receive(event: Event) -> None:
        if isinstance(event, IndexProgress):
            report(event)
        elif isinstance(event, Refusal):
            say(f"reply {event.attempt} was refused ({event.kind}): {event.message}")
        elif isinstance(event, Retry):
            say(event.line)
        else:
            say(look_up_line(event))

    return receive
