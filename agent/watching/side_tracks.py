"""What is said in a video and written on its screen, put beside the captions of its frames."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import CaptionError, VideoError
from agent.watching.forecast import reading_takes
from tools.indexing.indexer import Progress, Report, frame_track, index_video, location
from tools.llm.budget import Budget, Limits
from tools.retrieval.measured_need import measured_need
from tools.retrieval.tracks import is_measured, kind_of, name_of, reads_text
from tools.store.store import VideoRecord
from tools.subtitles.captions import MODE, file_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.settings import Settings
    from agent.watching.opened import Opened
    from agent.watching.runs import Runs
    from tools.subtitles.cues import Subtitles
    from tools.subtitles.embedded import SubtitleTrack
    from tools.timeline import Caption, Track
    from tools.video.reader import Video

BATCH_CAPTIONS = 64

CHOOSE = "--subtitles FILE reads another"


class Beside:
    """Reads subtitles, transcribes speech and reads the screen, as the settings say; each once.

    Args:
        settings: Which of them.
        opened: The store and the embedder.
        runs: Say what the run under way may still take; listening and reading the screen take only
            minutes of it.
        tell: Receives, in a line, what was found and cannot be used, or was left undone.
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

    @property
    def is_asked_for(self) -> bool:
        """Whether a side track is asked for, which videos indexed before may lack."""
        names_file = self._settings.subtitles not in {"auto", "off"}
        return names_file or bool(self._settings.speech) or self._settings.screen

    def has_changed(self, video: Video, records: Sequence[VideoRecord]) -> bool:
        """Whether subtitle files were added, edited or deleted since they were read.

        A file that was once named counts until another is named, even where it is gone.

        Args:
            video: Whose file is at hand.
            records: Its tracks.
        """
        if self._settings.subtitles != "auto":
            return False
        if named := _named_before(records):
            return _is_edited(named)
        known = {record.track for record in records if file_of(record.track)}
        return known != self._wanted_of_files(video)

    def _wanted_of_files(self, video: Video) -> set[Track]:
        """The track of the subtitle file beside a video that is read, if there is one."""
        from tools.subtitles.captions import subtitle_track
        from tools.subtitles.choice import choose_file

        try:
            chosen = choose_file(video.path, language=self._settings.language)
            return {subtitle_track(chosen)} if chosen else set()
        except (CaptionError, VideoError):
            return set()  # ``add`` tells the user when it reads the files.

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
        self._add_subtitles(video, record, report)
        if self._settings.speech:
            self._add_speech(video, record, report, go_on)
        if self._settings.screen:
            self._add_screen(video, report, go_on)
        if self.is_to_be_measured(record, self._opened.store.records(video.id), query):
            self._measure(video, query, report, go_on)

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
        need = measured_need(query)
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

    def _measure(self, video: Video, query: str, report: Report, go_on: Callable[[], None]) -> None:
        """Measure the picture beside its captions, with its text only where that is asked for."""
        from tools.captioners.classical import ClassicalCaptioner

        minutes = self._runs.budget().minutes_left()
        if minutes == 0:
            self._tell(f"{video.path.name} is not measured: the minutes of this run are used up")
            return
        reads = measured_need(query) == "text"
        what = "the text on its screen is read" if reads else "its picture is measured"
        self._tell(f"captions of {video.path.name} do not answer this alone, so {what}, once")
        if reads:
            self._tell(reading_takes(video, self._settings.rate_hz))
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

    def _add_subtitles(self, video: Video, record: VideoRecord, report: Report) -> None:
        from tools.subtitles.choice import choose_subtitles

        if self._settings.subtitles == "off":
            return
        if self._settings.subtitles != "auto":
            named = Path(self._settings.subtitles)
            self._read_subtitles(video, record, named, report, named=True)
            return
        known = self._opened.store.records(video.id)
        if before := _named_before(known):
            if _is_edited(before):
                file = Path(file_of(before))
                self._tell(f"{file.name} has changed, and is read again")
                self._read_subtitles(video, record, file, report, named=True)
            return
        wanted = self._wanted_of_files(video)
        for one in known:
            if file_of(one.track) and one.track not in wanted:
                self._opened.store.forget_track(video.id, one.track)
                name = file_of(one.track)
                became = "has changed" if video.path.with_name(name).exists() else "is gone"
                self._tell(f"the captions read from {name} are deleted: it {became}")
        try:
            found, others, unreadable = choose_subtitles(
                video.path, language=self._settings.language
            )
            if found:
                is_new = self._read_subtitles(video, record, found, report)
                if is_new and others:
                    left = _names(others)
                    self._tell(f"reads the subtitles {_names([found])}, not {left}; {CHOOSE}")
            for track in unreadable:
                self._tell(f"left out: subtitles {_names([track])}: {track.advice}")
        except (CaptionError, VideoError) as exc:
            self._tell(f"left out: {exc}")

    def _read_subtitles(
        self,
        video: Video,
        record: VideoRecord,
        where: Path | SubtitleTrack,
        report: Report,
        *,
        named: bool = False,
    ) -> bool:
        """Read them in place of any that were read before; whether they were not there yet."""
        from tools.subtitles.captions import subtitle_captions, subtitle_track

        track = subtitle_track(where, named=named)
        if self._is_there(record, track):
            return False
        subtitles = _read(video, where)
        found = subtitle_captions(
            subtitles.cues,
            video_id=video.id,
            duration_s=record.duration_s,
            track=track,
            shift_s=-video.file_start_s if isinstance(where, Path) else 0.0,
        )
        for warning in filter(None, (subtitles.warning, found.warning)):
            self._tell(warning)
        for one in self._opened.store.records(video.id):
            if kind_of(one.track) == MODE:
                self._opened.store.forget_track(video.id, one.track)
        captions = iter(found.captions)
        batches = iter(lambda: list(islice(captions, BATCH_CAPTIONS)), [])
        self._store(video, record, track, batches, report)
        return True

    def _add_speech(
        self, video: Video, record: VideoRecord, report: Report, go_on: Callable[[], None]
    ) -> None:
        from tools.speech.transcript import speech_track, transcribe
        from tools.speech.whisper import Whisper

        transcriber = Whisper(self._settings.speech)
        track = speech_track(transcriber)
        if self._is_there(record, track):
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
            self._store(video, record, track, said, report)
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
        self._tell(reading_takes(video, rate_hz))
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

    def _is_there(self, record: VideoRecord, track: Track) -> bool:
        records = self._opened.store.records(record.video_id)
        return any(one.complete and one.track == track for one in records)

    def _store(
        self,
        video: Video,
        record: VideoRecord,
        track: Track,
        batches: Iterable[Sequence[Caption]],
        report: Report,
    ) -> None:
        """Write each batch at once, beside what an earlier run may have written of the track."""
        with self._opened.store.claim(video.id, track, name=video.path.name) as has_waited:
            if not (has_waited and self._is_there(record, track)):
                self._write(video, record, track, batches, report)

    def _write(
        self,
        video: Video,
        record: VideoRecord,
        track: Track,
        batches: Iterable[Sequence[Caption]],
        report: Report,
    ) -> None:
        store, embedder = self._opened.store, self._opened.embedder
        beside = replace(
            record,
            path=str(location(video.path)),
            track=track,
            rate_hz=None,
            complete=False,
            warning="",
            indexed_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            captions=store.count(video.id, track),
            run=uuid.uuid4().hex,
        )
        store.put_record(beside)
        is_resumed, written = beside.captions > 0, 0
        for batch in filter(None, batches):
            vectors = embedder.embed([caption.text for caption in batch])
            written += store.add(batch, vectors, during=beside)
            seen_s, length_s = batch[-1].end_s, record.duration_s
            path, name = str(video.path), name_of(track)
            report(Progress(path, name, seen_s, length_s, written, resumed=is_resumed))
        store.settle(replace(beside, complete=True), captions=beside.captions + written)


def _named_before(records: Sequence[VideoRecord]) -> Track | None:
    """The track of the subtitle file that somebody named, if one did."""
    tracks = (record.track for record in records)
    return next((one for one in tracks if Path(file_of(one)).is_absolute()), None)


def _is_edited(named: Track) -> bool:
    """Whether the file that was named has other content now."""
    from tools.subtitles.captions import subtitle_track

    file = Path(file_of(named))
    return file.is_file() and subtitle_track(file, named=True) != named


def _names(subtitles: Iterable[Path | SubtitleTrack]) -> str:
    return ", ".join(
        one.name
        if isinstance(one, Path)
        else f"{one.language or 'of no known language'} (stream {one.index} of the video)"
        for one in subtitles
    )


def _read(video: Video, where: Path | SubtitleTrack) -> Subtitles:
    from tools.subtitles.embedded import read_embedded
    from tools.subtitles.files import read_subtitles

    if isinstance(where, Path):
        return read_subtitles(where)
    return read_embedded(video, where.index)
