"""The classical describer: captions made of what can be measured, and of what can be read.

It needs no model but the reader of text, and makes no claim that measurements cannot support: no
object, no person, no action. See ``tools.signals.claims`` for all it can say.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tools.captioners.protocol import Description
from tools.errors import CaptionerError
from tools.signals.between_samples import flickers, held, passing_screens
from tools.signals.claims import TEXT_TAG, Claim, write_claims, write_passing, write_screen_text
from tools.signals.frame_claims import FrameWatch, with_cuts
from tools.signals.ocr import TextReader, load_text_reader
from tools.signals.screen_reader import READING, ScreenReader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.timeline import Frame, Interval

VERSION = "classical-5"
"""Changes whenever the same frames would be described in other words."""

THREADS = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A frame that has not been described yet.

    Attributes:
        time_s: Its time.
        cuts: Those since the frame before.
        claims: What it shows.
        lines: The text on it.
        luma: The brightness from the frame before on, as in ``Frame.luma``, its own last.
    """

    time_s: float
    cuts: list[Interval]
    claims: list[Claim]
    lines: tuple[str, ...]
    luma: NDArray[np.uint8]

    def said(self, luma: NDArray[np.uint8], luma_s: NDArray[np.float64]) -> Iterator[Description]:
        """What there is to say once the brightness until the next frame is known, and its times."""
        for cut in self.cuts:
            text = write_claims([Claim("cut", at_s=cut.start_s)])
            yield Description(self.time_s, text, "signal", exact=cut)
        yield Description(self.time_s, write_claims(held(self.claims, luma)), "signal")
        for claim, span in passing_screens(luma, luma_s):
            yield Description(self.time_s, write_passing(claim), "signal", exact=span)
        if self.lines:
            yield Description(self.time_s, write_screen_text(self.lines), "screen")


class ClassicalCaptioner:
    """Measures every sampled frame, and reads the text on those that changed.

    Args:
        read_text: Whether to read text off the screen.

    Raises:
        CaptionerError: If text is wanted and the extra ``ocr`` is not installed.
    """

    def __init__(self, *, read_text: bool) -> None:
        if read_text and find_spec("rapidocr") is None:
            raise CaptionerError(
                "reading text off the screen needs the extra: pip install 'whenabouts[ocr]'"
            )
        self._reads_text = read_text
        self._read: TextReader | None = None

    @property
    def model(self) -> str:
        return f"{VERSION}-{READING}{TEXT_TAG}" if self._reads_text else VERSION

    @property
    def prompt_version(self) -> str:
        return ""

    @property
    def mode(self) -> str:
        return "frame"

    @property
    def needs_every_frame(self) -> bool:
        """It learns from still frames what the empty picture is; see ``near_duplicates``."""
        return True

    @property
    def wants_native(self) -> bool:
        """For the text on the screen."""
        return self._reads_text

    def describe(self, frames: Iterable[Frame], *, seen: Container[float]) -> Iterator[Description]:
        """Describe each frame by signals, and by its text where it has some; see ``Captioner``.

        It runs a moment behind: what is measured in a frame must hold until the next, and a cut is
        told by what follows it.
        """
        cv2.setNumThreads(THREADS)
        watch = FrameWatch()
        screen = ScreenReader(self._load_reader) if self._reads_text else None
        waiting: _Measured | None = None
        before = np.empty((0, 36, 64), np.uint8)
        for frame, cuts in with_cuts(frames):
            luma = np.concatenate([before, frame.luma])
            before = frame.luma[-1:]
            if waiting:
                yield from waiting.said(luma, np.concatenate([[waiting.time_s], frame.luma_s]))
                waiting = None
            claims = watch.watch(frame, cuts)
            if frame.time_s not in seen:
                lines = screen.lines(frame) if screen else ()
                waiting = _Measured(frame.time_s, cuts, claims, lines, luma)
        if waiting:
            # Nothing is known of what follows: what flickered until now is taken to go on.
            luma = waiting.luma if flickers(waiting.luma) else waiting.luma[-1:]
            yield from waiting.said(luma, np.full(len(luma), waiting.time_s))

    def _load_reader(self) -> TextReader:
        if self._read is None:
            self._read = load_text_reader()
        return self._read
