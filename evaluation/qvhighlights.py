"""QVHighlights: its annotations, captions of its videos, and the form its evaluation reads.

The data: https://github.com/jayleicn/moment_detr (annotations CC BY-NC-SA 4.0).
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.results import BenchmarkError
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRACK = Track(model="benchmark", prompt_version="", mode="file")

CLIP_S = 2.0
"""The benchmark's unit: saliency is given and asked for once per two seconds."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question of the benchmark with its true answer.

    Attributes:
        qid: The benchmark's number for it.
        text: What is looked for.
        video_id: The video it is about.
        duration_s: Length of that video.
        windows: Shape ``(m, 2)``, true start and end in seconds; ``m >= 1``.
    """

    qid: int
    text: str
    video_id: str
    duration_s: float
    windows: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CaptionedVideo:
    """Captions of one video at a steady step.

    Attributes:
        video_id: As in the annotations.
        step_s: How long each caption holds.
        texts: From 0 s on, without gaps.
    """

    video_id: str
    step_s: float
    texts: tuple[str, ...]

    def captions(self, *, duration_s: float, track: Track = TRACK) -> list[Caption]:
        """The captions inside the video; a few videos end before their last caption does."""
        starts_s = [index * self.step_s for index in range(len(self.texts))]
        return [
            Caption(
                video_id=self.video_id,
                span=Interval(start_s, min(start_s + self.step_s, duration_s)),
                text=text,
                source="vision",
                track=track,
            )
            for start_s, text in zip(starts_s, self.texts, strict=True)
            if start_s < duration_s
        ]


def read_queries(path: Path) -> list[Query]:
    """Read annotations, in the file's order.

    Raises:
        BenchmarkError: If the file cannot be read or a line is not an annotation.
    """
    queries = []
    for where, row in _rows(path):
        try:
            query = Query(
                qid=int(row["qid"]),
                text=str(row["query"]),
                video_id=str(row["vid"]),
                duration_s=float(row["duration"]),
                windows=np.array(row["relevant_windows"], dtype=np.float64).reshape(-1, 2),
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise BenchmarkError(
                f"{where}: not an annotation ({type(exc).__name__}: {exc}); expected qid, query, "
                "vid, duration and relevant_windows"
            ) from exc
        if not len(query.windows):
            raise BenchmarkError(f"{where}: query {query.qid} has no relevant window")
        queries.append(query)
    return queries


def read_captions(path: Path) -> dict[str, CaptionedVideo]:
    """Read captions of videos, by video.

    Raises:
        BenchmarkError: If the file cannot be read or a line is not a captioned video.
    """
    videos = {}
    for where, row in _rows(path):
        try:
            video = CaptionedVideo(str(row["vid"]), float(row["step"]), tuple(row["captions"]))
        except (KeyError, TypeError, ValueError) as exc:
            raise BenchmarkError(
                f"{where}: not a captioned video ({type(exc).__name__}: {exc}); expected vid, "
                "step and captions"
            ) from exc
        if not (video.step_s > 0 and all(isinstance(text, str) for text in video.texts)):
            raise BenchmarkError(f"{where}: step must be positive and captions must be texts")
        videos[video.video_id] = video
    return videos


def source_of(video_id: str) -> str:
    """The video that a benchmark video is a segment of: its id without the two times at the end.

    ``NUsG9BgSes0_60.0_210.0`` → ``NUsG9BgSes0``; ids may themselves hold underscores.
    """
    return video_id.rsplit("_", 2)[0]


def submission_line(
    query: Query,
    windows: Sequence[tuple[float, float, float]],
    captions: Sequence[Caption],
    relevance: Sequence[float],
) -> dict[str, Any]:
    """One line of a submission.

    Args:
        query: What was asked.
        windows: Start, end and score of each, best first.
        captions: Whose relevance is known.
        relevance: One for each of them; gives the saliency of each 2 s clip.
    """
    return {
        "qid": query.qid,
        "query": query.text,
        "vid": query.video_id,
        "pred_relevant_windows": [list(window) for window in windows],
        "pred_saliency_scores": _per_clip(query, captions, relevance).tolist(),
    }


def windows_of(line: dict[str, Any]) -> NDArray[np.float64]:
    """Predicted windows of a submission's line, shape ``(k, 3)``: start, end, score."""
    return np.array(line["pred_relevant_windows"], dtype=np.float64).reshape(-1, 3)


def read_submission(path: Path) -> dict[int, dict[str, Any]]:
    """Read a submission, by query number; an incomplete last line (a run cut off) is left out.

    Raises:
        BenchmarkError: If the file cannot be read or an earlier line is not a prediction.
    """
    return {int(row["qid"]): row for _, row in _rows(path, cut_off=True)}


def _per_clip(
    query: Query, captions: Sequence[Caption], relevance: Sequence[float]
) -> NDArray[np.float64]:
    """Relevance at the middle of each clip; the lowest where no caption holds."""
    count = math.ceil(query.duration_s / CLIP_S)
    clips = np.full(count, min(relevance, default=0.0))
    middle_s = (np.arange(count) + 0.5) * CLIP_S
    for caption, value in zip(captions, relevance, strict=True):
        clips[(caption.start_s <= middle_s) & (middle_s < caption.end_s)] = value
    return clips


def _rows(path: Path, *, cut_off: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, EOFError, UnicodeDecodeError) as exc:
        raise BenchmarkError(f"cannot read {path}: {exc}") from exc
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as exc:
            if cut_off and number == len(lines):
                return
            raise BenchmarkError(f"{path}:{number}: not JSON ({exc})") from exc
        if not isinstance(row, dict):
            raise BenchmarkError(f"{path}:{number}: not a JSON object")
        yield f"{path}:{number}", row
