"""How things are printed: the answer on stdout, and what else a person should know on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from tools.terminal import open_console
from tools.text import in_one_row
from tools.waiting import waiting_for

stdout = open_console()
stderr = open_console("stderr")

_printed = 0
"""How often anything was."""


def show(*parts: RenderableType) -> None:
    """Print what the command was asked for."""
    print_to(stdout, *parts)


def say(line: str) -> None:
    """Print a line for the person that is not the answer: never on stdout."""
    print_to(stderr, in_one_row(line))


def tell_beside(*parts: RenderableType) -> None:
    """Print an answer on stderr, where stdout holds it in another form."""
    print_to(stderr, *parts)


def ask_person(question: str) -> str:
    """What a person types after a question."""
    global _printed  # noqa: PLW0603  # what is on the screen is global too
    _printed += 1
    return stderr.input(question, markup=False)


def doing(what: str) -> AbstractContextManager[None]:
    """Say what is done inside once it takes a second, unless something else was printed."""
    before = _printed
    return waiting_for(what, say, is_told=lambda: _printed != before)


def print_to(console: Console, *parts: RenderableType) -> None:
    """Print without guessing at markup or numbers.

    On a terminal, the lines of a ``Text`` are broken between words, and continue indented. Strings,
    which may be commands to copy, stay whole, and so does everything in a file or a pipe.
    """
    global _printed  # noqa: PLW0603  # as above
    _printed += 1
    for part in parts:
        how: dict[str, Any] = {"markup": False, "highlight": False, "emoji": False}
        if console.is_terminal:
            for piece in _hanging(part) if isinstance(part, Text) else [part]:
                console.print(piece, soft_wrap=isinstance(part, str), **how)
            continue
        how["soft_wrap"] = isinstance(part, str | Text)
        # In a file or a pipe, padding up to the width is in the way.
        with console.capture() as captured:
            console.print(part, **how)
        for line in captured.get().splitlines():
            console.file.write(f"{line.rstrip()}\n")
        console.file.flush()


def _hanging(text: Text) -> Iterator[RenderableType]:
    """Its lines; one that is too long continues below its first word."""
    for line in text.split("\n", allow_blank=True):
        indent = len(line.plain) - len(line.plain.lstrip(" "))
        yield Padding(line[indent:], (0, 0, 0, indent), expand=False) if indent else line
