"""A web site on the loopback that serves what a test puts there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.listening import Handler, listening


class Site(Handler):
    """Serves what a test put there; counts what is asked of it.

    Attributes:
        pages: Status, headers and body by path.
        asked: Paths, in the order asked.
        goes_on: Clear it to send no more than half of each body until it is set.
    """

    pages: dict[str, tuple[int, dict[str, str], bytes]]
    asked: list[str]
    goes_on: threading.Event

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status, headers, body = self.pages.get(self.path, (404, {}, b"nothing"))
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            half = len(body) // 2
            try:
                self.wfile.write(body[:half])
                self.wfile.flush()
                self.goes_on.wait()
                self.wfile.write(body[half:])
            except ConnectionError:
                pass  # The one who asked has left.

    do_HEAD = do_GET


@contextmanager
def site_on_loopback() -> Iterator[tuple[str, type[Site]]]:
    """Its address, and what it serves."""
    goes_on = threading.Event()
    goes_on.set()
    pages = type("Pages", (Site,), {"pages": {}, "asked": [], "goes_on": goes_on})
    with listening(pages) as url:
        yield url, pages
        goes_on.set()


def movie(body: bytes) -> tuple[int, dict[str, str], bytes]:
    """What a site answers that serves a video as a file."""
    return 200, {"Content-Type": "video/mp4"}, body
