"""``ChatSession``: a conversation about videos, over a ``Grounder``. For any front door."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel, ConfigDict

from agent.chat.access import GrounderAccess, VideoAccess
from agent.chat.follow_up import ChatError, find_video
from agent.chat.memory import ChatMemory, ThreadInUseError, unusable
from agent.chat.turn_graph import ChatGraph, Said, TurnContext, build_chat_graph
from agent.chat.turns import ChatAnswer, TurnRefusal, focus, latest_focus
from agent.errors import QueryError, WhenaboutsError
from agent.graph.cancelling import Background
from agent.graph.events import Event, read_event
from agent.graph.thread_files import forget_threads
from agent.reasoning.brief import Converses
from agent.watching.indexed import is_there
from tools.text import is_text
from tools.video.identity import location

if TYPE_CHECKING:
    from types import TracebackType

    from agent.api import Grounder

LEFT_TURN_S = 1.0
"""How long the end of a chat waits for a cancelled turn to stop."""


class Understood(BaseModel):
    """How a turn was read, told before it is answered; plain ones need no earlier turn."""

    model_config = ConfigDict(frozen=True)

    words: str
    by: Literal["llm", "grammar", "fallback"]
    is_plain: bool


ChatEvent = Event | TurnRefusal | Understood
"""The events of a search, and two more: a model's reading was refused; the turn was understood."""


