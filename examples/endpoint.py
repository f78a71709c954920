"""Your own endpoint; for the whole API, there is ``whenabouts serve``.

VIDEOS=clips/ uvicorn examples.endpoint:app
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query, Request

from agent.api import Grounder, Grounding, WhenaboutsError


@asynccontextmanager
async def one_grounder(app: FastAPI) -> AsyncIterator[None]:
    """One for all requests: it may be asked from many at the same time."""
    with Grounder() as grounder:
        app.state.grounder = grounder
        yield


app = FastAPI(lifespan=one_grounder)


@app.get("/when")
async def when(
    request: Request,
    video: Annotated[str, Query(pattern=r"^[\w-]+\.\w+$", description="name of a file")],
    query: Annotated[str, Query(min_length=1, max_length=500)],
) -> Grounding:
    """When does it happen? Only files of the folder ``VIDEOS`` can be named."""
    file = Path(os.environ.get("VIDEOS", ".")) / video
    if not file.is_file():
        raise HTTPException(404, f"there is no video {video}")
    grounder: Grounder = request.app.state.grounder
    try:
        return await grounder.afind(file, query)
    except WhenaboutsError as exc:
        raise HTTPException(422, str(exc)) from exc
