"""Follow-ups to an answer: "and after that?", "the second time", "is he still there at 2:10?"."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from agent.chat.access import GrounderAccess
from agent.chat.answering import turn_of
from agent.chat.doors import PAGE
from agent.chat.follow_up import ChatError
from agent.chat.session import ChatSession, Understood
from agent.chat.turns import ChatAnswer, TurnRefusal
from agent.grounding import VideoFacts
from agent.web.asking import KeptAnswer, Told, told_of
from agent.web.library import NotServedError
from tools.clock import clock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from agent.api import Grounder
    from agent.web.asking import Asker
    from agent.web.library import ServedVideo
    from tools.timeline import Interval

KEPT_TURNS = 500
"""Conversations that can be gone on with; a question begins another one."""


class FollowUpAnswer(BaseModel):
    """The answer to a follow-up.

    Attributes:
        id: Names it, for the next follow-up.
        turn: How it was understood, and what it is answered with.
        kept: The whole answer, where a search was made for it.
    """

    id: str
    turn: ChatAnswer
    kept: KeptAnswer | None


class _PageAccess(GrounderAccess):
    """Writes no clip where the server happens to run: the page sends one to who asks.

    Args:
        grounder: Finds.
        video: The one that is asked.
    """

    door = PAGE

    def __init__(self, grounder: Grounder, video: ServedVideo) -> None:
        super().__init__(grounder, captions=None, clips=Path(), thread="", say=lambda _: None)
        self._video = video

    def cut(
        self,
        video: str,
        span: Interval,
        out: Path | None = None,
        *,
        answered: VideoFacts | None = None,
    ) -> tuple[VideoFacts, str]:
        """The clip's address, at which it is cut when it is fetched."""
        del out
        facts = answered or self._facts(video)
        if span.start_s >= facts.duration_s:
            length = clock(facts.duration_s)
            raise ChatError(
                f"{clock(span.start_s)} is past the end: {self._video.name} is {length} long"
            )
        end_s = min(span.end_s, facts.duration_s)
        return facts, f"/api/v1/videos/{self._video.id}/clip?start={span.start_s}&end={end_s}"

    def _facts(self, video: str) -> VideoFacts:
        record = self._grounder.resolve(video)[0]
        return VideoFacts(
            id=record.video_id,
            path=record.path,
            duration_s=record.duration_s,
            file_start_s=record.file_start_s,
        )


class FollowUps:
    """Goes on from answers, each time from the one that is shown.

    Args:
        grounder: Finds; where its reasoner is a text model, that model reads the turns as well.
        asker: Keeps answers, and lends its threads.
    """

    def __init__(self, grounder: Grounder, asker: Asker) -> None:
        self._grounder = grounder
        self._asker = asker
        self._turns: OrderedDict[str, tuple[str, list[ChatAnswer]]] = OrderedDict()
        self._noting = threading.Lock()

    def ask(
        self, video: ServedVideo, after: str, said: str
    ) -> AsyncGenerator[Told | FollowUpAnswer]:
        """What happens while a follow-up is answered; the answer comes last.

        Args:
            video: What it is about.
            after: Id of the answer, or of the follow-up, that it goes on from.
            said: The user's words.

        Raises:
            NotServedError: If there is no such answer about this video.
            WhenaboutsError: As ``ChatSession.ask``.
        """
        earlier = self._earlier(video, after)

        def search(tell: Callable[[Told], None]) -> FollowUpAnswer:
            access = _PageAccess(self._grounder, video)
            with ChatSession(
                self._grounder, thread="", videos=[video.path], access=access, earlier=earlier
            ) as session:
                for happened in session.stream(said):
                    if isinstance(happened, ChatAnswer):
                        return self._note(video, session.turns, happened)
                    if isinstance(happened, Understood | TurnRefusal):
                        kind = "understood" if isinstance(happened, Understood) else "refusal"
                        tell(Told(kind, happened.model_dump(mode="json")))
                    else:
                        tell(told_of(happened))
            raise AssertionError("a stream ends with its answer")

        return self._asker.run(search)

    def _earlier(self, video: ServedVideo, after: str) -> list[ChatAnswer]:
        with self._noting:
            about, turns = self._turns.get(after, ("", []))
        if not turns and (kept := self._asker.answer(after)):
            about, turns = kept.video, [turn_of(kept.answer)]
        if about != video.id:
            raise NotServedError(
                "the answer that this follows up is not here any more; ask the question once more"
            )
        return turns

    def _note(
        self, video: ServedVideo, turns: list[ChatAnswer], turn: ChatAnswer
    ) -> FollowUpAnswer:
        grounding = turn.result.grounding
        kept = self._asker.keep(video.id, grounding) if grounding else None
        name = secrets.token_hex(8)
        with self._noting:
            # Without the whole answers: those are on the disk.
            slim = [ChatAnswer.model_validate(one.remembered()) for one in turns]
            self._turns[name] = (video.id, slim)
            while len(self._turns) > KEPT_TURNS:
                self._turns.popitem(last=False)
        return FollowUpAnswer(id=name, turn=turn, kept=kept)
