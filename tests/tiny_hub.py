"""A hub on loopback that serves one folder as the model ``me/tiny``, as the real one would."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

NAME = "me/tiny"
REVISION = "a" * 40


class TinyHub:
    """What is served, and what was asked for.

    Attributes:
        url: For ``HF_ENDPOINT``.
        fetched: Names of the files whose content was sent, in order.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetched: list[str] = []
        self.url = ""

    def answer(self, path: str) -> bytes | None:
        """The reply's content; None where there is nothing of that path."""
        if path == f"/api/models/{NAME}" or path.startswith(f"/api/models/{NAME}/revision/"):
            files = [{"rfilename": name, "size": len(self.read(name))} for name in self.names()]
            return json.dumps({"id": NAME, "sha": REVISION, "siblings": files}).encode()
        if path.startswith(f"/api/models/{NAME}/tree/"):
            files = [
                {"type": "file", "path": name, "size": len(self.read(name)), "oid": name}
                for name in self.names()
            ]
            return json.dumps(files).encode()
        prefix = f"/{NAME}/resolve/{REVISION}/"
        if path.startswith(prefix) and path.removeprefix(prefix) in self.names():
            return self.read(path.removeprefix(prefix))
        return None

    def names(self) -> list[str]:
        """Every file, by its path in the folder."""
        files = (one for one in self.folder.rglob("*") if one.is_file())
        return sorted(one.relative_to(self.folder).as_posix() for one in files)

    def read(self, name: str) -> bytes:
        """A file's content."""
        return (self.folder / name).read_bytes()


@contextmanager
def serve_hub(folder: Path) -> Iterator[TinyHub]:
    """Serve until the block ends."""
    hub = TinyHub(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            content = hub.answer(path)
            self.send_response(404 if content is None else 200)
            if content is None:
                self.send_header("X-Error-Code", "RepoNotFound")
            elif "/resolve/" in path:
                self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
                self.send_header("X-Repo-Commit", REVISION)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            if content and self.command == "GET":
                if "/resolve/" in path:
                    hub.fetched.append(path.partition(f"{REVISION}/")[2])
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    try:
        yield hub
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
