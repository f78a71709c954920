"""A short clip of our own, drawn rather than filmed, to try whenabouts on; and questions about it.

Title card, a still scene that a balloon drifts through, a pan over hills, black, end card.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.timeline import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

WIDTH_PX, HEIGHT_PX = 640, 360
RATE_HZ = 12

TITLE = Interval(0.0, 3.0)
SCENE = Interval(3.0, 9.0)
BALLOON = Interval(4.75, 7.75)
PAN = Interval(9.0, 11.0)
BLACK = Interval(11.0, 13.0)
END = Interval(13.0, 15.0)

TITLE_TEXT, END_TEXT = "A QUIET MORNING", "THE END"

PANORAMA_PX = 3 * WIDTH_PX
PAN_PX_PER_S = 150.0


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    """A question about the demo clip, with its true answer; None where the senses cannot tell."""

    query: str
    answer: Interval | None


DEMO_QUESTIONS = (
    DemoQuestion("the title A QUIET MORNING is on screen", TITLE),
    DemoQuestion("something enters the picture", BALLOON),
    DemoQuestion("the screen goes black", BLACK),
    DemoQuestion("a dog barks", None),
)


def draw_demo_clip(path: Path) -> None:
    """Draw the clip, 15 s of H.264 in 640 x 360, the same pictures every time.

    Args:
        path: Where to write it; ends with ``.mp4``.

    Raises:
        OSError: If it cannot be written.
    """
    import av
    import cv2

    panorama = _draw_panorama(cv2)
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.time_base = Fraction(1, RATE_HZ)
        stream.options = {"crf": "20", "preset": "veryfast", "threads": "1"}
        for number in range(round(END.end_s * RATE_HZ)):
            picture = _draw_frame(cv2, panorama, number / RATE_HZ)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def _draw_frame(cv2: Any, panorama: Picture, time_s: float) -> Picture:
    if time_s < TITLE.end_s:
        return _draw_card(cv2, TITLE_TEXT, "drawn by whenabouts")
    if time_s < SCENE.end_s:
        picture = panorama[:, :WIDTH_PX].copy()
        if BALLOON.start_s <= time_s < BALLOON.end_s:
            _draw_balloon(cv2, picture, (time_s - BALLOON.start_s) / BALLOON.length_s)
        return picture
    if time_s < PAN.end_s:
        return _view_of(cv2, panorama, PAN_PX_PER_S * (time_s - PAN.start_s))
    if time_s < BLACK.end_s:
        return panorama[:, :WIDTH_PX] * 0
    return _draw_card(cv2, END_TEXT, "")


def _view_of(cv2: Any, panorama: Picture, left_px: float) -> Picture:
    """The part of the panorama that the camera shows; its left edge may lie between two pixels."""
    centre = (left_px + (WIDTH_PX - 1) / 2, (HEIGHT_PX - 1) / 2)
    view: Picture = cv2.getRectSubPix(panorama, (WIDTH_PX, HEIGHT_PX), centre)
    return view


def _draw_card(cv2: Any, text: str, line: str) -> Picture:
    import numpy as np

    card = np.full((HEIGHT_PX, WIDTH_PX, 3), (40, 60, 94), np.uint8)
    font = cv2.FONT_HERSHEY_DUPLEX
    for words, scale, y, colour in (
        (text, 1.5, 180, (244, 236, 216)),
        (line, 0.7, 240, (170, 182, 200)),
    ):
        (width, _), _ = cv2.getTextSize(words, font, scale, 2)
        left = (WIDTH_PX - width) // 2
        cv2.putText(card, words, (left, y), font, scale, colour, 2, cv2.LINE_AA)
    cv2.line(card, (220, 202), (420, 202), (214, 134, 74), 2, cv2.LINE_AA)
    return card


def _draw_panorama(cv2: Any) -> Picture:
    """Sky, three rows of hills, trees and houses, wider than the picture."""
    import numpy as np

    chance = np.random.default_rng(7)
    share = np.linspace(0, 1, HEIGHT_PX)[:, None, None]
    sky = (1 - share) * np.array([142, 186, 222]) + share * np.array([250, 226, 196])
    scene = np.repeat(sky, PANORAMA_PX, axis=1).astype(np.uint8)
    cv2.circle(scene, (470, 92), 34, (255, 244, 214), -1, cv2.LINE_AA)
    x = np.arange(PANORAMA_PX)
    for base, height, length, colour in (
        (210, 34, 260.0, (150, 172, 178)),
        (250, 26, 170.0, (112, 146, 132)),
        (300, 16, 120.0, (82, 120, 88)),
    ):
        wave = np.sin(x / length * 2 + base) + 0.4 * np.sin(x / length * 5 + base)
        edge = np.column_stack([x, base - height * wave]).round().astype(np.int32)
        corners = np.array([[PANORAMA_PX, HEIGHT_PX], [0, HEIGHT_PX]], np.int32)
        cv2.fillPoly(scene, [np.vstack([edge, corners])], colour, cv2.LINE_AA)
    for left in range(30, PANORAMA_PX, 74):
        _draw_tree(cv2, scene, left + int(chance.integers(-18, 18)), int(chance.integers(300, 344)))
    for left in (120, 820, 1240, 1660):
        _draw_house(cv2, scene, left)
    return scene


def _draw_tree(cv2: Any, scene: Picture, x: int, foot: int) -> None:
    cv2.rectangle(scene, (x - 2, foot - 12), (x + 2, foot), (96, 74, 58), -1)
    for step, half in ((0, 15), (13, 12), (26, 8)):
        top = foot - 34 - step
        crown = [[x, top], [x - half, top + 26], [x + half, top + 26]]
        _fill(cv2, scene, crown, (46, 84, 66))


def _draw_house(cv2: Any, scene: Picture, left: int) -> None:
    cv2.rectangle(scene, (left, 268), (left + 64, 316), (238, 228, 210), -1)
    _fill(cv2, scene, [[left - 8, 268], [left + 32, 236], [left + 72, 268]], (158, 92, 78))
    cv2.rectangle(scene, (left + 10, 280), (left + 24, 294), (92, 120, 140), -1)
    cv2.rectangle(scene, (left + 40, 284), (left + 54, 316), (112, 86, 70), -1)


def _draw_balloon(cv2: Any, scene: Picture, way: float) -> None:
    """A hot-air balloon, drifting from beyond the left edge to beyond the right one."""
    x = round(-30 + way * (WIDTH_PX + 60))
    y = round(140 - 40 * (4 * way * (1 - way)))
    cv2.ellipse(scene, (x, y), (38, 44), 0, 0, 360, (206, 62, 56), -1, cv2.LINE_AA)
    cv2.ellipse(scene, (x, y), (16, 44), 0, 0, 360, (244, 214, 150), -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.line(
            scene, (x + side * 20, y + 38), (x + side * 8, y + 62), (90, 70, 58), 1, cv2.LINE_AA
        )
    cv2.rectangle(scene, (x - 9, y + 62), (x + 9, y + 74), (126, 90, 62), -1)


def _fill(cv2: Any, scene: Picture, corners: list[list[int]], colour: tuple[int, int, int]) -> None:
    import numpy as np

    cv2.fillPoly(scene, [np.array(corners, np.int32)], colour, cv2.LINE_AA)
