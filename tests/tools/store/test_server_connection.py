"""What answers at the address of a Chroma server is told as what it is."""

import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from tests.listening import Handler, listening
from tools.errors import StoreError
from tools.store.store import CaptionStore
from tools.store.timed_http import GRACE_S, LEAST_S, TimedTransport

Reply = tuple[int, str, bytes]
HTML = "text/html; charset=utf-8"


@contextmanager
def answering(reply: Reply, **more: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that gives everybody the same answer; its address, and the headers it was sent."""
    headers: list[dict[str, str]] = []

    class Alike(Handler):
        def do_GET(self) -> None:
            headers.append({name.lower(): value for name, value in self.headers.items()})
            status, kind, body = reply
            self.send(body, status, content_type=kind, **more)

    with listening(Alike) as url:
        yield url, headers


@pytest.mark.parametrize("path", ["heartbeat", "identity", "tenants", "collections"])
def test_a_server_that_drags_a_reply_out_is_given_up_when_the_run_is_over(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.store.timed_http.LEAST_S", 0.3)
    ended = threading.Event()
    user = {"user_id": "", "tenant": "default_tenant", "databases": ["default_database"]}
    named = {"name": "default", "id": str(UUID(int=0)), "tenant": "default_tenant"}

    class Dragging(Handler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            parts = self.path.partition("?")[0].split("/")
            drags = path in parts[-2:]
            body = json.dumps(user if "identity" in parts else named).encode()
            self.send_header("content-length", "1000000" if drags else str(len(body)))
            self.end_headers()
            self.wfile.write(b"" if drags else body)
            while drags and not ended.wait(0.02):
                self.wfile.write(b" ")
                self.wfile.flush()

    is_over = time.monotonic() - GRACE_S
    with listening(Dragging) as url:
        try:
            with pytest.raises(StoreError, match=r"no whole answer within 0.3 s"):
                CaptionStore.open(tmp_path, embedder="minilm", url=url, until=lambda: is_over)
        finally:
            ended.set()


def test_after_a_run_all_replies_share_one_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    waited_s: list[float] = []

    async def reply(_: object, request: httpx.Request, content: bytes, timeout_s: float) -> None:
        waited_s.append(timeout_s)

    monkeypatch.setattr(TimedTransport, "_reply", reply)
    over_s = [-5.0, 2.0, 2.0 + GRACE_S]
    for since_s in over_s:
        until = time.monotonic() - since_s
        transport = TimedTransport(until=partial(float, until))
        transport.handle_request(httpx.Request("GET", "http://there/"))
    assert waited_s == pytest.approx([5.0 + GRACE_S, GRACE_S - 2.0, LEAST_S], abs=0.9)


@pytest.mark.parametrize(
    ("body", "encoding", "told"),
    [
        (b" " * 5000, "identity", "more than 4,000 bytes"),
        (gzip.compress(b" " * 1_000_000), "gzip", "more than 4,000 bytes"),
        (b"[" + b"{}," * 1000 + b"{}]", "identity", "more than 1,000 parts"),
        (b"not packed", "gzip", "incorrect header check"),
        (b"packed", "zstd", "compressed as 'zstd', which nobody asked for"),
    ],
)
def test_a_reply_is_read_no_further_than_any_reply_goes(
    body: bytes, encoding: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.store.timed_http.MAX_REPLY_BYTES", 4000)
    monkeypatch.setattr("tools.store.timed_http.MOST_PARTS", 1000)
    packed = {"content-encoding": encoding}
    with (
        answering((200, "application/json", body), **packed) as (url, _),
        pytest.raises(StoreError, match=told),
    ):
        CaptionStore.open(tmp_path, embedder="minilm", url=url)


def test_a_server_that_answers_everything_with_something_else_is_no_chroma_server(
    tmp_path: Path,
) -> None:
    says = "does not speak as Chroma servers do .*; check WHENABOUTS_CHROMA_URL"
    with (
        answering((200, "application/json", b'{"some": "thing"}')) as (url, _),
        pytest.raises(StoreError, match=says),
    ):
        CaptionStore.open(tmp_path, embedder="minilm", url=url)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ((401, "application/json", b'{"error": "AuthError"}'), r"wants a token \(401 Unauthorized"),
        ((403, HTML, b"<h1>no</h1>"), r"wants a token \(403 Forbidden"),
        (
            (404, HTML, b"<h1>nginx</h1>"),
            r"is not a Chroma server: 404 Not Found, text/html: .*nginx",
        ),
        ((200, HTML, b"<title>Sign in</title>"), r"is not a Chroma server: 200 OK, .*Sign in"),
        ((502, HTML, b"<h1>Bad Gateway</h1>"), r"is not a Chroma server: 502"),
    ],
)
def test_refusals_and_pages_are_told_as_what_they_are(
    tmp_path: Path, reply: Reply, says: str
) -> None:
    with answering(reply) as (url, _), pytest.raises(StoreError, match=says):
        CaptionStore.open(tmp_path, embedder="minilm", url=url)


def test_a_token_that_a_server_repeats_is_not_shown(tmp_path: Path) -> None:
    said = b"you sent X-Chroma-Token=s3cret, Bearer s3cret and s3cret"
    with (
        answering((500, "text/plain", said)) as (url, _),
        pytest.raises(StoreError, match="you sent") as failed,
    ):
        CaptionStore.open(tmp_path, embedder="minilm", url=url, token="s3cret")
    assert "s3cret" not in str(failed.value)


def test_a_token_is_sent_and_where_it_is_refused_that_is_said(tmp_path: Path) -> None:
    with (
        answering((401, "application/json", b"{}")) as (url, headers),
        pytest.raises(StoreError, match="refused the token") as refused,
    ):
        CaptionStore.open(tmp_path, embedder="minilm", url=url, token="s3cret")
    assert headers[0]["authorization"] == "Bearer s3cret"
    assert headers[0]["x-chroma-token"] == "s3cret"
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("token", ["tök", "x\ny", "t\x00"])
def test_a_token_that_cannot_be_sent_is_told_as_that(token: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="characters that no token has") as error:
        CaptionStore.open(tmp_path, embedder="minilm", url="http://127.0.0.1:9", token=token)
    assert token not in str(error.value)


def test_the_path_of_chromas_own_api_may_stand_in_the_address(tmp_path: Path) -> None:
    with (
        answering((200, HTML, b"x")) as (url, _),
        pytest.raises(StoreError, match=r"at \S*:\d+/api/v2/heartbeat is not"),
    ):
        CaptionStore.open(tmp_path, embedder="minilm", url=f"{url}/api/v2/")


def test_a_password_in_the_address_is_sent_and_never_shown(tmp_path: Path) -> None:
    with (
        answering((403, "application/json", b"{}")) as (url, headers),
        pytest.raises(StoreError) as refused,
    ):
        CaptionStore.open(tmp_path, embedder="minilm", url=url.replace("//", "//me:pass%40word@"))
    assert headers[0]["authorization"] == "Basic bWU6cGFzc0B3b3Jk"
    assert "pass" not in str(refused.value)


def test_nobody_is_followed_to_another_address(tmp_path: Path) -> None:
    reply = (307, "text/plain", b"")
    with (
        answering(reply, location="http://other.example/") as (url, headers),
        pytest.raises(StoreError, match="redirects to http://other"),
    ):
        CaptionStore.open(tmp_path, embedder="minilm", url=url)
    assert len(headers) == 1


@pytest.mark.parametrize("url", ["http://h:1/?a=b", "http://h:1/#x"])
def test_what_no_server_takes_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError, match="which no Chroma server accepts"):
        CaptionStore.open(tmp_path, embedder="minilm", url=url)


@pytest.mark.slow
def test_variables_and_files_of_other_programs_do_not_reach_chroma(tmp_path: Path) -> None:
    """In a process of its own, since Chroma reads them while it is imported."""
    (tmp_path / ".env").write_text("CHROMA_SERVER_HTTP_PORT=many\nIS_PERSISTENT=perhaps\n")
    script = (
        "import pathlib, sys\n"
        "from tools.store.store import CaptionStore\n"
        "with CaptionStore.open(pathlib.Path(sys.argv[1]), embedder='minilm') as store:\n"
        "    print(store.records())\n"
    )
    root = Path(__file__).resolve().parents[3]
    foreign = {
        "CHROMA_SERVER_HOST": "elsewhere",
        "CHROMA_SERVER_SSL_ENABLED": "maybe",
        "CHROMA_API_IMPL": "chromadb.api.fastapi.FastAPI",
        "PERSIST_DIRECTORY": str(tmp_path / "elsewhere"),
        "ALLOW_RESET": "7",
    }
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "store")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "PATH": "", **foreign},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        ("http://me:secret@127.0.0.1:99999", "through the proxy 127.0.0.1:99999, .*port must be"),
        ("ftp://me:secret@127.0.0.1:1", "ALL_PROXY is unusable"),
        ("http://me:secret@127.0.0.1:{}", r"through the proxy 127.0.0.1:\d+, 407: it wants a name"),
    ],
)
def test_a_proxy_in_the_way_is_named_without_its_password(
    proxy: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with answering((407, HTML, b"who are you?")) as (url, _):
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.format(url.rpartition(":")[2]))
        with pytest.raises(StoreError, match=told) as error:
            CaptionStore.open(tmp_path, embedder="minilm", url="http://chroma.example:8000")
    assert "secret" not in str(error.value)
