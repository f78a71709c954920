"""Describes a video by the text on its screen and nothing else: titles, signs, slides, scores.

A source of its own beside the captions of an image model, whose pictures are too small for it to
read and which does not see that a line of text has changed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

import cv2

from tools.captioners.protocol import NO_TEXT, Description, NoCaption
from tools.errors import CaptionerError
from tools.signals.claims import write_screen_text
from tools.signals.ocr import TextReader, load_text_reader
from tools.signals.screen_reader import READING, ScreenReader

if TYPE_CHECKING:
    from tools.timeline import Frame

MAX_RUN_S = 10.0
"""The same text is said again after this time: a run that is stopped has little to read twice, and
frames that an earlier run described need not be held for longer."""

NAME = "rapidocr"

THREADS = 2


@dataclass(slots=True)
class _Run:
    """Frames next to each other that show the same text.

    Attributes:
        first_s: Time of the first frame.
        last_s: Time of the last one so far.
        lines: What they show; empty for nothing.
        is_said: Whether an earlier run of the program described them.
    """

    first_s: float
    last_s: float
    lines: tuple[str, ...]
    is_said: bool

    def goes_on(self, time_s: float, lines: tuple[str, ...]) -> bool:
        """Whether the next frame belongs to it."""
        return lines == self.lines and time_s - self.first_s < MAX_RUN_S

    def said(self) -> Description | NoCaption:
        """What there is to say of it."""
        if not self.lines:
            return NoCaption(self.first_s, NO_TEXT, last_s=self.last_s)
        return Description(self.first_s, write_screen_text(self.lines), "screen", self.last_s)


class ScreenCaptioner:
    """Reads every sampled frame; frames next to each other with equal text get one caption.

    Args:
        read: Reads text; None loads rapidocr with the first frame.

    Raises:
        CaptionerError: If rapidocr is wanted and the extra ``ocr`` is not installed.
    """

    def __init__(self, read: TextReader | None = None) -> None:
        if read is None and find_spec(NAME) is None:
            raise CaptionerError(
                "reading text off the screen needs the extra: pip install 'whenabouts[ocr]'"
            )
        self._read = read

    @property
    def model(self) -> str:
        return f"{NAME}-{version(NAME)}-{READING}" if find_spec(NAME) else NAME

    @property
    def prompt_version(self) -> str:
        return ""

    @property
    def mode(self) -> str:
        return "frame"

    @property
    def needs_every_frame(self) -> bool:
        """A line of text may change in a picture that otherwise stays the same."""
        return True

    @property
    def wants_native(self) -> bool:
        """Small digits do not outlive sampling."""
        return True

    def describe(
        self, frames: Iterable[Frame], *, seen: Container[float]
    ) -> Iterator[Description | NoCaption]:
        """Describe the frames by their text; see ``Captioner``.

        ``seen`` has the first frame of every run of equal text that is stored, and the frames up to
        the next one belong to it. Only the last of these runs is read again, to find where its text
        ended: what comes out is the same as if there had been no interruption.
        """
        cv2.setNumThreads(THREADS)
        screen = ScreenReader(self._load)
        run: _Run | None = None
        for frame in _unread(frames, seen):
            lines = screen.lines(frame)
            is_said = frame.time_s in seen
            if run and not is_said and run.goes_on(frame.time_s, lines):
                run.last_s = frame.time_s
                continue
            if run and not run.is_said:
                yield run.said()
            run = _Run(frame.time_s, frame.time_s, lines, is_said)
        if run and not run.is_said:
            yield run.said()

    def _load(self) -> TextReader:
        return self._read or load_text_reader()


def _unread(frames: Iterable[Frame], seen: Container[float]) -> Iterator[Frame]:
    """Frames that are in no stored run, and those of the last one, as far as it may reach."""
    held: list[Frame] = []
    for frame in frames:
        if frame.time_s in seen:
            held = [frame]
        elif held and frame.time_s - held[0].time_s < MAX_RUN_S:
            held.append(frame)
        else:
            yield from held
            held = []
            yield frame
    yield from held
