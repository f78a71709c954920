"""Where a run's videos come from: files, or captions that stand in for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from evaluation.results import BenchmarkError
from evaluation.runs.caption_files import OF_FRAMES, RECORDED, CaptionFiles, RecordedCaptioner
from tools.errors import VideoError, WhenaboutsError
from tools.indexing.indexer import Report, frame_track
from tools.store.store import VideoRecord
from tools.video.reader import measure_duration_s, probe

if TYPE_CHECKING:
    from agent.api import Grounder

RECORDED_RATE_HZ = 1.0
"""In the name of a track of recorded captions, where no frame was looked at."""


class Videos(Protocol):
    """The videos of a dataset, by the names it gives them."""

    def __contains__(self, name: object) -> bool: ...

    @property
    def place(self) -> str:
        """Where they are looked for, for messages."""
        ...

    def problems(self, names: Iterable[str]) -> dict[str, str]:
        """Why videos that are there cannot be used, by name."""
        ...

    def duration_s(self, name: str) -> float | None:
        """How long one is that the annotations do not tell; None where nobody can."""
        ...

    def asked_as(self, name: str) -> str:
        """What a question names it by before its captions are there."""
        ...

    def watch(self, name: str, grounder: Grounder, *, report: Report) -> VideoRecord:
        """Make sure that its captions are in the grounder's store.

        Raises:
            WhenaboutsError: If they cannot be had; what was made is kept.
        """
        ...


class VideoFolder:
    """Video files, named as the dataset names them, with or without a suffix.

    Raises:
        BenchmarkError: If there is no such folder, or it holds captions alone.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BenchmarkError(f"{folder} is no folder of videos")
        self._folder = folder
        if not self._by_stem and any(folder.rglob("*.jsonl")):
            raise BenchmarkError(
                f"{folder} holds no video, but captions: give it as --captions {folder}, without "
                "--videos"
            )

    def __contains__(self, name: object) -> bool:
        return self._find(str(name)) is not None

    @property
    def place(self) -> str:
        """See ``Videos``."""
        return str(self._folder)

    def problems(self, names: Iterable[str]) -> dict[str, str]:
        """See ``Videos``: every file is opened."""
        problems = {}
        for name in names:
            try:
                probe(self.path(name))
            except VideoError as exc:
                problems[name] = str(exc)
        return problems

    def duration_s(self, name: str) -> float | None:
        """See ``Videos``: by the file's packets, which are read for it."""
        return measure_duration_s(probe(self.path(name)))

    def asked_as(self, name: str) -> str:
        """See ``Videos``."""
        return str(self.path(name))

    def watch(self, name: str, grounder: Grounder, *, report: Report) -> VideoRecord:
        """See ``Videos``."""
        return grounder.watch(self.path(name), report=report)

    def path(self, name: str) -> Path:
        """The file of a video.

        Raises:
            VideoError: If there is none.
        """
        path = self._find(name)
        if path is None:
            raise VideoError(f"there is no video {name} in {self._folder}")
        return path

    def _find(self, name: str) -> Path | None:
        exactly = self._folder / name
        if exactly.is_file():
            return exactly
        # Names may hold dots and folders: it is the suffix of the file that may be left out.
        return self._by_stem.get(name)

    @cached_property
    def _by_stem(self) -> Mapping[str, Path]:
        """Files of the folder and those below by path without suffix; the first of several."""
        files = sorted((path for path in self._folder.rglob("*") if path.is_file()), reverse=True)
        return {
            path.relative_to(self._folder).with_suffix("").as_posix(): path
            for path in files
            if path.suffix not in {".json", ".jsonl", ".txt", ".srt", ".vtt", ".csv"}
        }


class RecordedVideos:
    """Captions in place of videos.

    Args:
        files: The captions.
        place: Where they lie.
        durations_s: How long each video is.
    """

    def __init__(
        self, files: CaptionFiles, place: Path, durations_s: Mapping[str, float | None]
    ) -> None:
        self._files = files
        self._place = place
        self._durations_s = durations_s
        mode = OF_FRAMES if files.are_of_frames else RECORDED
        self.captioner = RecordedCaptioner(f"file:{files.digest}", mode=mode)

    def __contains__(self, name: object) -> bool:
        return self._captioned(str(name)) in self._files

    def _captioned(self, name: str) -> str:
        """The name that the captions have for it: that of the video's file without suffix, too."""
        stem = name.rpartition(".")[0]
        return stem if stem and name not in self._files and stem in self._files else name

    @property
    def place(self) -> str:
        """See ``Videos``."""
        return str(self._place)

    def problems(self, names: Iterable[str]) -> dict[str, str]:
        """See ``Videos``."""
        track = frame_track(self.captioner, RECORDED_RATE_HZ)
        problems = {}
        for name in names:
            duration_s = self.duration_s(name)
            if duration_s is None:
                problems[name] = f"nothing says how long {name} is; give --durations"
                continue
            try:
                self._files.captions(self._captioned(name), duration_s=duration_s, track=track)
            except WhenaboutsError as exc:
                problems[name] = str(exc)
        return problems

    def duration_s(self, name: str) -> float | None:
        """As of ``Videos``: if the annotations do not say, as long as there are captions."""
        known_s = self._durations_s.get(name)
        return known_s or self._files.duration_s(self._captioned(name))

    def asked_as(self, name: str) -> str:
        """See ``Videos``."""
        return self._captioned(name)

    def watch(self, name: str, grounder: Grounder, *, report: Report) -> VideoRecord:  # noqa: ARG002 - of the protocol; a video's captions are put there at once
        """See ``Videos``."""
        known_s, name = self.duration_s(name), self._captioned(name)
        track = frame_track(self.captioner, RECORDED_RATE_HZ)
        for record in grounder.store.records(name):
            if record.complete and record.track == track:
                return record
        if known_s is None:
            raise VideoError(f"nothing says how long {name} is")
        captions = self._files.captions(name, duration_s=known_s, track=track)
        vectors = grounder.embedder.embed([caption.text for caption in captions])
        grounder.store.add(captions, vectors)
        record = VideoRecord(
            video_id=name,
            path=name,
            duration_s=known_s,
            track=track,
            rate_hz=self._files.rate_hz(name),
            complete=True,
            warning="",
            indexed_at=datetime.now(UTC).isoformat(timespec="seconds"),
            captions=len(captions),
        )
        grounder.store.put_record(record)
        return record
