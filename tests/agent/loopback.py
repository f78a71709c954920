"""A server that listens on the loopback for as long as a test needs it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from tests.patience import PATIENCE_S


@contextmanager
def on_loopback(app: Any) -> Iterator[str]:
    """Its address, once it listens."""
    config = uvicorn.Config(app, port=0, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    started = threading.Event()
    startup = server.startup

    async def tell(*args: Any, **kwargs: Any) -> None:
        await startup(*args, **kwargs)
        started.set()

    server.startup = tell  # type: ignore[method-assign]  # to wait without sleeping
    thread = threading.Thread(target=server.run)
    thread.start()
    assert started.wait(PATIENCE_S)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
