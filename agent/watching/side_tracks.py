"""What is said in a video and written on its screen, put beside the captions of its frames."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from agent.watching.forecast import reading_takes
from agent.watching.side_writer import SideWriter
from agent.watching.subtitles_beside import SubtitlesBeside
from tools.indexing.indexer import Report, frame_track, index_video
from tools.llm.budget import Budget, Limits
from tools.retrieval.measured_need import measured_need
from tools.retrieval.tracks import is_measured, reads_text
from tools.store.store import VideoRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.settings import Settings
    from agent.watching.opened import Opened
    from agent.watching.runs import Runs
    from tools.video.reader import Video


class Beside:
    """Reads subtitles, transcribes speech and reads the screen, as the settings say; each once.

    Args:
        settings: Which of them.
        opened: The store and the embedder.
        runs: Say what the run under way may still take; listening and reading the screen take only
            minutes of it.
        tell: Receives, in a line, what was found and cannot be used, or was left undone.

    Attributes:
        subtitles: Those of each copy of a video.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Opened,
        *,
        runs: Runs,
        tell: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._runs = runs
        self._tell = tell
        self._writer = SideWriter(opened)
        self.subtitles = SubtitlesBeside(settings, opened, self._writer, tell=tell)

    @property
    def is_asked_for(self) -> bool:
        """Whether a side track is asked for, which videos indexed before may lack."""
        names_file = self._settings.subtitles not in {"auto", "off"}
        return names_file or bool(self._settings.speech) or self._settings.screen

    def check(self) -> None:
        """Make sure that what was asked for is available, before frames are described.

        Raises:
            CaptionError, CaptionerError: If it cannot.
        """
        from tools.captioners.screen import ScreenCaptioner
        from tools.speech.whisper import Whisper
        from tools.subtitles.files import read_subtitles

        if self._settings.subtitles not in {"auto", "off"}:
            read_subtitles(Path(self._settings.subtitles))
        if self._settings.speech:
            Whisper(self._settings.speech)
        if self._settings.screen:
            ScreenCaptioner()

    def add(
        self,
        video: Video,
        record: VideoRecord,
        *,
        report: Report,
        query: str = "",
        go_on: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the side tracks of a record that are missing.

        Args:
            video: The video of the record.
            record: Of the captions that a question is answered from.
            report: Receives progress.
            query: What is asked: where it asks for what is measured, the video is measured too.
            go_on: Called now and then; what it raises ends the work, and what was made is kept.

        Raises:
            CaptionError, CaptionerError, VideoError: If something that was asked for is missing;
                other files that cannot be used are only reported with ``tell``.
        """
        self.subtitles.add(video, record, report)
        if self._settings.speech:
            self._add_speech(video, record, report, go_on)
        if self._settings.screen:
            self._add_screen(video, report, go_on)
        if self.is_to_be_measured(record, self._opened.store.records(video.id), query):
            self._measure(video, record, query, report, go_on)

    def is_to_be_measured(
        self, record: VideoRecord, records: Sequence[VideoRecord], query: str
    ) -> bool:
        """Whether a question about the picture itself, or text on it, lacks a measurement.

        Args:
            record: Of the captions that the question is asked of first.
            records: All complete and other tracks of the video.
            query: The question.
        """
        if is_measured(record.track) or not query:
            return False
        need = measured_need(query, duration_s=record.duration_s)
        if need is None or (need == "text" and not self._can_read):
            return False
        ready = [one.track for one in records if one.complete]
        if need == "text":
            return not any(reads_text(one) for one in ready)
        return not any(is_measured(one) for one in ready)

    @property
    def _can_read(self) -> bool:
        read_text = self._settings.read_text
        return find_spec("rapidocr") is not None if read_text is None else read_text

    def _measure(
        self,
        video: Video,
        record: VideoRecord,
        query: str,
        report: Report,
        go_on: Callable[[], None],
    ) -> None:
        """Measure the picture beside its captions, with its text only where that is asked for."""
        from tools.captioners.classical import ClassicalCaptioner

        minutes = self._runs.budget().minutes_left()
        if minutes == 0:
            self._tell(f"{video.path.name} is not measured: the minutes of this run are used up")
            return
        reads = measured_need(query, duration_s=record.duration_s) == "text"
        what = "the text on its screen is read" if reads else "its picture is measured"
        self._tell(f"captions of {video.path.name} do not answer this alone, so {what}, once")
        if reads and (takes := reading_takes(video, self._settings.rate_hz)):
            self._tell(takes)
        done = index_video(
            video,
            ClassicalCaptioner(read_text=reads),
            rate_hz=self._settings.rate_hz,
            store=self._opened.store,
            embedder=self._opened.embedder,
            report=report,
            budget=Budget(Limits(max_minutes=minutes)),
            go_on=go_on,
        )
        if not done.complete:
            self._tell(f"measuring: {done.warning}; the next run continues")

    def _add_speech(
        self, video: Video, record: VideoRecord, report: Report, go_on: Callable[[], None]
    ) -> None:
        from tools.speech.transcript import speech_track, transcribe
        from tools.speech.whisper import Whisper

        transcriber = Whisper(self._settings.speech)
        track = speech_track(transcriber)
        if self._writer.is_there(record, track):
            return
        minutes = self._runs.budget().minutes_left()
        if minutes == 0:
            self._tell(f"{video.path.name} is not listened to: the minutes of this run are used up")
            return
        until_s = math.inf if minutes is None else time.monotonic() + 60 * minutes

        def watch_time(_: float) -> None:
            go_on()
            if time.monotonic() > until_s:
                raise TimeoutError

        known_s = max(self._opened.store.seen_starts(video.id, track), default=None)
        said = transcribe(
            video,
            transcriber,
            duration_s=record.duration_s,
            known_s=known_s,
            progress=watch_time,
        )
        try:
            self._writer.write(video, record, track, said, report)
        except TimeoutError:
            self._tell(
                f"{video.path.name} was not listened to until its end: the minutes of this run are "
                "used up; the next run continues from there"
            )

    def _add_screen(self, video: Video, report: Report, go_on: Callable[[], None]) -> None:
        from tools.captioners.screen import ScreenCaptioner

        captioner = ScreenCaptioner()
        rate_hz = self._settings.rate_hz
        track = frame_track(captioner, rate_hz)
        records = self._opened.store.records(video.id)
        if any(one.complete and one.track == track for one in records):
            return
        minutes = self._runs.budget().minutes_left()
        if minutes == 0:
            self._tell(f"the screen of {video.path.name} is not read: the minutes are used up")
            return
        if takes := reading_takes(video, rate_hz):
            self._tell(takes)
        done = index_video(
            video,
            captioner,
            rate_hz=rate_hz,
            store=self._opened.store,
            embedder=self._opened.embedder,
            report=report,
            budget=Budget(Limits(max_minutes=minutes)),
            go_on=go_on,
        )
        if not done.complete:
            self._tell(f"text on the screen: {done.warning}; the next run continues")
