"""What is said in a video and written on its screen, put beside the captions of its frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import CaptionError, VideoError
from agent.tracks import Opened
from tools.indexer import Progress, Report, frame_track, index_video, location
from tools.store import VideoRecord
from tools.subtitles.captions import file_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.settings import Settings
    from tools.subtitles.cues import Subtitles
    from tools.subtitles.embedded import SubtitleTrack
    from tools.timeline import Caption, Track
    from tools.video import Video

BATCH_CAPTIONS = 64

CHOOSE = "--subtitles FILE reads another"

ENGLISH = ("en", "eng")
"""Preferred among several languages: it is what the built-in embedder knows best."""


class Beside:
    """Reads subtitles, transcribes speech and reads the screen, as the settings say; each once.

    Args:
        settings: Which of them.
        opened: The store and the embedder.
        tell: Told, in a line, what cannot be used of what was found.
    """

    def __init__(self, settings: Settings, opened: Opened, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._opened = opened
        self._tell = tell

    @property
    def is_asked_for(self) -> bool:
        """Whether something is named that every question wants, also of a video indexed before."""
        names_file = self._settings.subtitles not in {"auto", "off"}
        return names_file or bool(self._settings.speech) or self._settings.screen

    def has_changed(self, video: Video, records: Sequence[VideoRecord]) -> bool:
        """Whether subtitle files beside a video were added, edited or deleted since they were read.

        Args:
            video: Whose file is at hand.
            records: Its tracks.
        """
        if self._settings.subtitles != "auto":
            return False
        known = {record.track for record in records if is_file_beside(record.track)}
        return known != self._wanted_of_files(video)

    def _wanted_of_files(self, video: Video) -> set[Track]:
        """The track of the subtitle file beside a video that is read, if there is one."""
        from tools.subtitles.captions import subtitle_track

        chosen, _ = choose_sidecar(video.path)
        try:
            return {subtitle_track(chosen, video=video.path)} if chosen else set()
        except CaptionError:
            return set()  # It is told of where it is read.

    def add(self, video: Video, record: VideoRecord, *, report: Report) -> None:
        """Put beside a record what is not there yet.

        Args:
            video: The video of the record.
            record: Of the captions that a question is answered from.
            report: Receives progress.

        Raises:
            CaptionError, CaptionerError, VideoError: If something that was asked for cannot be had;
                what is found without being asked for is only told of.
        """
        self._add_subtitles(video, record, report)
        if self._settings.speech:
            self._add_speech(video, record, report)
        if self._settings.screen:
            self._add_screen(video, report)

    def _add_subtitles(self, video: Video, record: VideoRecord, report: Report) -> None:
        if self._settings.subtitles == "off":
            return
        if self._settings.subtitles != "auto":
            self._read_subtitles(video, record, Path(self._settings.subtitles), report)
            return
        wanted = self._wanted_of_files(video)
        for one in self._opened.store.records(video.id):
            if is_file_beside(one.track) and one.track not in wanted:
                self._opened.store.forget_track(video.id, one.track)
                self._tell(f"what {file_of(one.track)} said before is forgotten: it has changed")
        try:
            found, others = _find_subtitles(video)
            if found:
                is_new = self._read_subtitles(video, record, found, report)
                if is_new and others:
                    left = ", ".join(map(_named, others))
                    self._tell(f"reads the subtitles {_named(found)}, and not {left}; {CHOOSE}")
        except (CaptionError, VideoError) as exc:
            self._tell(f"left out: {exc}")

    def _read_subtitles(
        self, video: Video, record: VideoRecord, where: Path | SubtitleTrack, report: Report
    ) -> bool:
        """Read them, and forget what the same file said before; whether they were not there yet."""
        from tools.subtitles.captions import subtitle_captions, subtitle_track
        from tools.subtitles.embedded import sidecar_shift_s

        track = subtitle_track(where, video=video.path)
        if self._is_there(record, track):
            return False
        subtitles = _read(video, where)
        found = subtitle_captions(
            subtitles.cues,
            video_id=video.id,
            duration_s=record.duration_s,
            track=track,
            shift_s=sidecar_shift_s(video) if isinstance(where, Path) else 0.0,
        )
        for warning in filter(None, (subtitles.warning, found.warning)):
            self._tell(warning)
        for one in self._opened.store.records(video.id):
            if file_of(one.track) and one.track.mode == track.mode:
                self._opened.store.forget_track(video.id, one.track)
        self._store(video, record, track, found.captions, report)
        return True

    def _add_speech(self, video: Video, record: VideoRecord, report: Report) -> None:
        from tools.speech import speech_track, transcribe
        from tools.whisper import Whisper

        transcriber = Whisper(self._settings.speech)
        track = speech_track(transcriber)
        if not self._is_there(record, track):
            said = transcribe(video, transcriber, duration_s=record.duration_s)
            self._store(video, record, track, said, report)

    def _add_screen(self, video: Video, report: Report) -> None:
        from tools.captioners.screen import ScreenCaptioner

        captioner = ScreenCaptioner()
        rate_hz = self._settings.rate_hz
        track = frame_track(captioner, rate_hz)
        records = self._opened.store.records(video.id)
        if any(one.complete and one.track == track for one in records):
            return
        index_video(
            video,
            captioner,
            rate_hz=rate_hz,
            store=self._opened.store,
            embedder=self._opened.embedder,
            report=report,
        )

    def _is_there(self, record: VideoRecord, track: Track) -> bool:
        records = self._opened.store.records(record.video_id)
        return any(one.complete and one.track == track for one in records)

    def _store(
        self,
        video: Video,
        record: VideoRecord,
        track: Track,
        captions: Iterable[Caption],
        report: Report,
    ) -> None:
        store, embedder = self._opened.store, self._opened.embedder
        now = datetime.now(UTC).isoformat(timespec="seconds")
        beside = replace(
            record,
            path=str(location(video.path)),
            track=track,
            rate_hz=None,
            complete=False,
            warning="",
            indexed_at=now,
            captions=0,
        )
        store.put_record(beside)
        count = 0
        waiting = iter(captions)
        while batch := list(islice(waiting, BATCH_CAPTIONS)):
            store.add(batch, embedder.embed([caption.text for caption in batch]))
            count += len(batch)
            seen_s = batch[-1].end_s
            report(
                Progress(
                    str(video.path), track.model, seen_s, record.duration_s, count, resumed=False
                )
            )
        store.put_record(replace(beside, complete=True, captions=count))


def is_file_beside(track: Track) -> bool:
    """Whether a track was read from a subtitle file that lay beside its video."""
    return bool(file_of(track)) and not Path(file_of(track)).is_absolute()


def choose_sidecar(video: Path) -> tuple[Path | None, list[Path]]:
    """The subtitle file beside a video that a player would show, and the others there."""
    from tools.subtitles.files import find_sidecars
    from tools.subtitles.languages import language_in_name

    sidecars = find_sidecars(video)
    plain = [one for one in sidecars if one.stem == video.stem]
    english = [one for one in sidecars if (language_in_name(one) or "").startswith(ENGLISH)]
    chosen = next(iter([*plain, *english, *sidecars]), None)
    return chosen, [one for one in sidecars if one != chosen]


def _find_subtitles(
    video: Video,
) -> tuple[Path | SubtitleTrack | None, Sequence[Path | SubtitleTrack]]:
    """The subtitles that a player would show, and others: files beside it, else tracks inside."""
    from tools.subtitles.embedded import embedded_tracks

    chosen, others = choose_sidecar(video.path)
    if chosen:
        return chosen, others
    tracks = [track for track in embedded_tracks(video.path) if track.is_readable]
    tracks.sort(key=lambda one: (one.language not in ENGLISH, not one.is_default, one.index))
    return (tracks[0] if tracks else None), tracks[1:]


def _named(where: Path | SubtitleTrack) -> str:
    if isinstance(where, Path):
        return where.name
    return f"inside the video, {where.language or 'of no known language'} (#{where.index})"


def _read(video: Video, where: Path | SubtitleTrack) -> Subtitles:
    from tools.subtitles.embedded import read_embedded
    from tools.subtitles.files import read_subtitles

    if isinstance(where, Path):
        return read_subtitles(where)
    return read_embedded(video, where.index)
