"""``Grounder``: watch a video once, ask it many times. The only place that builds real parts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from agent.errors import QueryError, VideoError
from agent.graph import Graph, Parts, build_graph
from agent.grounding import Cost, Grounding, Usage
from agent.models import (
    Choice,
    Confirm,
    choose_captioner,
    choose_reasoner,
    open_captioner,
    open_reasoner,
    with_an_eye_on,
)
from agent.reasoner import Reasoner
from agent.settings import Settings, load_settings
from agent.state import Question
from prompts.catalog import prompt_version
from tools.captioners.file import file_track
from tools.captioners.protocol import Metered, Promptable
from tools.content import content_id
from tools.embedder import Embedder, open_embedder
from tools.indexer import (
    Progress,
    Report,
    frame_track,
    index_captions_file,
    index_video,
    location,
)
from tools.prices import Usage as CaptioningUsage
from tools.store import CaptionStore, VideoRecord
from tools.video import probe

__all__ = ["Event", "Grounder", "Grounding", "Settings", "load_settings", "make_question"]

if TYPE_CHECKING:
    from types import TracebackType

    from tools.captioners.protocol import Captioner
    from tools.timeline import Caption, Interval, Track
    from tools.video import Video

Event = dict[str, Any]
"""A custom stream event of the graph: ``event``, ``node``, and what that event tells."""

_T = TypeVar("_T")


class _made_once(cached_property[_T]):  # noqa: N801  # it reads as the decorator that it extends
    """A cached property that racing threads make once; the plain one does not, since 3.12."""

    @overload
    def __get__(self, grounder: None, owner: type[Any] | None = None) -> Self: ...

    @overload
    def __get__(self, grounder: object, owner: type[Any] | None = None) -> _T: ...

    def __get__(self, grounder: Any, owner: type[Any] | None = None) -> Any:
        if grounder is None:
            return self
        with grounder._making:  # noqa: SLF001  # the lock of the class below
            return super().__get__(grounder, owner)


class Grounder:
    """Finds when things happen in videos.

    Nothing is opened or loaded before it is needed. Use it as a context manager, or ``close`` it,
    to let go of the store. Several threads may ask at the same time.

    Args:
        settings: Where things lie and who does what; by default from the environment.
        captioner: Describes frames; by default the one the settings name.
        reasoner: Decides from captions; by default the one the settings name.
        closer: Makes, for a query, a captioner that looks at frames with an eye on it; a text model
            can then have a few seconds described again. By default the captioner's own model, where
            it can be asked.
        tell: Told, in a line, what the user should know: who describes where nobody was named, or
            that something has to be waited for.
        confirm: Asked with a model's name and the bytes to fetch, before that is done; by default
            nothing is fetched.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        captioner: Captioner | None = None,
        reasoner: Reasoner | None = None,
        closer: Callable[[str], Captioner] | None = None,
        tell: Callable[[str], None] = lambda _: None,
        confirm: Confirm | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        self._given_captioner = captioner
        self._given_reasoner = reasoner
        self._given_closer = closer
        self._tell = tell
        self._confirm = confirm
        self._making = threading.RLock()
        self._describing = threading.RLock()

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
        question = make_question(video, query, captions)

        def report(progress: Progress) -> None:
            if on_event:
                on_event({"event": "progress", "node": "watch", **asdict(progress)})

        # In the caller's own thread: the graph would do it in another, which Ctrl-C does not stop.
        started_s = time.perf_counter()
        record, cost = self._answer_question(question, report=report)
        watched_s = time.perf_counter() - started_s
        question = question.model_copy(update={"video": record.video_id})
        answer: dict[str, Any] = {}
        update: Any
        for kind, update in self.graph.stream(question, stream_mode=["custom", "values"]):
            if kind == "values":
                answer = update
            elif on_event:
                on_event(update)
        grounding = Grounding.model_validate(answer["grounding"])
        stages, seconds = grounding.usage.stages, grounding.usage.seconds
        usage = Usage.of(
            stages | {"captioner": stages["captioner"].plus(cost)},
            seconds | {"watch": seconds["watch"] + watched_s},
        )
        return grounding.model_copy(update={"usage": usage})

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
        return self._watch(str(video), None if captions is None else Path(captions), report, "")[0]

    def records(self) -> list[VideoRecord]:
        """Every indexed track of every video."""
        return self.store.records()

    def resolve(self, video: str | Path) -> list[VideoRecord]:
        """The indexed tracks of one video, named by file, id, start of an id, or former path.

        Raises:
            VideoError: If it is neither a readable video nor an indexed one.
        """
        if _is_there(video):
            return self.store.records(probe(Path(video)).id)
        return self._by_name(str(video))

    def forget(self, video: str | Path) -> int:
        """Delete a video's captions from the store, never the file; returns how many there were."""
        records = self.resolve(video)
        return self.store.forget(records[0].video_id) if records else 0

    @_made_once
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
                closer=self._look_closer if self._can_look_closer() else None,
            )
        )

    @_made_once
    def embedder(self) -> Embedder:
        """The embedder that the settings name."""
        key = self.settings.openai_api_key
        return open_embedder(
            self.settings.embedder,
            cache=self.settings.cache_folder,
            api_key=key.get_secret_value() if key else None,
            base_url=self.settings.openai_base_url,
        )

    @_made_once
    def store(self) -> CaptionStore:
        """The caption store: embedded, or the Chroma server that the settings name."""
        url = self.settings.chroma_url
        return CaptionStore.open(
            self.settings.store_folder,
            embedder=self.settings.embedder,
            url=str(url) if url else None,
            on_wait=self._tell,
        )

    @_made_once
    def captioner(self) -> Captioner:
        """The captioner that the settings name, with the general prompt."""
        if self._given_captioner:
            return self._given_captioner
        return open_captioner(self.settings, self._captioner_choice.name, confirm=self._confirm)

    @_made_once
    def reasoner(self) -> Reasoner:
        """The reasoner that the settings name."""
        if self._given_reasoner:
            return self._given_reasoner
        choice = choose_reasoner(self.settings)
        if choice.why:
            self._tell(choice.why)
        return open_reasoner(self.settings, choice.name)

    @_made_once
    def _captioner_choice(self) -> Choice:
        return choose_captioner(self.settings)

    def close(self) -> None:
        """Let go of the store; the next question would open it again."""
        with self._making:
            self.__dict__.pop("graph", None)
            store: CaptionStore | None = self.__dict__.pop("store", None)
        if store:
            store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _answer_question(self, question: Question, *, report: Report) -> tuple[VideoRecord, Cost]:
        captions = Path(question.captions) if question.captions else None
        return self._watch(question.video, captions, report, question.query)

    def _can_look_closer(self) -> bool:
        """Whether there is an image model for it; it is not loaded to find out."""
        if self._given_closer or self._given_captioner:
            return bool(self._given_closer) or isinstance(self._given_captioner, Promptable)
        return self._captioner_choice.is_model

    def _look_closer(
        self, record: VideoRecord, query: str, span: Interval, *, rate_hz: float
    ) -> tuple[list[Caption], Cost]:
        from tools.closer import look_closer

        if self._given_closer:
            captioner = self._given_closer(query)
        else:
            captioner = with_an_eye_on(self.captioner, query)
        before = _metered(captioner)
        with self._describing:
            captions, made = look_closer(
                record,
                captioner,
                span,
                rate_hz=rate_hz,
                store=self.store,
                embedder=self.embedder,
            )
        return captions, _cost(made, before, _metered(captioner))

    def _watch(
        self, name: str, captions: Path | None, report: Report, query: str
    ) -> tuple[VideoRecord, Cost]:
        """The record to answer from, and what it took to make it complete.

        With the activity strategy the captions are those made for the query.
        """
        video = probe(Path(name)) if _is_there(name) else None
        records = self.store.records(video.id) if video else self._by_name(name)
        if video:
            records = [self._note_move(record, video.path) for record in records]
        if settled := self._settled(records, captions, query):
            return settled, Cost()
        # One video at a time: whoever waits for the same captions then finds them.
        with self._describing:
            records = self.store.records(video.id) if video else self._by_name(name)
            if settled := self._settled(records, captions, query):
                return settled, Cost()
            wanted = self._wanted_track(captions, query)
            video = video or self._found_again(name, records, wanted)
            return self._describe(video, captions, report, query, wanted)

    def _settled(
        self, records: list[VideoRecord], captions: Path | None, query: str
    ) -> VideoRecord | None:
        """The complete record to answer from, if there is one."""
        ready = [record for record in records if record.complete]
        if not captions and self._takes_what_is_there():
            # Captions of a file, or of an image model that was paid: they say more than signals do.
            seen = [record for record in ready if self._is_seen(record)]
            if seen:
                return max(seen, key=lambda record: record.indexed_at)
        if not ready:
            return None
        wanted = self._wanted_track(captions, query)
        return next((record for record in ready if record.track == wanted), None)

    def _takes_what_is_there(self) -> bool:
        """Whether nobody was named, nor anything else said of how to describe."""
        return (
            self.settings.captioner == "auto"
            and self.settings.strategy == "general"
            and not self._given_captioner
        )

    def _is_seen(self, record: VideoRecord) -> bool:
        track = record.track
        if track.mode == "file":
            return True
        by_model = Choice(track.model).is_model
        general = prompt_version("describe_general")
        mode = track.mode.startswith(f"{self.settings.mode}@")
        return by_model and mode and track.prompt_version in {"", general}

    def _describe(
        self, video: Video, captions: Path | None, report: Report, query: str, wanted: Track
    ) -> tuple[VideoRecord, Cost]:
        before = self.store.count(video.id, wanted)
        if captions:
            record = index_captions_file(
                video, captions, store=self.store, embedder=self.embedder, report=report
            )
            return record, Cost(captions=record.captions - before)
        captioner = self._describer(query)
        if self.settings.captioner == "auto" and not self._given_captioner:
            self._tell(self._captioner_choice.why)
        metered = _metered(captioner)
        record = index_video(
            video,
            captioner,
            rate_hz=self.settings.rate_hz,
            store=self.store,
            embedder=self.embedder,
            report=report,
        )
        return record, _cost(record.captions - before, metered, _metered(captioner))

    def _describer(self, query: str) -> Captioner:
        """Who describes frames, as the strategy says."""
        if self.settings.strategy == "general":
            return self.captioner
        if not query:
            raise QueryError(
                "the activity strategy shows the question to the image model, so that there is "
                "nothing to index before one is asked; ask one, or use --strategy general"
            )
        return with_an_eye_on(self.captioner, query)

    def _wanted_track(self, captions: Path | None, query: str) -> Track:
        """The track of the captions file, or of frames described as the settings say."""
        if captions:
            return file_track(captions)
        return frame_track(self._describer(query), self.settings.rate_hz)

    def _found_again(self, name: str, records: list[VideoRecord], wanted: Track) -> Video:
        """The video of these records, from where it was last seen, to caption what is missing."""
        for path in dict.fromkeys(Path(record.path) for record in records):
            if _is_there(path) and content_id(path) == records[0].video_id:
                return probe(path)
        has = sorted({_track_name(record.track) for record in records if record.complete})
        known = f"is indexed only by {', '.join(has)}" if has else "is indexed only in part"
        raise VideoError(
            f"{name} {known}, and its file is gone ({records[0].path}); give the file's new path "
            f"to have captions by {_track_name(wanted)}"
        )

    def _by_name(self, name: str) -> list[VideoRecord]:
        if exactly := self.store.records(name):
            return exactly
        known = self.store.records()
        path = str(location(Path(name)))
        ids = {
            record.video_id
            for record in known
            if record.path == path or (len(name) >= MIN_ID and record.video_id.startswith(name))
        }
        if len(ids) > 1:
            raise VideoError(
                f"{name} may be any of {len(ids)} indexed videos; give one's whole id: "
                f"{', '.join(sorted(ids))}"
            )
        if not ids:
            raise VideoError(
                f"there is no file {name}, and no indexed video of that path or id; "
                "`whenabouts list` shows those there are"
            )
        return [record for record in known if record.video_id in ids]

    def _note_move(self, record: VideoRecord, path: Path) -> VideoRecord:
        """Remember where the file lies now; its content says that it is the same video."""
        moved = record.at(location(path))
        if moved != record:
            self.store.put_record(moved)
        return moved


