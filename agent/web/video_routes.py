"""Routes of videos: the list, uploads, the file, its pictures and clips."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse

from agent.web.bodies import CostEstimate, Fault, VideoCard
from agent.web.known_file import KnownFile
from agent.web.library import NotServedError
from agent.web.shown import faults_in_its_name
from agent.web.timeline_facts import TimelineFacts

if TYPE_CHECKING:
    from agent.web.library import ServedVideo
    from agent.web.rooms import Rooms

Time = Annotated[float, Query(ge=0, le=1e7, allow_inf_nan=False, description="seconds")]

_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


def video_routes(rooms: Rooms) -> APIRouter:
    """The routes under ``/videos``."""
    router = APIRouter(prefix="/videos", tags=["videos"], responses=_FAULTS)

    @router.get("")
    def list_videos() -> list[VideoCard]:
        """Every video in the served folders, and every upload, by name."""
        return rooms.cards()

    @router.post(
        "",
        status_code=201,
        # `Uploads` counts, with words of its own.
        max_body_size=1 << 62,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/octet-stream": _BINARY},
            }
        },
    )
    async def upload(
        request: Request,
        name: Annotated[str, Query(max_length=1000, description="what the file is called")],
    ) -> VideoCard:
        """Add a video: its bytes are the body. They are streamed to the disk."""
        announced = request.headers.get("content-length", "")
        size = int(announced) if announced.isdecimal() and len(announced) < 19 else None
        path = await rooms.uploads.take(name, size, request.stream())
        video = next(one for one in rooms.library.videos() if one.path == path)
        return rooms.card(video)

    @router.get("/{video_id}")
    def show_video(video_id: str) -> VideoCard:
        """One video."""
        return rooms.card(rooms.library.video(video_id))

    @router.get("/{video_id}/estimate")
    def show_estimate(video_id: str) -> CostEstimate:
        """What describing it would take: time, captions, US dollars. Nothing is spent."""
        return rooms.estimate(_there(rooms, video_id))

    @router.get("/{video_id}/timeline")
    def show_timeline(video_id: str) -> TimelineFacts:
        """Its cuts, and what is said in it."""
        return rooms.timeline(rooms.library.video(video_id))

    @router.get(
        "/{video_id}/file",
        response_class=FileResponse,
        responses={200: {"content": {"video/*": _BINARY}}, 206: {"content": {"video/*": _BINARY}}},
    )
    def send_file(video_id: str) -> KnownFile:
        """The file itself; byte ranges are answered."""
        video = _there(rooms, video_id)
        kind = mimetypes.guess_type(video.path.name)[0] or "video/mp4"
        return KnownFile(video.path, media_type=kind)

    @router.get(
        "/{video_id}/thumbnail",
        response_class=FileResponse,
        responses={200: {"content": {"image/jpeg": _BINARY}}},
    )
    def send_thumbnail(
        video_id: str,
        t: Time = 0.0,
        exact: bool = False,
        width: Annotated[int, Query(ge=16, le=1280, description="longer side, in pixels")] = 320,
    ) -> KnownFile:
        """The picture at a time: of the keyframe before it, or exactly (slower)."""
        video = _there(rooms, video_id)
        with faults_in_its_name(video):
            path = rooms.pictures.thumbnail(video.path, t, exact=exact, long_side_px=width)
        return KnownFile(
            path, media_type="image/jpeg", headers={"cache-control": "private, max-age=600"}
        )

    @router.get(
        "/{video_id}/clip",
        response_class=FileResponse,
        responses={
            200: {"content": {"video/mp4": _BINARY}},
            206: {"content": {"video/mp4": _BINARY}},
        },
    )
    def send_clip(video_id: str, start: Time, end: Time) -> KnownFile:
        """A stretch as a file of its own, cut exactly; byte ranges are answered."""
        video = _there(rooms, video_id)
        with faults_in_its_name(video):
            path = rooms.pictures.clip(video.path, start, end)
        name = f"{video.path.stem if not video.uploaded else video.id}_{start:.1f}-{end:.1f}.mp4"
        return KnownFile(path, media_type="video/mp4", filename=name)

    return router


def _there(rooms: Rooms, video_id: str) -> ServedVideo:
    video = rooms.library.video(video_id)
    if not rooms.library.has_file(video):
        raise NotServedError(f"the file of {video.name} is gone; put it back, or reload the list")
    return video


_FAULTS: dict[int | str, dict[str, Any]] = {
    status: {"model": Fault}
    for status in (400, 401, 403, 404, 409, 413, 415, 416, 422, 502, 503, 507)
}
