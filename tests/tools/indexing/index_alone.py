"""Indexes a video in a process of its own, which kills itself when told to."""

import os
import signal
import sys
import time
from pathlib import Path

from tests.fakes import BrightnessCaptioner, WordEmbedder
from tools.indexing.caption_writer import BATCH_CAPTIONS
from tools.indexing.indexer import frame_track, index_video
from tools.store.store import CaptionStore
from tools.timeline import Source
from tools.video.reader import probe

SOURCES: tuple[Source, ...] = ("vision", "screen")
AHEAD = 2
RATE_HZ = 10.0


def main(store_folder: str, video: str, killed_before: int | None) -> None:
    """Index; before description number ``killed_before`` the process gets SIGKILL.

    If a batch was described before, not until it is written.
    """
    film = probe(Path(video))

    def kill(said: int) -> None:
        if said == killed_before:
            while said > BATCH_CAPTIONS and not store.seen_starts(film.id, track):
                time.sleep(0.001)
            os.kill(os.getpid(), signal.SIGKILL)

    captioner = BrightnessCaptioner(sources=SOURCES, ahead=AHEAD, before_saying=kill)
    track = frame_track(captioner, RATE_HZ)
    with CaptionStore.open(Path(store_folder), embedder=WordEmbedder.name) as store:
        index_video(
            film,
            captioner,
            rate_hz=RATE_HZ,
            store=store,
            embedder=WordEmbedder(),
            report=lambda _: None,
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None)
