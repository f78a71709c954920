"""Indexes a video with captions of a service, in a new process for every line that comes in.

Everything is imported once and the process is forked then: a test that kills twenty of them
does not wait for twenty interpreters. It says the id of each, and how each ended.
"""

import importlib
import os
import signal
import sys
from pathlib import Path

from tests.fakes import WordEmbedder
from tools.captioners.openai import OpenAICaptioner
from tools.indexing.indexer import index_video
from tools.llm.client import Patience
from tools.store.store import CaptionStore
from tools.video.reader import probe

IN_FLIGHT = 4
INTERRUPTED = 130


def index(folder: Path, video: Path, url: str) -> None:
    """Index with every frame shown; the journal lies beside the store."""
    captioner = OpenAICaptioner(
        "tiny",
        prompt="?",
        prompt_version="v1",
        api_key=None,
        base_url=url,
        in_flight=IN_FLIGHT,
        patience=Patience(max_retries=0),
    )
    with CaptionStore.open(folder / "store", embedder=WordEmbedder.name) as store:
        index_video(
            probe(video),
            captioner,
            rate_hz=1,
            store=store,
            embedder=WordEmbedder(),
            report=lambda _: None,
            every_frame=True,
            journals=folder / "journals",
        )


def main(folder: str, video: str, url: str) -> None:
    """Fork once for every line of the input; the first line out tells that all is imported."""
    for module in ("chromadb.api.rust", "httpx", "tenacity"):
        importlib.import_module(module)
    # A shell has what it runs in the background ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    say("ready")
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                index(Path(folder), Path(video), url)
            except KeyboardInterrupt:
                os._exit(INTERRUPTED)
            os._exit(0)
        say(child)
        _, status = os.waitpid(child, 0)
        say(os.waitstatus_to_exitcode(status))


def say(words: object) -> None:
    """One line to the process that started this."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
