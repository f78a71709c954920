"""The one way to a terminal, a pipe or a file behind ``>``: everything printed goes through here.

What comes from strangers (names of files, queries, captions, replies, messages of servers) is made
printable, passwords in addresses are left out, and what the output's encoding cannot say is said in
ASCII. Where the output itself fails, that is an error for the user, too.
"""

from __future__ import annotations

import argparse
import codecs
import difflib
import os
import re
import sys
from functools import cache
from typing import IO, TYPE_CHECKING, Any, Literal, NoReturn, TextIO, cast

from tools.errors import WhenaboutsError
from tools.text import in_one_row, printable, printable_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

StreamName = Literal["stdout", "stderr"]

LOOK_ALIKES = {
    **dict.fromkeys("█▏▎▍▌▋▊▉━╸╺", "#"),
    **dict.fromkeys("─–—−", "-"),
    **dict.fromkeys("“”„", '"'),
    **dict.fromkeys("‘’", "'"),
    "·": ".",
    "│": "|",
    "├": "|",
    "└": "`",
    "…": "...",
    "→": "->",
    "▶": ">",
    "×": "x",
    "±": "+-",
}
"""How what we print ourselves is said in ASCII; other characters are spelled out."""

WIDEST = 10_000
"""Columns and lines of a terminal at most, whatever COLUMNS says: lines are filled up to there."""

FALLBACK = "whenabouts.look_alikes"


class OutputError(WhenaboutsError):
    """What should be printed cannot be written, for example because the disk is full."""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command line, whatever characters are in it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}{self._meant(message)}; {self.prog} --help tells more")

    def _meant(self, message: str) -> str:
        """The option or command that a wrong word of the message is nearly the same as."""
        found = re.search(r"unrecognized arguments: (\S+)|invalid choice: '(\S+)'", message)
        if not found:
            return ""
        known = re.findall(r"--[a-z-]+", self.format_usage())
        if found[2]:
            known = re.findall(r"[\w-]+", message[found.end() :])
        wrong = (found[1] or found[2]).partition("=")[0]
        near = difflib.get_close_matches(wrong, known, n=1)
        return f"; did you mean {near[0]}?" if near else ""

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        if message:
            complain(message.rstrip())
        sys.exit(status)


def prepare_streams() -> None:
    """Make standard output and error take any text; a stream that is closed leads nowhere.

    A closed input is empty.
    """
    codecs.register_error(FALLBACK, _say_in_ascii)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, _nowhere())
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=FALLBACK)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115  # for all of the process


def put(text: str, *, to: StreamName = "stdout") -> None:
    """Print a line, or several, at once: a reader at the other end of a pipe may be waiting.

    Raises:
        OutputError: If it cannot be written.
        BrokenPipeError: If nobody reads any more.
    """
    _write(f"{printable(text)}\n", to)


def complain(line: str) -> None:
    """Print a line on standard error, if that can be written; breaks within it are spelled out."""
    try:
        put(in_one_row(line), to="stderr")
    except (OutputError, BrokenPipeError):
        return


def put_json(text: str) -> None:
    """Print JSON on standard output, still JSON wherever it goes.

    Raises:
        OutputError: If it cannot be written.
        BrokenPipeError: If nobody reads any more.
    """
    safe = printable_json(text)
    try:
        safe.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        safe = printable_json(text, ascii_only=True)
    _write(f"{safe}\n", "stdout")


def put_file(text: str) -> None:
    """Print what would else be written to a file, byte for byte in UTF-8.

    Raises:
        OutputError: If it cannot be written.
        BrokenPipeError: If nobody reads any more.
    """
    flush()
    whole = getattr(sys.stdout, "buffer", None)
    if whole is None:
        _write(text, "stdout")
        return
    try:
        whole.write(text.encode("utf-8"))
        whole.flush()
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise OutputError(f"the output cannot be written: {exc.strerror}") from exc


def flush() -> None:
    """Write what waits to be written to standard output.

    Raises:
        OutputError: If it cannot be written.
        BrokenPipeError: If nobody reads any more.
    """
    _write("", "stdout")


def abandon_output() -> None:
    """Nothing more can be written: what still waits is dropped, now and at the exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.__stdout__):
        try:
            if stream is not None:
                os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):  # It has none: a test, or a program that keeps what we print.
            continue
    os.close(nowhere)


def open_console(to: StreamName = "stdout", **options: Any) -> Console:
    """A console of rich's that prints as everything here does.

    With NO_COLOR set it writes no escapes for any style; by itself rich would leave bold and dim.

    Args:
        to: Which stream, as it is when something is printed.
        options: As ``rich.console.Console`` has them.
    """
    console = _console_class()(stderr=to == "stderr", **options)
    if not console.no_color:
        return console
    return _console_class()(stderr=to == "stderr", **{**options, "color_system": None})


@cache
def _console_class() -> type[Console]:
    # Imported late: help and errors do not need rich.
    from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.text import Text

    class PlainSpoken(Console):
        """Cleans every text before its lines are broken, and what others have laid out."""

        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterable[Segment]:
            if isinstance(renderable, str):
                renderable = printable(renderable)
            elif isinstance(renderable, Text) and (clean := printable(renderable.plain)) != (
                renderable.plain
            ):
                renderable = Text(
                    clean, renderable.style, end=renderable.end, no_wrap=renderable.no_wrap
                )
            for segment in super().render(renderable, options):
                if segment.control or (segment.text.isascii() and segment.text.isprintable()):
                    yield segment
                else:
                    yield Segment(printable(segment.text), segment.style)

        @property
        def size(self) -> ConsoleDimensions:
            told = super().size
            return ConsoleDimensions(min(told.width, WIDEST), min(told.height, WIDEST))

        @size.setter
        def size(self, new_size: tuple[int, int]) -> None:
            self._width, self._height = new_size

        @property
        def file(self) -> IO[str]:
            return cast("IO[str]", _Checked(super().file))

        @file.setter
        def file(self, new_file: IO[str]) -> None:
            self._file = new_file

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return PlainSpoken


class _Checked:
    """A stream whose failures are reported to the user."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as exc:
            raise _failure(exc) from None

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as exc:
            raise _failure(exc) from None


def _write(text: str, to: StreamName) -> None:
    stream = _Checked(getattr(sys, to))
    stream.write(text)
    stream.flush()


def _failure(exc: OSError) -> Exception:
    if isinstance(exc, BrokenPipeError):
        return exc
    return OutputError(
        f"the output cannot be written: {exc.strerror or exc}; redirect it elsewhere and try again"
    )


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123  # for all of the process


def _say_in_ascii(exc: UnicodeError) -> tuple[str, int]:
    if not isinstance(exc, UnicodeEncodeError):
        raise exc
    said = "".join(
        LOOK_ALIKES.get(char) or char.encode("unicode_escape").decode()
        for char in exc.object[exc.start : exc.end]
    )
    return said, exc.end
