"""A form of request that a service does not take is found out by trying, whatever its words."""

import json
import os
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from tests.servers import Answer, Asked, fails, says, serving
from tools.errors import ServiceError
from tools.llm.client import Patience, Service
from tools.llm.negotiation import ServiceRequest

SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}
REQUEST = ServiceRequest(
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": "data:,", "detail": "low"}},
        ]},
    ],
    {"max_tokens": 9, "temperature": 0, "response_format": SCHEMA, "logprobs": 5},
)  # fmt: skip
ODD = fails(400, "No puedo.")


def service_at(url: str) -> Service:
    return Service("tiny", api_key=None, base_url=url, patience=Patience(max_retries=0))


def has_detail(body: dict[str, Any]) -> bool:
    return "detail" in json.dumps(body["messages"])


ODDITIES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "temperature": lambda body: "temperature" in body,
    "max_tokens": lambda body: "max_tokens" in body,
    "response_format": lambda body: "response_format" in body,
    "logprobs": lambda body: "logprobs" in body,
    "detail": has_detail,
    "system": lambda body: any(one["role"] == "system" for one in body["messages"]),
    "whole": lambda body: not body.get("stream"),
    "all options": lambda body: bool({"temperature", "response_format", "logprobs"} & set(body)),
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_what_is_refused_in_no_known_words_is_found_and_left_out(oddity: str) -> None:
    streamed = json.dumps({"choices": [{"delta": {"content": "a door"}, "finish_reason": "stop"}]})

    def script(asked: Asked) -> Answer:
        if ODDITIES[oddity](asked.body):
            return ODD
        if asked.body.get("stream"):
            return Answer(f"data: {streamed}\n\n".encode(), content_type="text/event-stream")
        return says("a door")

    with serving(script) as server:
        service = service_at(server.url)
        assert service.chat(REQUEST).text == "a door"
        found_out = len(server.asked)
        assert found_out < 11
        assert service.chat(REQUEST).text == "a door"
    assert len(server.asked) == found_out + 1, "it is remembered, and nothing is paid twice"


def test_what_is_refused_in_every_form_is_tried_once_and_told_in_its_words() -> None:
    with serving([ODD]) as server:
        service = service_at(server.url)
        for _ in range(3):
            with pytest.raises(ServiceError, match="No puedo"):
                service.chat(REQUEST)
            tried = len(server.asked)
        assert tried < 13


def test_a_form_that_was_taken_once_is_not_doubted_again() -> None:
    with serving([says("a door"), ODD]) as server:
        service = service_at(server.url)
        service.chat(REQUEST)
        with pytest.raises(ServiceError, match="No puedo"):
            service.chat(REQUEST)
    assert len(server.asked) == 2


def test_many_that_are_refused_at_once_find_out_once() -> None:
    def script(asked: Asked) -> Answer:
        return ODD if "temperature" in asked.body else says("a door")

    said: list[str] = []
    with serving(script) as server:
        service = service_at(server.url)
        asking = [
            threading.Thread(target=lambda: said.append(service.chat(REQUEST).text))
            for _ in range(6)
        ]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
    assert said == ["a door"] * 6
    assert sum("temperature" not in one.body for one in server.asked) == 6


def test_a_busy_service_is_not_taken_for_one_that_refuses_every_form() -> None:
    answers = [ODD, fails(429, retry_after="0"), ODD, says("a door")]
    with serving(answers) as server:
        service = Service(
            "tiny", api_key=None, base_url=server.url, patience=Patience(max_retries=2)
        )
        assert service.chat(REQUEST).text == "a door"


def test_a_process_forked_off_while_another_thread_finds_out_can_find_out_itself() -> None:
    with serving([ODD]) as server:
        service = service_at(server.url)
        held, done = threading.Event(), threading.Event()

        def hold() -> None:
            with service._habits.trying:  # as long as the test wants
                held.set()
                done.wait()

        holding = threading.Thread(target=hold)
        holding.start()
        held.wait()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # That there are threads is the point.
            child = os.fork()
        if child == 0:
            can = service._habits.trying.acquire(timeout=5)  # as above
            os._exit(0 if can else 1)
        _, status = os.waitpid(child, 0)
        done.set()
        holding.join()
    assert status == 0


@pytest.mark.parametrize("words", ["encoding_format is not a thing", "No puedo."])
def test_texts_are_embedded_where_the_form_of_numbers_cannot_be_chosen(words: str) -> None:
    def script(asked: Asked) -> Answer:
        if "encoding_format" in asked.body:
            return fails(400, words)
        rows = [{"index": n, "embedding": [1.0, 2.0]} for n, _ in enumerate(asked.body["input"])]
        return Answer(json.dumps({"data": rows}).encode())

    with serving(script) as server:
        service = service_at(server.url)
        assert len(service.embeddings(["a", "b"])) == 2
        service.embeddings(["c"])
    assert len(server.asked) == 3
