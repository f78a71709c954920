"""What a grounder concludes from captions: ranked windows, and whether it is there at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tools.timeline import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

Verdict = Literal["found", "not_found", "cannot_tell"]

EvidenceKind = Literal["described", "measured", "said", "written", "seen"]
"""Captions that say what is seen; what the classical describer measures; speech and subtitles; text
on the screen that was read beside an image model's captions."""


@dataclass(frozen=True, slots=True)
class Window:
    """A candidate interval.

    Attributes:
        span: Its edges; always edges of captions.
        score: Rank score on the grounder's own scale; higher is better.
        confidence: Estimated probability, in [0, 1], that it answers the query.
        track: Key of the track whose captions make its edges; empty where there is only one.
    """

    span: Interval
    score: float
    confidence: float
    track: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values only; ``from_dict`` reads it back."""
        plain = {
            "start_s": self.span.start_s,
            "end_s": self.span.end_s,
            "score": self.score,
            "confidence": self.confidence,
        }
        return plain | ({"track": self.track} if self.track else {})

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Window:
        """The window that ``as_dict`` wrote."""
        span = Interval(plain["start_s"], plain["end_s"])
        return cls(span, plain["score"], plain["confidence"], plain.get("track", ""))


@dataclass(frozen=True, slots=True)
class PartFound:
    """One part of a question with an order in it: "the dog barks" of "… after the man leaves".

    Attributes:
        text: Its words.
        times: All the times that it is taken to happen, apart from each other, in time order.
    """

    text: str
    times: tuple[Window, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values only; ``from_dict`` reads it back."""
        return {"text": self.text, "times": [window.as_dict() for window in self.times]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PartFound:
        """The part that ``as_dict`` wrote."""
        return cls(plain["text"], tuple(Window.from_dict(one) for one in plain["times"]))


@dataclass(frozen=True, slots=True)
class Testimony:
    """What one source of evidence said to a question.

    Attributes:
        kind: What kind of evidence it is.
        name: Who or what made it, as people call it.
        track: Key of its track.
        verdict: Its own.
        answers: Whether the answer is made from it.
        agrees: Whether it says what the answer says, of the surest event; None where it says
            nothing about that.
        best: Where it finds it; None unless found.
    """

    kind: EvidenceKind
    name: str
    track: str
    verdict: Verdict
    answers: bool
    agrees: bool | None = None
    best: Interval | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values only; ``from_dict`` reads it back."""
        return {
            "kind": self.kind,
            "name": self.name,
            "track": self.track,
            "verdict": self.verdict,
            "answers": self.answers,
            "agrees": self.agrees,
            "best": [self.best.start_s, self.best.end_s] if self.best else None,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Testimony:
        """What ``as_dict`` wrote; earlier versions wrote neither ``agrees`` nor ``best``."""
        best = plain.get("best")
        return cls(**{**plain, "best": Interval(*best) if best else None})


@dataclass(frozen=True, slots=True)
class Ranking:
    """The outcome of grounding one query in one track of captions, or in several together.

    Attributes:
        verdict: ``cannot_tell`` where these captions could not show the thing either way, or, with
            windows, where they neither show it nor rule it out.
        windows: At most ten candidates, best first; they may overlap. Empty only where there is no
            caption, or none that speaks of the query.
        events: The windows claimed as the answer: disjoint, best first, empty unless found.
        relevance: Shape ``(n_captions,)``: how well each caption fits, on the grounder's own scale,
            in the order the captions were given.
        reasoning: One or two sentences for the user: what was looked for, and what decided.
        presence: Estimated probability that it is in the video at all, if half of all queries were;
            None where no such estimate can be made.
        parts: Of a question with an order in it, what was looked for, the main part first; empty
            where it was taken for one sentence.
        is_exact: Whether it was measured, or read word by word, and not compared by likeness; where
            it cannot be told, whether what was measured is all that could be known of it.
        heard: What each source of evidence said, in the order in which they were asked; empty
            where there was only one.
        is_unclear: Whether the question itself cannot be answered, whatever is seen.
    """

    verdict: Verdict
    windows: tuple[Window, ...]
    events: tuple[Window, ...]
    relevance: NDArray[np.float64]
    reasoning: str
    presence: float | None = None
    parts: tuple[PartFound, ...] = ()
    is_exact: bool = False
    heard: tuple[Testimony, ...] = ()
    is_unclear: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values only, without the relevance of each caption."""
        return {
            "verdict": self.verdict,
            "windows": [window.as_dict() for window in self.windows],
            "events": [event.as_dict() for event in self.events],
            "reasoning": self.reasoning,
            "presence": self.presence,
            "parts": [part.as_dict() for part in self.parts],
            "heard": [one.as_dict() for one in self.heard],
            "is_unclear": self.is_unclear,
        }
