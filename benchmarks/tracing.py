"""What tracing adds to a question: to a file, to LangSmith, and to a LangSmith that never answers.

    python benchmarks/tracing.py [--questions N]

Captions of ten minutes are asked by ``Grounder.find``, with and without tracing in turn, and the
median wall times are compared: decided by a text model that takes 200 ms to reply, which is fast,
and without a text model, where there is next to nothing that tracing could be small beside.
LangSmith and the text model are servers in a process of their own. A last LangSmith accepts
connections and never answers; there the end of the command counts too.
"""

import argparse
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from agent.api import Grounder
from agent.settings import Settings, load_settings

LENGTH_S = 600
WORDS = "man woman dog car street table red blue boat horse tree lamp door child bus coat".split()
REPLY_AFTER_S = 0.2
REPLY = '{"found": true, "events": [{"first": 1, "last": 2}]}'
OVERHEAD_LIMIT = 1.05
SILENT_LIMIT_S = 2.0


COMPLETION = {
    "id": "one",
    "object": "chat.completion",
    "created": 0,
    "model": "tiny",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": REPLY}}
    ],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020},
}


class Accepting(BaseHTTPRequestHandler):
    """LangSmith, which takes what it is sent, and a text model, which always says the same."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Say what LangSmith's server says of itself."""
        self._answer(
            b'{"version": "0.15.0", "batch_ingest_config": {"use_multipart_endpoint": true}}'
        )

    def do_POST(self) -> None:
        """Read all of it."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/chat/completions"):
            time.sleep(REPLY_AFTER_S)
            self._answer(json.dumps(COMPLETION).encode())
        else:
            self._answer(b"{}")

    def do_PATCH(self) -> None:
        """Read a change too."""
        self.do_POST()

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing of it."""


def serve(address: Connection) -> None:
    """Serve until the process is ended, and send the port first."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Accepting)
    address.send(server.server_port)
    server.serve_forever()


def prepare(folder: Path) -> tuple[Path, Path]:
    """A video of ten minutes, and a captions file that says something else every second."""
    video = folder / "ten-minutes.mp4"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 2.0, (64, 48))
    for _ in range(2 * LENGTH_S):
        writer.write(np.full((48, 64, 3), 90, np.uint8))
    writer.release()
    captions = folder / "captions.jsonl"
    rng = np.random.default_rng(0)
    captions.write_text(
        "".join(
            json.dumps({"t": second, "caption": "A " + " and a ".join(rng.choice(WORDS, 4))}) + "\n"
            for second in range(LENGTH_S)
        )
    )
    return video, captions


def measure(
    grounders: dict[str, Grounder], ask: Sequence[str], video: Path, captions: Path
) -> None:
    """Print a line for each kind: its median, and the ratio to the first."""
    spent_ms: dict[str, list[float]] = {kind: [] for kind in grounders}
    for turn, query in enumerate(ask):
        kinds = list(grounders)
        # No kind always comes first.
        for kind in kinds[turn % len(kinds) :] + kinds[: turn % len(kinds)]:
            started_s = time.perf_counter()
            grounders[kind].find(video, f"{query} {kind}", captions=captions)
            spent_ms[kind].append(1000 * (time.perf_counter() - started_s))
    medians = {kind: statistics.median(taken[3:]) for kind, taken in spent_ms.items()}
    plain_ms = medians["not traced"]
    for kind, taken_ms in medians.items():
        print(
            f"  {kind:12} {taken_ms:6.1f} ms a question, {taken_ms / plain_ms:.3f} of not traced"
            f" (limit {OVERHEAD_LIMIT})"
        )


def command_s(video: Path, query: str, captions: Path, folder: Path, langsmith: str) -> float:
    """Seconds of a whole command, traced to ``langsmith`` unless that is "off"."""
    named = {
        "WHENABOUTS_HOME": str(folder / "home"),
        "WHENABOUTS_REASONER": "similarity",
        "OTEL_SDK_DISABLED": "true",
        "LANGSMITH_TRACING": "false" if langsmith == "off" else "true",
        "LANGSMITH_ENDPOINT": langsmith,
        "LANGSMITH_API_KEY": "made-up",
    }
    started_s = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "agent.cli", "ask", video, query, "--captions", captions],
        env=os.environ | named,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started_s


def main() -> int:
    """Print what tracing adds."""
    parser = argparse.ArgumentParser(description="Time questions with and without tracing.")
    parser.add_argument("--questions", type=int, default=60, help="of each kind")
    options = parser.parse_args()
    receiving, sending = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(sending,), daemon=True
    )
    server.start()
    url = f"http://127.0.0.1:{receiving.recv()}"
    rng = np.random.default_rng(1)
    queries = [f"a {' beside a '.join(rng.choice(WORDS, 2))}" for _ in range(options.questions + 3)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        video, captions = prepare(folder)

        def settings(**changed: Any) -> Settings:
            usual: dict[str, Any] = {
                "home": folder / "home",
                "captioner": "classical",
                "reasoner": "similarity",
                "openai_api_key": "made-up",
                "openai_base_url": f"{url}/v1",
                "langsmith_tracing": False,
                "langsmith_api_key": "made-up",
                "langsmith_endpoint": url,
                "otel_sdk_disabled": True,
            }
            return load_settings(**(usual | changed))

        for reasoner in ("openai:tiny", "similarity"):
            print(f"decided by {reasoner}:")
            with ExitStack() as stack:
                grounders = {
                    "not traced": settings(reasoner=reasoner),
                    "file": settings(reasoner=reasoner, trace=folder / "trace.jsonl"),
                    "LangSmith": settings(reasoner=reasoner, langsmith_tracing=True),
                }
                opened = {
                    kind: stack.enter_context(Grounder(one)) for kind, one in grounders.items()
                }
                measure(opened, queries, video, captions)

        # The first one does not count: what it reads from disk is warm for those after it.
        _, *taken_s = (command_s(video, queries[0], captions, folder, "off") for _ in range(2))
        with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
            silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            taken_s.append(command_s(video, queries[0], captions, folder, silent_url))
        print(
            "one command from start to end, beside a LangSmith that never answers: "
            f"{taken_s[1] - taken_s[0]:.2f} s more (limit {SILENT_LIMIT_S:.0f})"
        )
    server.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
