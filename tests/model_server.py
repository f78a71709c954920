"""``transformers serve`` over a checkpoint: a real OpenAI-compatible server on loopback.

It answers ``/v1/chat/completions`` with images and streaming, and knows no ``response_format``.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENCE_S


@dataclass(frozen=True)
class ModelServer:
    """Where it listens, and the only model it has.

    Attributes:
        base_url: With ``/v1`` at the end, as clients want it.
        model: What to give as the model's name.
    """

    base_url: str
    model: str


@contextmanager
def serve_checkpoint(checkpoint: Path, scratch: Path) -> Iterator[ModelServer]:
    """Serve a checkpoint until the block ends; it is loaded when the block begins."""
    (scratch / "hub").mkdir(parents=True)  # Its list of models reads the cache, which must exist.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["-m", "transformers.cli.transformers", "serve", str(checkpoint)]
    where = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    offline = {"HF_HOME": str(scratch), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with (scratch / "log").open("w+") as log:
        serving = subprocess.Popen(
            [sys.executable, *command, *where],
            env=os.environ | offline,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_healthy(f"http://127.0.0.1:{port}/health", serving, Path(log.name))
            yield ModelServer(f"http://127.0.0.1:{port}/v1", str(checkpoint))
        finally:
            serving.terminate()
            try:
                serving.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                serving.kill()
                serving.wait()


def _wait_until_healthy(url: str, serving: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and serving.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError(f"transformers serve did not come up:\n{log.read_text()[-2000:]}")
