"""A vision model as the judge of a short list: "does this show it?" of each window. Pure.

What it says ranks the windows of one video against each other. It is never a threshold: models say
yes to half of what they are shown, and no to what they cannot make out.
"""

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from agent.grounding import Cost
from tools.llm.completion import Completion
from tools.llm.token_odds import word_odds
from tools.ranking import Window
from tools.store.store import VideoRecord
from tools.timeline import Interval

Word = Literal["yes", "part", "no"]

WORTH: Final[dict[str, float]] = {"yes": 1.0, "part": 0.5, "no": 0.0}
"""What each word counts for."""

ODDS: Final = 20
"""Alternatives of each token whose odds are asked for: as many as services tell."""

MOST_CALLS: Final = 10
"""Windows that are judged for one question, closer looks at them included."""

FEWEST_FRAMES: Final = 2
MOST_FRAMES: Final = 4
CLOSER_FRAMES: Final = 6
"""Frames of a window that is looked at again, since the paths to an answer disagree."""

FRAME_STEP_S: Final = 2.0
"""A longer window has one frame more for each of these seconds, within the limits above."""

ALIKE_IOU: Final = 0.7
"""A window that is so much like a better one is not judged by itself: it shares its verdict."""

GROUNDER_SHARE: Final = 0.01
"""Of the blend: where the judge tells no difference, the grounder's order stands."""

SAME: Final = 0.01
"""Verdicts no further apart than this are one and the same: a judge that says the same of every
window ranks none of them."""

_WORD: Final = re.compile(
    r"\W*(?:(?:final\s+)?answer\W*|shown\W*|verdict\W*)?(yes|no|part(?:ly|ial|ially)?)\b",
    re.IGNORECASE,
)
_TURNS: Final = re.compile(r"\b(?:yes|no|part(?:ly|ial|ially)?)\b", re.IGNORECASE)
_LONGEST_WORDS: Final = 300


@dataclass(frozen=True, slots=True)
class JudgedSpan:
    """What the judge says of one stretch.

    Attributes:
        span: The stretch.
        shows: How far it shows what is looked for, in [0, 1]: the probability of ``yes``, and half
            of that of ``part``; or what the word counts for.
        says: Its word.
        by: Whether the odds of the first token decided, or the word.
        frames: How many frames it was shown.
    """

    span: Interval
    shows: float
    says: Word
    by: Literal["odds", "word"]
    frames: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values only; ``from_dict`` reads it back."""
        return {
            "start_s": self.span.start_s,
            "end_s": self.span.end_s,
            "shows": self.shows,
            "says": self.says,
            "by": self.by,
            "frames": self.frames,
        }

    @classmethod
    def from_dict(cls, plain: Any) -> "JudgedSpan":
        """The verdict that ``as_dict`` wrote."""
        span = Interval(plain["start_s"], plain["end_s"])
        return cls(span, plain["shows"], plain["says"], plain["by"], plain["frames"])


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of several stretches.

    Attributes:
        verdicts: Of those that were judged, in the order given.
        cost: What that took; what was judged before costs nothing.
        note: Why some were not judged; empty where all were.
        kept: What the verdicts that were given before cost then.
    """

    verdicts: tuple[JudgedSpan, ...] = ()
    cost: Cost = field(default_factory=Cost)
    note: str = ""
    kept: Cost = field(default_factory=Cost)


class Judge(Protocol):
    """Looks at stretches of a video, and says how far each shows what is looked for."""

    @property
    def name(self) -> str: ...

    @property
    def prompts(self) -> dict[str, str]: ...

    @property
    def is_asked_for(self) -> bool:
        """Whether the user wants it, also for captions that came from elsewhere."""
        ...

    def __call__(
        self, record: VideoRecord, query: str, spans: Sequence[Interval], *, frames: Sequence[int]
    ) -> Judged:
        """Judge each span by this number of frames; the note says what goes wrong."""
        ...


