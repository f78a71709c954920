"""Lets frames through to a captioner as far as the budget of the run reaches."""

from __future__ import annotations

from collections.abc import Callable, Container
from enum import Enum
from typing import Final

from tools.errors import CaptionerError
from tools.llm.budget import Budget, Limits
from tools.llm.prices import TokenUsage


def without_price(model: str, limits: Limits) -> CaptionerError:
    """That a limit of dollars cannot be kept."""
    return CaptionerError(
        f"the price of {model} is not known, so the limit of {limits.max_usd:g} US dollars cannot "
        "be kept; give the price in a file that WHENABOUTS_PRICES names, or limit the captions "
        "(--max-captions)"
    )


ROUNDING_MINUTES: Final = 1e-6
"""A moment of the clock was counted in seconds, and in minutes of the run: they differ by this."""


class Gate(Enum):
    """Whether the next frame may be handed out."""

    OPEN = "now"
    WAIT = "not yet"
    SHUT = "no more in this run"


class FrameGate:
    """Holds one pass over a video within a budget.

    Where dollars are limited, frames may be held back until earlier ones are answered; so the
    captioner must ask for what it has before it waits for more.

    Args:
        budget: What may be spent; the caller notes there, afterwards, what this pass has spent.
        frames_per_look: How many frames the captioner is shown at a time.
        seen: Times of looks that cost nothing, since they are described already.
        usage: What the captioner has used so far.
        model: Its name, for the error.

    Attributes:
        reached: Which limit ended the run, in a few words; empty while none did.
    """

    def __init__(
        self,
        budget: Budget,
        *,
        frames_per_look: int,
        seen: Container[float],
        usage: Callable[[], TokenUsage],
        model: str,
    ) -> None:
        self._budget = budget
        self._captions_left = budget.captions_left()
        self._usd_left = budget.usd_left()
        self._frames_per_look = frames_per_look
        self._seen = seen
        self._usage = usage
        self._model = model
        self._before = usage()
        self._frames = 0
        self._begun = 0
        self._unanswered: set[float] = set()
        self.reached = ""

    def at(self, time_s: float) -> Gate:
        """Whether the frame of this time may be handed out; those of one look go together."""
        if self._frames % self._frames_per_look or time_s in self._seen:
            return Gate.OPEN
        if self._captions_left is not None and self._begun >= self._captions_left:
            return self._shut("the limit of captions")
        if self._budget.minutes_left() == 0:
            return self._shut("the limit of minutes")
        return Gate.OPEN if self._usd_left is None else self._money(self._usd_left)

    def count(self, time_s: float) -> None:
        """The frame of this time was handed out."""
        if self._frames % self._frames_per_look == 0 and time_s not in self._seen:
            self._begun += 1
            self._unanswered.add(time_s)
        self._frames += 1

    def note(self, time_s: float) -> None:
        """Something was said of the look that begins with the frame of this time."""
        self._unanswered.discard(time_s)

    def end(self) -> float | None:
        """Nothing more is said: looks that were under way when the minutes ended were given up.

        Returns:
            The time of the first of them; None where there is none.
        """
        minutes = self._budget.minutes_left()
        if minutes is None or minutes > ROUNDING_MINUTES or not self._unanswered:
            return None
        self.reached = self.reached or "the limit of minutes"
        return min(self._unanswered)

    def _money(self, usd_left: float) -> Gate:
        usage, before = self._usage(), self._before
        if usage.usd is None or before.usd is None:
            raise without_price(self._model, self._budget.limits)
        if usd_left == 0:
            return self._shut("the limit of US dollars")
        answered = usage.captions + usage.no_captions - before.captions - before.no_captions
        under_way = self._begun - answered - (usage.unanswered - before.unanswered)
        spent_usd = usage.usd - before.usd
        if answered == 0 and spent_usd < usd_left:
            return Gate.WAIT if under_way > 0 else Gate.OPEN
        # Replies bear what failed looks cost: what failed for nothing tells no price.
        answered = max(1, answered)
        # Within rounding: ten captions of a cent fit into ten cents.
        if spent_usd + (under_way + 1) * spent_usd / answered <= usd_left * (1 + 1e-9):
            return Gate.OPEN
        return Gate.WAIT if under_way > 0 else self._shut("the limit of US dollars")

    def _shut(self, reached: str) -> Gate:
        self.reached = reached
        return Gate.SHUT
