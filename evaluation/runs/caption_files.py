"""Captions that a run answers from in place of videos: one file for all of them, or one for each.

- A file of ``{"vid", "step", "captions": [text, …]}`` lines, gzipped or not: captions at a steady
  step, as ``evaluation.datasets.qvhighlights_files`` reads them.
- A folder of ``VIDEO.jsonl`` files, as ``whenabouts ask --captions`` takes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from evaluation.datasets.annotation_files import json_object, numbered_lines
from evaluation.datasets.query import LineError
from evaluation.datasets.qvhighlights_files import read_captions as read_steady_captions
from evaluation.results import BenchmarkError
from tools.captioners.file import frame_rate_hz
from tools.captioners.file import read_captions as read_timed_captions
from tools.captioners.protocol import Description, NoCaption
from tools.errors import CaptionError

if TYPE_CHECKING:
    from collections.abc import Container

    from tools.timeline import Caption, Frame, Track


RECORDED, OF_FRAMES = "recorded", "file"
"""Modes of their tracks."""


class CaptionFiles(Protocol):
    """Captions of many videos.

    Attributes:
        digest: Hash of what the files hold.
        are_of_frames: Whether each caption speaks of a single frame, and not of a span.
    """

    digest: str
    are_of_frames: bool

    def __contains__(self, video_id: object) -> bool: ...

    def captions(self, video_id: str, *, duration_s: float, track: Track) -> list[Caption]:
        """One video's captions, in time order.

        Raises:
            WhenaboutsError: If its file cannot be used.
        """
        ...

    def rate_hz(self, video_id: str) -> float | None:
        """How many captions a second has; None where they are at no steady step."""
        ...

    def duration_s(self, video_id: str) -> float | None:
        """How long the video is, as far as its captions say; None where they do not."""
        ...


def open_caption_files(path: Path) -> CaptionFiles:
    """Captions in a file or a folder.

    Raises:
        BenchmarkError: If it cannot be read.
    """
    return CaptionFolder(path) if path.is_dir() else SteadyCaptions(path)


class SteadyCaptions:
    """One file with the captions of all videos, each of a whole step."""

    are_of_frames = False

    def __init__(self, path: Path) -> None:
        self._videos = read_steady_captions(path)
        self.digest = _digest([path])

    def __contains__(self, video_id: object) -> bool:
        return video_id in self._videos

    def captions(self, video_id: str, *, duration_s: float, track: Track) -> list[Caption]:
        """See ``CaptionFiles``."""
        return self._videos[video_id].captions(duration_s=duration_s, track=track)

    def rate_hz(self, video_id: str) -> float | None:
        """See ``CaptionFiles``."""
        return 1 / self._videos[video_id].step_s

    def duration_s(self, video_id: str) -> float | None:
        """See ``CaptionFiles``."""
        steady = self._videos[video_id]
        return len(steady.texts) * steady.step_s


class CaptionFolder:
    """A folder with a captions file for each video, named ``VIDEO.jsonl``."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("*.jsonl"))
        if not files:
            raise BenchmarkError(
                f"{folder} holds no captions file; expected VIDEO.jsonl in it (videos are given by "
                "--videos)"
            )
        self._files = {path.stem: path for path in files}
        self.digest = _digest(files)
        self.are_of_frames = all(map(_is_of_frames, files))

    def __contains__(self, video_id: object) -> bool:
        return video_id in self._files

    def captions(self, video_id: str, *, duration_s: float, track: Track) -> list[Caption]:
        """See ``CaptionFiles``."""
        path = self._files[video_id]
        captions = read_timed_captions(path, video_id=video_id, duration_s=duration_s)
        return [replace(caption, track=track) for caption in captions]

    def rate_hz(self, video_id: str) -> float | None:  # noqa: ARG002 - of the protocol
        """See ``CaptionFiles``."""
        return None

    def duration_s(self, video_id: str) -> float | None:
        """See ``CaptionFiles``: the last end or, of captions with one time, one step after that."""
        ends_s, times_s = [], []
        for _, line in numbered_lines(self._files[video_id]):
            try:
                row = json_object(line)
                times_s.append(float(row["t"] if "t" in row else row["start_s"]))
                ends_s.append(float(row.get("end_s", 0.0)))
            except (LineError, KeyError, TypeError, ValueError):
                return None  # What is wrong with it is said when it is read.
        steps_s = sorted(later - earlier for earlier, later in pairwise(sorted(times_s)))
        step_s = steps_s[len(steps_s) // 2] if steps_s else 0.0
        return max([*ends_s, *(time_s + step_s for time_s in times_s)], default=0.0) or None


@dataclass(frozen=True, slots=True)
class RecordedCaptioner:
    """Stands for captions that are there already; it cannot describe anything more.

    Attributes:
        model: Names the captions by their content.
        mode: ``RECORDED``, or ``OF_FRAMES`` where each caption speaks of a single frame.
    """

    model: str
    prompt_version: str = ""
    mode: str = RECORDED

    def describe(
        self,
        frames: Iterable[Frame],  # noqa: ARG002 - of the protocol
        *,
        seen: Container[float],  # noqa: ARG002 - of the protocol
    ) -> Iterator[Description | NoCaption | None]:
        """Raise: there is nothing to describe.

        Raises:
            CaptionError: Always.
        """
        raise CaptionError(f"{self.model} holds captions of other videos only")


def _is_of_frames(path: Path) -> bool:
    try:
        return frame_rate_hz(path) is not None
    except CaptionError:
        return False  # What is wrong with it is said when it is read.


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        try:
            content = path.read_bytes()
        except OSError as exc:
            raise BenchmarkError(f"cannot read {path}: {exc.strerror}") from exc
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:12]
