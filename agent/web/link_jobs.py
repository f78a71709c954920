"""Videos by their links: looked at, offered with their size, fetched once somebody agrees.

What is fetched is kept as ``tools.video.links`` keeps it. Nothing inside this network is fetched:
the link may come from another machine, or from a model that read it somewhere.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from agent.errors import QueryError, WhenaboutsError
from agent.graph.cancelling import LeftError
from agent.web.described import BusyError
from agent.web.fault_lines import tell_fault
from tools.text import printable, shorten, without_passwords
from tools.video.link_names import is_link
from tools.video.links import Links
from tools.video.yt_dlp_process import is_held_outside

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LinkState = Literal["looking", "offered", "fetching", "done", "failed", "cancelled"]
LINK_ACTIVE: tuple[LinkState, ...] = ("looking", "offered", "fetching")
AT_ONCE = 3
OFFERED_S = 600.0
"""An offer that nobody agreed to by then is withdrawn."""

TICK_S = 0.1
KEPT_JOBS = 100


class LinkJob(BaseModel):
    """A link on its way to a video.

    Attributes:
        id: Names the job.
        link: As it may be shown: without passwords.
        state: ``looking`` at what it leads to; ``offered``, to be agreed to; ``fetching``; or how
            it ended.
        offer: What would be fetched, once that is known.
        size_bytes: Of it; None where the site does not say.
        held_bytes: How much of it is here.
        message: Why it failed, and what to do.
        video: Id of the video, once it is here.
    """

    id: str
    link: str
    state: LinkState = "looking"
    offer: str = ""
    size_bytes: int | None = None
    held_bytes: int = 0
    message: str = ""
    video: str | None = None


@dataclass(slots=True)
class _Work:
    job: LinkJob
    link: str
    agreed: threading.Event = field(default_factory=threading.Event)
    has_left: bool = False
    thread: threading.Thread | None = None


class LinkJobs:
    """The links that are being fetched, each in a thread of its own.

    Args:
        cache: Where fetched videos are kept.
        arrive: Takes in the file of a link; returns the id of its video.
        complain: Receives the traceback of a fault.
        takes_inside: Whether links into this machine are fetched; for tests.
    """

    def __init__(
        self,
        cache: Path,
        *,
        arrive: Callable[[Path], str],
        complain: Callable[[str], None],
        takes_inside: bool = False,
    ) -> None:
        self._cache = cache
        self._arrive = arrive
        self._complain = complain
        self._takes_inside = takes_inside
        self._lock = threading.RLock()
        self._works: dict[str, _Work] = {}

    def is_available(self) -> bool:
        """Whether links can be fetched: yt-dlp is installed beside this program."""
        return is_held_outside()

    def kept(self, link: str) -> Path | None:
        """The file of a link that was fetched before."""
        return Links(self._cache, tell=lambda _: None, confirm=None).kept(link)

    def add(self, link: str) -> LinkJob:
        """Look at what a link leads to; the job that does so already, if there is one.

        Raises:
            QueryError: If it is no link.
            BusyError: If too many are under way.
        """
        if not is_link(link):
            raise QueryError(
                f"{shorten(printable(link), 100)!r} is no link: it begins with https://"
            )
        with self._lock:
            active = [one for one in self._works.values() if one.job.state in LINK_ACTIVE]
            for one in active:
                if one.link == link:
                    return one.job.model_copy()
            if len(active) >= AT_ONCE:
                raise BusyError(
                    f"{len(active)} links are being fetched; wait for one, or cancel it"
                )
            shown = shorten(without_passwords(printable(link)), 200)
            work = _Work(LinkJob(id=secrets.token_hex(8), link=shown), link)
            self._works[work.job.id] = work
            ended = [key for key, one in self._works.items() if one.job.state not in LINK_ACTIVE]
            for old in ended[:-KEPT_JOBS]:
                del self._works[old]
            work.thread = threading.Thread(
                target=self._do, args=(work,), name="whenabouts-link", daemon=True
            )
            work.thread.start()
            return work.job.model_copy()

    def agree(self, job_id: str) -> LinkJob | None:
        """Fetch what was offered; None where there is no such job.

        Raises:
            BusyError: If nothing is offered yet: what is agreed to has to be known.
        """
        with self._lock:
            if (work := self._works.get(job_id)) is None:
                return None
            if work.job.state == "looking":
                raise BusyError(f"{work.job.link} is still being looked at; agree to the offer")
            if work.job.state == "offered":
                work.job.state = "fetching"
                work.agreed.set()
            return work.job.model_copy()

    def cancel(self, job_id: str) -> LinkJob | None:
        """End a job; nothing of it is kept."""
        with self._lock:
            if (work := self._works.get(job_id)) is None:
                return None
            if work.job.state in LINK_ACTIVE:
                work.has_left = True
                work.job.state, work.job.message = "cancelled", "cancelled; nothing of it is kept"
            return work.job.model_copy()

    def get(self, job_id: str) -> LinkJob | None:
        """One job as it stands now."""
        with self._lock:
            work = self._works.get(job_id)
            return work.job.model_copy() if work else None

    def all(self) -> list[LinkJob]:
        """Every job, the latest last."""
        with self._lock:
            return [work.job.model_copy() for work in self._works.values()]

    def close(self) -> None:
        """Stop all; nothing that is half fetched is kept."""
        with self._lock:
            works = list(self._works.values())
            for work in works:
                work.has_left = True
        for work in works:
            if work.thread:
                work.thread.join()

    def _do(self, work: _Work) -> None:
        def look(held_bytes: int) -> None:
            if work.has_left:
                raise LeftError
            work.job.held_bytes = held_bytes

        links = Links(
            self._cache,
            tell=lambda _: None,
            confirm=lambda offer, size_bytes: self._offer(work, offer, size_bytes),
            look=look,
            takes_inside=self._takes_inside,
        )
        try:
            path = links.fetch(work.link)
            look(path.stat().st_size)
            self._end(work, "done", video=self._arrive(path))
        except LeftError:
            self._end(work, "cancelled")
        except WhenaboutsError as exc:
            self._end(work, "failed", str(exc))
        except OSError as exc:
            why = f"{work.job.link} cannot be kept: {exc.strerror}; nothing that was there is lost"
            self._end(work, "failed", why)
        except Exception as exc:  # noqa: BLE001  # a job ends with words, whatever happens
            tell_fault(self._complain)
            self._end(work, "failed", f"a fault in whenabouts ({type(exc).__name__})")

    def _offer(self, work: _Work, offer: str, size_bytes: int) -> bool:
        with self._lock:
            if work.job.state == "looking":
                work.job.offer, work.job.size_bytes = offer, size_bytes or None
                work.job.state = "offered"
        until_s = time.monotonic() + OFFERED_S
        while not work.agreed.wait(TICK_S):
            if work.has_left:
                raise LeftError
            if time.monotonic() > until_s:
                self._end(work, "cancelled", "nobody agreed to fetch it; give the link again")
                raise LeftError
        return True

    def _end(
        self, work: _Work, state: LinkState, message: str = "", video: str | None = None
    ) -> None:
        with self._lock:
            if work.job.state in LINK_ACTIVE:
                work.job.state, work.job.message, work.job.video = state, message, video
