"""Embeds and stores captions in a thread, a batch at a time, while others are being made."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

from tools.store.store import CaptionGap
from tools.timeline import Caption

if TYPE_CHECKING:
    from tools.embedders.embedder import Embedder
    from tools.store.store import CaptionStore, VideoRecord

BATCH_CAPTIONS = 64
BATCH_SECONDS = 0.5
"""A batch is written when it is full or this old, so that little is lost and commits stay few."""

BATCHES_BEHIND = 4
"""At most this many batches wait; then captions are made no faster than they are written."""

Placed = Caption | CaptionGap


class CaptionWriter:
    """Writes what it is given, in order; what could not be written is tried once more at the end.

    Args:
        store: Receives it.
        embedder: Embeds captions.
        during: The record of the run; nothing is written once it is gone.

    Attributes:
        written: Captions that were new to the store.
    """

    def __init__(
        self, store: CaptionStore, embedder: Embedder, *, during: VideoRecord | None = None
    ) -> None:
        self._store = store
        self._during = during
        self._embedder = embedder
        self._change = threading.Condition()
        self._waiting: deque[Sequence[Placed]] = deque()
        self._count = 0
        self._closing = False
        self._error: BaseException | None = None
        self._was_raised = False
        self.written = 0
        # In the same context: what is embedded there belongs to the run under way here.
        run = partial(copy_context().run, self._run)
        self._thread = threading.Thread(target=run, name="writer", daemon=True)
        self._thread.start()

    def take(self, placed: Sequence[Placed]) -> None:
        """Queue captions and gaps; those given together are written together. Does not wait."""
        if placed:
            with self._change:
                self._waiting.append(placed)
                self._count += len(placed)
                self._change.notify_all()

    def has_room(self) -> bool:
        """Whether it keeps pace; also when it has failed, which ``raise_error`` tells."""
        return self._error is not None or self._count < BATCHES_BEHIND * BATCH_CAPTIONS

    def raise_error(self) -> None:
        """Raise what went wrong in the thread, if anything did."""
        if self._error is not None and not self._was_raised:
            self._was_raised = True
            raise self._error

    def close(self) -> None:
        """Write the rest.

        Raises:
            EmbedderError, StoreError: If it cannot be written, or a batch could not be at first.
        """
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._thread.join()
        while self._waiting:
            self._write_batch()
        self.raise_error()

    def _run(self) -> None:
        try:
            while self._wait_for_batch():
                self._write_batch()
        except BaseException as exc:  # noqa: BLE001 - raised again by raise_error
            self._error = exc

    def _wait_for_batch(self) -> bool:
        """Wait until a batch is due; returns whether there is one, or false at the end."""
        due_s = time.monotonic() + BATCH_SECONDS
        with self._change:
            while not self._closing and self._count < BATCH_CAPTIONS:
                left_s = due_s - time.monotonic()
                if self._waiting and left_s <= 0:
                    break
                self._change.wait(left_s if self._waiting else None)
            return bool(self._waiting)

    def _write_batch(self) -> None:
        batch: list[Placed] = []
        parts = 0
        for placed in tuple(self._waiting):
            batch += placed
            parts += 1
            if len(batch) >= BATCH_CAPTIONS:
                break
        captions = [one for one in batch if isinstance(one, Caption)]
        if captions:
            vectors = self._embedder.embed([caption.text for caption in captions])
            self.written += self._store.add(captions, vectors, during=self._during)
        gaps = [one for one in batch if isinstance(one, CaptionGap)]
        if gaps:
            self._store.add_gaps(gaps, during=self._during)
        with self._change:
            for _ in range(parts):
                self._waiting.popleft()
            self._count -= len(batch)
