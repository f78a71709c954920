"""The subtitles of each copy of a video, read beside the captions of its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import CaptionError, VideoError
from tools.indexing.indexer import Report
from tools.subtitles.origin import Origin, origin_of
from tools.video.identity import location

if TYPE_CHECKING:
    from agent.settings import Settings
    from agent.watching.opened import Opened
    from agent.watching.side_writer import SideWriter
    from tools.store.store import VideoRecord
    from tools.subtitles.cues import Subtitles
    from tools.subtitles.embedded import SubtitleTrack
    from tools.timeline import Caption, Track
    from tools.video.reader import Video

BATCH_CAPTIONS = 64

CHOOSE = "--subtitles FILE reads another"


class SubtitlesBeside:
    """Reads the subtitles that were found or named, and lets go of those out of date.

    A file belongs to the copy of the video that it lies beside, or was named for; a track inside
    the video belongs to all copies.

    Args:
        settings: Which are read, and the user's language.
        opened: The store.
        writer: Writes them to it.
        tell: Receives, in a line, what was found and cannot be used, or was chosen among others.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Opened,
        writer: SideWriter,
        *,
        tell: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._writer = writer
        self._tell = tell

    def has_changed(self, video: Video, records: Sequence[VideoRecord]) -> bool:
        """Whether subtitle files were added, edited, moved or deleted since they were read.

        A file that was once named counts until another is named, even where it is gone.

        Args:
            video: Whose file is at hand.
            records: Its tracks.
        """
        if self._settings.subtitles != "auto":
            return False
        here = location(video.path)
        if any(one.is_left_behind for _, one in _files_of(records)):
            return True
        if named := _named_before(records, here):
            return _is_edited(*named, here)
        known = {track for track, origin in _files_of(records) if origin.video == here}
        return known != self._wanted_of_files(here)

    def add(self, video: Video, record: VideoRecord, report: Report) -> None:
        """Read what is missing, as the settings say.

        Args:
            video: The video of the record.
            record: Of the captions that a question is answered from.
            report: Receives progress.

        Raises:
            CaptionError: If a file was named and cannot be read; of what was found this is only
                told.
        """
        if self._settings.subtitles == "off":
            return
        here = location(video.path)
        if self._settings.subtitles != "auto":
            self._read(video, record, Path(self._settings.subtitles), report, named=True)
            return
        self._take_what_is_left_behind(video, record, report)
        known = self._opened.store.records(video.id)
        if named := _named_before(known, here):
            if _is_edited(*named, here):
                file = named[1].file
                self._tell(f"{file.name} has changed, and is read again")
                self._read(video, record, file, report, named=True)
            return
        wanted = self._wanted_of_files(here)
        for track, origin in _files_of(known):
            if origin.video == here and track not in wanted:
                self._opened.store.forget_track(video.id, track)
                became = "has changed" if origin.file.exists() else "is gone"
                self._tell(f"the captions read from {origin.file.name} are deleted: it {became}")
        self._read_best(video, record, report)

    def _read_best(self, video: Video, record: VideoRecord, report: Report) -> None:
        from tools.subtitles.choice import choose_subtitles
        from tools.subtitles.files import find_unreadable, unreadable_advice

        try:
            found, others, unreadable = choose_subtitles(
                location(video.path), language=self._settings.language
            )
            if found:
                is_new = self._read(video, record, found, report)
                if is_new and others:
                    left = _names(others)
                    self._tell(f"reads the subtitles {_names([found])}, not {left}; {CHOOSE}")
            for track in unreadable:
                self._tell(f"left out: subtitles {_names([track])}: {track.advice}")
            if not isinstance(found, Path):
                for file in find_unreadable(location(video.path)):
                    self._tell(f"left out: subtitles {file.name}: {unreadable_advice(file)}")
        except (CaptionError, VideoError) as exc:
            self._tell(f"left out: {exc}")

    def _take_what_is_left_behind(self, video: Video, record: VideoRecord, report: Report) -> None:
        """What was read for a copy that has gone: a file that was named goes on to this one."""
        here = location(video.path)
        for track, origin in _files_of(self._opened.store.records(video.id)):
            if not origin.is_left_behind:
                continue
            if origin.is_named and not _named_before(self._opened.store.records(video.id), here):
                taken = replace(track, mode=replace(origin, video=here).mode)
                captions, _ = self._opened.store.read(video.id, track)
                again = [replace(one, track=taken) for one in captions]
                self._writer.write(video, record, taken, _batches(again), report)
            self._opened.store.forget_track(video.id, track)

    def _wanted_of_files(self, here: Path) -> set[Track]:
        """The track of the subtitle file beside a video that is read, if there is one."""
        from tools.subtitles.captions import subtitle_track
        from tools.subtitles.choice import choose_file

        try:
            chosen = choose_file(here, language=self._settings.language)
            return {subtitle_track(chosen, video=here)} if chosen else set()
        except (CaptionError, VideoError):
            return set()  # ``add`` tells the user when it reads the files.

    def _read(
        self,
        video: Video,
        record: VideoRecord,
        where: Path | SubtitleTrack,
        report: Report,
        *,
        named: bool = False,
    ) -> bool:
        """Read them in place of any of this copy that were read before; whether they are new."""
        from tools.subtitles.captions import subtitle_captions, subtitle_track

        here = location(video.path)
        track = subtitle_track(where, video=here, named=named)
        if self._writer.is_there(record, track):
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
        for other, origin in _files_of(self._opened.store.records(video.id)):
            if origin.video == here:
                self._opened.store.forget_track(video.id, other)
        self._writer.write(video, record, track, _batches(found.captions), report)
        return True


def _batches(captions: Iterable[Caption]) -> Iterator[list[Caption]]:
    left = iter(captions)
    return iter(lambda: list(islice(left, BATCH_CAPTIONS)), [])


def _files_of(records: Iterable[VideoRecord]) -> list[tuple[Track, Origin]]:
    """The tracks that were read from files, and from which."""
    return [(one.track, origin) for one in records if (origin := origin_of(one.track))]


def _named_before(records: Iterable[VideoRecord], here: Path) -> tuple[Track, Origin] | None:
    """The track of the subtitle file that somebody named for this copy, if one did."""
    files = _files_of(records)
    return next((one for one in files if one[1].is_named and one[1].video == here), None)


def _is_edited(track: Track, named: Origin, here: Path) -> bool:
    """Whether the file that was named has other content now."""
    from tools.subtitles.captions import subtitle_track

    is_there = named.file.is_file()
    return is_there and subtitle_track(named.file, video=here, named=True).model != track.model


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
