"""Videos by their links: fetched by the user's own yt-dlp, once, and kept by their content.

yt-dlp runs as a process of its own, so that a page it cannot cope with ends nothing but itself.
"""

from __future__ import annotations

import hashlib
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
from tools.video.containers import HEAD_BYTES, begins_as_video
from tools.video.identity import SUFFIXES, content_id
from tools.video.outward import addresses_of, is_inside

MOST_BYTES: Final = 20_000_000_000
SPARE_BYTES: Final = 256 << 20
"""The store needs room too."""

ASKING_S: Final = 120.0
"""A site that has not said by then what it has will not say it."""

WITHOUT_PROGRESS_S: Final = 120.0
MOST_TOLD_BYTES: Final = 32 << 20

LOOK_EVERY_S: Final = 0.1

ABANDONED_S: Final = 86_400.0
"""What was half fetched that long ago belongs to a program that was killed."""

_PART: Final = ".fetching-"

_MODULE: Final = [sys.executable, "-m", "yt_dlp"]

FOLDER: Final = "links"
"""Of a cache: fetched videos, each in a folder named by its content."""

NAME_SUFFIX: Final = ".name"
"""Of the file beside a fetched one that holds its link."""

# The user's configuration may name other folders, or commands to run afterwards.
_OPTIONS: Final = (
    *("--ignore-config", "--no-playlist", "--flat-playlist", "--playlist-items", "1:2"),
    *("--no-warnings", "--no-cache-dir", "--no-mtime", "--no-exec"),
    *("--socket-timeout", "20", "--retries", "2", "--fragment-retries", "2"),
    # Frames are shrunk before they are described; more than this is only to be waited for.
    *("--format-sort", "res:1080,ext"),
)

Confirm = Callable[[str, int], bool]
"""Asked with what would be fetched and its bytes (0: not known); True: fetch it."""

Look = Callable[[int], None]
"""Told every ``LOOK_EVERY_S`` how many bytes are here; what it raises ends the fetching."""


def is_link(name: str) -> bool:
    """Whether it is the address of a video, and no file."""
    return re.match(r"https?://", name, re.IGNORECASE) is not None


