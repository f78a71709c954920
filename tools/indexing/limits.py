"""Limits of what one run may ask of a captioner, in captions, dollars and minutes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from enum import Enum

from tools.errors import CaptionerError
from tools.llm.prices import Usage


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a run ends, however much is left; None is no limit.

    Attributes:
        max_captions: Frames, grids or clips described.
        max_usd: US dollars spent on them. As long as nothing is known of what one costs, only one
            is asked for; from then on as many as the mean so far leaves room for. So the limit is
            exceeded by no more than the last ones cost above the mean.
        max_minutes: Minutes; what is under way then is waited for.

    Raises:
        ValueError: If one is not a positive, finite number.
    """

    max_captions: int | None = None
    max_usd: float | None = None
    max_minutes: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_captions", "max_usd", "max_minutes"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be positive and finite, not {value}")

    def after(self, spent_s: float) -> Limits:
        """What is left of them when this many seconds have passed without describing anything."""
        if self.max_minutes is None:
            return self
        return replace(self, max_minutes=max(1e-9, self.max_minutes - spent_s / 60))


def without_price(model: str, max_usd: float) -> CaptionerError:
    """That a limit of dollars cannot be kept."""
    return CaptionerError(
        f"the price of {model} is not known, so the limit of {max_usd:g} US dollars cannot be "
        "kept; give the price in a file that WHENABOUTS_PRICES names, or limit the captions "
        "(--max-captions)"
    )


class Gate(Enum):
    """Whether the next frame may be handed out."""

    OPEN = "now"
    WAIT = "not yet"
    SHUT = "no more in this run"


class Budget:
    """Holds one run within its limits.

    Where dollars are limited, frames may be held back until earlier ones are answered; so the
    captioner must ask for what it has before it waits for more.

    Args:
        limits: What they are.
        frames_per_look: How many frames the captioner is shown at a time.
        seen: Times of looks that cost nothing, since they are described already.
        usage: What the captioner has used so far.
        model: Its name, for the error.

    Attributes:
        reached: Which limit ended the run, in a few words; empty while none did.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        frames_per_look: int,
        seen: Container[float],
        usage: Callable[[], Usage],
        model: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._frames_per_look = frames_per_look
        self._seen = seen
        self._usage = usage
        self._model = model
        self._clock = clock
        self._start_s = clock()
        self._before = usage()
        self._frames = 0
        self._begun = 0
        self.reached = ""

    def gate(self, time_s: float) -> Gate:
        """Whether the frame of this time may be handed out; those of one look go together."""
        if self._frames % self._frames_per_look or time_s in self._seen:
            return Gate.OPEN
        limits, spent_s = self._limits, self._clock() - self._start_s
        if limits.max_captions is not None and self._begun >= limits.max_captions:
            return self._shut("the limit of captions")
        if limits.max_minutes is not None and spent_s >= 60 * limits.max_minutes:
            return self._shut("the limit of minutes")
        return Gate.OPEN if limits.max_usd is None else self._money(limits.max_usd)

    def count(self, time_s: float) -> None:
        """The frame of this time was handed out."""
        if self._frames % self._frames_per_look == 0:
            self._begun += time_s not in self._seen
        self._frames += 1

    def _money(self, max_usd: float) -> Gate:
        usage, before = self._usage(), self._before
        if usage.usd is None or before.usd is None:
            raise without_price(self._model, max_usd)
        answered = usage.captions + usage.no_captions - before.captions - before.no_captions
        under_way = self._begun - answered
        if answered == 0:
            return Gate.WAIT if under_way else Gate.OPEN
        spent_usd = usage.usd - before.usd
        # Within rounding: ten captions of a cent fit into ten cents.
        if spent_usd + (under_way + 1) * spent_usd / answered <= max_usd * (1 + 1e-9):
            return Gate.OPEN
        return Gate.WAIT if under_way > 0 else self._shut("the limit of US dollars")

    def _shut(self, reached: str) -> Gate:
        self.reached = reached
        return Gate.SHUT
