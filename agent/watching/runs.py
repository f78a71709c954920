"""Which budget holds just now: videos, closer looks and text model of one run share it.

They also share what is known of services that are down.
"""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from agent.settings import Settings
from tools.llm.budget import Budget, Limits
from tools.llm.outage import outages_noted


class Runs:
    """The budget of the run under way, or one of a run of its own.

    Args:
        settings: Say what a run may cost.
    """

    def __init__(self, settings: Settings) -> None:
        self._limits = Limits(settings.max_captions, settings.max_usd, settings.max_minutes)

    @contextmanager
    def one(self) -> Iterator[None]:
        """All that is done inside is one run; a run inside of another one is a part of it."""
        under_way = _UNDER_WAY.get()
        if self in under_way:
            yield
            return
        begun = _UNDER_WAY.set({**under_way, self: Budget(self._limits)})
        try:
            with outages_noted():
                yield
        finally:
            _UNDER_WAY.reset(begun)

    def budget(self) -> Budget:
        """That of the run under way; a new one where none is."""
        return _UNDER_WAY.get().get(self) or Budget(self._limits)

    def until(self) -> float:
        """When the minutes of that run are over, on the monotonic clock; infinite for no limit."""
        minutes = self.budget().minutes_left()
        return math.inf if minutes is None else time.monotonic() + 60 * minutes


_UNDER_WAY: ContextVar[Mapping[Runs, Budget]] = ContextVar("runs_under_way", default={})  # noqa: B039  # never changed, only replaced
