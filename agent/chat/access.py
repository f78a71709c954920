"""What a chat needs of videos, and how a ``Grounder`` gives it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agent.chat.doors import TERMINAL, Door
from agent.graph.events import Event
from agent.graph.thread_files import ThreadsError
from agent.grounding import Grounding, VideoFacts
from agent.watching.moved_files import own_file, spare_videos
from tools.timeline import Caption, Interval

if TYPE_CHECKING:
    from agent.api import Grounder


class Tell(Protocol):
    """Receives the events of a search or a reading."""

    def __call__(self, event: Event) -> None:
        """Pass it on; raises where nobody is waiting for the answer any more."""
        ...

    def go_on(self) -> None:
        """Raises where nobody is waiting for the answer any more."""
        ...


class VideoAccess(Protocol):
    """Finds, reads and cuts; ``tell`` receives events, and may end the work by raising.

    Attributes:
        door: Where the chat is held.
    """

    door: Door

    def find(
        self,
        video: str,
        query: str,
        *,
        tell: Tell,
        within: tuple[float, float] | None = None,
        every_time: bool = False,
    ) -> Grounding:
        """When does it happen? See ``Grounder.find``. Raises ``WhenaboutsError``."""
        ...

    def read(self, video: str, *, tell: Tell) -> tuple[VideoFacts, Sequence[Caption]]:
        """All captions, in time order. Raises ``WhenaboutsError``."""
        ...

    def cut(
        self,
        video: str,
        span: Interval,
        out: Path | None = None,
        *,
        answered: VideoFacts | None = None,
    ) -> tuple[VideoFacts, str]:
        """Write a clip, by default under a name of its own; returns where.

        ``answered`` is the video that the span was found in: another one there is not cut. Raises
        ``WhenaboutsError``.
        """
        ...


class GrounderAccess:
    """A grounder's videos.

    Args:
        grounder: Finds, and makes captions where they are missing.
        captions: A captions file to answer from.
        clips: Folder that clips are written to.
        thread: Name of the chat, under which the steps of its last question are kept for
            ``replay``.
        say: Receives a line if these steps cannot be kept.
    """

    door = TERMINAL

    def __init__(
        self,
        grounder: Grounder,
        *,
        captions: Path | None,
        clips: Path,
        thread: str,
        say: Callable[[str], None],
    ) -> None:
        self._grounder = grounder
        self._captions = captions
        self._clips = clips
        self._thread: str | None = thread
        self._say = say

    def find(
        self,
        video: str,
        query: str,
        *,
        tell: Tell,
        within: tuple[float, float] | None = None,
        every_time: bool = False,
    ) -> Grounding:
        find = partial(
            self._grounder.find,
            video,
            query,
            captions=self._captions,
            within=within,
            every_time=every_time,
            on_event=tell,
            before_step=tell.go_on,
        )
        if self._thread:
            try:
                return find(thread=self._thread)
            except (ThreadsError, sqlite3.Error) as exc:
                self._thread = None
                self._say(f"{exc}; the chat continues, but its questions cannot be replayed")
        return find()

    def read(self, video: str, *, tell: Tell) -> tuple[VideoFacts, Sequence[Caption]]:
        record = self._grounder.watch(video, captions=self._captions, report=tell)
        captions, _ = self._grounder.store.read(record.video_id, record.track)
        facts = VideoFacts(
            id=record.video_id,
            path=record.path,
            duration_s=record.duration_s,
            file_start_s=record.file_start_s,
        )
        return facts, captions

    def cut(
        self,
        video: str,
        span: Interval,
        out: Path | None = None,
        *,
        answered: VideoFacts | None = None,
    ) -> tuple[VideoFacts, str]:
        from tools.video.clip import write_clip
        from tools.video.reader import probe

        records = self._grounder.records()
        probed = probe(own_file(answered, records) if answered else Path(video))
        span = _within(span, probed.header_duration_s)
        out = out or self._clips / clip_name(Path(video), span)
        spare_videos(out, asked=[Path(video)], records=records)
        write_clip(probed, span, out)
        length_s = probed.header_duration_s
        facts = VideoFacts(
            id=probed.id,
            path=video,
            duration_s=length_s or span.end_s,
            file_start_s=probed.file_start_s,
        )
        return facts, str(out)


def _within(span: Interval, length_s: float | None) -> Interval:
    """The part of the span that lies in the video."""
    if length_s is None or not span.start_s < length_s < span.end_s:
        return span
    return Interval(span.start_s, length_s)


def clip_name(video: Path, span: Interval) -> str:
    """``lobby_0m32.0s-0m40.0s.mp4``: the same stretch has the same name, another has another."""
    start, end = (f"{int(time_s // 60)}m{time_s % 60:04.1f}s" for time_s in _edges(span))
    return f"{video.stem}_{start}-{end}.mp4"


def _edges(span: Interval) -> tuple[float, float]:
    # Rounded first, so that 59.96 s becomes 1m00.0s.
    return round(span.start_s, 1), round(span.end_s, 1)
