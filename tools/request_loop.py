"""Requests run in an event loop of a thread of their own, which can drop one at any moment."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")


class _Loop:
    """The event loop of this process for requests, made with the first of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.loop: asyncio.AbstractEventLoop | None = None

    def running(self) -> asyncio.AbstractEventLoop:
        with self.lock:
            if self.loop is None:
                self.loop = asyncio.new_event_loop()
                self.loop.getaddrinfo = partial(_look_up, self.loop)  # type: ignore[method-assign]
                # A daemon: a program that is told to end does not wait for a slow server.
                threading.Thread(target=self.loop.run_forever, name="requests", daemon=True).start()
            return self.loop


_LOOP = _Loop()


async def _look_up(loop: asyncio.AbstractEventLoop, *asked: Any, **options: Any) -> Any:
    """The addresses of a host; asked in a daemon.

    A program's end waits for the threads that an event loop asks in, and a name server may take
    minutes.
    """
    found: asyncio.Future[Any] = loop.create_future()

    def tell(answer: Any, error: OSError | None) -> None:
        if found.done():  # Nobody waits any more.
            return
        if error:
            found.set_exception(error)
        else:
            found.set_result(answer)

    def ask() -> None:
        try:
            answer, error = socket.getaddrinfo(*asked, **options), None
        except OSError as exc:
            answer, error = [], exc
        except UnicodeError as exc:  # A label that is empty or too long.
            answer, error = [], OSError(str(exc))
        with suppress(RuntimeError):  # The loop has ended meanwhile.
            loop.call_soon_threadsafe(tell, answer, error)

    threading.Thread(target=ask, name="addresses", daemon=True).start()
    return await found


def _start_anew() -> None:
    global _LOOP  # noqa: PLW0603  # the thread stayed in the other process
    _LOOP = _Loop()


os.register_at_fork(after_in_child=_start_anew)


def wait_for(work: Coroutine[Any, Any, Result]) -> Result:
    """Run it in the loop and wait; Ctrl-C here drops it."""
    future = asyncio.run_coroutine_threadsafe(work, _LOOP.running())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def drop(work: Coroutine[Any, Any, object]) -> None:
    """Run it where the loop is there, and do not wait: it closes what nobody needs any more."""
    loop = _LOOP.loop
    if loop is None:
        work.close()
        return
    try:
        asyncio.run_coroutine_threadsafe(work, loop)
    except RuntimeError:  # The loop has ended.
        work.close()
