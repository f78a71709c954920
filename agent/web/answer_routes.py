"""Routes of kept answers: shown, drawn on the timeline, taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from agent.errors import QueryError
from agent.exports.forms import Form, render_export
from agent.exports.timecode import START_TIMECODE
from agent.watching.moved_files import own_file
from agent.web.asking import KeptAnswer
from agent.web.library import NotServedError
from agent.web.route_parts import FAULTS, known
from agent.web.shown import shown
from agent.web.timeline_facts import RelevancePoint, relevance_points
from tools.text import one_line

if TYPE_CHECKING:
    from agent.web.rooms import Rooms

MEDIA: dict[Form, str] = {
    "edl": "text/plain",
    "fcpxml": "application/xml",
    "csv": "text/csv",
    "vtt": "text/vtt",
    "chapters": "text/plain",
    "json": "application/json",
}


def answer_routes(rooms: Rooms) -> APIRouter:
    """The routes of answers that were given."""
    router = APIRouter(tags=["answers"], responses=FAULTS)

    @router.get("/videos/{video_id}/answers")
    def list_answers(
        video_id: str, limit: Annotated[int, Query(ge=1, le=200)] = 20
    ) -> list[KeptAnswer]:
        """The latest answers about a video, the newest first."""
        video = rooms.library.video(video_id)
        return [shown(one, video) for one in rooms.asker.answers(video.id, limit=limit)]

    @router.get("/answers/{answer_id}")
    def show_answer(answer_id: str) -> KeptAnswer:
        """One answer."""
        kept = known(rooms.asker.answer(answer_id), "answer")
        try:
            return shown(kept, rooms.library.video(kept.video))
        except NotServedError:
            return kept  # Its file is gone, and the answer is still there.

    @router.get("/answers/{answer_id}/relevance")
    def show_relevance(answer_id: str) -> list[RelevancePoint]:
        """How well each moment of the video fits the question, in time order."""
        kept = known(rooms.asker.answer(answer_id), "answer")
        return relevance_points(rooms.grounder, kept.answer)

    @router.get(
        "/answers/{answer_id}/markers/{form}",
        response_class=Response,
        responses={200: {"content": {"*/*": {"schema": {"type": "string"}}}}},
    )
    def send_markers(
        answer_id: str,
        form: Form,
        start_timecode: Annotated[str, Query(max_length=20)] = START_TIMECODE,
    ) -> Response:
        """The intervals of an answer for an editor or a player, as a file."""
        answer = known(rooms.asker.answer(answer_id), "answer").answer
        if not answer.intervals and form != "json":
            raise QueryError("the answer has no interval, so there is nothing to mark")
        if form != "json":
            own_file(answer.video, rooms.grounder.records())
        text, notes = render_export(form, [answer], answer.to_json(indent=2), start_timecode)
        headers = {"content-disposition": f'attachment; filename="{_file_name(answer_id, form)}"'}
        if notes:
            headers["x-note"] = one_line("; ".join(notes)).encode("ascii", "replace").decode()[:500]
        return Response(text, media_type=MEDIA[form], headers=headers)

    return router


def _file_name(answer_id: str, form: Form) -> str:
    return f"answer-{answer_id}.{'txt' if form == 'chapters' else form}"
