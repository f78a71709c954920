"""What is said in a video, as captions with the source ``speech``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from tools.timeline import Caption, Interval, Track
from tools.video.sound import SoundPiece, read_sound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tools.video.reader import Video

MIN_LENGTH_S = 0.02
"""Models give times in steps of this; words without a length get one step."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words that were heard.

    Attributes:
        start_s: Seconds from where the sound that was transcribed begins.
        end_s: Counted in the same way; not before ``start_s``.
        text: What was said, not blank.
    """

    start_s: float
    end_s: float
    text: str


class Transcriber(Protocol):
    """Writes down what is said.

    Attributes:
        model: Names what writes; changes whenever the words would.
        mode: How it listens: ``speech``, or ``speech:de`` where it was told the language.
    """

    @property
    def model(self) -> str: ...

    @property
    def mode(self) -> str: ...

    def __call__(self, samples: NDArray[np.float32]) -> Iterable[Utterance]:
        """Transcribe, lazily, in order of time.

        Args:
            samples: Shape ``(n,)`` float32, mono, ``tools.video.sound.SAMPLE_RATE_HZ``.

        Raises:
            CaptionerError: If it cannot go on.
        """
        ...


def speech_track(transcriber: Transcriber) -> Track:
    """The track of what a transcriber writes."""
    return Track(transcriber.model, prompt_version="", mode=transcriber.mode)


def transcribe(
    video: Video,
    transcriber: Transcriber,
    *,
    duration_s: float,
    known_s: float | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Iterator[list[Caption]]:
    """Captions of what is said, a list for each piece of the sound, as soon as it was heard.

    They are in order of time, and no two have the same span. Where all of a piece's captions are
    written at once, the start of the last one that was tells a later run where to go on.

    Args:
        video: From ``tools.video.reader.probe``.
        transcriber: Hears the sound in pieces of some minutes.
        duration_s: Length of the video; what is said after it is left out.
        known_s: Where the last caption of an earlier run begins; its piece and those before are
            not listened to again.
        progress: Called with how many seconds of the video were listened to, after each utterance
            and each piece.

    Raises:
        VideoError: If the video has no sound, or none of it decodes.
        CaptionerError: If the transcriber cannot go on; the captions before stay valid.
    """
    track = speech_track(transcriber)
    for piece in read_sound(video):
        if piece.start_s >= duration_s:
            break
        if known_s is None or piece.start_s > known_s:
            captions: list[Caption] = []
            for said in transcriber(piece.samples):
                caption = _caption(said, piece, video.id, duration_s, track)
                if caption and captions and caption.span == captions[-1].span:
                    text = f"{captions[-1].text} {caption.text}"
                    captions[-1] = replace(captions[-1], text=text)
                elif caption:
                    captions.append(caption)
                    progress(caption.end_s)
            yield captions
        progress(min(max(0.0, piece.end_s), duration_s))


def _caption(
    said: Utterance, piece: SoundPiece, video_id: str, duration_s: float, track: Track
) -> Caption | None:
    """The part of it that lies in the video; None where none does, or nothing was said."""
    # Models that look at fixed lengths of sound may give times after its end.
    start_s = piece.start_s + min(said.start_s, piece.length_s - MIN_LENGTH_S)
    end_s = min(piece.end_s, max(piece.start_s + said.end_s, start_s + MIN_LENGTH_S))
    start_s, end_s = max(0.0, start_s), min(duration_s, end_s)
    text = " ".join(said.text.split())
    if end_s <= start_s or not text:
        return None
    return Caption(video_id, Interval(start_s, end_s), text, "speech", track)
