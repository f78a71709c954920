"""What a question may have done to a video that is described: look closer, sum up, show frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import CaptionerError, ReasonerError, SettingsError
from agent.reasoning.scene_overview import Converses, TextModelSummaries, overview_of
from agent.watching.allowance import Allowance, WithheldError
from agent.watching.choice import means_model, with_an_eye_on
from agent.watching.forecast import usd_of_caption
from agent.watching.watcher import cost_between, metered
from tools.captioners.protocol import Promptable
from tools.indexing.scene_summaries import LONG_S

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from agent.grounding import Cost
    from agent.reasoning.brief import Reasoner
    from agent.reasoning.look_ups import Closer
    from agent.reasoning.scene_overview import Overview
    from agent.settings import Settings
    from tools.captioners.protocol import Captioner
    from tools.retrieval.tracks import Opened
    from tools.store.store import VideoRecord
    from tools.timeline import Caption, Interval


class SecondLooks:
    """Comes back to videos for a question. Several threads may ask at the same time.

    Args:
        settings: Who looks, and how.
        opened: The store, and who describes and embeds.
        given: A captioner that was given in place of the one the settings name.
        given_closer: Makes, for a query, a captioner that looks with an eye on it.
        allowance: Of the run under way.
        describing: Held while a video is described: one at a time.
        tell: Told, in a line, what is not done, and why.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Opened,
        *,
        given: Captioner | None,
        given_closer: Callable[[str], Captioner] | None,
        allowance: Callable[[], Allowance],
        describing: AbstractContextManager[object],
        tell: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._given = given
        self._given_closer = given_closer
        self._allowance = allowance
        self._describing = describing
        self._tell = tell

    @property
    def closer(self) -> Closer | None:
        """Who looks closer; None without an image model: nobody is asked, and none loaded."""
        if self._given_closer or self._given:
            can = bool(self._given_closer) or isinstance(self._given, Promptable)
        else:
            can = means_model(self._settings) or self._settings.refine is True
        return self._look_closer if can else None

    def overview_by(self, reasoner: Reasoner) -> Overview | None:
        """Who sums scenes up: the reasoner's model; None where nobody would read it."""
        if not isinstance(reasoner, Converses) or self._settings.context == "all":
            return None
        model = reasoner

        def overview(
            record: VideoRecord, captions: Sequence[Caption], vectors: NDArray[np.float32]
        ) -> tuple[list[Caption], Cost]:
            return self._sum_up(model, record, captions, vectors)

        return overview

    def frames_of(self, captions: Sequence[Caption]) -> dict[float, bytes]:
        """JPEG pictures of the frames that captions stand for, by time; one pass over the video.

        Raises:
            ReasonerError: If they are of no frames, or the file is another video by now.
            VideoError: If it is gone or cannot be read.
        """
        from tools.captioners.looks import encode_jpeg
        from tools.indexing.same_video import shows
        from tools.video.reader import FrameReader, probe

        if not captions:
            return {}
        record = next(
            record
            for record in self._opened.store.records(captions[0].video_id)
            if record.track == captions[0].track
        )
        if record.rate_hz is None:
            raise ReasonerError(
                f"the captions of {record.path} are no frames that could be shown; index it with "
                "--captioner none"
            )
        wanted = {caption.start_s for caption in captions}
        video = probe(Path(record.path))
        if not shows(record, video.path):
            raise ReasonerError(f"the file {record.path} is another video by now; index that one")
        limit = 1000 * self._settings.max_image_kb
        return {
            frame.time_s: encode_jpeg(frame.image, max_bytes=limit)
            for frame in FrameReader(video, rate_hz=record.rate_hz)
            if frame.time_s in wanted
        }

    def _sum_up(
        self,
        model: Converses,
        record: VideoRecord,
        captions: Sequence[Caption],
        vectors: NDArray[np.float32],
    ) -> tuple[list[Caption], Cost]:
        """The scenes of a long video, done once."""
        by = TextModelSummaries(model)
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
        except WithheldError as exc:
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
        return with_an_eye_on(captioner, query) if isinstance(captioner, Promptable) else captioner

    def _look_closer(
        self, record: VideoRecord, query: str, span: Interval, *, rate_hz: float
    ) -> tuple[list[Caption], Cost]:
        from tools.indexing.closer_look import look_closer

        captioner, store = self._who_looks(query), self._opened.store
        before = metered(captioner)
        allowance = self._allowance()

        def usd_each() -> float | None:
            known, _ = store.read(record.video_id, record.track)
            return usd_of_caption(Path(record.path), captioner, self._settings, captions=known)

        with self._describing:
            captions, made = look_closer(
                record,
                captioner,
                span,
                rate_hz=rate_hz,
                store=store,
                embedder=self._opened.embedder,
                allow=lambda looks: allowance.check(looks, usd_each=usd_each),
            )
            cost = cost_between(made, before, metered(captioner))
            allowance.spend(cost)
        return captions, cost
