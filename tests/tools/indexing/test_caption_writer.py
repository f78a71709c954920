"""The thread that embeds and stores captions."""

import threading
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.fakes import WordEmbedder
from tests.patience import PATIENCE_S
from tools.indexing.caption_writer import CaptionWriter
from tools.store.store import CaptionStore
from tools.timeline import Caption, Interval, Track

RUN: ContextVar[str] = ContextVar("run", default="none")


def test_what_is_embedded_in_the_thread_belongs_to_the_run_that_began_it(tmp_path: Path) -> None:
    runs, begun = [], threading.Event()

    class Asking(WordEmbedder):
        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            runs.append(RUN.get())
            begun.set()
            return super().embed(texts)

    token = RUN.set("one of ten minutes")
    with CaptionStore.open(tmp_path, embedder="words") as store:
        writer = CaptionWriter(store, Asking())
        RUN.reset(token)
        caption = Caption("v", Interval(0, 1), "a dog", "vision", Track("m", "", "frame@1/s"))
        # Full batches, so that the thread has to write before it is closed.
        writer.take([caption] * 64)
        assert begun.wait(PATIENCE_S)
        writer.close()
    assert set(runs) == {"one of ten minutes"}
