"""Questions: asked in threads, told as they go, and their answers kept."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent.graph.cancelling import LeftError
from agent.graph.events import Event, write_event
from agent.grounding import Grounding
from agent.web.plain_files import write_whole

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from agent.api import Grounder, Settings
    from agent.web.library import ServedVideo

Answered = TypeVar("Answered")

AT_ONCE = 8
"""Questions under way where a service decides: most of the time they wait for it."""

KEPT_ANSWERS = 2000


class KeptAnswer(BaseModel):
    """An answer, and where it is found again.

    Attributes:
        id: Names the answer; empty where it is not kept.
        video: Id of the video that was asked.
        asked_at: When, in ISO 8601 and UTC.
        answer: The answer, in the published schema.
    """

    id: str
    video: str
    asked_at: str
    answer: Grounding


@dataclass(frozen=True, slots=True)
class Told:
    """What happens on the way: the name of the event, and plain values."""

    event: str
    values: dict[str, Any]


class Asker:
    """Puts questions to a grounder.

    Args:
        grounder: Answers.
        folder: Where answers are kept.
    """

    def __init__(self, grounder: Grounder, folder: Path) -> None:
        self._grounder = grounder
        self._folder = folder
        self._latest = ""
        self._threads = ThreadPoolExecutor(
            at_once(grounder.settings), thread_name_prefix="whenabouts-ask"
        )

    def close(self) -> None:
        """Begin no more questions."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def ask(
        self,
        video: ServedVideo,
        query: str,
        *,
        within: tuple[float, float] | None,
        every_time: bool,
    ) -> AsyncGenerator[Told | KeptAnswer]:
        """The steps of a search as they begin, and its events; the answer comes last.

        To stop iterating ends the search before its next step.

        Raises:
            WhenaboutsError: As ``Grounder.find``.
        """

        def search(tell: Callable[[Told], None]) -> KeptAnswer:
            answer = self._grounder.find(
                video.path,
                query,
                within=within,
                every_time=every_time,
                on_event=lambda event: tell(told_of(event)),
                on_step=lambda node: tell(Told("step", {"node": node})),
            )
            return self.keep(video.id, answer)

        return self.run(search)

    async def find(
        self,
        video: ServedVideo,
        query: str,
        *,
        within: tuple[float, float] | None,
        every_time: bool,
    ) -> KeptAnswer:
        """The answer of ``ask``, for one who wants to hear nothing on the way.

        To cancel ends the search before its next step.

        Raises:
            WhenaboutsError: As ``Grounder.find``.
        """
        has_left = False

        def go_on() -> None:
            if has_left:
                raise LeftError

        def search() -> KeptAnswer:
            go_on()
            answer = self._grounder.find(
                video.path,
                query,
                within=within,
                every_time=every_time,
                on_event=lambda _: go_on(),
                before_step=go_on,
            )
            return self.keep(video.id, answer)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, search)
        finally:
            has_left = True

    async def run(
        self, search: Callable[[Callable[[Told], None]], Answered]
    ) -> AsyncGenerator[Told | Answered]:
        """What is told while something runs in a thread of its own; its result comes last.

        Args:
            search: Is handed what it tells with, which raises once nobody listens any more.
        """
        loop = asyncio.get_running_loop()
        happened: asyncio.Queue[Told | None] = asyncio.Queue()
        has_left = False

        def tell(told: Told | None) -> None:
            if has_left:
                raise LeftError
            loop.call_soon_threadsafe(happened.put_nowait, told)

        def work() -> Answered:
            try:
                return search(tell)
            finally:
                with suppress(LeftError, RuntimeError):  # Nobody is there, or the loop is closed.
                    tell(None)

        searching = loop.run_in_executor(self._threads, work)
        try:
            while (told := await happened.get()) is not None:
                yield told
            yield await searching
        finally:
            has_left = True
            if not searching.done():
                searching.cancel()
            elif not searching.cancelled():
                searching.exception()  # Looked at, so that nobody complains that nobody did.

    def answers(self, video_id: str, *, limit: int) -> list[KeptAnswer]:
        """The latest answers about a video, the newest first."""
        found = []
        for file in sorted(self._folder.glob(f"*-{video_id}-*.json"), reverse=True):
            if answer := _read(file):
                found.append(answer)
            if len(found) == limit:
                break
        return found

    def answer(self, answer_id: str) -> KeptAnswer | None:
        """One answer; None where there is none of that id."""
        if not re.fullmatch(r"[0-9a-f]{16}", answer_id):
            return None
        return next(filter(None, map(_read, self._folder.glob(f"*-{answer_id}.json"))), None)

    def keep(self, video_id: str, answer: Grounding) -> KeptAnswer:
        """Write an answer down, under an id of its own.

        With none where the disk takes no more, or the video was forgotten meanwhile. What was found
        is told all the same: it may have been paid for.
        """
        now = datetime.now(UTC)
        kept = KeptAnswer(
            id=secrets.token_hex(8), video=video_id, asked_at=now.isoformat(), answer=answer
        )
        self._latest = max(f"{now:%Y%m%dT%H%M%S%f}", _next(self._latest))
        name = f"{self._latest}-{video_id}-{kept.id}.json"
        try:
            # Not synced: a power cut may take the latest answers, and no answer waits for the disk.
            write_whole(self._folder / name, kept.model_dump_json(by_alias=True), is_synced=False)
            # It quotes captions, and nothing finds it that forgot them a moment before.
            if self._grounder.is_indexed(answer.video.id):
                return kept
            (self._folder / name).unlink(missing_ok=True)
        except OSError:
            pass
        return kept.model_copy(update={"id": ""})

    def sweep(self) -> None:
        """Delete all but the latest answers."""
        files = sorted(self._folder.glob("*.json"))
        self._latest = files[-1].name.partition("-")[0] if files else ""
        for old in files[:-KEPT_ANSWERS]:
            old.unlink(missing_ok=True)


def at_once(settings: Settings) -> int:
    """How many questions are worked on together; more would only take turns on the cores."""
    is_served = settings.openai_api_key or settings.openai_base_url
    if is_served or settings.reasoner not in {"auto", "similarity"}:
        return AT_ONCE
    return max(2, min(AT_ONCE, os.cpu_count() or 2))


def told_of(event: Event) -> Told:
    """An event of a search, as plain values."""
    plain = write_event(event, node="")
    plain.pop("node")
    return Told(plain.pop("event"), plain)


def _next(stamp: str) -> str:
    """A name's time after another: the latest answer is the last, even if the clock is set back."""
    day, _, time_of_day = stamp.partition("T")
    return f"{day}T{int(time_of_day) + 1:0>12}" if time_of_day.isdecimal() else ""


def _read(file: Path) -> KeptAnswer | None:
    with suppress(OSError, ValueError, ValidationError):
        return KeptAnswer.model_validate(json.loads(file.read_text(encoding="utf-8")))
    return None
