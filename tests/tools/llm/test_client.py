"""The client of services against servers that misbehave on purpose."""

import base64
import gzip
import json
import os
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.servers import Answer, Asked, fails, says, serving
from tools.errors import ServiceError
from tools.llm.client import Patience, Service, clean
from tools.llm.connection import MAX_REPLY_BYTES
from tools.llm.discovery import served_models
from tools.llm.negotiation import Habits, ServiceRequest

KEY = "sk-a-secret-of-the-user-0123456789"
HELLO = ServiceRequest([{"role": "user", "content": "hello"}])
ONCE = Patience(max_retries=0)


def service_at(url: str, **options: Any) -> Service:
    return Service("tiny", api_key=KEY, base_url=url, **({"patience": ONCE} | options))


@contextmanager
def talking(talk: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """A server that says to every connection what it likes, until the block ends."""
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                talk(connection, ended)
            except OSError:
                pass  # The client has left.

    def accept(listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        finally:
            ended.set()
            listening.shutdown(socket.SHUT_RDWR)


def trickle(text: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def talk(connection: socket.socket, ended: threading.Event) -> None:
        for byte in text * 100_000:
            connection.sendall(bytes([byte]))
            if ended.wait(0.02):
                return

    return talk


def say_nothing(_: socket.socket, ended: threading.Event) -> None:
    ended.wait()


HEADERS = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"


def trickle_body(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(HEADERS)
    trickle(b"1\r\n \r\n")(connection, ended)


@pytest.mark.parametrize(
    "talk",
    [say_nothing, trickle(b"HTTP/1.1 200 OK"), trickle(b"HTTP/1.1 200 OK\r\nx: "), trickle_body],
)
def test_one_deadline_holds_for_a_whole_reply_however_it_is_dragged_out(
    talk: Callable[[socket.socket, threading.Event], None],
) -> None:
    with talking(talk) as url:
        service = service_at(url, patience=Patience(timeout_s=0.3, max_retries=0))
        with pytest.raises(ServiceError, match=r"no answer from .* \(none within 0.3 s\)") as error:
            service.chat(HELLO)
    assert error.value.kind == "timeout"


def test_the_end_of_a_run_comes_before_that_of_a_reply() -> None:
    with (
        talking(say_nothing) as url,
        pytest.raises(ServiceError, match="time for this run") as error,
    ):
        service_at(url).chat(HELLO, until=time.monotonic() + 0.2)
    assert error.value.kind == "timeout"


def test_a_server_that_accepts_no_connection_is_said_to_be_out_of_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tools.llm.connection.CONNECT_TIMEOUT_S", 0.2)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        service = service_at(f"http://127.0.0.1:{port}/v1")
        try:
            with pytest.raises(ServiceError, match=r"\(no connection within 0.2 s\)") as caught:
                service.chat(HELLO)
        finally:
            for one in waiting:
                one.close()
    assert caught.value.kind == "unreachable"


def test_no_name_server_holds_up_the_end_of_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    are_daemons, released = [], threading.Event()

    def look_up(*_: Any, **__: Any) -> list[Any]:
        # What is no daemon is waited for by the interpreter.
        are_daemons.append(threading.current_thread().daemon)
        released.wait()
        return []

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    try:
        with pytest.raises(ServiceError, match="time for this run"):
            service_at("http://slow.example/v1").chat(HELLO, until=time.monotonic() + 0.2)
    finally:
        released.set()
    assert are_daemons == [True]


def test_no_wait_goes_beyond_the_end_of_a_run() -> None:
    with serving([fails(429, retry_after="60")]) as server:
        service = service_at(server.url, patience=Patience(max_retries=5))
        with pytest.raises(ServiceError, match="time for this run"):
            service.chat(HELLO, until=time.monotonic() + 30)
    assert len(server.asked) == 1


def test_why_the_time_of_a_run_was_used_up_is_told() -> None:
    with serving([fails(503, "no worker is free")]) as server:
        service = service_at(server.url, patience=Patience(max_retries=8, backoff_s=4))
        with pytest.raises(ServiceError, match=r"time for this run .*503: no worker is free"):
            service.chat(HELLO, until=time.monotonic() + 1)


def endless(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(HEADERS)
    while not ended.is_set():
        connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def bomb(connection: socket.socket, ended: threading.Event) -> None:
    packed = gzip.compress(b" " * (2 * MAX_REPLY_BYTES))
    told = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
    connection.sendall(told.encode() + packed)
    ended.wait()


@pytest.mark.parametrize("talk", [endless, bomb])
def test_a_reply_without_end_is_read_no_further_than_any_reply_goes(
    talk: Callable[[socket.socket, threading.Event], None],
) -> None:
    with talking(talk) as url, pytest.raises(ServiceError, match="more than 16,777,216 bytes"):
        service_at(url).chat(HELLO)


def test_a_reply_that_is_packed_unasked_is_unpacked() -> None:
    packed = Answer(gzip.compress(says("a door").body), headers={"content-encoding": "gzip"})
    with serving([packed]) as server:
        assert service_at(server.url).chat(HELLO).text == "a door"
    assert server.asked[0].headers["accept-encoding"] == "identity"


def test_neither_the_key_nor_a_picture_follows_a_redirect() -> None:
    with serving([says("stolen")]) as thief:
        moved = Answer(b"", 307, headers={"Location": f"{thief.url}/chat/completions"})
        with serving([moved]) as server, pytest.raises(ServiceError, match="which is not followed"):
            service_at(server.url).chat(HELLO)
    assert thief.asked == []


def test_the_proxy_is_named_where_one_is_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    with talking(say_nothing) as url:
        nobody = url.removesuffix("/v1").removeprefix("http://")
    monkeypatch.setenv("HTTP_PROXY", f"http://user:secret@{nobody}")
    monkeypatch.setenv("http_proxy", f"http://user:secret@{nobody}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(ServiceError, match=f"through the proxy {nobody}") as error:
        service_at("http://models.example/v1").chat(HELLO)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("address", ["http://models.example/v1", "https://models.example/v1"])
def test_a_proxy_that_knows_nobody_by_that_password_is_told_as_that(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(
            b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        )

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with talking(refuse) as url:
        proxy = f"http://user:secret@{url.removesuffix('/v1').removeprefix('http://')}"
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy)
        with pytest.raises(ServiceError, match="wants a name and password that it knows") as error:
            service_at(address).chat(HELLO)
    assert "secret" not in str(error.value)
    assert error.value.kind in {"settings", "unreachable"}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1", "pip install socksio"),
        ("HTTPS_PROXY", "nonsense://x", "is unusable"),
        ("HTTPS_PROXY", "http://h:port", "HTTPS_PROXY or ALL_PROXY is unusable"),
        ("SSL_CERT_FILE", "/nowhere/cert.pem", "SSL_CERT_FILE"),
    ],
)
def test_an_environment_that_cannot_be_used_is_named(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv(name.lower() if "PROXY" in name else name, value)
    with pytest.raises(ServiceError, match=told) as error:
        service_at("https://models.example/v1")
    assert error.value.kind == "settings"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(b'[{"error": {"message": "in a list", "code": 400}}]', 400), "in a list"),
        (Answer(b'{"detail": [{"loc": ["body"], "msg": "of FastAPI"}]}', 422), "of FastAPI"),
        (Answer(b'{"error": "a string"}', 400), "a string"),
        (Answer(b'{"message": "at the top"}', 400), "at the top"),
        (Answer(b"<html><head><title>502 Bad</title></head><b>x", 400, "text/html"), "502 Bad"),
        (Answer(b"plain words", 400, "text/plain"), "plain words"),
        (
            Answer(
                b'{"error":{"message":"Provider returned error","metadata":{"raw":"why"}}}', 400
            ),
            "Provider returned error: why",
        ),
        (fails(403, f"{KEY[:8]}***{KEY[-4:]} may not, in your region"), "may not, in your region"),
    ],
)
def test_a_servers_own_words_are_told(answer: Answer, words: str) -> None:
    with serving([answer]) as server, pytest.raises(ServiceError) as error:
        service_at(server.url).chat(HELLO)
    # Its port may have the digits of the key.
    told = str(error.value).replace(server.url, "")
    assert words in told
    assert KEY[:8] not in told
    assert KEY[-4:] not in told


@pytest.mark.parametrize(
    "address", ["ftp://x/v1", "localhost", "http://x:port/v1", "http://[::1/v1"]
)
def test_an_address_that_is_none_is_said_to_be_none(address: str) -> None:
    with pytest.raises(ServiceError, match="OPENAI_BASE_URL"):
        service_at(address)


def test_blanks_around_an_address_are_no_part_of_it() -> None:
    with serving([says("a door")]) as server:
        assert service_at(f"{server.url}/\r\n").chat(HELLO).text == "a door"


def test_the_query_of_an_address_stays_behind_the_path_and_is_shown_nowhere() -> None:
    def said(asked: Asked) -> Answer:
        return fails(400, f"no {asked.path} with {base64.b64encode(b'a-secret-code-7').decode()}")

    with serving(said) as server:
        service = service_at(f"{server.url}/?api-version=2026-01-01&code=a-secret-code-7")
        with pytest.raises(ServiceError) as refused:
            service.chat(HELLO)
    assert {asked.path for asked in server.asked} == {
        "/v1/chat/completions?api-version=2026-01-01&code=a-secret-code-7"
    }
    assert "api-version=2026-01-01&code=… with …" in str(refused.value)


def test_what_one_asker_learns_of_a_model_another_knows() -> None:
    request = ServiceRequest(HELLO.messages, {"temperature": 0})

    def script(asked: Asked) -> Answer:
        refused = "temperature" in asked.body
        return fails(400, "'temperature' is not supported") if refused else says("a door")

    with serving(script) as server:
        first, second = service_at(server.url), service_at(server.url)
        first.chat(request)
        second.chat(request)
        assert len(server.asked) == 3
        other = Service("other", api_key=KEY, base_url=server.url, patience=ONCE)
        other.chat(request)
    assert len(server.asked) == 5


def test_the_models_of_a_server_are_listed_and_what_is_no_list_is_said_to_be_none() -> None:
    with serving([], models=["b", "a"]) as server:
        assert served_models(server.url, KEY) == ["a", "b"]
    with serving([]) as server, pytest.raises(ServiceError, match="answers 404 when asked"):
        served_models(server.url, KEY)
    with pytest.raises(ServiceError, match="that the server is running"):
        served_models(server.url, KEY)


def test_a_process_that_was_forked_off_asks_over_connections_of_its_own() -> None:
    with serving([says("a door")]) as server:
        service = service_at(server.url)
        assert service.chat(HELLO).text == "a door"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # That there are threads is the point.
            child = os.fork()
        if child == 0:
            try:
                said = service.chat(HELLO).text
            finally:
                os._exit(0 if said == "a door" else 1)
        _, status = os.waitpid(child, 0)
    assert (status, len(server.asked)) == (0, 2)


def test_words_in_any_body_are_read_without_an_error() -> None:
    for body in (b"", b"[]", b"null", b"5", b'"x"', b'{"error": []}', b'{"error": {"message": 5}}'):
        with serving([Answer(body, 400)]) as server, pytest.raises(ServiceError, match="400"):
            service_at(server.url).chat(HELLO)
    deep = json.dumps({"error": {"error": {"error": {"error": {"error": {"error": "deep"}}}}}})
    with serving([Answer(deep.encode(), 400)]) as server, pytest.raises(ServiceError, match="400"):
        service_at(server.url).chat(HELLO)


@pytest.mark.parametrize("is_openai", [False, True])
def test_openais_newest_models_are_asked_as_they_want_it_from_the_first(is_openai: bool) -> None:
    options = {"max_tokens": 9, "temperature": 0, "tools": [{}], "response_format": {"type": "x"}}
    body = Habits(is_openai=is_openai).body(ServiceRequest(HELLO.messages, options), "tiny")
    expected = {"max_completion_tokens": 9, "tools": [{}], "response_format": {"type": "x"}}
    if not is_openai:
        # Elsewhere a schema holds a model even where it wants a tool, so it waits.
        expected = {"max_tokens": 9, "temperature": 0, "tools": [{}]}
    assert body == {"model": "tiny", "messages": HELLO.messages} | expected


def test_a_schema_gives_way_to_plain_json_where_only_that_is_taken() -> None:
    request = ServiceRequest(HELLO.messages, {"response_format": {"type": "json_schema"}})

    def script(asked: Asked) -> Answer:
        if asked.body["response_format"]["type"] == "json_schema":
            return fails(400, "response_format.type must be one of 'text', 'json_object'")
        return says("{}")

    with serving(script) as server:
        assert service_at(server.url).chat(request).text == "{}"


def test_what_a_model_wrote_wrong_is_asked_for_without_tools_and_schema() -> None:
    request = ServiceRequest(HELLO.messages, {"response_format": {"type": "json_schema"}})

    def script(asked: Asked) -> Answer:
        wrong = fails(400, "Failed to generate JSON", code="json_validate_failed")
        return wrong if "response_format" in asked.body else says("x")

    with serving(script) as server:
        service = service_at(server.url, patience=Patience(max_retries=2, backoff_s=0.001))
        assert service.chat(request).text == "x"
        assert len(server.asked) == 2
        # Of that reply only: others may fit.
        service.chat(request)
    assert "response_format" in server.asked[2].body


def test_what_was_left_out_in_vain_with_others_is_tried_once_more() -> None:
    """A server that says no more than no takes neither of two options, and all the others."""
    bad = {"temperature", "logprobs"}

    def refuses_two(asked: Asked) -> Answer:
        return fails(400, "Bad Request") if bad & asked.body.keys() else says("a door")

    options = {
        "max_tokens": 100,
        "temperature": 0,
        "logprobs": 5,
        "response_format": {"type": "json_object"},
    }
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What?"}]
    with serving(refuses_two) as server:
        service = service_at(server.url)
        for _ in range(6):
            assert service.chat(ServiceRequest(messages, options)).text == "a door"
        last = server.asked[-1].body
        assert {"max_tokens", "response_format"} <= last.keys()
        assert last["messages"][0]["role"] == "system"
        assert not bad & last.keys()
        before = len(server.asked)
        service.chat(ServiceRequest(messages, options))
        assert len(server.asked) == before + 1, "it is known from then on"


def test_a_key_that_a_server_repeats_is_in_no_reply() -> None:
    key = "sk-a-secret-of-the-user-0123456789"
    with serving(lambda asked: says(f"I was sent {asked.headers['authorization']}")) as server:
        service = Service("tiny", api_key=key, base_url=server.url)
        reply = service.chat(HELLO)
    assert (reply.text, key in repr(reply)) == ("I was sent Bearer …", False)


@pytest.mark.parametrize("wait", ["0", "-3", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_wait_of_no_time_is_a_wait_of_ours(wait: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def note(_: Service, at: float, *__: object) -> None:
        waited.append(at - time.monotonic())

    monkeypatch.setattr(Service, "_wait_until", note)
    with serving([fails(429, "slow down", retry_after=wait), says("fine")]) as server:
        service = service_at(server.url, patience=Patience(backoff_s=100.0))
        assert service.chat(HELLO).text == "fine"
    assert any(one > 40.0 for one in waited)


def test_a_key_is_not_shown_in_parts_either() -> None:
    key = "abcdefghij-klmnopqrst-0123456789"
    for said in (key, f"{key[:9]}\n{key[9:]}", f"it ends with {key[-12:]}", f"{key[10:20]} is in"):
        shown = clean(f"wrong key {said}", key)
        assert not any(key[at : at + 8] in shown.replace(" ", "") for at in range(len(key) - 7))
