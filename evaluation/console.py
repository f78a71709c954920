"""Where the tables of ``whenabouts eval`` go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools import terminal

if TYPE_CHECKING:
    from rich.console import Console

PIPED_COLUMNS = 110
"""What the widest table needs: a pipe has no width of its own to fit it to."""


def open_console() -> Console:
    """Standard output, plain; a file or a pipe gets tables whole, and lines as long as they are."""
    console = terminal.open_console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = PIPED_COLUMNS
    return console
