"""An answer that is of this API and holds no reply is told as that, not as a wrong address."""

import json

import pytest

from tests.servers import Answer, says, serving
from tools.errors import ServiceError
from tools.llm.client import Patience, Service
from tools.llm.completion import read_completion
from tools.llm.failures import Addressee, Failure, Sent, classify, explain
from tools.llm.negotiation import ServiceRequest

STREAM = "text/event-stream; charset=utf-8"
JSON = "application/json"

HOLLOW = {
    "no choice": (JSON, b'{"choices": []}'),
    "choices that are null": (JSON, b'{"id": "c", "choices": null, "usage": {}}'),
    "a choice without a message": (JSON, b'{"choices": [{"finish_reason": "stop"}]}'),
    "a message that is null": (JSON, b'{"choices": [{"message": null}]}'),
    "a completion without choices": (JSON, b'{"object": "chat.completion", "created": 1}'),
    "a stream without a piece": (STREAM, b"data: [DONE]\n\n"),
    "a stream without a choice": (STREAM, b'data: {"choices": []}\n\ndata: [DONE]\n\n'),
}
FOREIGN = {
    "a page": ("text/html", b"<title>Sign in</title>"),
    "nothing": (JSON, b""),
    "another API": (JSON, b'{"output": []}'),
    "a list": (JSON, b"[]"),
}


def judged(content_type: str, body: bytes) -> tuple[Failure, str]:
    assert read_completion(content_type, body) is None
    failure = classify(200, {"content-type": content_type}, body, Sent())
    return failure, str(explain(failure, failure.said, Addressee("example.com", "m")))


@pytest.mark.parametrize(("content_type", "body"), HOLLOW.values(), ids=HOLLOW)
def test_a_reply_that_is_missing_is_not_blamed_on_the_address(
    content_type: str, body: bytes
) -> None:
    failure, told = judged(content_type, body)
    assert failure.kind == "hollow"
    assert "answered, but without a reply in it (no choice with a message)" in told
    assert "OPENAI_BASE_URL" not in told


@pytest.mark.parametrize(("content_type", "body"), FOREIGN.values(), ids=FOREIGN)
def test_what_is_no_such_service_is_still_blamed_on_the_address(
    content_type: str, body: bytes
) -> None:
    failure, told = judged(content_type, body)
    assert failure.kind == "strange"
    assert "check OPENAI_BASE_URL" in told


def test_the_words_beside_missing_choices_are_quoted() -> None:
    _, told = judged(JSON, b'{"choices": [], "error": {"message": "the worker died"}}')
    assert "the worker died" in told


@pytest.mark.parametrize("reason", ["SAFETY", "BLOCKLIST", "OTHER"])
def test_a_prompt_that_google_blocks_is_declined_whatever_the_reason(reason: str) -> None:
    body = {"choices": [], "promptFeedback": {"blockReason": reason}}
    assert judged(JSON, json.dumps(body).encode())[0].kind == "declined"


@pytest.mark.parametrize(
    "finish",
    [
        "content_filter",
        "content_filter: PROHIBITED_CONTENT",
        "SAFETY",
        "IMAGE_SAFETY",
        "RECITATION",
        "refusal",
        "guardrail_intervened",
        "sensitive",
    ],
)
def test_a_filter_is_known_by_many_names(finish: str) -> None:
    body = json.dumps({"choices": [{"finish_reason": finish, "message": None}]}).encode()
    done = read_completion(JSON, body)
    assert done
    assert "content filter" in done.refusal


@pytest.mark.parametrize("finish", ["stop", "length", "tool_calls", "error", "", "end_turn"])
def test_an_ordinary_end_is_no_filter(finish: str) -> None:
    message = {"role": "assistant", "content": "a door"}
    body = json.dumps({"choices": [{"finish_reason": finish, "message": message}]}).encode()
    done = read_completion(JSON, body)
    assert done
    assert done.refusal == ""


BILLED = {
    "whole": b'{"choices": [], "usage": {"prompt_tokens": 90, "completion_tokens": 10}}',
    "stream": b'data: {"choices": [], "usage": {"prompt_tokens": 90, "completion_tokens": 10}}\n\n',
    "no message": b'{"choices": [{"finish_reason": "stop"}], '
    b'"usage": {"prompt_tokens": 90, "completion_tokens": 10}}',
    "declined": b'{"choices": [], "promptFeedback": {"blockReason": "OTHER"}, '
    b'"usage": {"prompt_tokens": 90, "completion_tokens": 10}}',
}


@pytest.mark.parametrize("body", BILLED)
def test_tokens_of_an_answer_without_a_reply_are_counted(body: str) -> None:
    with serving([Answer(BILLED[body])]) as server:
        service = Service(
            "tiny", api_key=None, base_url=server.url, patience=Patience(max_retries=1, backoff_s=0)
        )
        with pytest.raises(ServiceError) as caught:
            service.chat(ServiceRequest([{"role": "user", "content": "hello"}]))
        tries = len(server.asked)
    assert (caught.value.tokens_in, caught.value.tokens_out) == (90 * tries, 10 * tries)


def test_a_reply_counts_the_tokens_of_answers_without_one_before_it() -> None:
    with serving([Answer(BILLED["whole"]), says("a door")]) as server:
        service = Service(
            "tiny", api_key=None, base_url=server.url, patience=Patience(max_retries=1, backoff_s=0)
        )
        done = service.chat(ServiceRequest([{"role": "user", "content": "hello"}]))
    assert (done.text, done.tokens_in, done.tokens_out) == ("a door", 190, 20)
