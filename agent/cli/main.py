"""The ``whenabouts`` command: which part of us a command line is for, and how it may end.

Little is imported here, so that ``--help`` answers at once; ``commands`` does the work.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

from agent.ending import end_at_once_with, exit_code, take_signals, was_asked_to_end

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import NoReturn

    from tools.terminal import Parser

FOUND, NOT_FOUND, FAILED = 0, 1, 2


def run() -> NoReturn:
    """The command ``whenabouts``, in a process of its own."""
    # Loading makes a million things that stay, and looking through them for garbage takes a fifth
    # of the time until the command begins; see ``_loaded``.
    gc.disable()
    _open_standard_files()
    take_signals(chats=sys.argv[1:2] == ["chat"])
    try:
        code = _code_of_main()
        end_at_once_with(code)
    except KeyboardInterrupt:  # Between the steps of ``main``, or while it said how it ended.
        code = _interrupted()
        end_at_once_with(code)
    if _is_waited_for():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _code_of_main() -> int:
    try:
        return main()
    except SystemExit as exc:  # Of the parser: help, or a slip in the command line.
        return exc.code if isinstance(exc.code, int) else FAILED


def _is_waited_for() -> bool:
    """Whether Python would wait for threads that nobody needs any more.

    A cancelled question still waits for its model, a server that was interrupted for a line from
    its client.
    """
    import threading

    from agent.graph.cancelling import THREAD

    is_reading = sys.argv[1:2] == ["mcp"]
    return is_reading or any(thread.name == THREAD for thread in threading.enumerate())


def _open_standard_files() -> None:
    """Open any that is closed: else the next file opened would take its number, and our output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    # Imported here, like all that takes time: an interrupt is then dealt with already.
    from agent.cli.faults import report_fault
    from tools.errors import WhenaboutsError
    from tools.terminal import OutputError, abandon_output, complain, flush, prepare_streams

    # Read when numpy is loaded. Our matrices are too small to share out: threads that wait for
    # each other took half of a question's processor time, and more beside other questions.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    prepare_streams()
    try:
        try:
            return _parse_and_run(sys.argv[1:] if argv is None else list(argv))
        finally:
            flush()  # Help and version too: output that cannot be written is not a success.
    except OutputError as exc:
        abandon_output()
        complain(f"whenabouts: {exc}")
    except WhenaboutsError as exc:
        if was_asked_to_end():
            return _interrupted()
        complain(f"whenabouts: {exc}")
    except BrokenPipeError:
        # The reader of our output (`| head`) has enough: say nothing more, not at exit either.
        abandon_output()
    except KeyboardInterrupt:
        return _interrupted()
    except SystemExit:
        raise
    except BaseException as exc:  # noqa: BLE001  # a fault of ours must not pass for "not found"
        # Where Python makes classes, an interrupt comes out as another error.
        return _interrupted() if was_asked_to_end() else report_fault(exc, complain)
    return FAILED


def _interrupted() -> int:
    from tools.terminal import complain

    complain(
        "whenabouts: interrupted; what was indexed so far is kept, and the same command "
        "continues from there"
    )
    return exit_code()


WRITES_FILES = frozenset({"--clip", "--plot", "--thumbnails", "--out", "--trace", "--keep"})


def _refuse_dash(argv: Sequence[str]) -> None:
    """A lone dash is standard output, which no option but ``--export`` writes to.

    Raises:
        QueryError: If one of these is told to.
    """
    from agent.errors import QueryError

    words = list(argv[: argv.index("--")] if "--" in argv else argv)
    pairs = [(word, after) for word, after in pairwise([*words, ""])]
    parts = (word.partition("=") for word in words)
    pairs += [(option, value) for option, is_set, value in parts if is_set]
    for option, value in pairs:
        if option in WRITES_FILES and value == "-":
            raise QueryError(
                f"{option} - would be standard output, where only `ask --export FORM -` writes; "
                "give a name (./- if it is called that)"
            )


def _parse_and_run(argv: Sequence[str]) -> int:
    from agent.cli.parser import build_parser, parse

    parser = build_parser()
    if "_ARGCOMPLETE" in os.environ:
        _complete(parser)
    _refuse_dash(argv)
    # These parse what comes after them, and print their own help.
    args = parse(parser, argv[:1] if argv[:1] in (["eval"], ["tune"]) else argv)
    if args.version:
        from importlib.metadata import version

        from tools.terminal import put

        put(f"whenabouts {version('whenabouts')}")
        return FOUND
    if args.command is None:
        parser.print_help()
        return FAILED
    return _run(args, argv)


def _complete(parser: Parser) -> None:
    """Complete a command line for the shell that asks; the process ends there."""
    with suppress(ImportError):
        import argcomplete

        line = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT", "0"))]
        words = f"{line}|".split()[:-1]
        if "--" in words:
            sys.exit(FOUND)  # What comes after it is no option, and the shell knows files.
        command = words[1] if len(words) > 1 else ""
        if command in {"eval", "tune"}:
            # Their own parsers know what comes after this word.
            os.environ["_ARGCOMPLETE"] = "2"
        if command == "eval":
            from evaluation.command import build_parser as parser_of_eval

            parser = parser_of_eval()
        elif command == "tune":
            from training.options import build_parser as parser_of_tune

            parser = parser_of_tune()
        argcomplete.autocomplete(parser)


def _run(args: argparse.Namespace, argv: Sequence[str]) -> int:
    if args.command == "eval":
        from evaluation.command import run as run_eval

        _loaded()
        return run_eval(argv[1:])
    if args.command == "tune":
        from training.command import run as run_tune

        _loaded()
        return run_tune(argv[1:])
    from agent.cli.light_commands import LIGHT, run_light

    if args.command in LIGHT:
        _loaded()
        return run_light(args)
    from agent.cli.commands import run

    _loaded()
    return run(args)


def _loaded() -> None:
    """What was loaded is never garbage; from here on, what becomes garbage is collected."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
