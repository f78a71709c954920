"""Carries spans to a service in a thread of its own, and waits for it no longer than it is told.

The thread is a daemon, and nothing is left for the interpreter's exit: a service that is down, slow
or silent costs no answer, and delays the exit no longer than ``close`` allows.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

import httpx

from agent.errors import WhenaboutsError

THREAD = "whenabouts-traces"

PROBE_S = 1.0
GATHER_S = 0.2
"""How long a batch waits for more items."""
MOST_AT_ONCE = 100
MOST_WAITING = 20_000
"""Items that may wait for a slow service; further ones are dropped."""

Item = TypeVar("Item")


class UndeliveredError(WhenaboutsError):
    """The service does not take what it is sent; the message says why, and what to do."""


class Courier(Generic[Item]):
    """Delivers items in order, many at a time; after the first failure it sends nothing more.

    Args:
        deliver: Sends a batch; raises ``UndeliveredError``.
        where: The service, for messages.
        probe_url: Asked first, for ``PROBE_S``; whatever it answers, it is alive.
        instead: What the reader can do about a service that does not answer.
        hushed: Loggers of the service's SDK, which would tell of every try.
    """

    def __init__(
        self,
        deliver: Callable[[list[Item]], None],
        *,
        where: str,
        probe_url: str,
        instead: str,
        hushed: Sequence[str] = (),
    ) -> None:
        self._deliver = deliver
        self._where = where
        self._probe_url = probe_url
        self._instead = instead
        self._waiting: SimpleQueue[Item] = SimpleQueue()
        self._closing = threading.Event()
        self._lost = 0
        self._why_off = ""
        self._complained = False
        self._hushed = [logging.getLogger(name) for name in hushed]
        for logger in self._hushed:
            logger.addFilter(_is_not_ours)
        self._thread = threading.Thread(target=self._work, name=THREAD, daemon=True)
        self._thread.start()

    @property
    def is_off(self) -> bool:
        """Whether nothing is delivered any more."""
        return bool(self._why_off)

    def put(self, item: Item) -> None:
        """Have an item delivered; returns at once."""
        if self._why_off or self._waiting.qsize() >= MOST_WAITING:
            self._lost += 1
        else:
            self._waiting.put(item)

    def complaint(self) -> str:
        """Why nothing is delivered, once; empty where all is well."""
        if self._complained or not (self._why_off or self._lost):
            return ""
        self._complained = True
        why = self._why_off or f"{self._where} is too slow: {self._lost} spans were left out"
        return f"{why}; {self._instead}"

    def close(self, *, within_s: float) -> None:
        """Deliver what is waiting, for this long at most; drop the rest."""
        self._closing.set()
        self._thread.join(within_s)
        if not self._thread.is_alive():
            for logger in self._hushed:
                logger.removeFilter(_is_not_ours)
        if self._thread.is_alive() and not self._why_off:
            self._why_off = f"traces not sent in full: {self._where} did not take them in time"

    def _work(self) -> None:
        try:
            self._probe()
            while batch := self._next_batch():
                self._deliver(batch)
        except UndeliveredError as exc:
            self._why_off = self._why_off or f"traces off: {exc}"
        except Exception as exc:  # noqa: BLE001  # a fault in a sink must not look like one of ours
            self._why_off = self._why_off or f"traces off: {self._where}: {type(exc).__name__}"

    def _probe(self) -> None:
        """Ask for a sign of life, in another thread: resolving a host name may take long.

        Raises:
            UndeliveredError: If there is none within ``PROBE_S``.
        """
        said: list[str] = []

        def ask() -> None:
            try:
                with httpx.stream("GET", self._probe_url, timeout=PROBE_S):
                    said.append("")
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
                said.append(f"no answer from {self._where}")

        asking = threading.Thread(target=ask, name=THREAD, daemon=True)
        asking.start()
        asking.join(PROBE_S)
        why = said[0] if said else f"no answer from {self._where} within {PROBE_S:g} s"
        if why:
            raise UndeliveredError(why)

    def _next_batch(self) -> list[Item]:
        """The items waiting, at least one; empty when closing and all is delivered."""
        batch: list[Item] = []
        until = None
        while len(batch) < MOST_AT_ONCE:
            wait_s = GATHER_S if until is None else until - time.monotonic()
            try:
                batch.append(self._waiting.get(timeout=max(0.0, wait_s)))
            except Empty:
                if batch or self._closing.is_set():
                    break
                continue
            if self._closing.is_set():
                until = time.monotonic()
            elif until is None:
                until = time.monotonic() + GATHER_S
        return batch


def _is_not_ours(record: logging.LogRecord) -> bool:
    """Whether a record comes from elsewhere: our own failures are told in one line, at the end."""
    return record.threadName != THREAD
