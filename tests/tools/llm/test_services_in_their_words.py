"""What services say in words of their own is understood wherever something can be done about it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tools.llm.error_body import wait_asked_for_s
from tools.llm.failures import Sent, classify

CHAT = Sent({"response_format", "temperature", "max_tokens"}, system=True)
PLAIN = Sent({"temperature"}, system=True)
TOOLS = Sent({"response_format", "tools", "temperature"}, system=True)
TOLD = Sent({"tools", "temperature"}, look_ups=True, system=True)
PICTURES = Sent({"temperature", "max_tokens", "detail"})
ODDS = Sent({"temperature", "logprobs"})


def error(said: str, code: Any = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": said, "code": code} | more}


def kind_of(status: int, body: Any, sent: Sent) -> str:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    failure = classify(status, {}, content, sent)
    return failure.kind + (f" {failure.option}" if failure.option else "")


TOO_LONG: list[tuple[int, Any]] = [
    (413, error("Request too large for model `x` on tokens per minute (TPM): Limit 6000")),
    (429, error("Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 3")),
    (413, "<html><head><title>413 Request Entity Too Large</title></head></html>"),
    (413, error("Request body too large for gpt-4o model. Max size: 8000 tokens.")),
    (422, error("`inputs` tokens + `max_new_tokens` must be <= 8193. Given: 8200 `inputs` tokens")),
    (422, {"error": "Input validation error: `inputs` must have less than 4095 tokens. Given: 50"}),
    (400, {"detail": "prompt_tokens + max_tokens = 9000 is larger than max sequence length 8192"}),
    (400, {"detail": "Prompt length 9000 is greater than max_seq_len 8192"}),
    (400, error("Invalid request: Your request exceeded model token limit: 8192")),
    (400, error("Unable to submit request because the input token count is 32768 but model only "
                "supports up to 32767. Reduce the input token count and try again.")),
    (400, {"message": "Malformed input request: expected maxLength: 32000, actual: 35000"}),
    (400, error("Prompt 超长", "1261")),
    (400, error("tokens数量超过模型最大长度限制", "1214")),
    (400, {"error": "Trying to keep the first 4500 tokens when context the overflows. However, the "
                    "model is loaded with context length of only 4096 tokens"}),
    (200, {"choices": None, "base_resp": {"status_code": 2013, "status_msg": "context window "
                                          "exceeds limit"}}),
    (500, error("input is too large to process. increase the physical batch size", 500)),
    (503, {"detail": {"msg": "Prompt too large", "type": "bad_input"}}),
    (400, error("At most 1 image(s) may be provided in one prompt.")),
    (400, error("Too many images provided. This model supports up to 5 images")),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body"), TOO_LONG)
def test_what_is_too_long_is_known_as_that_from_any_server(status: int, body: Any) -> None:
    assert kind_of(status, body, PLAIN) == "context"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, error("Internal Server Error")),
        (500, error("context deadline exceeded")),
        (503, error("Loading model", 503)),
        (200, {"error": "out of memory"}),
        (503, {"error": "Model x is currently loading", "estimated_time": 20.0}),
    ],
)
def test_what_passes_is_not_taken_for_too_long(status: int, body: Any) -> None:
    assert kind_of(status, body, PLAIN) == "broken"


REFUSED_OPTIONS: list[tuple[int, Any, Sent, str]] = [
    (422, {"detail": [{"loc": ["body", "temperature"], "msg": "Input should be less than 2"}]},
     CHAT, "temperature"),
    (400, error("Sampling parameters are not supported by this model"), CHAT, "temperature"),
    (400, error("Function calling with a response mime type: 'application/json' is unsupported"),
     TOOLS, "response_format"),
    (400, error("The specified schema produces a constraint that has too many states"),
     CHAT, "response_format"),
    (400, error("Invalid fields for schema with types ['string']: {'enum'}"),
     CHAT, "response_format"),
    (400, error("max tokens must be less than or equal to 4096"), CHAT, "max_tokens"),
    (400, {"message": "The maximum tokens you requested exceeds the model limit of 4096."},
     CHAT, "max_tokens"),
    (403, error("You are not allowed to request logprobs from this model"), ODDS, "logprobs"),
    (422, {"detail": [{"loc": ["body", "messages", 0, "image_url", "detail"], "msg": "Extra"}]},
     PICTURES, "detail"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "sent", "option"), REFUSED_OPTIONS)
def test_an_option_is_known_by_other_names(status: int, body: Any, sent: Sent, option: str) -> None:
    assert kind_of(status, body, sent) == f"option {option}"


OTHERS: list[tuple[str, int, Any, Sent]] = [
    ("stream", 400, error("`stream` field must be true for this model"), PICTURES),
    ("stream", 400, error("Please set stream to true"), PICTURES),
    ("stream", 400, error("Model qwen-omni only supports streaming output"), PICTURES),
    ("declined", 400, error("系统检测到输入或生成内容可能包含不安全或敏感内容", "1301"), PICTURES),
    ("declined", 400, error("The request was rejected because it was considered high risk"), CHAT),
    ("declined", 400, error("The input image may contain sensitive information."), PICTURES),
    ("declined", 403, {"code": "x", "error": "Content violates usage guidelines."}, CHAT),
    ("declined", 403, error("Forbidden", 403, metadata={"flagged_input": "…"}), CHAT),
    ("declined", 451, error("The content you provided or machine outputted is blocked."), CHAT),
    ("declined", 200, {"choices": None, "base_resp": {"status_code": 1026, "status_msg": "input "
                                                      "new_sensitive"}}, PICTURES),
    ("declined", 200, {"choices": [], "prompt_filter_results": [{"prompt_index": 0,
     "content_filter_results": {"violence": {"filtered": True}}}]}, PICTURES),
    ("system", 400, error("'messages[0].role' does not support 'developer' here."), CHAT),
    ("system", 422, {"detail": [{"loc": ["body", "messages", 0, "role"], "msg": "Input should be "
                                 "'user' or 'assistant'"}]}, CHAT),
    ("history", 422, {"detail": [{"loc": ["body", "messages", 3, "role"], "msg": "Input should be "
                                  "'system', 'user' or 'assistant'"}]}, TOLD),
    ("key", 200, error("Authentication Error, Invalid proxy server token passed", "401"), CHAT),
    ("credit", 403, {"error": "Your team has used all available credits."}, CHAT),
    ("credit", 429, error("余额不足或无可用资源包,请充值。", "1113"), CHAT),
    ("busy", 200, error("upstream", "429"), CHAT),
    ("busy", 403, {"message": "Rate Limit Exceeded"}, CHAT),
    ("busy", 400, {"message": "ThrottlingException: Too many tokens, please wait"}, CHAT),
    ("model", 400, {"error": "No models loaded. Please load a model in the developer page"}, CHAT),
    ("model", 400, error("x/y is not a valid model ID", 400), CHAT),
    ("model", 400, error("The model `x` has been decommissioned."), CHAT),
    ("generation", 400, error("Parsing failed.", "output_parse_failed"), TOOLS),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "status", "body", "sent"), OTHERS)
def test_a_failure_is_known_by_other_words(kind: str, status: int, body: Any, sent: Sent) -> None:
    assert kind_of(status, body, sent) == kind


STREAM = {"content-type": "text/event-stream"}


@pytest.mark.parametrize(
    "body",
    [
        b'data: {"choices": [{"delta": {"content": "A"}}]}\n\ndata: {"error": {"message": "died"}}',
        b'event: error\ndata: {"message": "died", "code": 502}\n\n',
        b'{"error": {"message": "died"}}',
        b"event: error\ndata: died\n\n",
    ],
)
def test_an_error_within_a_stream_is_told_in_its_words(body: bytes) -> None:
    assert classify(200, STREAM, body, Sent()).said == "died"


@pytest.mark.parametrize(
    ("headers", "said", "wait_s"),
    [
        ({}, "Please try again in 7m12.5s.", 432.5),
        ({}, "try again in 250ms", 0.25),
        ({}, "Please retry after 2 hours", 7200.0),
        ({}, "please wait for 3 seconds", 3.0),
        ({}, "try again in a while", None),
        ({"retry-after": "1e9"}, "", 1e9),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "", 0.0),
        (
            {
                "retry-after": "Wed, 21 Oct 2065 07:28:09 GMT",
                "date": "Wed, 21 Oct 2065 07:28:00 GMT",
            },
            "",
            9.0,
        ),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT", "date": "soon"}, "", 0.0),
        ({"retry-after": "Wed, 99 Foo 99999 07:28:00 GMT"}, "", None),
        ({"retry-after": "Wed, 21 Oct 99999 07:28:00 GMT"}, "", None),
    ],
)
def test_the_wait_that_a_service_asks_for_is_read(
    headers: dict[str, str], said: str, wait_s: float | None
) -> None:
    assert wait_asked_for_s(headers, said) == wait_s


@pytest.mark.parametrize("status", [403, 451])
@pytest.mark.parametrize(
    "title",
    ["Blocked by corporate policy", "Attention Required! | Cloudflare", "Content was blocked"],
)
def test_a_page_that_blocks_is_no_refusal_of_what_was_shown(status: int, title: str) -> None:
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head></html>".encode()
    failure = classify(status, {"content-type": "text/html"}, page, Sent())
    assert failure.kind == "refused", "a gap that is final would never be asked for again"
    assert failure.said == title
    told = json.dumps({"error": {"message": title}}).encode()
    in_json = classify(status, {"content-type": "application/json"}, told, Sent())
    assert in_json.kind in {"declined", "key"}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, "image input is not supported - hint: you may need to provide the mmproj"),
        (404, "No endpoints found that support image input"),
        (400, "x is not a multimodal model"),
        (400, "At most 0 image(s) may be provided in one prompt."),
        (400, "this model is missing data required for image input"),
        (400, "This model does not support image content"),
    ],
)
def test_a_model_without_eyes_is_asked_once_and_told_as_one(status: int, said: str) -> None:
    assert kind_of(status, error(said), replace(PICTURES, pictures=1)) == "refused"


def test_a_model_that_no_memory_holds_is_not_waited_for() -> None:
    said = "model requires more system memory (10.0 GiB) than is available (4.0 GiB)"
    assert kind_of(500, error(said), PLAIN) == "refused"


def test_what_a_server_does_not_do_at_all_is_not_waited_for() -> None:
    said = "This server does not support embeddings. Start it with `--embeddings`"
    assert kind_of(501, error(said), Sent()) == "refused"
