"""``whenabouts reel``: questions asked, and the clips that answer them joined in one file."""

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from agent.api import Event, Grounder, make_question
from agent.cli.outputs import Out, check_apart, spare_asked, spare_own_files
from agent.cli.rendering import how_sure
from agent.errors import QueryError, VideoError, WhenaboutsError
from agent.graph.many_videos import LibraryAnswers
from agent.grounding import Grounding
from agent.watching.moved_files import own_file
from agent.watching.video_names import expand_videos
from tools.clock import clock_span
from tools.store.store import VideoRecord
from tools.video.lettering import lettering_notes
from tools.video.reader import probe
from tools.video.reel import ReelScene, check_reel_path, write_reel
from tools.waiting import Doing

MOST_CARD_S = 60.0


def check_reel(args: argparse.Namespace) -> None:
    """Refuse options that cannot be followed, before anything is asked.

    Raises:
        QueryError: If a query is empty, or a number out of range.
        VideoError: If the file cannot be written there.
    """
    for query in args.words:
        make_question("", query)
    if args.limit < 1:
        raise QueryError(f"--limit must be at least 1, not {args.limit}")
    if not (math.isfinite(args.card_s) and 0 <= args.card_s <= MOST_CARD_S):
        raise QueryError(f"--card must be 0 to {MOST_CARD_S:g} seconds, not {args.card_s:g}")
    check_reel_path(Path(args.out), overwrite=args.overwrite)
    check_apart([Out("--out", Path(args.out))], args)


def join_clips(
    args: argparse.Namespace,
    grounder: Grounder,
    *,
    on_event: Callable[[Event], None],
    say: Callable[[str], None],
    doing: Doing,
) -> int:
    """Ask each question, write the reel, and say what is in it; returns how many clips that are.

    Args:
        args: Of the command line.
        grounder: Answers.
        on_event: Receives its progress.
        say: Receives each line for the user.
        doing: Says what is done where that takes long.

    Raises:
        WhenaboutsError: If a video or a model cannot be used, or the file not be written.
    """
    out = Path(args.out)
    outs = [Out("--out", out)]
    videos = expand_videos(args.places)
    spare_own_files(outs, grounder.settings)
    spare_asked(outs, videos, grounder.records())
    scenes: list[ReelScene] = []
    with grounder.within_limits():
        for query in args.words:
            with doing(f"looking for “{query}”"):
                answers = _ask(grounder, query, videos, limit=args.limit, on_event=on_event)
            found = list(_scenes(query, answers, grounder.records(), say))
            if not found:
                say(_nothing(query, answers))
            scenes += found
    if not scenes:
        say(f"nothing was found, so {out} was not written")
        return 0
    spare_asked(outs, [one.video.path for one in scenes], grounder.records())
    for note in lettering_notes(text for one in scenes for text in (one.title, one.note)):
        say(note)
    say(f"joining {len(scenes)} clip{'' if len(scenes) == 1 else 's'}")
    write_reel(scenes, out, card_s=args.card_s, overwrite=args.overwrite)
    seconds = sum(one.span.length_s + args.card_s for one in scenes)
    say(f"{len(scenes)} clip{'' if len(scenes) == 1 else 's'}, {seconds:.1f} s, written to {out}")
    return len(scenes)


def _ask(
    grounder: Grounder,
    query: str,
    videos: Sequence[str],
    *,
    limit: int,
    on_event: Callable[[Event], None],
) -> LibraryAnswers:
    if len(videos) == 1:
        return LibraryAnswers((grounder.find(videos[0], query, on_event=on_event),))
    return grounder.find_all(query, videos=videos or None, limit=limit, on_event=on_event)


def _scenes(
    query: str,
    answers: LibraryAnswers,
    records: Sequence[VideoRecord],
    say: Callable[[str], None],
) -> Iterator[ReelScene]:
    for one in answers.left_out:
        say(f"“{query}”: {one.path} is left out: {one.reason}")
    for answer in answers:
        if answer.verdict != "found" or not answer.intervals:
            continue
        try:
            path = own_file(answer.video, records)
            if not path.is_file():
                raise VideoError(f"{path} is gone")
            video = probe(path)
        except WhenaboutsError as exc:
            say(f"“{query}”: found, but cannot be cut out: {exc}")
            continue
        for interval in sorted(answer.intervals, key=lambda one: one.span):
            sure = f"{'confidence ' if interval.confidence is not None else ''}{how_sure(interval)}"
            say(f"“{query}”: {path.name} {clock_span(interval.span)}, {sure}")
            yield ReelScene(
                video, interval.span, query, f"{path.name}  {clock_span(interval.span)}"
            )


def _nothing(query: str, answers: Sequence[Grounding]) -> str:
    verdicts = {one.verdict for one in answers}
    told = "cannot be told" if "cannot_tell" in verdicts else "not found"
    advice = next((one.advice for one in answers if one.advice), "")
    return f"“{query}”: {told}, so no clip of it is in the reel" + (f"; {advice}" if advice else "")
