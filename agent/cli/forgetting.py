"""``whenabouts forget``: deleting what is stored of videos, and saying what else holds text."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

from agent.graph.thread_files import forget_threads, threads_about
from agent.settings import Settings, load_settings
from agent.watching.indexed import Indexed, is_there
from agent.watching.opened import open_parts
from agent.web.leftovers import answers_about, correction_count, forget_jobs
from tools.text import counted, in_one_row
from tools.video.identity import content_id, location
from tools.video.link_names import is_link
from tools.video.links import Links
from tools.waiting import Doing

Say = Callable[[str], None]

NAMED_THREADS = 5


def forget_videos(args: argparse.Namespace, *, show: Say, say: Say, doing: Doing) -> None:
    """Delete the captions of videos, and with ``--threads`` the threads and chats about them.

    Args:
        args: ``videos`` and ``threads``.
        show: Receives the outcome.
        say: Receives what else the user should know.
        doing: Says what is done where that takes long.
    """
    settings = load_settings(args.env)
    with open_parts(settings, tell=say) as opened:
        indexed = Indexed(settings, opened, tell=say)
        links = Links(settings.cache_folder, tell=say, confirm=None)
        for named in args.videos:
            # A link that was never fetched names nothing that is indexed.
            video = str(links.kept(named) or named) if is_link(named) else named
            ids = {record.video_id for record in indexed.resolve(video)}
            if is_there(video):
                ids.add(content_id(Path(video)))
            with doing(f"deleting what is stored of {video}, and overwriting it in the files"):
                count = indexed.forget(video)
            told = (
                f"{count} caption{'' if count == 1 else 's'} forgotten"
                if count
                else "nothing of it was indexed"
            )
            show(in_one_row(f"{video}: {told}; the file is untouched"))
            path = str(location(Path(video)))
            for other in sorted({one.video_id for one in indexed.records() if one.path == path}):
                say(
                    f"the captions of a video that was at this path before are kept; to forget "
                    f"them too: whenabouts forget {other[:12]}"
                )
            _forget_threads(settings, video, ids, args, say)
            _forget_page(settings, video, ids, args, say)
            _forget_benchmarks(settings, video, ids, args, say)
        if settings.chroma_url:
            say(
                "what a Chroma server deleted stays readable in its files until `chroma vacuum` "
                "is run there"
            )
        if args.threads:
            trace = f" ({settings.trace}, for one)" if settings.trace else ""
            say(
                "files that you had written may hold captions too: those of --trace"
                f"{trace}, --export and `whenabouts eval --out`; delete them yourself"
            )


def _forget_threads(
    settings: Settings, video: str, ids: set[str], args: argparse.Namespace, say: Say
) -> None:
    files = (settings.threads_file, settings.chats_file)
    if args.threads:
        names = [name for file in files for name in forget_threads(file, ids)]
        say(f"deleted threads and chats about it: {_listed(list(dict.fromkeys(names)))}")
    elif names := [name for file in files for name in threads_about(file, ids)]:
        say(
            f"threads and chats still hold captions of it: {_listed(names)}; to delete these too: "
            f"whenabouts forget --threads {video} (delete files written with --trace yourself)"
        )


def _forget_page(
    settings: Settings, video: str, ids: set[str], args: argparse.Namespace, say: Say
) -> None:
    """The same for answers that the page keeps, which quote captions, and for its pictures."""
    about = answers_about(settings.page_folder, ids)
    path = location(Path(video))
    if args.threads:
        for answer in about:
            answer.unlink(missing_ok=True)
        # They are kept under hashes, of whatever video they are.
        shutil.rmtree(settings.pictures_folder, ignore_errors=True)
        forget_jobs(settings.page_folder, path)
        if about:
            say(f"deleted answers about it on the page: {len(about)}")
        if count := correction_count(settings.corrections_file, path.name):
            say(
                f"corrections made on the page name it: {counted(count, 'row')} of "
                f"{settings.corrections_file}, which you can delete there"
            )
    elif about:
        say(
            f"answers on the page still hold captions of it: {len(about)}; to delete these too: "
            f"whenabouts forget --threads {video}"
        )


def _forget_benchmarks(
    settings: Settings, video: str, ids: set[str], args: argparse.Namespace, say: Say
) -> None:
    """The same for the store of ``whenabouts eval``."""
    folder = settings.benchmark_store
    if not folder.is_dir():
        return
    own = settings.model_copy(update={"store": folder, "chroma_url": None})
    with open_parts(own, tell=say) as opened:
        if args.threads:
            if count := sum(opened.store.forget(one) for one in sorted(ids)):
                say(f"deleted captions of it that `whenabouts eval` made: {count}")
        elif any(opened.store.records(one) for one in ids):
            say(
                f"`whenabouts eval` made captions of it too, in {folder}; to delete these too: "
                f"whenabouts forget --threads {video}"
            )


def _listed(names: list[str]) -> str:
    named = ", ".join(names[:NAMED_THREADS]) or "none"
    more = len(names) - NAMED_THREADS
    return f"{named} and {more} more" if more > 0 else named
