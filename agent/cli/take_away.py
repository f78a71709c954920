"""The files that ``ask`` writes beside its answer: exports and thumbnails."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.cli.outputs import Out, check_apart, spare_asked
from agent.errors import QueryError
from agent.exports.forms import OF_ONE_VIDEO, Export, parse_export, write_export
from agent.exports.timecode import START_TIMECODE, parse_timecode
from agent.grounding import Grounding
from agent.watching.moved_files import own_file
from tools.store.store import VideoRecord
from tools.text import counted

_WRITES_PICTURES = "--thumbnails"


def check_exports(args: argparse.Namespace, *, is_one: bool) -> list[Export]:
    """The exports that the options ask for, after checking that they can be written.

    Raises:
        QueryError: If options do not go together.
        VideoError: If a file cannot be written where it should be.
    """
    exports = [parse_export(*pair, overwrite=args.overwrite) for pair in args.export]
    if args.start_timecode is not None:
        if not exports:
            raise QueryError(
                "--start-timecode sets where the timeline of --export begins; add --export, or "
                "leave it out"
            )
        parse_timecode(args.start_timecode)
    for export in exports:
        if export.form in OF_ONE_VIDEO and not is_one:
            raise QueryError(
                f"--export {export.form} has the clock of one video; ask one, or take edl, fcpxml, "
                "csv or json"
            )
        export.check()
    printed = sum(export.is_printed for export in exports)
    if printed and (printed > 1 or args.json):
        more = "--json" if args.json else "another --export"
        raise QueryError(f"{more} and --export … - both print on standard output; leave one out")
    folder = args.thumbnails and Path(args.thumbnails)
    if folder and folder.exists() and not folder.is_dir():
        raise QueryError(f"{_WRITES_PICTURES} {folder} is a file; name a folder")
    if folder and not _can_be_made(folder):
        raise QueryError(
            f"{_WRITES_PICTURES} {folder} cannot be written; name a folder in another place"
        )
    check_apart(outs_of(args, exports), args)
    return exports


def _can_be_made(folder: Path) -> bool:
    there = next((one for one in (folder, *folder.absolute().parents) if one.is_dir()), folder)
    return os.access(there, os.W_OK | os.X_OK)


def outs_of(args: argparse.Namespace, exports: Sequence[Export]) -> list[Out]:
    """Every single file that ``ask`` is to write."""
    named = (Out(f"--{name}", Path(out)) for name in ("clip", "plot") if (out := vars(args)[name]))
    files = (export.out for export in exports if not export.is_printed)
    return [*named, *(Out("--export", out) for out in files)]


def write_files(
    args: argparse.Namespace,
    exports: Sequence[Export],
    answers: Sequence[Grounding],
    records: Sequence[VideoRecord],
    *,
    whole_json: str,
    say: Callable[[str], None],
) -> None:
    """Write exports and thumbnails, and say what was written.

    Raises:
        WhenaboutsError: As ``write_export`` and ``write_thumbnails``.
    """
    found = [one for one in answers if one.intervals]
    needs_video = found and (args.thumbnails or any(one.form != "json" for one in exports))
    for answer in found if needs_video else ():
        own_file(answer.video, records)
    notes: dict[str, None] = {}
    for export in exports:
        if not found and export.form != "json":
            place = "nothing was printed" if export.is_printed else f"{export.out} was not written"
            say(f"nothing was found, so {place}")
            continue
        if not export.is_printed:
            out = Out("--export", export.out)
            spare_asked([out], [one.video.path for one in answers], records)
        timecode = args.start_timecode or START_TIMECODE
        told = write_export(export, answers, whole_json, start_timecode=timecode)
        notes |= dict.fromkeys(told)
        if export.is_printed:
            continue
        count = sum(len(answer.intervals) for answer in found)
        say(f"{counted(count, 'interval')} written to {export.out}")
    for note in notes:
        say(note)
    if args.thumbnails and not found:
        say(f"nothing was found, so no pictures were written to {args.thumbnails}")
    elif args.thumbnails:
        from agent.exports.thumbnails import write_thumbnails

        written = write_thumbnails(found, Path(args.thumbnails), overwrite=args.overwrite)
        say(f"{counted(len(written), 'picture')} written to {args.thumbnails}")
