"""yt-dlp, the user's own, as a process: what a link leads to, and the file that comes of it.

A page that it cannot cope with ends nothing but that process. A public link is kept from leading
into this machine and its network (``outward.py``).
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tools.errors import VideoError
from tools.text import one_line, printable, shorten, without_passwords
from tools.video import outward
from tools.video.link_names import is_link
from tools.video.outward import addresses_of, is_inside

SPARE_BYTES: Final = 256 << 20
"""The store needs room too."""

ASKING_S: Final = 120.0
"""A site that has not said by then what it has will not say it."""

WITHOUT_PROGRESS_S: Final = 120.0
MOST_TOLD_BYTES: Final = 32 << 20

LOOK_EVERY_S: Final = 0.1

_MODULE: Final = [sys.executable, "-m", "yt_dlp"]

# The user's configuration may name other folders, or commands to run afterwards.
_OPTIONS: Final = (
    *("--ignore-config", "--no-playlist", "--flat-playlist", "--playlist-items", "1:2"),
    *("--no-warnings", "--no-cache-dir", "--no-mtime", "--no-exec"),
    *("--socket-timeout", "20", "--retries", "2", "--fragment-retries", "2"),
    # Frames are shrunk before they are described; more than this is only to be waited for.
    *("--format-sort", "res:1080,ext"),
)

Look = Callable[[int], None]
"""Told every ``LOOK_EVERY_S`` how many bytes are here; what it raises ends the fetching."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link leads to.

    Attributes:
        title: As the site calls it; one line, nothing but text.
        size_bytes: Of the file; None where the site does not say.
    """

    title: str
    size_bytes: int | None


def find_yt_dlp() -> list[str] | None:
    """How to start the user's yt-dlp: the module that is installed here, or the program."""
    if importlib.util.find_spec("yt_dlp") is not None:
        return list(_MODULE)
    program = shutil.which("yt-dlp")
    return [program] if program else None


def is_held_outside() -> bool:
    """Whether yt-dlp is here in the form that can be kept from this network."""
    return find_yt_dlp() == _MODULE


def find_command(link: str, shown: str, *, takes_inside: bool) -> list[str]:
    """How to start yt-dlp so that a public link leads to nothing inside this network.

    A program that brings its own Python cannot be held to that.

    Args:
        link: What is to be fetched.
        shown: The link as messages name it.
        takes_inside: Whether a link may itself lead there, and such a program be started.

    Raises:
        VideoError: If there is no yt-dlp, or it may not fetch this link.
    """
    command = find_yt_dlp()
    if command is None:
        raise VideoError(
            f"{shown} is a link, and fetching it needs yt-dlp: pip install 'whenabouts[link]'; "
            "or save the video yourself, and name the file"
        )
    leads_inside = _is_inside(link)
    if not takes_inside:
        _check_outside(command, shown, leads_inside=leads_inside)
    if leads_inside or command != _MODULE:
        return command
    return [sys.executable, "-P", outward.__file__]


def _check_outside(command: list[str], shown: str, *, leads_inside: bool) -> None:
    if leads_inside:
        raise VideoError(
            f"{shown} leads into this machine or its network, and is fetched from the terminal "
            "alone: whenabouts index LINK"
        )
    if command != _MODULE:
        raise VideoError(
            f"{shown} is not fetched by {command[0]}, which cannot be kept from this network: "
            "pip install 'whenabouts[link]'"
        )


def find_offer(command: list[str], link: str, shown: str, look: Look) -> Offer:
    """What a link leads to, as the site tells it.

    Raises:
        VideoError: If the site does not say, or it is not one video that has an end.
    """
    with tempfile.TemporaryDirectory(prefix="whenabouts-link-") as folder:
        place = Path(folder)
        asking = [*command, *_OPTIONS, "--quiet", "--dump-single-json", "--", link]
        with _started(asking, place) as running:
            until_s = time.monotonic() + ASKING_S
            while running.poll() is None:
                look(0)
                if time.monotonic() > until_s:
                    raise VideoError(f"{shown} did not answer within {ASKING_S:g} s; try again")
                if _held_bytes(place) > MOST_TOLD_BYTES:
                    raise VideoError(f"{shown} says more of itself than any video does")
                time.sleep(LOOK_EVERY_S)
            if running.returncode:
                raise _failed(shown, place)
        try:
            told = json.loads((place / "out").read_bytes())
        except (ValueError, RecursionError):  # Nested too deeply.
            told = None
    if not isinstance(told, dict):
        raise VideoError(f"yt-dlp says nothing of {shown}; update it, and try again")
    if told.get("_type") in {"playlist", "multi_video"}:
        raise VideoError(f"{shown} is a list of videos; give the link of one of them")
    if told.get("is_live") or told.get("live_status") in {"is_live", "is_upcoming"}:
        raise VideoError(f"{shown} is live, and has no end yet; fetch it when it is over")
    title = shorten(printable(one_line(str(told.get("title") or "a video"))), 80)
    return Offer(title, _size_told(told) or _size_of_file(told.get("url"), link))


