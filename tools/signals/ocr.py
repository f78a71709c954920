"""Reads text off the screen, offline: rapidocr, whose models come inside its wheel."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from tools.errors import CaptionerError

if TYPE_CHECKING:
    from tools.timeline import Image

MIN_SCORE = 0.85
"""Confidence below which a read line is as often texture as text."""

MIN_SIGNS = 2
"""A single sign, or the same one again and again, is as often a window as a letter."""

DETECTION_SIDE = 352
"""Short side, in pixels, at which text is looked for; 480 costs three times as much, in vain."""


class TextReader(Protocol):
    """Reads the lines of text in a picture."""

    def __call__(self, image: Image) -> tuple[str, ...]:
        """The lines, from top to bottom."""
        ...


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
            "Det.limit_side_len": DETECTION_SIDE,
            # A second thread spins while it waits: twice the CPU time, and no sooner.
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    # It says "no text found" to the log for every picture without text.
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)

    def read(image: Image) -> tuple[str, ...]:
        result: Any = engine(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), use_cls=False)
        if result.txts is None:
            return ()
        kept = [
            (_reading_order(box), " ".join(text.split()))
            for box, text, score in zip(result.boxes, result.txts, result.scores, strict=True)
            if score >= MIN_SCORE and _is_worth_reading(text)
        ]
        return tuple(text for _, text in sorted(kept))

    return read


def _reading_order(box: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> tuple[int, float]:
    """Rows of a line's height first, then from the left."""
    top, bottom = float(box[:, 1].min()), float(box[:, 1].max())
    return int((top + bottom) / 2 // 16), float(box[:, 0].min())


def _is_worth_reading(text: str) -> bool:
    signs = [sign for sign in text if sign.isalnum()]
    return len(signs) >= MIN_SIGNS and (len(set(signs)) > 1 or signs[0].isdigit())
