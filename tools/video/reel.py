"""Stretches of several videos in one file, each after a card that names it; one pass, no parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
import cv2
import numpy as np

from tools.errors import VideoError
from tools.output_files import check_place, write_whole
from tools.text import shorten
from tools.timeline import Interval
from tools.video.clip import pictures_of, sound_of
from tools.video.film import FORMATS, SAMPLE_RATE_HZ, ShownImage, encode
from tools.video.lettering import draw_line
from tools.video.lettering import width_px as width_of
from tools.video.visual_order import without_pictographs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tools.timeline import Image
    from tools.video.reader import Video

_WHAT, _OPTION = "a reel", "--out"

CARD_COLOUR: Final = (24, 26, 30)
TITLE_COLOUR: Final = (245, 245, 245)
NOTE_COLOUR: Final = (170, 176, 186)


@dataclass(frozen=True, slots=True)
class ReelScene:
    """One stretch of a reel.

    Attributes:
        video: What it is cut out of.
        span: What of it.
        title: The large line of its card.
        note: The small line below.
    """

    video: Video
    span: Interval
    title: str
    note: str


def check_reel_path(out: Path, *, overwrite: bool = False) -> None:
    """Refuse a place where no reel can be written, before any work is done for it.

    Raises:
        VideoError: If ``out`` is neither ``.mp4`` nor ``.mkv``, or as ``check_place``.
    """
    if out.suffix.lower() not in FORMATS:
        raise VideoError(f"cannot write a reel to {out}: give a name that ends in .mp4 or .mkv")
    check_place(out, what=_WHAT, option=_OPTION, overwrite=overwrite)


def write_reel(
    scenes: Sequence[ReelScene], out: Path, *, card_s: float, overwrite: bool = False
) -> None:
    """Join scenes, in their order, each exact from edge to edge and after its card.

    The first scene sets the size; pictures of another shape get black bars. Each picture is shown
    for as long as in its own video, whatever the rates are. Where one scene has sound and another
    has none, it is silent there.

    Args:
        scenes: At least one.
        out: Where to; it appears whole or not at all.
        card_s: How long each card is shown; 0: no cards.
        overwrite: Whether a file that is there is replaced.

    Raises:
        VideoError: As ``check_reel_path``; also if one of the videos cannot be read or is ``out``.
    """
    check_reel_path(out, overwrite=overwrite)
    if out.exists() and any(out.samefile(one.video.path) for one in scenes):
        raise VideoError(f"cannot write a reel to {out}: it is one of its videos; name another")

    def fill(part: Path) -> None:
        try:
            encode(part, out.suffix, _pictures(scenes, card_s), _sound(scenes, card_s))
        except av.FFmpegError as error:
            raise VideoError(f"cannot write a reel to {out}: {error.strerror}") from error

    write_whole(out, fill, what=_WHAT, option=_OPTION, overwrite=overwrite)


def _pictures(scenes: Sequence[ReelScene], card_s: float) -> Iterator[ShownImage]:
    at_s = 0.0
    size_px: tuple[int, int] | None = None
    for scene in scenes:
        shown = pictures_of(scene.video, scene.span)
        # What goes wrong with a scene goes wrong before its card.
        first = next(shown)
        if size_px is None:
            height_px, width_px = first.image.shape[:2]
            size_px = (width_px + width_px % 2, height_px + height_px % 2)
        if card_s:
            yield ShownImage(draw_card(scene.title, scene.note, size_px), at_s, at_s + card_s)
        at_s += card_s
        # The first one is there from the start on, the last one until the end.
        last = ShownImage(fitted(first.image, size_px), at_s, at_s + first.until_s)
        for one in shown:
            yield last
            from_s, until_s = at_s + one.from_s, at_s + one.until_s
            last = ShownImage(fitted(one.image, size_px), from_s, until_s)
        at_s += scene.span.length_s
        yield last._replace(until_s=at_s)


def _sound(scenes: Sequence[ReelScene], card_s: float) -> Iterator[NDArray[np.float32]]:
    """Two channels from 0 to the end; nothing at all where no scene has sound."""
    if not any(next(sound_of(one.video, one.span), None) is not None for one in scenes):
        return
    at_s, done = 0.0, 0
    for scene in scenes:
        at_s += card_s
        start = round(at_s * SAMPLE_RATE_HZ)
        yield from _silence(start - done)
        done = start
        at_s += scene.span.length_s
        end = round(at_s * SAMPLE_RATE_HZ)
        for samples in sound_of(scene.video, scene.span):
            fresh = samples[:, : end - done]
            done += fresh.shape[1]
            if fresh.shape[1]:
                yield np.broadcast_to(fresh, (2, fresh.shape[1])) if len(fresh) == 1 else fresh
        yield from _silence(end - done)
        done = end


def _silence(samples: int) -> Iterator[NDArray[np.float32]]:
    while samples > 0:
        piece = min(samples, SAMPLE_RATE_HZ)
        yield np.zeros((2, piece), np.float32)
        samples -= piece


def fitted(image: Image, size_px: tuple[int, int]) -> Image:
    """A picture made to fit into a size, with black bars where its shape is another one.

    Args:
        image: RGB, shape ``(height, width, 3)``.
        size_px: Width and height.
    """
    width_px, height_px = size_px
    if image.shape[:2] == (height_px, width_px):
        return image
    scale = min(width_px / image.shape[1], height_px / image.shape[0])
    inner = (
        max(1, min(width_px, round(image.shape[1] * scale))),
        max(1, min(height_px, round(image.shape[0] * scale))),
    )
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.zeros((height_px, width_px, 3), np.uint8)
    left, top = (width_px - inner[0]) // 2, (height_px - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        image, inner, interpolation=how
    )
    return canvas


def draw_card(title: str, note: str, size_px: tuple[int, int]) -> Image:
    """A card with a title in lines of its own and a small note below.

    Args:
        title: Any text; wrapped, and cut off where it has more than four lines.
        note: The same for a note, in at most two.
        size_px: Width and height of the card.
    """
    width_px, height_px = size_px
    card = np.full((height_px, width_px, 3), CARD_COLOUR, np.uint8)
    large_px = max(8, min(width_px // 18, height_px // 8))
    small_px = max(7, large_px * 6 // 10)
    room_px = width_px * 9 // 10
    lines = [(line, large_px, TITLE_COLOUR) for line in _wrapped(title, large_px, room_px, 4)]
    lines += [(line, small_px, NOTE_COLOUR) for line in _wrapped(note, small_px, room_px, 2)]
    y = (height_px - sum(round(1.35 * px) for _, px, _ in lines)) // 2
    for line, px, colour in lines:
        x = max(0, (width_px - width_of(line, px)) // 2)
        draw_line(card, line, (x, y + px), colour, px)
        y += round(1.35 * px)
    return card


def _wrapped(text: str, size_px: int, room_px: int, most: int) -> list[str]:
    lines: list[str] = []
    for word in without_pictographs(shorten(text, 400)).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size_px) <= room_px:
            lines[-1] = longer
            continue
        lines.append("")
        for letter in word:  # A word wider than the card goes on in the next line.
            if lines[-1] and width_of(lines[-1] + letter, size_px) > room_px:
                lines.append("")
            lines[-1] += letter
        if len(lines) > most:
            lines = [*lines[: most - 1], lines[most - 1][:-1] + "…"]
            break
    return lines