def shown_name(path: str | Path) -> str:
    """What people call a video: its link if it was fetched by one, else its file name."""
    path = Path(path)
    place = path.parent
    if place.parent.name != FOLDER or not re.fullmatch("[0-9a-f]{16}", place.name):
        return path.name
    try:
        return shorten(path.with_suffix(NAME_SUFFIX).read_text(encoding="utf-8"), 200)
    except (OSError, ValueError):
        return path.name


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link leads to.

    Attributes:
        title: As the site calls it; one line, nothing but text.
        size_bytes: Of the file; None where the site does not say.
    """

    title: str
    size_bytes: int | None


class Links:
    """The videos that were fetched by link.

    Args:
        cache: In whose ``FOLDER`` they are kept.
        tell: Receives, in a line, what is about to be fetched.
        confirm: Asked before that; None: nothing is fetched.
        look: Told how far it is; may end it.
        most_bytes: Largest one that is fetched.
        takes_inside: Whether links into this machine and its network are fetched too: for a person
            at the terminal, who could open them as well.
    """

    def __init__(
        self,
        cache: Path,
        *,
        tell: Callable[[str], None],
        confirm: Confirm | None,
        look: Look = lambda _: None,
        most_bytes: int = MOST_BYTES,
        takes_inside: bool = True,
    ) -> None:
        self._folder = cache / FOLDER
        self._tell = tell
        self._confirm = confirm
        self._look = look
        self._most_bytes = most_bytes
        self._takes_inside = takes_inside

    def fetch(self, link: str) -> Path:
        """The file of a link: the one that is here already, or fetched now.

        Raises:
            VideoError: If there is no yt-dlp, nobody agrees, or no video comes.
        """
        shown = _checked(link)
        if (kept := self.kept(link)) is not None:
            return kept
        command = find_yt_dlp()
        if command is None:
            raise VideoError(
                f"{shown} is a link, and fetching it needs yt-dlp: pip install 'whenabouts[link]'; "
                "or save the video yourself, and name the file"
            )
        if not self._takes_inside:
            _check_outside(command, link, shown)
        command = _kept_outside(command, link)
        offer = _ask(command, link, shown, self._look)
        size = offer.size_bytes
        if size is not None and size > self._most_bytes:
            raise self._too_large(shown)
        mb = "of a size that the site does not say" if size is None else f"{size / 1e6:.1f} MB"
        self._tell(f"{shown}: “{offer.title}”, {mb}, to be fetched with yt-dlp")
        if self._confirm is None or not self._confirm(f"“{offer.title}” ({shown})", size or 0):
            raise VideoError(
                f"{shown} is not on this disk, and nobody agreed to fetch it; --yes agrees"
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        if (size or 0) + SPARE_BYTES > shutil.disk_usage(self._folder).free:
            raise VideoError(f"the disk has no room for {shown} ({mb}); free some, and try again")
        self._sweep()
        with tempfile.TemporaryDirectory(prefix=_PART, dir=self._folder) as part:
            return self._keep(link, shown, self._download(command, link, shown, Path(part)))

    def kept(self, link: str) -> Path | None:
        """The file of a link that was fetched before; None where it is not here any more."""
        try:
            name = self._note(link).read_text(encoding="utf-8")
        except OSError:
            return None
        path = self._folder / Path(name).parent.name / Path(name).name
        return path if path.is_file() else None

    def _sweep(self) -> None:
        for part in self._folder.glob(f"{_PART}*"):
            if time.time() - part.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(part, ignore_errors=True)

    def _note(self, link: str) -> Path:
        return self._folder / f"{hashlib.sha256(link.encode()).hexdigest()[:32]}.link"

    def _download(self, command: list[str], link: str, shown: str, part: Path) -> Path:
        size = str(self._most_bytes)
        options = ["--quiet", "--max-filesize", size, "--output", "video.%(ext)s"]
        asking = [*command, *_OPTIONS, *options, "--", link]
        with _started(asking, part) as running:
            held, changed_s = 0, time.monotonic()
            while running.poll() is None:
                now = _held_bytes(part)
                self._look(now)
                if now > self._most_bytes:
                    raise self._too_large(shown)
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
            raise self._too_large(shown)
        return max(files, key=lambda file: file.stat().st_size)

    def _keep(self, link: str, shown: str, file: Path) -> Path:
        from tools.video.reader import look

        with file.open("rb") as opened:
            head = opened.read(HEAD_BYTES)
        if not begins_as_video(head):
            raise VideoError(f"{shown} leads to a file that is no video")
        try:
            look(file)
        except VideoError as exc:
            raise VideoError(str(exc).replace(str(file), shown)) from None
        place = self._folder / content_id(file)[:16]
        place.mkdir(exist_ok=True)
        suffix = file.suffix.lower() if file.suffix.lower() in SUFFIXES else ".mp4"
        path = next((one for one in place.iterdir() if one.suffix != NAME_SUFFIX), None)
        if path is None:
            path = place / f"{_slug(shown)}{suffix}"
            path.with_suffix(NAME_SUFFIX).write_text(shown, encoding="utf-8")
            file.replace(path)
        self._note(link).write_text(f"{place.name}/{path.name}", encoding="utf-8")
        return path

    def _too_large(self, shown: str) -> VideoError:
        return VideoError(
            f"{shown} is larger than {self._most_bytes / 1e6:.0f} MB, the most that is fetched; "
            "save it yourself, and name the file"
        )


def find_yt_dlp() -> list[str] | None:
    """How to start the user's yt-dlp: the module that is installed here, or the program."""
    if importlib.util.find_spec("yt_dlp") is not None:
        return list(_MODULE)
    program = shutil.which("yt-dlp")
    return [program] if program else None


def _kept_outside(command: list[str], link: str) -> list[str]:
    """The command, so started that a public link leads to nothing inside this network.

    A program that brings its own Python cannot be held to that.
    """
    if _is_inside(link) or command != _MODULE:
        return command
    return [sys.executable, "-P", outward.__file__]


def _is_inside(url: str) -> bool:
    return any(map(is_inside, addresses_of(urlsplit(url).hostname or "")))


def is_held_outside() -> bool:
    """Whether yt-dlp is here in the form that can be kept from this network."""
    return find_yt_dlp() == _MODULE


def _check_outside(command: list[str], link: str, shown: str) -> None:
    if _is_inside(link):
        raise VideoError(
            f"{shown} leads into this machine or its network, and is fetched from the terminal "
            "alone: whenabouts index LINK"
        )
    if command != _MODULE:
        raise VideoError(
            f"{shown} is not fetched by {command[0]}, which cannot be kept from this network: "
            "pip install 'whenabouts[link]'"
        )


def _checked(link: str) -> str:
    """The link as it may be shown.

    Raises:
        VideoError: If it is none that can be fetched.
    """
    shown = shorten(without_passwords(printable(link)), 200)
    try:
        host = urlsplit(link).hostname
    except ValueError:
        host = None
    if not host or not link.isprintable() or any(letter.isspace() for letter in link):
        raise VideoError(f"{shown} is no address of a video; copy it from the browser once more")
    return shown


def _ask(command: list[str], link: str, shown: str, look: Look) -> Offer:
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


def _slug(link: str) -> str:
    """A file name that reads like the link."""
    plain = re.sub(r"^https?://(www\.)?", "", link, flags=re.IGNORECASE)
    plain = re.sub(r"\.\w{2,5}$", "", plain)
    return re.sub(r"[^\w.=-]+", "_", plain).strip("._")[:80] or "video"
