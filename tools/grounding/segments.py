"""The captions of one track as a time axis: moments that say one thing, cut into short cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import CaptionError
from tools.kept_captions import edges_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.timeline import Caption

CELL_S = 2.0
"""Usual length of a cell. The grounder's constants were chosen on captions of two seconds."""

MOMENT_CELLS = 75
"""Most cells of one moment: what does not change for minutes needs no finer cut."""

TOLERANCE_S = 0.001
"""Edges this close are one edge: times are often written to the millisecond."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Spans over which a track says the same thing, in time order, not overlapping.

    Captions with the same span (an image's description and the text on it) are one moment;
    so are neighbours that touch and repeat each other, so that it makes no difference whether an
    unchanged scene was described once or ten times.

    Attributes:
        start_s: Shape ``(m,)``, start of each moment's first caption.
        end_s: Shape ``(m,)``, end of its last caption.
        texts: What each says; several captions of one span are joined.
        of_caption: Shape ``(n_captions,)``, which moment each caption belongs to.
    """

    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    texts: tuple[str, ...]
    of_caption: NDArray[np.intp]

    @property
    def first(self) -> NDArray[np.intp]:
        """Shape ``(m,)``, index of each moment's first caption."""
        return np.flatnonzero(np.diff(self.of_caption, prepend=-1))


@dataclass(frozen=True, slots=True)
class Cells:
    """A time axis in small steps; where no caption holds there is no cell.

    Attributes:
        start_s: Shape ``(n,)``, increasing.
        end_s: Shape ``(n,)``.
        moment: Shape ``(n,)``, which moment each cell is part of.
    """

    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    moment: NDArray[np.intp]

    @property
    def weight(self) -> NDArray[np.float64]:
        """Duration in units of ``CELL_S``: how many of the usual captions a cell stands for."""
        return (self.end_s - self.start_s) / CELL_S

    @property
    def middle_s(self) -> NDArray[np.float64]:
        return (self.start_s + self.end_s) / 2

    def __len__(self) -> int:
        return len(self.start_s)

    def take(self, kept: slice) -> Cells:
        """Some neighbouring cells."""
        return Cells(self.start_s[kept], self.end_s[kept], self.moment[kept])


def group_captions(captions: Sequence[Caption], *, duration_s: float) -> Moments:
    """Check that captions are one track in time order, and join those that say one thing.

    Args:
        captions: In time order. Two may have the same span if their sources differ; otherwise they
            must not overlap. Gaps are fine.
        duration_s: Length of the video.

    Raises:
        CaptionError: If a caption is out of order, overlaps the one before, or ends after the
            video; the message names the caption and both times.
    """
    start_s: list[float] = []
    end_s: list[float] = []
    said: list[dict[str, str]] = []  # text by source, of each moment
    of_caption = np.empty(len(captions), dtype=np.intp)
    for index, caption in enumerate(captions):
        if caption.end_s > duration_s + TOLERANCE_S:
            raise CaptionError(
                f"{name_caption(caption, index)} ends after the video, which is "
                f"{duration_s:.3f} s long; index the video again"
            )
        same_span = (
            index > 0
            and abs(caption.start_s - captions[index - 1].start_s) <= TOLERANCE_S
            and abs(caption.end_s - captions[index - 1].end_s) <= TOLERANCE_S
            and caption.source not in said[-1]
        )
        if same_span:
            said[-1][caption.source] = caption.text
        else:
            if index > 0 and caption.start_s < end_s[-1] - TOLERANCE_S:
                problem = (
                    "starts before" if caption.start_s < captions[index - 1].start_s else "overlaps"
                )
                raise CaptionError(
                    f"{name_caption(caption, index)} {problem} the one before it "
                    f"({name_caption(captions[index - 1], index - 1)}); give the captions of one "
                    "track in time order"
                )
            start_s.append(caption.start_s)
            end_s.append(caption.end_s)
            said.append({caption.source: caption.text})
        of_caption[index] = len(said) - 1
    return _join_repeats(np.array(start_s), np.array(end_s), said, of_caption)


def group_frames(frames: Sequence[Caption], *, duration_s: float) -> Moments:
    """The same for frames: each is a moment of its own, and there may be hundreds of thousands.

    Raises:
        CaptionError: As ``group_captions``.
    """
    start_s, end_s = edges_of(frames)
    if (start_s[1:] < end_s[:-1] - TOLERANCE_S).any() or (end_s > duration_s + TOLERANCE_S).any():
        return group_captions(frames, duration_s=duration_s)  # It says which, and what to do.
    return Moments(start_s, end_s, ("",) * len(frames), np.arange(len(frames)))


def cut(moments: Moments) -> Cells:
    """Cut every moment into equal cells of at most ``CELL_S``, or into ``MOMENT_CELLS``."""
    length_s = moments.end_s - moments.start_s
    count = np.ceil((length_s - TOLERANCE_S) / CELL_S).clip(1, MOMENT_CELLS).astype(np.intp)
    moment = np.repeat(np.arange(len(count)), count)
    position = np.arange(len(moment)) - np.repeat(np.cumsum(count) - count, count)
    step_s = (length_s / count)[moment]
    start_s = moments.start_s[moment] + position * step_s
    last = position == count[moment] - 1
    end_s = np.where(last, moments.end_s[moment], start_s + step_s)
    return Cells(start_s, end_s, moment)


def _join_repeats(
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    said: list[dict[str, str]],
    of_caption: NDArray[np.intp],
) -> Moments:
    is_new = np.ones(len(said), dtype=bool)
    for index in range(1, len(said)):
        touches = start_s[index] - end_s[index - 1] <= TOLERANCE_S
        is_new[index] = not (touches and said[index] == said[index - 1])
    joined = np.cumsum(is_new) - 1
    is_last = np.append(is_new[1:], True)
    texts = tuple(" ".join(said[index].values()) for index in np.flatnonzero(is_new))
    return Moments(start_s[is_new], end_s[is_last[: len(said)]], texts, joined[of_caption])


def name_caption(caption: Caption, index: int) -> str:
    """How errors name a caption: its number from 1, and its span."""
    return f"caption #{index + 1} at {caption.start_s:.3f}–{caption.end_s:.3f} s"
