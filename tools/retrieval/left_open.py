"""What is measured of the picture itself and was left open: captions answer it only if they say it.

A description of hands and cups may be nearest to "the camera pans" by likeness, and tells nothing
of it. Where the senses know what is asked for, and could not measure it, that is a guess.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tools.grounding.lexical import terms_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.ranking import Window
    from tools.retrieval.fusion import Voice


_CAMERA = frozenset(terms_of("camera"))
_FRAMES = frozenset(terms_of("screen picture image frame view video shot scene light colour color"))
"""Words of the picture itself, which captions use of things in it: "a phone with a screen"."""


def without_guesses(text: str, voices: Sequence[Voice]) -> list[Voice]:
    """The voices, those of captions without events in which no caption says what is asked.

    Of a move of the camera a caption has to say all, for people move to the left too; of anything
    else, one of the words that are not of the picture itself.

    Args:
        text: What is looked for.
        voices: What each track says to it. Only where one of them is measured, knows what is asked
            for and leaves it open are the others changed.
    """
    is_left_open = any(
        one.is_measured and one.ranking.is_exact and one.ranking.verdict == "cannot_tell"
        for one in voices
    )
    return [_without(text, one) for one in voices] if is_left_open else list(voices)


def _without(text: str, voice: Voice) -> Voice:
    ranking = voice.ranking
    if ranking.is_exact or ranking.verdict != "found" or voice.is_measured:
        return voice
    asked = frozenset(terms_of(text))
    needed = asked if asked & _CAMERA else asked - _FRAMES

    def says(text: str) -> bool:
        said = frozenset(terms_of(text))
        return needed <= said if asked & _CAMERA else bool(needed & said)

    def is_said(event: Window) -> bool:
        return any(
            one.source == "sight" or says(one.text)
            for one in voice.captions
            if one.span.overlap_s(event.span) > 0
        )

    events = tuple(filter(is_said, ranking.events))
    verdict = ranking.verdict if events else "cannot_tell"
    return replace(voice, ranking=replace(ranking, verdict=verdict, events=events))
