"""QVHighlights: captions of its videos, what its videos are cut from, and its submissions.

The data: https://github.com/jayleicn/moment_detr (annotations CC BY-NC-SA 4.0). The annotations
are read by ``evaluation.datasets.qvhighlights``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.datasets import qvhighlights
from evaluation.datasets.annotation_files import json_object, numbered_lines
from evaluation.datasets.query import LineError, Query, number
from evaluation.results import BenchmarkError, Result, Span
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRACK = Track(model="benchmark", prompt_version="", mode="file")

CLIP_S = 2.0
"""The benchmark's unit: saliency is given and asked for once per two seconds."""


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
    """Read annotations that have to be whole, in the file's order.

    Raises:
        BenchmarkError: If the file cannot be read or a line is not an annotation.
    """
    return qvhighlights.read(path, {}).all_or_error()


def read_captions(path: Path) -> dict[str, CaptionedVideo]:
    """Read captions of videos, by video: ``{"vid", "step", "captions": [text, …]}`` a line.

    Raises:
        BenchmarkError: If the file cannot be read or a line is not a captioned video.
    """
    videos = {}
    for where, line in numbered_lines(path):
        try:
            video = _captioned_video(json_object(line))
        except KeyError as exc:
            raise BenchmarkError(
                f"{where}: there is no {exc.args[0]!r}; expected vid, step and captions. For "
                "captions as `ask` reads them, name the folder that holds VIDEO.jsonl"
            ) from exc
        except LineError as exc:
            raise BenchmarkError(f"{where}: not a captioned video: {exc}") from exc
        if video.video_id in videos:
            raise BenchmarkError(f"{where}: {video.video_id} stands in the file twice")
        videos[video.video_id] = video
    return videos


def source_of(video_id: str) -> str:
    """The video that a benchmark video is a segment of: its id without the two times at the end.

    ``NUsG9BgSes0_60.0_210.0`` → ``NUsG9BgSes0``; ids may themselves hold underscores.
    """
    return video_id.rsplit("_", 2)[0]


def submission_line(result: Result) -> dict[str, Any]:
    """One line of a submission: the ranked windows of a query asked of its own video."""
    return {
        "qid": int(result.qid) if result.qid.isdecimal() else result.qid,
        "query": result.query,
        "vid": result.video,
        "pred_relevant_windows": [list(window) for window in result.candidates],
        "pred_saliency_scores": list(result.relevance),
    }


def relevance_by_clip(
    duration_s: float, spans: Sequence[Span], relevance: Sequence[float]
) -> tuple[float, ...]:
    """Relevance at the middle of each 2 s clip; the lowest where no caption holds.

    Args:
        duration_s: The video's length.
        spans: Of captions whose relevance is known.
        relevance: One for each of them.
    """
    count = math.ceil(duration_s / CLIP_S)
    clips: NDArray[np.float64] = np.full(count, min(relevance, default=0.0))
    middle_s = (np.arange(count) + 0.5) * CLIP_S
    for (start_s, end_s), value in zip(spans, relevance, strict=True):
        clips[(start_s <= middle_s) & (middle_s < end_s)] = value
    return tuple(clips.tolist())


def _captioned_video(row: dict[str, Any]) -> CaptionedVideo:
    video_id, step_s, texts = row["vid"], number(row["step"], "step"), row["captions"]
    if step_s <= 0:
        raise LineError(f"step is {step_s:g} s")
    if not isinstance(texts, list) or not texts:
        raise LineError("captions must be a list of texts, one at least")
    for index, text in enumerate(texts):
        if not isinstance(text, str) or not text.strip():
            raise LineError(f"caption {index} of {video_id} is {text!r}")
    return CaptionedVideo(str(video_id), step_s, tuple(texts))
