"""What one run may spend, in captions, dollars and minutes, and what it has spent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.errors import UsedUpError
from tools.text import counted


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a run ends, however much is left to do; None is no limit.

    Attributes:
        max_captions: Frames, grids or clips described, and frames that a model is shown with a
            question.
        max_usd: US dollars spent. As long as nothing is known of what a caption costs, only one is
            asked for; from then on as many as the mean so far leaves room for. So it is passed by
            no more than the last ones cost above the mean.
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


NO_LIMITS = Limits()


class Budget:
    """Keeps one run within its limits. Its minutes begin when it is made.

    Args:
        limits: What the run may spend.
        clock: Tells seconds.
    """

    def __init__(
        self, limits: Limits = NO_LIMITS, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits
        self._clock = clock
        self._start_s = clock()
        self._captions = 0
        self._captions_usd: float | None = 0.0
        self._replies_usd = 0.0
        self._frames = 0

    def spend_captions(self, captions: int, usd: float | None) -> None:
        """Note what describing took, in US dollars; once unknown they stay unknown."""
        self._captions += captions
        paid_usd = self._captions_usd
        self._captions_usd = None if usd is None or paid_usd is None else paid_usd + usd

    def spend_reply(self, usd: float | None) -> None:
        """Note what a reply of the text model took, in US dollars, where that is known."""
        self._replies_usd += usd or 0.0

    def spend_frames(self, frames: int, usd: float | None) -> None:
        """Note frames that a model was shown with a question, and US dollars where known."""
        self._frames += frames
        self._replies_usd += usd or 0.0

    def captions_left(self) -> int | None:
        """None where they are not limited; 0 where they are used up."""
        most = self.limits.max_captions
        return None if most is None else max(0, most - self._captions - self._frames)

    def usd_left(self) -> float | None:
        """None where they are not limited; 0 where they are used up."""
        most_usd = self.limits.max_usd
        # Where the price is not known, the limit cannot be enforced; the captioner says so.
        spent_usd = (self._captions_usd or 0.0) + self._replies_usd
        return None if most_usd is None else max(0.0, most_usd - spent_usd)

    def minutes_left(self) -> float | None:
        """None where they are not limited; 0 where they are used up."""
        most = self.limits.max_minutes
        return None if most is None else max(0.0, most - (self._clock() - self._start_s) / 60)

    def check_captions(self) -> None:
        """Make sure that something may be described.

        Raises:
            UsedUpError: If not; says which limit was reached.
        """
        if self.captions_left() == 0:
            most = self.limits.max_captions or 0
            are = "is" if most == 1 else "are"
            raise UsedUpError(f"the {counted(most, 'caption')} of this run {are} used up")
        self._check_minutes_and_usd()

    def check_look(self, looks: int, *, usd_each: Callable[[], float | None]) -> None:
        """Make sure that a closer look is within what is left.

        Args:
            looks: Frames, grids or clips to be described.
            usd_each: What one costs, about, where this run has not paid for any yet; None where
                that is not known.

        Raises:
            UsedUpError: If it is not; says what it would take and what is left.
        """
        try:
            self.check_captions()
        except UsedUpError as exc:
            raise UsedUpError(f"no closer look: {exc}") from None
        captions_left, usd_left = self.captions_left(), self.usd_left()
        if captions_left is not None and looks > captions_left:
            raise UsedUpError(
                f"no closer look: it takes {counted(looks, 'caption')}, and {captions_left} "
                f"{'is' if captions_left == 1 else 'are'} left"
            )
        if usd_left is None:
            return
        paid_usd = self._captions_usd
        each_usd = paid_usd / self._captions if paid_usd else usd_each()
        if each_usd is None or paid_usd is None:
            raise UsedUpError(
                f"no closer look: its price is not known, so the limit of {self.limits.max_usd:g} "
                "US dollars cannot be enforced"
            )
        if looks * each_usd > usd_left:
            raise UsedUpError(
                f"no closer look: it costs about ${looks * each_usd:.4f}, and "
                f"${usd_left:.4f} are left"
            )

    def check_reply(self, usd: float | None) -> None:
        """Make sure that a reply of the text model is within what is left.

        Args:
            usd: What it costs at most; None where that is not known.

        Raises:
            UsedUpError: If it is not; says what it would take and what is left.
        """
        # Captions are what was described; a reply describes nothing.
        self._check_minutes_and_usd()
        usd_left = self.usd_left()
        if usd_left is None:
            return
        if usd is None:
            raise UsedUpError(
                f"its price is not known, so the limit of {self.limits.max_usd:g} US dollars "
                "cannot be enforced (WHENABOUTS_PRICES names a file of prices)"
            )
        if usd > usd_left:
            raise UsedUpError(f"a reply costs up to ${usd:.4f}, and ${usd_left:.4f} are left")

    def check_frames(self, frames: int, usd: float | None) -> None:
        """Make sure that a model may be shown frames and asked about them.

        Args:
            frames: Of all requests together.
            usd: What these cost at most; None where that is not known.

        Raises:
            UsedUpError: If not; says what it would take and what is left.
        """
        self.check_reply(usd)
        left = self.captions_left()
        if left is not None and frames > left:
            raise UsedUpError(
                f"it would be shown {counted(frames, 'frame')}, and the limit of "
                f"{counted(self.limits.max_captions or 0, 'caption')} leaves {left}"
            )

    def _check_minutes_and_usd(self) -> None:
        if self.minutes_left() == 0:
            most = self.limits.max_minutes
            used = "minute of this run is" if most == 1 else "minutes of this run are"
            raise UsedUpError(f"the {most:g} {used} used up")
        if self.usd_left() == 0:
            raise UsedUpError(f"the {self.limits.max_usd:g} US dollars of this run are used up")