class ChatSession:
    """A conversation with memory.

    Questions are asked one after the other. Where the memory cannot be used, the conversation
    continues without it. Use it as a context manager, or ``close`` it; the grounder stays open.

    Args:
        grounder: Finds; where its reasoner is a text model, that model reads the turns as well.
        thread: Name of the conversation; one that is remembered is continued.
        videos: Files, or ids of indexed videos; the first is the current one. None: those that the
            thread was about, the one asked last being the current one.
        captions: A captions file to answer from.
        clips: Folder that clips are written to; by default the working directory.
        tell: Receives, in a line, what the user should know.
        access: Used in place of the grounder's own access to videos.
        earlier: Turns to go on from; this conversation is then not remembered on the disk.

    Raises:
        ThreadInUseError: If the same conversation is open elsewhere.
    """

    def __init__(
        self,
        grounder: Grounder,
        *,
        thread: str,
        videos: Sequence[str | Path] = (),
        captions: str | Path | None = None,
        clips: Path | None = None,
        tell: Callable[[str], None] = lambda _: None,
        access: VideoAccess | None = None,
        earlier: Sequence[ChatAnswer] | None = None,
    ) -> None:
        self.thread = thread
        self.videos: list[str] = []
        self.current = ""
        self._grounder = grounder
        self._tell = tell
        self._access = access or GrounderAccess(
            grounder,
            captions=Path(captions) if captions else None,
            clips=clips or Path.cwd(),
            thread=thread,
            say=tell,
        )
        self._graph: ChatGraph | None = None
        self._turn: Background[ChatEvent, ChatAnswer] | None = None
        self._memory: ChatMemory | None = None
        try:
            if earlier is None:
                self._memory = ChatMemory(grounder.settings.chats_file, thread)
        except ThreadInUseError:
            raise
        except ChatError as exc:
            tell(str(exc))
        self._saver: Any = self._memory.saver if self._memory else InMemorySaver()
        self.turns: list[ChatAnswer] = []
        self._last_videos: list[str] = []
        self._last_current = ""
        if earlier is None:
            self._recall()
        else:
            self._go_on_from(earlier)
        for video in videos:
            self._add_or_tell(str(video))
        if not videos:
            self._add_remembered()
        self._recalled = self.turns[-1].turn if self.turns else 0
        asked_last = self._last_current if not videos else ""
        self.current = asked_last if asked_last in self.videos else (self.videos or [""])[0]

    @property
    def recalled(self) -> int:
        """Number of the last turn that was remembered when this session began; 0 for a new one."""
        return self._recalled

    @property
    def known_threads(self) -> list[str]:
        """Names of the remembered conversations, the latest first."""
        try:
            return self._memory.threads() if self._memory else []
        except sqlite3.Error:
            return []

    @property
    def is_remembered(self) -> bool:
        """Whether this conversation can be continued later."""
        return self._memory is not None

    def add_video(self, name: str) -> str:
        """Make a video the current one, and part of the conversation if it is not yet.

        Args:
            name: A path, the id of an indexed video, or the file name of one in the conversation.

        Returns:
            Its path.

        Raises:
            VideoError: If it is neither a readable video nor an indexed one.
        """
        path = find_video(name, self.videos) or self._path_of(name)
        if path not in self.videos:
            self.videos.append(path)
        self.current = path
        return path

    def ask(
        self, said: str, *, on_event: Callable[[ChatEvent], None] = lambda _: None
    ) -> ChatAnswer:
        """Say something, and wait for the answer.

        Raises:
            QueryError: If nothing was said.
            ChatError: If it is not understood, or refers to what is not there.
            WhenaboutsError: If the video or its captions cannot be used.
        """
        for happened in self.stream(said):
            if isinstance(happened, ChatAnswer):
                return happened
            on_event(happened)
        raise AssertionError("a stream ends with its answer")

    def stream(self, said: str) -> Iterator[ChatEvent | ChatAnswer]:
        """What happens while a turn is answered, as it happens; the answer comes last.

        To stop iterating is to cancel the turn: it is not remembered, and this returns at
        once, while a request under way ends by itself. Errors are those of ``ask``.
        """
        if not said.strip() or not is_text(said):
            raise QueryError("the question holds no readable text; ask when something happens")
        if not self.videos:
            raise ChatError("there is no video to ask; name one with /video FILE")
        try:
            yield from self._stream(said.strip())
        except sqlite3.Error as exc:
            self._forget_memory(exc)
            yield from self._stream(said.strip())

    def cut_last(self, out: Path | None = None) -> str:
        """Write what "that" means, the latest turn's first interval, to a file; returns its path.

        Args:
            out: Where to; by default a name of its own in the folder of clips.

        Raises:
            ChatError: If there is nothing to cut yet.
            VideoError: If the video is gone, or the clip cannot be written.
        """
        turn = latest_focus(self.turns)
        moment = focus(turn) if turn else None
        if turn is None or moment is None or turn.result.video is None:
            raise ChatError("there is nothing to cut yet: no answer so far has an interval")
        video = turn.result.video
        return self._access.cut(video.path, moment.span, out, answered=video)[1]

    def close(self) -> None:
        """Let go of the memory's file."""
        if self._turn:
            # The turn ends before its next step; a reply that is under way is not waited for.
            self._turn.join(LEFT_TURN_S)
        if self._memory:
            self._memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _stream(self, said: str) -> Iterator[ChatEvent | ChatAnswer]:
        context = TurnContext()

        def run(told: Background[ChatEvent, ChatAnswer]) -> ChatAnswer:
            facts = {"thread_id": self.thread}
            with (
                # Reading the turn, indexing and answering share the limits of one run.
                self._grounder.within_limits(),
                self._grounder.tracing.step("turn", {"said": said}, metadata=facts) as step,
            ):
                answer = self._take_turn(said, context, told.tell)
                spent = answer.cost.model_dump()
                step.outputs = {"answer": answer.model_dump(mode="json"), "spent": spent}
            return answer

        # A request under way cannot be interrupted, but the caller need not wait for it.
        self._turn = turn = Background(run)
        try:
            answer = yield from turn.events()
            turn.join()
            self.turns.append(answer)
            self._tidy_memory()
            self._forget_with_others()
            yield answer
        finally:
            context.left.set()

    def _take_turn(
        self, said: str, context: TurnContext, tell: Callable[[ChatEvent], None]
    ) -> ChatAnswer:
        answer: dict[str, Any] = {}
        question = Said(said=said, videos=self.videos, current=self.current)
        update: Any
        for kind, update in self._chat_graph().stream(
            question,
            self._config,
            context=context,
            stream_mode=["custom", "values"],
            # Remembered before it is shown: a chat that is killed knows what it said.
            durability="sync",
        ):
            if kind == "values":
                answer = update
            else:
                tell(_read_chat_event(update))
        return ChatAnswer.model_validate(answer["answer"])

    @property
    def _config(self) -> RunnableConfig:
        return {
            "configurable": {"thread_id": self.thread},
            "metadata": {"thread_id": self.thread},
        }

    def _chat_graph(self) -> ChatGraph:
        """Made with the first question: opening a text model takes time."""
        if self._graph is None:
            reasoner = self._grounder.reasoner
            self._graph = build_chat_graph(
                self._access,
                model=reasoner if isinstance(reasoner, Converses) else None,
                max_attempts=self._grounder.settings.max_attempts,
                prompts=self._grounder.prompts,
                checkpointer=self._saver,
            )
        return self._graph

    def _recall(self) -> None:
        """What the thread's latest checkpoint holds; nothing where it is new."""
        try:
            found = self._saver.get_tuple(self._config)
            values = found.checkpoint["channel_values"] if found else {}
            self._last_videos = [str(path) for path in values.get("videos", [])]
            self._last_current = str(values.get("current", ""))
            self.turns = [ChatAnswer.model_validate(plain) for plain in values.get("turns", [])]
        except Exception as exc:  # noqa: BLE001  # a damaged file fails in many ways
            self._forget_memory(exc)

    def _forget_memory(self, exc: Exception) -> None:
        """Go on without the file, with what is known of this conversation."""
        assert self._memory is not None
        self._tell(str(unusable(self._memory.path, exc)))
        self._memory.close()
        self._memory = None
        self._saver = InMemorySaver()
        self._graph = None
        self._go_on_from(self.turns)

    def _go_on_from(self, turns: Sequence[ChatAnswer]) -> None:
        self.turns = list(turns)
        if turns:
            remembered = [turn.remembered() for turn in turns]
            self._chat_graph().update_state(self._config, {"turns": remembered}, as_node="answer")

    def _tidy_memory(self) -> None:
        try:
            if self._memory:
                self._memory.keep_latest(self.thread)
        except sqlite3.Error as exc:
            self._forget_memory(exc)

    def _forget_with_others(self) -> None:
        """Remember no turn about a video that another process has forgotten meanwhile."""
        shown = {one.video.id for turn in self.turns for one in turn.results if one.video}
        gone = {one for one in shown if not self._grounder.is_indexed(one)}
        if gone and self._memory and forget_threads(self._memory.path, gone):
            self._tell("a video of this chat was forgotten meanwhile, so the chat is not kept")

    def _add_or_tell(self, video: str) -> None:
        try:
            self.add_video(video)
        except WhenaboutsError as exc:
            self._tell(str(exc))

    def _add_remembered(self) -> None:
        for path in self._last_videos:
            self._add_or_tell(path)

    def _path_of(self, name: str) -> str:
        if is_there(name):
            self._grounder.resolve(name)  # Raises where it is not a video.
            return str(location(Path(name)))
        return self._grounder.resolve(name)[0].path


def _read_chat_event(plain: dict[str, Any]) -> ChatEvent:
    told = {name: value for name, value in plain.items() if name != "event"}
    if plain["event"] == "understood":
        return Understood(**told)
    if plain["event"] == "turn_refusal":
        return TurnRefusal(**told)
    return read_event(plain)
