"""Further work on a described video that a question may need: closer looks, scene summaries."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import CaptionerError, SettingsError, UnansweredError, WithheldError
from agent.grounding import Cost
from agent.reasoning.brief import Converses
from agent.reasoning.scene_overview import TextModelSummaries, overview_of
from agent.watching.choice import means_model, with_an_eye_on
from agent.watching.edge_looks import look_at_edge
from agent.watching.forecast import usd_of_caption
from agent.watching.model_costs import cost_between, metered
from agent.watching.runs import Runs
from agent.watching.watcher import UnderWay
from tools.captioners.protocol import Interruptible, Promptable
from tools.indexing.scene_summaries import LONG_S

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from agent.reasoning.edge_reply import EdgeLook, EdgeLooks
    from agent.reasoning.look_ups import Closer
    from agent.settings import Settings
    from agent.watching.opened import Opened
    from prompts.catalog import Prompts
    from tools.captioners.protocol import Captioner
    from tools.llm.budget import Budget
    from tools.store.store import VideoRecord
    from tools.timeline import Caption, Interval


class SecondLooks:
    """Looks at described videos again for a question. Several threads may ask at the same time.

    Args:
        settings: Who looks, and how.
        opened: The store, and who describes and embeds.
        prompts: What models are told.
        given_closer: Makes, for a query, a captioner that looks for it.
        runs: Keep what is done within the limits of a run.
        describing: Held while a video is described: one at a time.
        under_way: The work that this is done for.
        tell: Receives, in a line, what is not done, and why.
        name_host: Called with a captioner's name before frames are described by it.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Opened,
        *,
        prompts: Prompts,
        given_closer: Callable[[str], Captioner] | None,
        runs: Runs,
        describing: AbstractContextManager[object],
        under_way: Callable[[], UnderWay],
        tell: Callable[[str], None],
        name_host: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._prompts = prompts
        self._given_closer = given_closer
        self._runs = runs
        self._describing = describing
        self._under_way = under_way
        self._tell = tell
        self._name_host = name_host

    @property
    def closer(self) -> Closer | None:
        """Who looks closer; None without an image model. No model is asked or loaded here."""
        given = self._opened.given_captioner
        if self._given_closer or given:
            can = bool(self._given_closer) or isinstance(given, Promptable)
        else:
            can = means_model(self._settings) or self._settings.refine is True
        return self._look_closer if can else None

    @property
    def edge_looks(self) -> EdgeLooks | None:
        """Who looks at several frames around an edge together; None without an image model."""
        return self._look_at_edge if self.closer else None

    def overview(
        self, record: VideoRecord, captions: Sequence[Caption], vectors: NDArray[np.float32]
    ) -> tuple[list[Caption], Cost]:
        """The scenes of a long video, summed up once by the reasoner's model.

        None where nobody would read them.
        """
        model = self._opened.reasoner
        if not isinstance(model, Converses) or self._settings.context == "all":
            return [], Cost()
        by = TextModelSummaries(model, self._prompts)
        try:
            scenes = overview_of(
                record,
                captions,
                vectors,
                store=self._opened.store,
                embedder=self._opened.embedder,
                summariser=lambda: by,
                longer_than_s=0.0 if self._settings.context == "scenes" else LONG_S,
            )
        except (WithheldError, UnansweredError) as exc:
            self._tell(f"the scenes are not summed up: {exc}")
            scenes = []
        return scenes, by.cost

    def _who_looks(self, query: str) -> Captioner:
        """Who looks closer.

        Raises:
            CaptionerError: If nobody can: the answer then stands as it is.
        """
        if self._given_closer:
            return self._given_closer(query)
        try:
            captioner = self._opened.captioner
        except SettingsError as exc:
            raise CaptionerError(str(exc)) from exc
        if not isinstance(captioner, Promptable):
            return captioner
        return with_an_eye_on(captioner, query, prompts=self._prompts)

    def _look_at_edge(self, record: VideoRecord, query: str, span: Interval) -> EdgeLook | None:
        from tools.indexing.closer_look import frames_across

        captioner, budget, usd_each = self._ready(record, query)
        work = self._under_way()

        def allow(requests: int) -> None:
            work.go_on()
            budget.check_look(requests, usd_each=usd_each)

        with self._describing, work.in_order():
            return look_at_edge(
                captioner,
                record,
                query,
                span,
                frames_of=frames_across,
                store=self._opened.store,
                embedder=self._opened.embedder,
                prompts=self._prompts,
                allow=allow,
                spend=lambda cost: budget.spend_captions(cost.captions, cost.usd),
            )

    def _look_closer(
        self, record: VideoRecord, query: str, span: Interval, *, rate_hz: float
    ) -> tuple[list[Caption], Cost]:
        from tools.indexing.closer_look import look_closer

        captioner, budget, usd_each = self._ready(record, query)
        work, before = self._under_way(), metered(captioner)
        with self._describing, work.in_order():
            captions, made = look_closer(
                record,
                captioner,
                span,
                rate_hz=rate_hz,
                store=self._opened.store,
                embedder=self._opened.embedder,
                allow=lambda looks: budget.check_look(looks, usd_each=usd_each),
                go_on=work.go_on,
            )
            cost = cost_between(made, before, metered(captioner))
            budget.spend_captions(cost.captions, cost.usd)
        return captions, cost

    def _ready(
        self, record: VideoRecord, query: str
    ) -> tuple[Captioner, Budget, Callable[[], float | None]]:
        """Who looks, held to the minutes of the run; what may be spent; and what a look costs."""
        captioner, budget = self._who_looks(query), self._runs.budget()
        self._name_host(captioner.model)
        minutes = budget.minutes_left()
        if minutes is not None and isinstance(captioner, Interruptible):
            captioner = captioner.until(time.monotonic() + 60 * minutes)

        def usd_each() -> float | None:
            known, _ = self._opened.store.read(record.video_id, record.track)
            return usd_of_caption(
                Path(record.path), captioner, self._settings, prompts=self._prompts, captions=known
            )

        return captioner, budget, usd_each
