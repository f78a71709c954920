"""The sense of sight: which joint model looks at frames, and what it has seen of each video."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.errors import SightError
from tools.grounding.other_frames import OtherFrames
from tools.half_numbers import widened
from tools.retrieval.sight_evidence import OF_TWO_MODELS, SightEvidence
from tools.retrieval.sight_scale import SightScale, scale_of
from tools.sight.frame_track import is_sight
from tools.sight.named_models import OFF, find_sight, open_sight, sights_on_disk
from tools.sight.words import SightWords
from tools.store.store import CaptionStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.settings import Settings
    from agent.watching.choice import Confirm
    from tools.indexing.progress import Report
    from tools.indexing.sight_first import SightFirst
    from tools.indexing.sight_pass import SightPass
    from tools.sight.joint_model import OnnxJointModel
    from tools.store.caption_rows import Read
    from tools.store.store import VideoRecord
    from tools.timeline import Track
    from tools.video.reader import Video

    Opened = tuple[OnnxJointModel, SightWords, CaptionStore]

OTHER_FRAMES = 256
"""Frames of other videos that a question is compared with, to know what likeness is usual."""

OTHER_VIDEOS = 16
KEPT_SAMPLES = 4 * OTHER_VIDEOS
"""Videos whose frames for that are kept: a few more than are others at a time."""

HITS = 200


@dataclass(frozen=True, slots=True)
class SeenVideo:
    """The frames of one video.

    Attributes:
        frames: In time order, with their vectors, shape ``(n, d)``; see ``CaptionStore.read``.
        evidence: Compares a question with them.
        model: Name of the joint model.
    """

    frames: Read
    evidence: SightEvidence
    model: str


def chosen_sight(settings: Settings, *, describes: bool) -> str:
    """The joint model that is used; empty for none.

    Args:
        settings: Name one, or leave it open.
        describes: Whether an image model describes frames.
    """
    if settings.sight == OFF:
        return ""
    if settings.sight != "auto":
        return settings.sight
    is_wanted = not describes or settings.strategy == "sight-first"
    return next(iter(sights_on_disk()), "") if is_wanted else ""


class Sight:
    """Looks at videos by the joint model that the settings mean, and reads what was seen.

    Several threads may ask at the same time.

    Args:
        settings: Name the model and the store.
        describes: Whether an image model describes frames.
        confirm: Asked before a model is fetched.
        tell: Receives, in a line, what is waited for.
    """

    by_picture = False
    """It is words that are asked for."""

    def __init__(
        self,
        settings: Settings,
        *,
        describes: Callable[[], bool],
        confirm: Confirm | None,
        tell: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._describes = describes
        self._confirm = confirm
        self._tell = tell
        self._opening = threading.RLock()
        self._opened: Opened | None = None
        self._samples: dict[tuple[str, Track, str, int], NDArray[np.float32]] = {}
        self._scale: SightScale | None = None
        self._choice: str | None = None

    @property
    def name(self) -> str:
        """The model as the settings mean it; empty for none."""
        with self._opening:
            if self._choice is None:
                self._choice = chosen_sight(self._settings, describes=self._describes())
            return self._choice

    @property
    def model(self) -> OnnxJointModel:
        """The model, opened; fetched before, if the user agrees.

        Raises:
            SightError: If it cannot be used.
        """
        return self._open()[0]

    def lacks(self, video: Video) -> bool:
        """Whether a video has not been seen by the model to its end.

        Raises:
            SightError: If the model cannot be used.
        """
        from tools.indexing.sight_pass import track_of

        opened = self._usable(lambda opened: opened[0].name)
        if not opened:
            return False
        model, _, store = opened
        track = track_of(model, self._settings.rate_hz)
        return not any(one.complete and one.track == track for one in store.records(video.id))

    def first(self, video: Video) -> SightFirst:
        """What chooses the frames of a video that an image model is shown.

        Raises:
            SightError, StoreError: If the model or the store cannot be used.
        """
        from tools.indexing.sight_first import SightFirst
        from tools.indexing.sight_pass import track_of

        model, _, store = self._open()
        frames, vectors = store.read(video.id, track_of(model, self._settings.rate_hz))
        starts_s = (frame.start_s for frame in frames)
        return SightFirst(model, dict(zip(starts_s, widened(vectors), strict=True)))

    def looking(
        self, video: Video, *, first: SightFirst | None = None
    ) -> AbstractContextManager[SightPass | None]:
        """What is to watch the frames of a video that is being described.

        Args:
            video: Which.
            first: What chooses frames, and so embeds them; None where nobody does.

        Raises:
            SightError: If the model cannot be used.
        """
        from tools.indexing.sight_pass import looking

        opened = self._usable(_look_once)
        if not opened:
            return nullcontext()
        model, _, store = opened
        known = first.known if first else {}
        return looking(video, model, rate_hz=self._settings.rate_hz, store=store, known=known)

    def look(self, video: Video, *, report: Report, go_on: Callable[[], None]) -> None:
        """Look at a video that has its captions, unless that was done.

        Raises:
            SightError, StoreError, VideoError: If it cannot be looked at.
        """
        if not self.lacks(video):
            return
        from tools.indexing.sight_pass import index_by_sight

        opened = self._usable(_look_once)
        if not opened:
            return
        model, _, store = opened
        index_by_sight(
            video,
            model,
            rate_hz=self._settings.rate_hz,
            store=store,
            report=report,
            go_on=go_on,
        )

    def records(self, video_id: str | None = None) -> list[VideoRecord]:
        """What the model has seen, of one video or of all; nothing is fetched for that."""
        opened = self._usable(lambda opened: opened[0].name) if self._is_here() else None
        return opened[2].records(video_id) if opened else []

    def read(self, video_id: str) -> SeenVideo | None:
        """The frames of a video, and what compares a question with them; None if there are none.

        Raises:
            SightError, StoreError: If they cannot be read.
        """
        ready = [one for one in self.records(video_id) if one.complete and is_sight(one.track)]
        opened = self._usable(lambda opened: self._scale_of(opened[0])) if ready else None
        if not opened:
            return None
        model, words, store = opened
        record = max(ready, key=lambda one: one.indexed_at)
        frames = store.read(video_id, record.track)
        if not frames[0]:
            return None
        others = self._others_than(record, frames[1])
        scale = self._scale_of(model)
        evidence = SightEvidence(
            words,
            OtherFrames(others, scale.texts, scale.match),
            latin_alone=model.reads_latin_alone,
        )
        return SeenVideo(frames, evidence, model.name)

    def likeliest(self, query: str, video_ids: Sequence[str]) -> list[str]:
        """Which of these videos have frames like what is asked for, the best first.

        Raises:
            SightError, StoreError: If a model that was asked for cannot be used, or the store.
        """

        def compared(opened: Opened) -> None:
            if opened[2].records() and not self._scale_of(opened[0]).match:
                raise SightError(f"{opened[0].name} {OF_TWO_MODELS}")
            opened[1].embed([query])

        opened = self._usable(compared)
        return self.near(opened[1].embed([query])[0], video_ids) if opened else []

    def unseen(self, video_ids: Sequence[str]) -> dict[str, str]:
        """Why frames say nothing of some of these videos: the model has not seen them."""
        opened = self._usable(lambda opened: opened[0].name) if self._is_here() else None
        if not opened:
            return {}
        seen = {one.video_id for one in opened[2].records() if one.complete}
        why = f"Its frames were not looked at by {opened[0].name}; index it with --sight."
        return {one: why for one in video_ids if one not in seen}

    def near(self, vector: NDArray[np.float32], video_ids: Sequence[str]) -> list[str]:
        """Which of these videos have frames near a vector, shape ``(d,)``, the best first."""
        hits = self._open()[2].search(vector, limit=HITS)
        wanted = set(video_ids)
        return list(dict.fromkeys(one.video_id for one, _ in hits if one.video_id in wanted))

    def close(self) -> None:
        """Let go of the store."""
        with self._opening:
            opened, self._opened = self._opened, None
            self._scale = None
            self._samples.clear()
        if opened:
            opened[2].close()

    def _is_here(self) -> bool:
        """Whether there is a model that needs not be fetched."""
        return bool(self.name) and (self._opened is not None or find_sight(self.name) is not None)

    def _usable(self, check: Callable[[Opened], object]) -> Opened | None:
        """The model and its store; None where there is none.

        Args:
            check: Tries what is wanted of it. What nobody asked for, and cannot be used, is told
                and left out: the other senses answer without it.

        Raises:
            SightError: If a model that was asked for cannot be used.
        """
        if not self.name:
            return None
        try:
            opened = self._open()
            check(opened)
        except SightError as exc:
            if self._settings.sight != "auto" or self._settings.strategy == "sight-first":
                raise
            self._tell(f"frames are not searched: {exc}; --sight off leaves it out")
            with self._opening:
                self._choice = ""
            return None
        return opened

    def _open(self) -> Opened:
        with self._opening:
            if self._opened is None:
                model = open_sight(self.name, confirm=self._confirm)
                url, token = self._settings.chroma_url, self._settings.chroma_token
                store = CaptionStore.open(
                    self._settings.store_folder,
                    embedder=model.name,
                    url=str(url) if url else None,
                    token=token.get_secret_value() if token else None,
                    on_wait=self._tell,
                )
                self._opened = model, SightWords(model), store
            return self._opened

    def _scale_of(self, model: OnnxJointModel) -> SightScale:
        with self._opening:
            if self._scale is None:
                self._scale = scale_of(model, self._settings.cache_folder)
            return self._scale

    def _others_than(
        self, record: VideoRecord, own: NDArray[np.floating[Any]]
    ) -> NDArray[np.float32]:
        """Frames of other videos, evenly from each; also its own where those are few."""
        store = self._open()[2]
        others = [
            one for one in store.records() if one.complete and one.video_id != record.video_id
        ][:OTHER_VIDEOS]
        each = max(1, OTHER_FRAMES // max(1, len(others)))
        some = [one for one in (self._some_of(other, each) for other in others) if len(one)]
        if sum(map(len, some)) < OTHER_FRAMES // 2:
            some.append(_evenly(own, OTHER_FRAMES))
        return np.concatenate(some)

    def _some_of(self, record: VideoRecord, most: int) -> NDArray[np.float32]:
        """A few frames of a video: nearly all videos have the same others, which are large."""
        key = record.video_id, record.track, record.indexed_at, most
        some = self._samples.get(key)
        if some is None:
            some = _evenly(self._open()[2].read(record.video_id, record.track)[1], most).copy()
            with self._opening:
                while len(self._samples) >= KEPT_SAMPLES:
                    self._samples.pop(next(iter(self._samples)))
                self._samples[key] = some
        return some


def _look_once(opened: Opened) -> None:
    """Loads the half for pictures: that it is damaged is known before a video is decoded."""
    opened[0].embed_pictures([np.zeros((8, 8, 3), np.uint8)])


def _evenly(vectors: NDArray[np.floating[Any]], most: int) -> NDArray[np.float32]:
    return widened(vectors[:: max(1, -(-len(vectors) // most))])
