"""The application: the API under ``/api/v1``, and the page at ``/``."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse
from starlette.staticfiles import StaticFiles

from agent.web.answer_routes import answer_routes
from agent.web.guarding import Guard
from agent.web.link_routes import link_routes
from agent.web.plain_faults import PlainFaults
from agent.web.plain_json import PlainJson
from agent.web.refusals import add_handlers
from agent.web.video_routes import video_routes
from agent.web.work_routes import correction_routes, job_routes, question_routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from agent.web.rooms import Rooms

STATIC = Path(__file__).parent / "static"
MOST_BODY_BYTES = 1 << 20
"""Of a request: questions and corrections are small. An upload has a limit of its own."""

ABOUT = """Ask a video *when*. Answers have the schema that `whenabouts schema` prints.

A fault is an object with one sentence, `detail`. A server that was started with `WHENABOUTS_TOKEN`
wants the header `Authorization: Bearer TOKEN`."""


def make_app(
    rooms: Rooms,
    *,
    address: str = "127.0.0.1",
    token: str = "",
    complain: Callable[[str], None] = lambda _: None,
) -> FastAPI:
    """The application; it opens the rooms when it starts and closes them when it stops.

    Args:
        rooms: What it serves.
        address: What it listens on; see ``Guard``.
        token: What has to be shown; empty: nothing.
        complain: Receives the traceback of a fault that a stream can only name.
    """

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        rooms.open()
        try:
            yield
        finally:
            rooms.close()

    app = FastAPI(
        title="whenabouts",
        version=version("whenabouts"),
        description=ABOUT,
        openapi_url="/api/v1/openapi.json",
        # These pages load their scripts from another host.
        docs_url=None,
        redoc_url=None,
        lifespan=live,
        default_response_class=PlainJson,
    )
    api = APIRouter(prefix="/api/v1", max_body_size=MOST_BODY_BYTES)
    for router in (
        video_routes(rooms),
        link_routes(rooms),
        job_routes(rooms),
        question_routes(rooms, complain),
        answer_routes(rooms),
        correction_routes(rooms),
    ):
        api.include_router(with_head(router))
    app.include_router(api)
    app.mount("/", StaticFiles(directory=STATIC, html=True))
    add_handlers(app)
    app.add_middleware(PlainFaults)
    app.add_middleware(Guard, address=address, token=token)
    return app


def with_head(router: APIRouter) -> APIRouter:
    """Answer HEAD wherever GET is answered, as HTTP asks; streams, which have no end, aside."""
    for route in list(router.routes):
        if isinstance(route, APIRoute) and route.methods == {"GET"} and not is_stream(route):
            router.add_api_route(
                route.path.removeprefix(router.prefix),
                route.endpoint,
                methods=["HEAD"],
                response_class=route.response_class,
                include_in_schema=False,
            )
    return router


def is_stream(route: APIRoute) -> bool:
    """Whether it tells events as they come."""
    return route.response_class is EventSourceResponse
