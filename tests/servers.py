"""A real HTTP server on the loopback that speaks as much of OpenAI's chat API as a script says.

    with serving([rate_limited(after_s=0.01), says("a door opens")]) as server:
        Service("tiny", api_key=None, base_url=server.url)

A script is a list of answers, given in turn (the last one for ever), or a function of the request.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.listening import Handler, listening
from tests.patience import PATIENCE_S


@dataclass(frozen=True)
class Asked:
    """One request: its number from 0 on, when it came (monotonic), its headers (names in lower
    case) and JSON body."""

    number: int
    at_s: float
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """The content of the last message, as blocks."""
        content = self.body["messages"][-1]["content"]
        return [{"type": "text", "text": content}] if isinstance(content, str) else content

    @property
    def text(self) -> str:
        """Every text of every message, a line each."""
        return "\n".join(
            block["text"]
            for message in self.body["messages"]
            for block in (
                [{"type": "text", "text": message["content"]}]
                if isinstance(message["content"], str)
                else message["content"]
            )
            if block["type"] == "text"
        )

    @property
    def jpegs(self) -> list[bytes]:
        """Every picture of the last message."""
        urls = [one["image_url"]["url"] for one in self.blocks if one["type"] == "image_url"]
        return [base64.b64decode(url.removeprefix("data:image/jpeg;base64,")) for url in urls]

    @property
    def images(self) -> list[NDArray[np.uint8]]:
        """Every picture, RGB."""
        decoded = [
            cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) for jpeg in self.jpegs
        ]
        return [np.asarray(image, np.uint8)[:, :, ::-1] for image in decoded if image is not None]


@dataclass(frozen=True)
class Answer:
    """What the server sends: whole, late, or only the beginning of it."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    wait_for: threading.Event | None = None
    missing_bytes: int = 0

    def after(self, event: threading.Event) -> "Answer":
        """The same answer, once the event is set."""
        return replace(self, wait_for=event)


Script = Callable[[Asked], Answer] | Sequence[Answer]

USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


def says(text: str | None, *, finish: str = "stop", **changed: Any) -> Answer:
    """A chat completion; ``usage`` and fields of the message can be changed."""
    usage = changed.pop("usage", USAGE)
    message = {"role": "assistant", "content": text} | changed
    choice = {"index": 0, "message": message, "finish_reason": finish}
    body = {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
    if usage is not None:
        body["usage"] = usage
    return Answer(json.dumps(body).encode())


def refuses(words: str = "I cannot describe this.") -> Answer:
    return says(None, refusal=words)


def fails(status: int, message: str = "no", *, code: str | None = None, **headers: str) -> Answer:
    """An error as OpenAI words it; ``retry_after="1"`` becomes the header ``retry-after``."""
    body = json.dumps({"error": {"message": message, "type": "error", "code": code}}).encode()
    return Answer(
        body, status, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def rate_limited(*, after_s: float | None = None) -> Answer:
    wait = {} if after_s is None else {"retry_after": str(after_s)}
    return fails(429, "slow down", code="rate_limit_exceeded", **wait)


def cut_off() -> Answer:
    """The connection closes in the middle of the body."""
    return replace(says("a door op"), missing_bytes=40)


def malformed() -> Answer:
    return Answer(b'{"choices": [{"message": {"content": "a do')


def not_json() -> Answer:
    return Answer(b"<html>Welcome to the router</html>", content_type="text/html")


class Server:
    """What a running server was asked so far, in order of arrival; ``url`` ends with ``/v1``."""

    def __init__(self, script: Script, models: Sequence[str] | None) -> None:
        self.url = ""
        self.models = models
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._script = script
        self._at_once = 0
        self._lock = threading.Lock()

    @contextmanager
    def answering(
        self, path: str, headers: dict[str, str], body: dict[str, Any]
    ) -> Iterator[Answer]:
        """Note a request, and find the answer to it."""
        with self._lock:
            asked = Asked(len(self.asked), time.monotonic(), path, headers, body)
            self.asked.append(asked)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if callable(self._script):
                yield self._script(asked)
            else:
                yield self._script[min(asked.number, len(self._script) - 1)]
        finally:
            with self._lock:
                self._at_once -= 1


@contextmanager
def serving(script: Script, *, models: Sequence[str] | None = None) -> Iterator[Server]:
    """Run a server in threads of this process, until the end of the ``with``.

    Args:
        script: What it answers.
        models: What it lists under ``/models``; None: there is no such page.
    """
    scripted = Server(script, models)

    class Chat(Handler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.body())
            headers = {name.lower(): value for name, value in self.headers.items()}
            with scripted.answering(self.path, headers, body) as answer:
                if answer.wait_for:
                    answer.wait_for.wait(PATIENCE_S)
                try:
                    self._send(answer)
                except OSError:
                    self.close_connection = True  # The client has given up.

        def do_GET(self) -> None:
            if scripted.models is None or self.path != "/v1/models":
                self._send(fails(404))
                return
            rows = [{"id": name, "object": "model"} for name in scripted.models]
            self._send(Answer(json.dumps({"object": "list", "data": rows}).encode()))

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) - answer.missing_bytes])
            self.wfile.flush()
            if answer.missing_bytes:
                self.close_connection = True

    with listening(Chat) as url:
        scripted.url = f"{url}/v1"
        yield scripted
