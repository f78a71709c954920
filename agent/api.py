"""``Grounder``: watch a video once, ask it many times. The only place that builds real parts."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from agent.errors import QueryError, SettingsError, VideoError
from agent.graph import Graph, Parts, build_graph
from agent.grounding import Grounding
from agent.reasoner import Reasoner, SimilarityReasoner
from agent.settings import Settings, load_settings
from agent.state import Question
from tools.captioners.file import file_track
from tools.embedder import Embedder, open_embedder
from tools.indexer import Report, frame_track, index_captions_file, index_video
from tools.store import CaptionStore, VideoRecord
from tools.video import probe

if TYPE_CHECKING:
    from types import TracebackType

    from tools.captioners.protocol import Captioner
    from tools.timeline import Caption, Interval, Track
    from tools.video import Video

Event = dict[str, Any]
"""A custom stream event of the graph: ``event``, ``node``, and what that event tells."""


class Grounder:
    """Finds when things happen in videos.

    Nothing is opened or loaded before it is needed. Use it as a context manager, or ``close`` it,
    to let go of the store.

    Args:
        settings: Where things lie and who does what; by default from the environment.
        captioner: Describes frames; by default the one the settings name.
        reasoner: Decides from captions; by default the one the settings name.
        closer: Makes, for a query, a captioner that looks at frames with an eye on it; a text model
            can then have a few seconds described again. None: no closer looks.
        on_wait: Told, in a line, when something has to be waited for.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        captioner: Captioner | None = None,
        reasoner: Reasoner | None = None,
        closer: Callable[[str], Captioner] | None = None,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        self._given_captioner = captioner
        self._given_reasoner = reasoner
        self._captioner_for = closer
        self._on_wait = on_wait

    def find(
        self,
        video: str | Path,
        query: str,
        *,
        captions: str | Path | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Grounding:
        """When does it happen? Captions are made first where they are missing.

        Args:
            video: A video file, or the id (or the start of it) of an indexed video.
            query: What to look for, in a sentence.
            captions: A captions file to answer from, in place of described frames.
            on_event: Receives the graph's progress events as they come.

        Raises:
            QueryError: If the query is empty.
            WhenaboutsError: If the video or the captions cannot be used; see ``agent.errors``.
        """
        question = ask(video, query, captions)
        answer: dict[str, Any] = {}
        update: Any
        for kind, update in self.graph.stream(question, stream_mode=["custom", "values"]):
            if kind == "values":
                answer = update
            elif on_event:
                on_event(update)
        return Grounding.model_validate(answer["grounding"])

    def watch(
        self,
        video: str | Path,
        *,
        captions: str | Path | None = None,
        report: Report = lambda _: None,
    ) -> VideoRecord:
        """Make sure that a video's captions are in the store, and say which track answers from it.

        Raises:
            WhenaboutsError: As ``find``. What was done before the error is kept.
        """
        return self._watch(str(video), None if captions is None else Path(captions), report)[0]

    def records(self) -> list[VideoRecord]:
        """Every indexed track of every video."""
        return self.store.records()

    def resolve(self, video: str | Path) -> list[VideoRecord]:
        """The indexed tracks of one video, named by file, id, start of an id, or former path.

        Raises:
            VideoError: If it is neither a readable video nor an indexed one.
        """
        if Path(video).exists():
            return self.store.records(probe(Path(video)).id)
        return self._by_name(str(video))

    def forget(self, video: str | Path) -> int:
        """Delete a video's captions from the store, never the file; returns how many there were."""
        records = self.resolve(video)
        return self.store.forget(records[0].video_id) if records else 0

    @cached_property
    def graph(self) -> Graph:
        """The compiled graph over this grounder's parts."""
        return build_graph(
            Parts(
                watch=self._answer_question,
                store=self.store,
                embedder=self.embedder,
                reasoner=self.reasoner,
                max_attempts=self.settings.max_attempts,
                max_look_ups=self.settings.max_look_ups,
                evidence_tokens=self.settings.evidence_tokens,
                closer=self._look_closer if self._captioner_for else None,
            )
        )

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder that the settings name."""
        key = self.settings.openai_api_key
        return open_embedder(
            self.settings.embedder,
            cache=self.settings.cache_folder,
            api_key=key.get_secret_value() if key else None,
            base_url=self.settings.openai_base_url,
        )

    @cached_property
    def store(self) -> CaptionStore:
        """The caption store: embedded, or the Chroma server that the settings name."""
        url = self.settings.chroma_url
        return CaptionStore.open(
            self.settings.store_folder,
            embedder=self.settings.embedder,
            url=str(url) if url else None,
            on_wait=self._on_wait,
        )

    @cached_property
    def captioner(self) -> Captioner:
        """The captioner that the settings name."""
        if self._given_captioner:
            return self._given_captioner
        if self.settings.captioner not in {"auto", "classical"}:
            raise SettingsError(
                f"there is no captioner {self.settings.captioner!r}; use auto or classical"
            )
        from tools.captioners.classical import ClassicalCaptioner

        read_text = self.settings.read_text
        if read_text is None:
            read_text = importlib.util.find_spec("rapidocr") is not None
        return ClassicalCaptioner(read_text=read_text)

    @cached_property
    def reasoner(self) -> Reasoner:
        """The reasoner that the settings name."""
        if self._given_reasoner:
            return self._given_reasoner
        if self.settings.reasoner in {"auto", "similarity"}:
            return SimilarityReasoner()
        from agent.llm_reasoner import LLMReasoner

        key = self.settings.openai_api_key
        return LLMReasoner(
            self.settings.reasoner,
            api_key=key.get_secret_value() if key else None,
            base_url=self.settings.openai_base_url,
        )

    def close(self) -> None:
        """Let go of the store."""
        if "store" in self.__dict__:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _answer_question(self, question: Question, *, report: Report) -> tuple[VideoRecord, int]:
        captions = Path(question.captions) if question.captions else None
        return self._watch(question.video, captions, report)

    def _look_closer(
        self, record: VideoRecord, query: str, span: Interval, *, rate_hz: float
    ) -> tuple[list[Caption], int]:
        from tools.closer import look_closer

        assert self._captioner_for is not None
        return look_closer(
            record,
            self._captioner_for(query),
            span,
            rate_hz=rate_hz,
            store=self.store,
            embedder=self.embedder,
        )

    def _watch(self, name: str, captions: Path | None, report: Report) -> tuple[VideoRecord, int]:
        """The record to answer from, and how many captions it took to make it complete."""
        video = probe(Path(name)) if Path(name).exists() else None
        records = self.store.records(video.id) if video else self._by_name(name)
        wanted = self._wanted_track(records, captions)
        for record in records:
            if record.track == wanted and record.complete:
                return self._note_move(record, video), 0
        if video is None:
            raise VideoError(
                f"{name} is indexed only in part, and its file is gone ({records[0].path}); "
                "give the file's new path to go on"
            )
        before = self.store.count(video.id, wanted)
        if captions:
            record = index_captions_file(
                video, captions, store=self.store, embedder=self.embedder, report=report
            )
        else:
            record = index_video(
                video,
                self.captioner,
                rate_hz=self.settings.rate_hz,
                store=self.store,
                embedder=self.embedder,
                report=report,
            )
        return record, record.captions - before

    def _wanted_track(self, records: list[VideoRecord], captions: Path | None) -> Track:
        """What was asked for; else captions that say more than signals do; else frames as set."""
        if captions:
            return file_track(captions)
        described = frame_track(self.captioner, self.settings.rate_hz)
        if self.settings.captioner != "auto" or self._given_captioner:
            return described
        from_files = [one for one in records if one.complete and one.track.mode == "file"]
        if from_files:
            return max(from_files, key=lambda record: record.indexed_at).track
        return described

    def _by_name(self, name: str) -> list[VideoRecord]:
        known = self.store.records()
        path = str(Path(name).absolute())
        ids = {
            record.video_id
            for record in known
            if record.path == path or (len(name) >= MIN_ID and record.video_id.startswith(name))
        }
        if len(ids) > 1:
            raise VideoError(f"{name} is the start of {len(ids)} indexed ids; give more of it")
        if not ids:
            raise VideoError(
                f"there is no file {name}, and no indexed video of that path or id; "
                "`whenabouts list` shows those there are"
            )
        return [record for record in known if record.video_id in ids]

    def _note_move(self, record: VideoRecord, video: Video | None) -> VideoRecord:
        """Remember where the file lies now; its content says that it is the same video."""
        if video is None or record.path == str(video.path.absolute()):
            return record
        moved = record.at(video.path)
        self.store.put_record(moved)
        return moved


MIN_ID = 6
"""Characters of a video id that name it, if no other starts with them."""


def ask(video: str | Path, query: str, captions: str | Path | None = None) -> Question:
    """A question that can be asked.

    Raises:
        QueryError: If the query is empty.
    """
    if not query.strip():
        raise QueryError('the query is empty; say what to look for, for example "a door opens"')
    return Question(
        video=str(video), query=query.strip(), captions=None if captions is None else str(captions)
    )