def download(
    command: list[str], link: str, shown: str, part: Path, *, look: Look, most_bytes: int
) -> Path:
    """Fetch the file of a link into a folder of its own.

    Raises:
        VideoError: If nothing comes, or more than ``most_bytes`` or the disk has room for.
    """
    options = ["--quiet", "--max-filesize", str(most_bytes), "--output", "video.%(ext)s"]
    asking = [*command, *_OPTIONS, *options, "--", link]
    with _started(asking, part) as running:
        held, changed_s = 0, time.monotonic()
        while running.poll() is None:
            now = _held_bytes(part)
            look(now)
            if now > most_bytes:
                raise too_large(shown, most_bytes)
            if shutil.disk_usage(part).free < SPARE_BYTES:
                raise VideoError(f"the disk is full; free some space, and fetch {shown} again")
            if now != held:
                held, changed_s = now, time.monotonic()
            elif time.monotonic() - changed_s > WITHOUT_PROGRESS_S:
                raise VideoError(f"{shown}: nothing came for {WITHOUT_PROGRESS_S:g} s")
            time.sleep(LOOK_EVERY_S)
        if running.returncode:
            raise _failed(shown, part)
    files = [file for file in part.iterdir() if file.name.startswith("video.")]
    if not files:
        # What is too large it leaves out, and does not call that a failure.
        raise too_large(shown, most_bytes)
    return max(files, key=lambda file: file.stat().st_size)


def too_large(shown: str, most_bytes: int) -> VideoError:
    """Why a file of more bytes is not fetched."""
    return VideoError(
        f"{shown} is larger than {most_bytes / 1e6:.0f} MB, the most that is fetched; "
        "save it yourself, and name the file"
    )


def _is_inside(url: str) -> bool:
    return any(map(is_inside, addresses_of(urlsplit(url).hostname or "")))


def _size_told(told: dict[str, Any]) -> int | None:
    parts = told.get("requested_formats")
    sizes = [
        one.get("filesize") or one.get("filesize_approx")
        for one in (parts if isinstance(parts, list) and parts else [told])
        if isinstance(one, dict)
    ]
    known = [int(one) for one in sizes if isinstance(one, int | float) and 0 < one < 1e15]
    return sum(known) if known and len(known) == len(sizes) else None


def _size_of_file(url: object, link: str) -> int | None:
    """The size that a server states for a file that lies there as it is."""
    import httpx

    def stay_outside(asked: httpx.Request) -> None:
        if _is_inside(str(asked.url)):
            raise httpx.RequestError("it leads into this network")

    if not isinstance(url, str) or not is_link(url):
        return None
    hooks = {"request": [] if _is_inside(link) else [stay_outside]}
    try:
        with httpx.Client(timeout=10.0, follow_redirects=True, event_hooks=hooks) as client:
            told = client.head(url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    size = told.headers.get("content-length", "") if told.is_success else ""
    return int(size) if size.isdecimal() and len(size) < 16 and int(size) > 0 else None


@contextmanager
def _started(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with its output in files of a folder; ended with all it began when this ends."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        running = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    try:
        yield running
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def _held_bytes(folder: Path) -> int:
    held = 0
    for file in folder.iterdir():
        try:
            held += file.stat().st_size
        except FileNotFoundError:  # Renamed in between.
            continue
    return held


def _failed(shown: str, place: Path) -> VideoError:
    said = (place / "err").read_text(encoding="utf-8", errors="replace")
    errors = [line for line in said.splitlines() if line.startswith("ERROR:")]
    why = errors[-1].removeprefix("ERROR:").strip() if errors else said.strip()[-300:]
    # Advice to report faults to yt-dlp, and to use options that are not ours.
    why = re.split(r"[;.] (?:please report|Confirm you are|See {2}https|Use --)| \(caused by", why)[
        0
    ]
    why = shorten(without_passwords(printable(one_line(why))), 300) or "yt-dlp gave up"
    return VideoError(f"cannot fetch {shown}: {why}")
