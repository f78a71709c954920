"""What a command line asks: which videos, which query, which stretch of time."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from agent.api import Grounder, make_question
from agent.errors import QueryError
from agent.plotting.picture import check_picture_path
from agent.watching.indexed import MIN_ID, is_there
from agent.watching.video_names import expand_videos
from tools.video.clip import check_clip_path
from tools.video.link_names import is_link

_ID = re.compile(rf"[0-9a-f]{{{MIN_ID},}}")


def words_of(args: argparse.Namespace) -> tuple[list[str], str]:
    """The videos as they are named, and the query; with ``--image`` there is none.

    Raises:
        QueryError: If one of them is missing, or an option wants a query in words.
    """
    if not args.image:
        if not args.words:
            raise QueryError('name a video, and what to look for: ask VIDEO "a door opens"')
        return args.words[:-1], args.words[-1]
    unfit = {
        "--captions": args.captions,
        "--thread": args.thread,
        "--strategy activity": args.strategy == "activity",
        "--reasoner": args.reasoner,
        "--verify": args.verify,
        "--direct": args.direct,
        "--every": args.every,
        "--every-path": args.every_path,
        "--refine": args.refine,
        "--plot": args.plot,
    }
    if named := [option for option, given in unfit.items() if given]:
        raise QueryError(
            f"--image compares a picture with frames, and {', '.join(named)} wants words; leave "
            "one out"
        )
    if not (args.all or args.words):
        raise QueryError("name a video to look for the picture in, or --all")
    for word in args.words:
        if not is_there(word) and " " in word:
            raise QueryError(
                f"--image takes the place of the query, so {word!r} is taken for a video; leave it "
                "out"
            )
    return args.words, f"what {Path(args.image).name} shows"


def asked_videos(args: argparse.Namespace, names: Sequence[str], query: str) -> list[str]:
    """The videos to ask, after checking that the options go together.

    Raises:
        QueryError: If they do not.
        VideoError: If there is no video in a folder, or no clip can be written where it should be.
    """
    if args.all and names:
        raise QueryError(f"--all asks every indexed video; leave out {', '.join(names)}")
    if not (args.all or names):
        if is_there(query):
            raise QueryError(f'say what to look for in {query}: ask {query} "a door opens"')
        raise QueryError("name a video before the query, or --all to ask every indexed video")
    if args.limit < 1:
        raise QueryError(f"--limit must be at least 1, not {args.limit}")
    make_question("", query)  # An empty query should cost nothing.
    _check_order(names, query)
    if args.overwrite and not (args.clip or args.export or args.thumbnails or args.plot):
        raise QueryError(
            "--overwrite replaces the files that --clip, --export, --thumbnails and --plot name; "
            "name one"
        )
    if args.clip:
        check_clip_path(Path(args.clip), overwrite=args.overwrite)
    if args.plot:
        check_picture_path(Path(args.plot), overwrite=args.overwrite)
    videos = expand_videos(names)
    is_one = len(videos) == 1 and not args.all
    if args.captions and not is_one:
        raise QueryError(f"--captions {args.captions} describes one video; ask one")
    if args.within and not is_one:
        raise QueryError(f"--within {args.within} is a stretch of one video; ask one")
    if args.thread and not is_one:
        raise QueryError(f"--thread {args.thread} keeps the steps of one video's answer; ask one")
    return videos


def _check_order(names: Sequence[str], query: str) -> None:
    """Complain of a query without its quotes, and of one before the video."""
    if not names or is_there(names[-1]):
        return
    if is_there(query):
        raise QueryError(f'the query comes last: ask {query} "{names[-1]}"')
    if " " not in query and re.fullmatch(r"[^\W\d_]+", names[-1]) and not _ID.fullmatch(names[-1]):
        raise QueryError(f'put the query in quotes: ask VIDEO "… {names[-1]} {query}"')


def parse_within(text: str) -> tuple[float, float]:
    """Seconds of ``1:00-1:30``, ``60-90`` or ``1m-90s``.

    Raises:
        QueryError: If it is not a stretch of time.
    """
    from agent.chat.follow_up import parse_clock

    start, dash, end = text.partition("-")
    try:
        start_s, end_s = (
            float(one) if re.fullmatch(r"\d+(\.\d+)?", one.strip()) else parse_clock(one)
            for one in (start, end)
        )
    except ValueError as exc:
        why = str(exc) if dash else "there is no - in it"
        raise QueryError(f"--within {text}: {why}; write it like 1:00-1:30") from None
    return start_s, end_s


def fetch_links(grounder: Grounder, videos: Sequence[str]) -> list[str]:
    """The videos, those that are named by a link as the files that these lead to."""
    return [str(grounder.fetch(one)) if is_link(one) else one for one in videos]
