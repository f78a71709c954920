"""Progress as a bar in a notebook: ``grounder.find(…, on_event=progress_bar())``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent.errors import QueryError
from agent.graph.events import Event
from tools.indexing.progress import Progress


def progress_bar() -> Callable[[Event], None]:
    """Something to call with events: a bar for each video that is described, nothing otherwise.

    Raises:
        QueryError: If IPython is not installed.
    """
    try:
        from IPython import display
    except ImportError as exc:
        raise QueryError("a bar needs a notebook; install one with: pip install jupyter") from exc
    bars: dict[str, Any] = {}

    def receive(event: Event) -> None:
        if not isinstance(event, Progress) or not event.total_s:
            return  # Without a length, there is nothing for a bar to fill.
        if event.path not in bars:
            bars[event.path] = display.ProgressBar(100)  # type: ignore[no-untyped-call]
            bars[event.path].display()
        # Headers of videos may promise less than there is.
        bars[event.path].progress = min(100, round(100 * event.seen_s / event.total_s))

    return receive
