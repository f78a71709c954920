"""``whenabouts forget`` and ``whenabouts repair``: deleting stored captions, and rescuing them."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

from agent.errors import SettingsError
from agent.graph.thread_files import forget_threads, threads_about
from agent.settings import Settings, load_settings
from agent.watching.destinations import Destinations
from agent.watching.indexed import Indexed, is_there
from agent.watching.opened import open_parts
from tools.embedders.embedder import Embedder, open_embedder
from tools.store.repair import repair_store
from tools.text import counted
from tools.video.identity import content_id, location
from tools.video.links import Links, is_link
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
            show(f"{video}: {told}; the file is untouched")
            path = str(location(Path(video)))
            for other in sorted({one.video_id for one in indexed.records() if one.path == path}):
                say(
                    f"the captions of a video that was at this path before are kept; to forget "
                    f"them too: whenabouts forget {other[:12]}"
                )
            _forget_threads(settings, video, ids, args, say)
            _forget_page(settings, video, ids, args, say)
        if settings.chroma_url:
            say(
                "what a Chroma server deleted stays readable in its files until `chroma vacuum` "
                "is run there"
            )
        if args.threads and settings.trace:
            say(f"the trace {settings.trace} may hold captions too; delete it yourself if it does")


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
    folder = settings.page_folder / "answers"
    about = [one for one in folder.glob("*.json") if any(name in _text(one) for name in ids)]
    if args.threads:
        for answer in about:
            answer.unlink(missing_ok=True)
        # They are kept under hashes, of whatever video they are.
        shutil.rmtree(settings.pictures_folder, ignore_errors=True)
        if about:
            say(f"deleted answers about it on the page: {len(about)}")
    elif about:
        say(
            f"answers on the page still hold captions of it: {len(about)}; to delete these too: "
            f"whenabouts forget --threads {video}"
        )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _listed(names: list[str]) -> str:
    named = ", ".join(names[:NAMED_THREADS]) or "none"
    more = len(names) - NAMED_THREADS
    return f"{named} and {more} more" if more > 0 else named


def repair(settings: Settings, *, show: Say, say: Say, doing: Doing) -> None:
    """Make a damaged store sound again.

    Raises:
        SettingsError: If captions are kept by a server.
        StoreError: If nothing can be saved.
    """
    if settings.chroma_url:
        raise SettingsError(
            "captions are kept by the Chroma server of WHENABOUTS_CHROMA_URL; repair it there, or "
            "unset that to repair the store on this machine"
        )
    key = settings.openai_api_key
    told = 0

    def embedder(name: str) -> Embedder:
        Destinations(settings, say).embedding(name)
        return open_embedder(
            name,
            cache=settings.cache_folder,
            api_key=key.get_secret_value() if key else None,
            base_url=settings.openai_base_url,
        )

    def report(done: int, total: int) -> None:
        nonlocal told
        if done == total or done - told >= 2000:
            told = done
            say(f"{done:,} of {total:,} captions embedded again")

    with doing(f"looking at the caption store in {settings.store_folder}"):
        repaired = repair_store(
            settings.store_folder, open_embedder=embedder, on_wait=say, report=report
        )
    if repaired.moved_to is None:
        show(f"the caption store in {settings.store_folder} is sound; nothing was changed")
        return
    for line in repaired.left_out:
        say(f"left out: {line}")
    show(
        f"the caption store in {settings.store_folder} is sound again: "
        f"{counted(repaired.captions, 'caption')} of {counted(repaired.videos, 'video')}; the "
        "damaged files were moved to "
        f"{repaired.moved_to}; delete that folder once you see that nothing is missing"
    )