MIN_ID = 6
"""Characters of a video id that name it, if no other starts with them."""


def make_question(video: str | Path, query: str, captions: str | Path | None = None) -> Question:
    """A question that can be asked.

    Raises:
        QueryError: If the query is empty, or no text.
    """
    if not query.strip():
        raise QueryError('the query is empty; say what to look for, for example "a door opens"')
    if not _is_text(query):
        raise QueryError(f"the query {query!a} is not UTF-8 text; type it anew")
    return Question(
        video=str(video), query=query.strip(), captions=None if captions is None else str(captions)
    )


def _is_there(name: str | Path) -> bool:
    """Whether it names a file, also one that cannot be looked at: ``probe`` then says why.

    Raises:
        VideoError: If it is there, but its name is no text, so that no answer could name it.
    """
    try:
        if not Path(name).exists():
            return False
    except OSError:
        return True
    if not _is_text(str(name)):
        raise VideoError(f"the file name {str(name)!a} is not UTF-8; rename the file")
    return True


def _is_text(words: str) -> bool:
    """Whether it can be written as UTF-8: bytes that are not come in as halves of characters."""
    try:
        words.encode()
    except UnicodeEncodeError:
        return False
    return True


def _metered(captioner: Captioner) -> CaptioningUsage:
    """What a captioner has used so far: nothing, if it is free."""
    return captioner.usage if isinstance(captioner, Metered) else CaptioningUsage()


def _cost(made: int, before: CaptioningUsage, now: CaptioningUsage) -> Cost:
    """What making so many captions took, by the captioner's meter before and after."""
    is_known = before.usd is not None and now.usd is not None
    return Cost(
        captions=made,
        tokens_in=now.tokens_in - before.tokens_in,
        tokens_out=now.tokens_out - before.tokens_out,
        usd=now.usd - before.usd if is_known else None,  # type: ignore[operator]  # is_known
    )


def _track_name(track: Track) -> str:
    return f"{track.model} ({track.mode})"
