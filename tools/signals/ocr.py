"""Reads text off the screen, offline: rapidocr, whose models come inside its wheel."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import cv2
import numpy as np

from tools.errors import CaptionerError
from tools.onnx_memory import giving_back

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.timeline import Image

Box: TypeAlias = "NDArray[np.float32]"
"""Corners of a line of text in pixels, shape ``(4, 2)``: clockwise from the upper left."""

Part: TypeAlias = tuple[int, int, int, int]
"""Left, top, right and bottom of a part of a picture, in pixels."""

MIN_SCORE = 0.85
"""Confidence below which a read line is as often texture as text."""

MIN_SIGNS = 2
"""A single sign, or the same one again and again, is as often a window as a letter."""

UPSIDE_DOWN_SCORE, UPSIDE_DOWN_SIGNS = 0.9, 3
"""The same for a line that cannot be read the way it stands, and is turned round."""

FINDING_SIDE_PX = 448, 352
"""Short side at which text is looked for: larger pictures are reduced to the first, where text of
15 pixels of 1080 is still found; smaller ones are enlarged to the second."""

SMALLEST_PART_PX = 32
"""Least side of a part that the finder takes."""

READING_HEIGHT_PX = 48
"""Height to which the recogniser brings a line, without smoothing it."""

TALL = 1.5
"""Height of a box over its width from which its text is taken to run downwards."""


MODELS = frozenset({"text_det", "text_rec"})
"""Attributes of a ``rapidocr.RapidOCR``: what finds text, and what reads it."""


class TextReader(Protocol):
    """Finds lines of text in a picture, and reads them."""

    def find(self, picture: Image, within: Part | None = None) -> Sequence[Box]:
        """Where there is text, in the whole picture or in a part of it."""
        ...

    def read(self, picture: Image, boxes: Sequence[Box]) -> Sequence[str]:
        """What stands in each box; empty where that is no text, or not legible."""
        ...


class RapidReader:
    """Finds text in a reduced picture, and reads it in the picture as it is.

    Args:
        engine: A ``rapidocr.RapidOCR``.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._lean: set[str] = set()

    def find(self, picture: Image, within: Part | None = None) -> list[Box]:
        most_px, least_px = FINDING_SIDE_PX
        short_px = min(picture.shape[:2])
        scale = min(1.0, most_px / short_px) if short_px > least_px else least_px / short_px
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        left, top, right, bottom = within or (0, 0, picture.shape[1], picture.shape[0])
        small = _scaled(picture[top:bottom, left:right], scale, way)
        found = self._ask(_bgr(small), use_det=True, use_rec=False)
        corner = np.array([left, top], np.float32)
        boxes = [] if found.boxes is None else found.boxes
        return [np.float32(box) / scale + corner for box in boxes]

    def _ask(self, picture: Any, **parts: bool) -> Any:
        answer = self._engine(picture, use_cls=False, **parts)
        # Its models are loaded with their first picture.
        for name in MODELS - self._lean:
            if part := getattr(self._engine, name, None):
                session = part.session.session
                session.run = partial(session.run, run_options=giving_back())
                self._lean.add(name)
        return answer

    def read(self, picture: Image, boxes: Sequence[Box]) -> list[str]:
        return [self._line(cut_out(picture, box)) for box in boxes]

    def _line(self, picture: Image) -> str:
        upright = self._text(picture, least_score=MIN_SCORE, least_signs=MIN_SIGNS)
        # What is no text is seldom read either way round.
        return upright or self._text(
            np.ascontiguousarray(picture[::-1, ::-1]),
            least_score=UPSIDE_DOWN_SCORE,
            least_signs=UPSIDE_DOWN_SIGNS,
        )

    def _text(self, picture: Image, *, least_score: float, least_signs: int) -> str:
        read = self._ask(_bgr(picture), use_det=False, use_rec=True)
        if read.txts is None or read.scores[0] < least_score:
            return ""
        text = " ".join(read.txts[0].split())
        return text if _is_worth_reading(text, least_signs) else ""


def load_text_reader() -> TextReader:
    """Load the models once.

    Raises:
        CaptionerError: If rapidocr is not installed.
    """
    try:
        from rapidocr import RapidOCR
    except ImportError as exc:
        raise CaptionerError(
            f"cannot read text off the screen ({exc}): install the extra with "
            "`pip install 'whenabouts[ocr]'`, or watch without reading text"
        ) from exc
    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Global.use_preprocess_img": False,
            # ``find`` says how large a picture is to be, and parts of one may be small.
            "Det.limit_side_len": SMALLEST_PART_PX,
            # A second thread spins while it waits: twice the CPU time, and no sooner.
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            # What each picture needs is planned ahead and used again: 100 MB less at the peak.
            "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,
        }
    )
    # It says "no text found" to the log for every picture without text.
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return RapidReader(engine)


def cut_out(picture: Image, box: Box) -> Image:
    """The line of text in a box, upright, and no larger than it helps the reader."""
    sides = np.linalg.norm(box - np.roll(box, -1, axis=0), axis=1)
    width_px, height_px = max(sides[0], sides[2]), max(sides[1], sides[3])
    left, top = np.maximum(np.floor(box.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(box.max(axis=0)).astype(int) + 1
    around = picture[top:bottom, left:right]
    scale = min(1.0, 1.5 * READING_HEIGHT_PX / max(1.0, min(width_px, height_px)))
    if scale < 1:
        around = _scaled(around, scale, cv2.INTER_AREA)
    size = max(1, int(width_px * scale)), max(1, int(height_px * scale))
    corners = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], np.float32)
    straighten = cv2.getPerspectiveTransform(
        np.asarray((box - [left, top]) * scale, np.float32), corners
    )
    line = cv2.warpPerspective(
        around, straighten, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    upright = np.rot90(line) if size[1] >= TALL * size[0] else line
    return np.ascontiguousarray(upright, np.uint8)


def _scaled(picture: Image, scale: float, way: int) -> Image:
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=way), np.uint8)


def _bgr(picture: Image) -> Any:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)


def _is_worth_reading(text: str, least_signs: int) -> bool:
    signs = [sign for sign in text if sign.isalnum()]
    return len(signs) >= least_signs and (len(set(signs)) > 1 or signs[0].isdigit())
