"""Real HTTP servers on the loopback that traces are sent to, and that keep all they receive."""

import json
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any

from tests.listening import Handler, listening
from tests.patience import PATIENCE_S

INFO = json.dumps(
    {
        "version": "0.15.0",
        "batch_ingest_config": {
            "use_multipart_endpoint": True,
            "size_limit": 100,
            "size_limit_bytes": 20_971_520,
            "scale_up_nthreads_limit": 16,
            "scale_up_qsize_trigger": 1000,
            "scale_down_nempty_trigger": 4,
        },
    }
).encode()


@dataclass
class Received:
    """What came so far.

    Attributes:
        url: Of the server.
        requests: Method, path, headers (names in lower case) and body, unpacked.
    """

    url: str = ""
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def bodies(self) -> bytes:
        """All bodies, one after the other."""
        return b"\n".join(body for _, _, _, body in self.requests)

    def posts(self, path: str) -> list[bytes]:
        """The bodies sent to a path."""
        return [body for method, at, _, body in self.requests if (method, at) == ("POST", path)]

    def runs(self) -> dict[str, dict[str, Any]]:
        """LangSmith's runs by id, put together from what was posted and patched."""

        runs: dict[str, dict[str, Any]] = {}
        for method, path, headers, body in self.requests:
            if (method, path) != ("POST", "/runs/multipart"):
                continue
            head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
            parts: Any = BytesParser().parsebytes(head + body).get_payload()
            for part in parts:
                name = part.get_param("name", header="content-disposition")
                _, run_id, *rest = name.split(".")
                value = json.loads(part.get_payload(decode=True))
                run = runs.setdefault(run_id, {})
                if rest:
                    run[rest[0]] = value
                else:
                    run |= {key: one for key, one in value.items() if one is not None}
        return runs


@contextmanager
def receiving(
    *, post_status: int = 202, post_after: threading.Event | None = None
) -> Iterator[Received]:
    """A server that takes everything, or answers with an error, or only after an event."""
    received = Received()

    class Collector(Handler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self._body()
            if self.headers.get("Content-Encoding") == "gzip":
                body = zlib.decompress(body, 31)
            self._note(self.command, body)
            if post_after:
                post_after.wait(PATIENCE_S)
            self.send(b"{}", post_status, content_type="application/json")

        def do_PATCH(self) -> None:
            self.do_POST()

        def do_GET(self) -> None:
            self._note("GET", b"")
            self.send(INFO, content_type="application/json")

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def _note(self, method: str, body: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            received.requests.append((method, self.path, headers, body))

    with listening(Collector) as received.url:
        yield received


@contextmanager
def silence() -> Iterator[str]:
    """The address of a server that accepts, and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def nobody() -> Iterator[str]:
    """An address that nobody listens at."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{reserved.getsockname()[1]}"