def read_verdict(reply: Completion, span: Interval, frames: int) -> JudgedSpan | None:
    """What a reply says of a stretch; None where it says nothing that can be used."""
    word = _word(reply.text)
    odds = word_odds(reply, tuple(WORTH))
    if odds:
        shows = min(1.0, sum(WORTH[word] * share for word, share in odds.items()))
        likeliest = max(odds, key=lambda word: odds[word])
        return JudgedSpan(span, shows, _as_word(likeliest), "odds", frames)
    if word is None:
        return None
    return JudgedSpan(span, WORTH[word], word, "word", frames)


def _word(text: str) -> Word | None:
    """The verdict in words: one at the beginning, or the only one that there is."""
    said = text.strip()[:_LONGEST_WORDS]
    begins = _WORD.match(said)
    found = {_as_word(one.group()) for one in _TURNS.finditer(said)}
    if begins and (len(found) == 1 or not said[begins.end() :].strip(" .!*\"'`}\n")):
        return _as_word(begins[1])
    if begins and re.match(r"\s*[,.;:–—-]", said[begins.end() :]):
        return _as_word(begins[1])  # "No, they show an empty road, and no dog in part of it."
    return found.pop() if len(found) == 1 and len(said.split()) <= 4 else None


def _as_word(said: str) -> Word:
    lower = said.lower()
    return "part" if lower.startswith("part") else "yes" if lower == "yes" else "no"


def frames_for(span: Interval) -> int:
    """How many frames of a window a judge is shown at first."""
    wanted = 1 + math.ceil(span.length_s / FRAME_STEP_S)
    return max(FEWEST_FRAMES, min(MOST_FRAMES, wanted))


def worth_judging(spans: Sequence[Interval], *, most: int = MOST_CALLS) -> list[Interval]:
    """The spans to be judged, best first: none that is much like one before it."""
    chosen: list[Interval] = []
    for span in spans:
        if len(chosen) == most:
            break
        if all(span.iou(other) < ALIKE_IOU for other in chosen):
            chosen.append(span)
    return chosen


def shows(span: Interval, verdicts: Sequence[JudgedSpan]) -> float | None:
    """How far a span shows what is looked for, by the verdict on the span most like it."""
    alike = max(
        verdicts, key=lambda one: (one.span.iou(span), one.frames, -one.span.start_s), default=None
    )
    return alike.shows if alike and alike.span.iou(span) >= ALIKE_IOU else None


def tells_apart(verdicts: Sequence[JudgedSpan]) -> bool:
    """Whether a judge says more of one span than of another; one that says the same ranks none."""
    said = [one.shows for one in verdicts]
    return bool(said) and max(said) - min(said) > SAME


def ranked(windows: Sequence[Window], verdicts: Sequence[JudgedSpan]) -> list[Window]:
    """Windows in the order of the judge, and where it tells no difference, in the grounder's.

    A confidence is that of a rank: how often the first of a list is right was measured, and the
    judge says which one is the first. So the windows change places, and confidences stay. A window
    that was not judged counts as much as those that were do on average: no model says yes so
    readily, or so rarely, that a window should gain or lose by not being shown to it.
    """
    if not windows or not tells_apart(verdicts):
        return list(windows)
    unjudged = sum(one.shows for one in verdicts) / len(verdicts)
    best, worst = (pick(window.score for window in windows) for pick in (max, min))
    spread = (best - worst) or 1.0

    def blend(place: int) -> float:
        window = windows[place]
        seen = shows(window.span, verdicts)
        own = (window.score - worst) / spread
        judged = unjudged if seen is None else seen
        return (1 - GROUNDER_SHARE) * judged + GROUNDER_SHARE * own

    order = sorted(range(len(windows)), key=lambda place: (-blend(place), place))
    confidences = sorted((window.confidence for window in windows), reverse=True)
    return [
        Window(windows[place].span, blend(place), confidence)
        for place, confidence in zip(order, confidences, strict=True)
    ]


def apart(windows: Sequence[Window], count: int) -> list[Window]:
    """The first ``count`` windows that do not overlap one before them."""
    chosen: list[Window] = []
    for window in windows:
        if len(chosen) == count:
            break
        if all(window.span.overlap_s(other.span) == 0 for other in chosen):
            chosen.append(window)
    return chosen


def are_apart(spans: Sequence[Interval]) -> bool:
    """Whether no two spans overlap."""
    return all(one.overlap_s(other) == 0 for one, other in itertools.combinations(spans, 2))
