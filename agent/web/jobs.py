"""Index jobs: one at a time, told as they go, cancelled on request, resumed after a restart."""

from __future__ import annotations

import json
import queue
import secrets
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field, ValidationError

from agent.errors import WhenaboutsError
from agent.graph.cancelling import Background, LeftError
from agent.web.fault_lines import tell_fault
from agent.web.plain_files import write_whole
from tools.indexing.progress import Progress
from tools.llm.retries import Retry, retries_heard_by

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.web.library import ServedVideo

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ACTIVE: tuple[State, ...] = ("waiting", "running")
KEPT_JOBS = 200


class Job(BaseModel):
    """One video being described.

    Attributes:
        id: Names the job.
        video: Id of the video.
        name: Of the video, for people.
        state: ``waiting`` for the one before it; ``running``; or how it ended.
        message: Why it failed, and what to do; or what was left out. While it runs: that the
            captioner's service gave no reply and is asked again.
        seen_s: Seconds of video looked at.
        total_s: Length of the video; None where not known yet.
        captions: Captions made by this run.
        frames: Frames sampled by this run.
        left_s: Seconds of work left, by the latest speed; None where it cannot be told.
        tokens: Used by the captioner so far.
        usd: What that costs; None where the price is not known.
        captioner: Who describes; empty before it begins.
        resumed: Whether it goes on with what an earlier run began.
    """

    id: str
    video: str
    name: str
    path: str = Field(exclude=True)
    state: State = "waiting"
    message: str = ""
    seen_s: float = 0.0
    total_s: float | None = None
    captions: int = 0
    frames: int = 0
    left_s: float | None = None
    tokens: int = 0
    usd: float | None = 0.0
    captioner: str = ""
    resumed: bool = False


class Jobs:
    """The queue of videos to describe, and its one thread.

    Args:
        file: Where jobs are written down, so that a restart takes them up; None: nowhere.
        index: Describes a video and reports progress; returns what the user should know.
        complain: Receives the traceback of a fault.
    """

    def __init__(
        self,
        file: Path | None,
        index: Callable[[str, Callable[[Progress], None]], str],
        complain: Callable[[str], None],
    ) -> None:
        self._file = file
        self._index = index
        self._complain = complain
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._coming: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._work: Background[Progress | Retry, str] | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="whenabouts-jobs", daemon=True)

    def start(self) -> None:
        """Take up what was waiting or running when the last server stopped."""
        for job in _read(self._file) if self._file else ():
            self._jobs[job.id] = job
            if job.state in ACTIVE:
                job.state = "waiting"
                self._coming.put(job.id)
        self._thread.start()

    def close(self) -> None:
        """Stop; a running job stays written down as running, and its captions are kept."""
        self._closing = True
        self._coming.put(None)
        with self._lock:
            if self._work:
                self._work.leave()
        if self._thread.ident:
            self._thread.join()

    def add(self, video: ServedVideo) -> Job:
        """A job for a video; the one that is under way for it, if there is one."""
        with self._lock:
            if active := self.active(video.id):
                return active
            job = Job(
                id=secrets.token_hex(8), video=video.id, name=video.name, path=str(video.path)
            )
            self._jobs[job.id] = job
            self._write()
            self._coming.put(job.id)
            return job.model_copy()

    def active(self, video_id: str) -> Job | None:
        """The job that is waiting or running for a video."""
        return next(
            (job for job in self.all() if job.video == video_id and job.state in ACTIVE), None
        )

    def all(self) -> list[Job]:
        """Every job, the latest last, as each stands now."""
        with self._lock:
            return [job.model_copy() for job in self._jobs.values()]

    def get(self, job_id: str) -> Job | None:
        """One job as it stands now."""
        with self._lock:
            job = self._jobs.get(job_id)
            return job.model_copy() if job else None

    def cancel(self, job_id: str) -> Job | None:
        """End a job before the next frame; what was described is kept for the next one."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job and job.state in ACTIVE:
                if job.state == "running" and self._work:
                    self._work.leave()
                job.state = "cancelled"
                job.message = "cancelled; what was described is kept, and the next run goes on"
                self._write()
            return job.model_copy() if job else None

    def _run(self) -> None:
        while (job_id := self._coming.get()) is not None and not self._closing:
            self._do(self._jobs[job_id])

    def _do(self, job: Job) -> None:
        def describe(told: Background[Progress | Retry, str]) -> str:
            with retries_heard_by(told.tell):
                return self._index(job.path, told.tell)

        with self._lock:
            if job.state != "waiting":
                return
            job.state = "running"
            self._write()
            self._work = work = Background(describe)
        try:
            self._finish(job, "done", work.listen(lambda event: self._note(job, event)))
        except LeftError:
            pass  # Cancelled, or the server stops: the state says which.
        except WhenaboutsError as exc:
            self._finish(job, "failed", str(exc).replace(job.path, job.name))
        except Exception as exc:  # noqa: BLE001  # one bad video must not end the queue
            tell_fault(self._complain)
            fault = f"a fault in whenabouts ({type(exc).__name__}); see its terminal"
            self._finish(job, "failed", fault)
        finally:
            work.join()
            self._work = None

    def _note(self, job: Job, told: Progress | Retry) -> None:
        with self._lock:
            if job.state != "running":
                return
            if isinstance(told, Retry):
                job.message = told.line
                return
            if told.captions > job.captions:
                job.message = ""  # The service answers again.
            job.seen_s, job.total_s, job.captions = told.seen_s, told.total_s, told.captions
            job.frames, job.left_s, job.captioner = told.frames, told.left_s, told.model
            job.tokens, job.usd, job.resumed = told.tokens, told.usd, told.resumed

    def _finish(self, job: Job, state: State, message: str) -> None:
        with self._lock:
            if job.state == "running":
                job.state, job.message, job.left_s = state, message, None
                self._write()

    def _write(self) -> None:
        ended = [job.id for job in self._jobs.values() if job.state not in ACTIVE]
        for old in ended[:-KEPT_JOBS]:
            del self._jobs[old]
        if self._file is None:
            return
        rows = [job.model_dump() | {"path": job.path} for job in self._jobs.values()]
        try:
            write_whole(self._file, json.dumps(rows, indent=1))
        except OSError as exc:
            # The jobs go on; what is lost on a full disk is that a restart takes them up.
            self._complain(f"the list of jobs cannot be written to {self._file}: {exc.strerror}")


def _read(file: Path) -> list[Job]:
    # What cannot be read is only a queue: the videos and their captions are elsewhere.
    with suppress(OSError, ValueError, ValidationError, TypeError):
        return [Job.model_validate(row) for row in json.loads(file.read_text(encoding="utf-8"))]
    return []
