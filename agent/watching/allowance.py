"""What one run may cost: its videos, closer looks and text model share the same limits."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from agent.errors import CaptionerError, ReasonerError
from agent.grounding import Cost
from agent.settings import Settings
from tools.indexing.limits import Limits


class UsedUpError(CaptionerError):
    """Nothing more may be described in this run; the message says which limit was reached."""


class WithheldError(ReasonerError):
    """The text model was not asked, since a limit of this run did not allow it."""


class Allowance:
    """Keeps one run within the limits of the settings.

    Args:
        settings: Say what they are.
        clock: Tells seconds.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._captions = settings.max_captions
        self._usd = settings.max_usd
        self._minutes = settings.max_minutes
        self._clock = clock
        self._start_s = clock()
        self._spent = Cost()
        self._replies_usd = 0.0

    def spend(self, cost: Cost) -> None:
        """Note what describing cost."""
        self._spent = self._spent.plus(cost)

    def spend_reply(self, usd: float | None) -> None:
        """Note what a reply of the text model cost, in US dollars, where that is known."""
        self._replies_usd += usd or 0.0

    def minutes_left(self) -> float | None:
        """None where they are not limited; 0 where they are used up."""
        if self._minutes is None:
            return None
        return max(0.0, self._minutes - (self._clock() - self._start_s) / 60)

    def left(self, *, captions: bool = True) -> Limits:
        """The limits of what comes next.

        Args:
            captions: Whether captions come next, whose number may be limited too.

        Raises:
            UsedUpError: If one of them is reached.
        """
        minutes_left = self.minutes_left()
        if captions and self._captions is not None and self._spent.captions >= self._captions:
            raise UsedUpError(f"the {self._captions} captions of this run are used up")
        if minutes_left == 0:
            raise UsedUpError(f"the {self._minutes:g} minutes of this run are used up")
        # Where the price is not known, the limit cannot be enforced; the captioner says so.
        spent_usd = (self._spent.usd or 0.0) + self._replies_usd
        if self._usd is not None and spent_usd >= self._usd:
            raise UsedUpError(f"the {self._usd:g} US dollars of this run are used up")
        most = self._captions if captions else None
        return Limits(
            max_captions=None if most is None else most - self._spent.captions,
            max_usd=None if self._usd is None else self._usd - spent_usd,
            max_minutes=minutes_left,
        )

    def check(self, looks: int, *, usd_each: Callable[[], float | None]) -> None:
        """Make sure that a closer look is within what is left.

        Args:
            looks: Frames, grids or clips to be described.
            usd_each: What one costs, about, where this run has not paid for any yet; None where
                that is not known.

        Raises:
            UsedUpError: If it is not; says what it would take and what is left.
        """
        try:
            left = self.left()
        except UsedUpError as exc:
            raise UsedUpError(f"no closer look: {exc}") from None
        if left.max_captions is not None and looks > left.max_captions:
            raise UsedUpError(
                f"no closer look: it takes {looks} captions, and {left.max_captions} are left"
            )
        if left.max_usd is None:
            return
        paid_usd = self._spent.usd
        each_usd = paid_usd / self._spent.captions if paid_usd else usd_each()
        if each_usd is None or paid_usd is None:
            raise UsedUpError(
                f"no closer look: its price is not known, so the limit of {self._usd:g} US dollars "
                "cannot be enforced"
            )
        if looks * each_usd > left.max_usd:
            raise UsedUpError(
                f"no closer look: it costs about ${looks * each_usd:.4f}, and "
                f"${left.max_usd:.4f} are left"
            )

    def check_reply(self, usd: float | None) -> None:
        """Make sure that a reply of the text model is within what is left.

        Args:
            usd: What it costs at most; None where that is not known.

        Raises:
            WithheldError: If it is not; says what it would take and what is left.
        """
        try:
            # Captions are what was described; a reply describes nothing.
            left = self.left(captions=False)
        except UsedUpError as exc:
            raise WithheldError(str(exc)) from None
        if left.max_usd is None:
            return
        if usd is None:
            raise WithheldError(
                f"its price is not known, so the limit of {self._usd:g} US dollars cannot be "
                "enforced (WHENABOUTS_PRICES names a file of prices)"
            )
        if usd > left.max_usd:
            raise WithheldError(f"a reply costs up to ${usd:.4f}, and ${left.max_usd:.4f} are left")


class Runs:
    """Which allowance applies now: that of the run under way, or that of a new run.

    Args:
        settings: Say what a run may cost.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @contextmanager
    def one(self) -> Iterator[None]:
        """All that is done inside is one run; a run inside of another one is a part of it."""
        under_way = _UNDER_WAY.get()
        if self in under_way:
            yield
            return
        begun = _UNDER_WAY.set({**under_way, self: Allowance(self._settings)})
        try:
            yield
        finally:
            _UNDER_WAY.reset(begun)

    def allowance(self) -> Allowance:
        """That of the run under way; a new one where none is."""
        return _UNDER_WAY.get().get(self) or Allowance(self._settings)


_UNDER_WAY: ContextVar[Mapping[Runs, Allowance]] = ContextVar("runs_under_way", default={})  # noqa: B039  # never changed, only replaced
