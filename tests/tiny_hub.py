"""A hub on loopback that serves one folder as the model ``me/tiny``, as the real one would."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.listening import Handler, listening

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

    class Hub(Handler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            content = hub.answer(path)
            if content is None:
                self.send(b"", 404, x_error_code="RepoNotFound")
            elif "/resolve/" not in path:
                self.send(content)
            else:
                if content and self.command == "GET":
                    hub.fetched.append(path.partition(f"{REVISION}/")[2])
                tag = f'"{hashlib.sha1(content).hexdigest()}"'
                self.send(content, etag=tag, x_repo_commit=REVISION)

        do_HEAD = do_GET

    with listening(Hub) as hub.url:
        yield hub
