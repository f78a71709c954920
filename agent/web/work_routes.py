"""Routes of index jobs, questions and corrections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from agent.chat.small_talk import NoQuestionError
from agent.errors import QueryError
from agent.web.asking import KeptAnswer, Told
from agent.web.bodies import (
    Correction,
    FollowUpForm,
    NewJob,
    QuestionForm,
    Rows,
    Withdrawal,
)
from agent.web.fault_lines import tell_fault
from agent.web.follow_ups import FollowUpAnswer
from agent.web.jobs import ACTIVE, Job
from agent.web.refusals import sentence_of, status_of
from agent.web.route_parts import FAULTS, follow, known, unless_left
from agent.web.shown import faults_in_its_name, in_its_name, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.web.library import ServedVideo
    from agent.web.rooms import Rooms

Answered = TypeVar("Answered", KeptAnswer, FollowUpAnswer)


def job_routes(rooms: Rooms) -> APIRouter:
    """The routes under ``/jobs``."""
    router = APIRouter(prefix="/jobs", tags=["index jobs"], responses=FAULTS)

    @router.get("")
    def list_jobs() -> list[Job]:
        """Every job, the latest last."""
        return rooms.jobs.all()

    @router.post("", status_code=202)
    def begin_job(new: NewJob) -> Job:
        """Describe a video; where that is under way, the job that does it."""
        return rooms.jobs.add(rooms.library.video(new.video))

    @router.get("/{job_id}")
    def show_job(job_id: str) -> Job:
        """One job as it stands now."""
        return known(rooms.jobs.get(job_id), "job")

    @router.post("/{job_id}/cancel")
    def cancel_job(job_id: str) -> Job:
        """End a job before its next frame; what was described is kept."""
        return known(rooms.jobs.cancel(job_id), "job")

    @router.get("/{job_id}/events", response_class=EventSourceResponse)
    async def follow_job(job_id: str) -> AsyncIterator[ServerSentEvent]:
        """The job as it goes: an event ``job`` whenever it has changed, until it ends."""
        async for event in follow("job", job_id, rooms.jobs.get, ACTIVE):
            yield event

    return router


def question_routes(rooms: Rooms, complain: Callable[[str], None]) -> APIRouter:
    """The routes that ask."""
    router = APIRouter(tags=["questions"], responses=FAULTS)

    @router.post("/videos/{video_id}/ask")
    async def ask(video_id: str, question: QuestionForm, request: Request) -> KeptAnswer:
        """Ask, and wait for the answer; when the sender leaves, the search ends."""
        video = await _askable(rooms, video_id)
        searching = rooms.asker.find(
            video, question.query, within=question.stretch, every_time=question.every_time
        )
        with faults_in_its_name(video):
            return shown(await unless_left(request, searching), video)

    @router.post("/videos/{video_id}/ask/events", response_class=EventSourceResponse)
    async def ask_step_by_step(
        video_id: str, question: QuestionForm
    ) -> AsyncIterator[ServerSentEvent]:
        """Ask, and be told of every ``step``, ``look_up``, ``refusal``, ``retry`` and ``progress``.

        The last event is ``answer``, or ``fault`` with the status that the plain form would have.
        """
        async for event in told_as_events(_search(rooms, video_id, question)):
            yield event

    @router.post("/videos/{video_id}/follow-up/events", response_class=EventSourceResponse)
    async def follow_up(video_id: str, said: FollowUpForm) -> AsyncIterator[ServerSentEvent]:
        """Go on from an answer ("and after that?", "the second time"), as ``ask/events`` does.

        An event ``understood`` says how it was read; the ``answer`` is one of a conversation. What
        is no question about the video ("thanks") ends with a ``note`` in place of it.
        """
        async for event in told_as_events(_follow_up(rooms, video_id, said)):
            yield event

    async def told_as_events(
        telling: AsyncGenerator[Told | KeptAnswer | FollowUpAnswer],
    ) -> AsyncIterator[ServerSentEvent]:
        try:
            async for told in telling:
                if isinstance(told, Told):
                    yield ServerSentEvent(event=told.event, data=told.values)
                else:
                    plain = told.model_dump(mode="json", by_alias=True)
                    yield ServerSentEvent(event="answer", data=plain)
        except NoQuestionError as exc:
            yield ServerSentEvent(event="note", data={"detail": sentence_of(exc)})
        except Exception as exc:  # noqa: BLE001  # the stream has begun: no status can say it
            if status_of(exc) == 500:
                tell_fault(complain)
            fault = {"detail": sentence_of(exc), "status": status_of(exc)}
            yield ServerSentEvent(event="fault", data=fault)
        finally:
            await telling.aclose()

    return router


def correction_routes(rooms: Rooms) -> APIRouter:
    """The routes under ``/corrections``."""
    router = APIRouter(prefix="/corrections", tags=["corrections"], responses=FAULTS)

    @router.get("")
    def list_corrections() -> Rows:
        """Every row, the oldest first."""
        return Rows(rows=rooms.corrections.rows())

    @router.put("")
    def correct(correction: Correction) -> Rows:
        """Say where it really happens, in place of what was said before."""
        video = rooms.library.video(correction.video)
        duration_s = rooms.card(video).duration_s
        if duration_s is None:
            raise QueryError(f"the length of {video.name} is not known yet; index it first")
        spans_s = [(start_s, end_s) for start_s, end_s in correction.intervals]
        rows = rooms.corrections.put(
            rooms.library.label_name(video), correction.query, duration_s, spans_s
        )
        return Rows(rows=rows)

    @router.post("/withdraw")
    def take_back(withdrawal: Withdrawal) -> Rows:
        """Take back what was said about a query; returns the rows that are left."""
        rooms.corrections.remove(withdrawal.video, withdrawal.query)
        return Rows(rows=rooms.corrections.rows())

    @router.get("/export", response_class=Response)
    def export() -> Response:
        """The file that ``whenabouts eval own --annotations`` reads."""
        lines = [json.dumps(row, ensure_ascii=False) for row in rooms.corrections.rows()]
        return Response(
            "".join(f"{line}\n" for line in lines),
            media_type="application/jsonl",
            headers={"content-disposition": 'attachment; filename="corrections.jsonl"'},
        )

    return router


async def _search(
    rooms: Rooms, video_id: str, question: QuestionForm
) -> AsyncGenerator[Told | KeptAnswer]:
    video = await _askable(rooms, video_id)
    searching = rooms.asker.ask(
        video, question.query, within=question.stretch, every_time=question.every_time
    )
    async for told in _in_its_name(searching, video):
        yield told


async def _follow_up(
    rooms: Rooms, video_id: str, said: FollowUpForm
) -> AsyncGenerator[Told | FollowUpAnswer]:
    video = await _askable(rooms, video_id)
    searching = await asyncio.to_thread(rooms.follow_ups.ask, video, said.after, said.said)
    async for told in _in_its_name(searching, video):
        yield told


async def _in_its_name(
    searching: AsyncGenerator[Told | Answered], video: ServedVideo
) -> AsyncGenerator[Told | Answered]:
    """What is told on the way, and the answer, in the name that people know the video by."""
    try:
        with faults_in_its_name(video):
            async for told in searching:
                if isinstance(told, Told):
                    yield Told(told.event, in_its_name(told.values, video))
                else:
                    yield shown(told, video)
    finally:
        await searching.aclose()


async def _askable(rooms: Rooms, video_id: str) -> ServedVideo:
    video = rooms.library.video(video_id)
    await asyncio.to_thread(rooms.check_askable, video)
    return video
