"""Replies as services send them, whole and as streams: what is said is read, half of it never."""

import json
from typing import Any

import pytest

from tests.servers import Answer, serving
from tools.llm.client import Service
from tools.llm.completion import read_completion
from tools.llm.negotiation import ServiceRequest

JSON, STREAM = "application/json", "text/event-stream"


def whole(message: Any, finish: str = "stop", **of_choice: Any) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": finish} | of_choice
    return json.dumps({"choices": [choice]}).encode()


def piece(finish: str | None = None, index: int = 0, **delta: Any) -> str:
    return json.dumps({"choices": [{"index": index, "delta": delta, "finish_reason": finish}]})


def stream(*pieces: str) -> bytes:
    return "".join(f"data: {one}\n\n" for one in pieces).encode()


END = piece("stop")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, whole({"content": [{"type": "text", "text": "A wall."}]})),
        (JSON, whole({"content": ["A ", "wall."]})),
        (JSON, whole({"content": [{"text": "A wall."}]})),
        (JSON, whole({"content": [{"type": "text", "text": {"value": "A wall."}}]})),
        (JSON, whole({"content": {"type": "text", "text": "A wall."}})),
        (JSON, whole({"content": [{"type": "thinking", "thinking": []}, "A wall."]})),
        (JSON, b'{"choices": [{"text": "A wall.", "finish_reason": "stop"}]}'),
        (JSON, b'{"choices": [{"delta": {"content": "A wall."}, "finish_reason": "stop"}]}'),
        (JSON, stream(piece(content="A wall."), "[DONE]")),
        (STREAM, whole({"content": "A wall."})),
        (STREAM, b": waiting\n\n" + stream(piece(content="A wall."), "[DONE]")),
        (STREAM, stream(piece(content=[{"type": "text", "text": "A "}]), piece(content="wall."),
                        END)),
        (STREAM, stream(piece(content="A wall."), piece(index=1, content="A door."), END)),
        (STREAM, stream(piece(content="A wall."), END).replace(b"\n", b"\r\n")),
    ],
)  # fmt: skip
def test_what_is_said_is_read_in_whatever_form_it_comes(kind: str, body: bytes) -> None:
    done = read_completion(kind, body)
    assert done
    assert (done.text, done.refusal) == ("A wall.", "")


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\u0085"])
def test_what_only_looks_like_the_end_of_a_line_does_not_break_a_stream(odd: str) -> None:
    told = json.dumps({"choices": [{"delta": {"content": f"A{odd}wall"}}]}, ensure_ascii=False)
    done = read_completion(STREAM, stream(told, END))
    assert done
    assert done.text == f"A{odd}wall"


@pytest.mark.parametrize(
    "body",
    [
        stream(piece(content="A man o")),
        stream(piece(content="A man o"), '{"error": {"message": "died"}}'),
        stream(piece(content="A man o"), "{broken", END),
        stream(piece(content="A man o")) + b'event: error\ndata: {"message": "died"}\n\n',
    ],
)
def test_a_stream_that_breaks_off_is_no_reply(body: bytes) -> None:
    assert read_completion(STREAM, body) is None


def test_a_reply_beside_an_error_is_none() -> None:
    told = json.loads(whole({"content": "A man o"})) | {"error": {"message": "died"}}
    assert read_completion(JSON, json.dumps(told).encode()) is None
    done = read_completion(JSON, json.dumps(told | {"error": None}).encode())
    assert done
    assert done.text == "A man o"


@pytest.mark.parametrize(
    "finish",
    ["error", "network_error", "abort", "cancelled", "insufficient_system_resource", "timeout",
     "MALFORMED_FUNCTION_CALL", "function_call_filter: MALFORMED_FUNCTION_CALL"],
)  # fmt: skip
def test_a_reply_that_its_service_broke_off_is_empty_and_may_be_asked_for_again(
    finish: str,
) -> None:
    call = {"id": "1", "function": {"name": "search_captions", "arguments": '{"te'}}
    done = read_completion(JSON, whole({"content": "A man o", "tool_calls": [call]}, finish))
    assert done
    assert done.is_empty
    assert finish in done.fault


@pytest.mark.parametrize(
    "finish", ["length", "LENGTH", "MAX_TOKENS", "model_length", "model_context_window_exceeded"]
)
def test_a_limit_is_known_by_many_names(finish: str) -> None:
    done = read_completion(JSON, whole({"content": "A man o"}, finish))
    assert done
    assert done.cut_off
    assert done.text == "A man o"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (whole({"content": [{"type": "refusal", "refusal": "I can't."}]}), "I can't."),
        (whole({"content": None, "refusal": {"reason": "violence"}}), "violence"),
        (whole({"content": None, "refusal": True}), "the model declined"),
        (whole({"content": ""}, native_finish_reason="SAFETY"), "content filter"),
        (
            whole({"content": ""}, content_filter_results={"violence": {"filtered": True}}),
            "content filter",
        ),
    ],
)
def test_a_refusal_is_seen_wherever_it_stands(body: bytes, refusal: str) -> None:
    done = read_completion(JSON, body)
    assert done
    assert refusal in done.refusal


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_thoughts_apart_are_known_by_many_names(field: str) -> None:
    done = read_completion(JSON, whole({"content": "", field: "A cat?"}))
    assert done
    assert (done.text, done.thought, done.is_empty) == ("", True, True)


@pytest.mark.parametrize("said", ["\u200b\ufeff", "\u2060", "\n \u3000"])
def test_a_text_without_anything_to_see_is_empty(said: str) -> None:
    done = read_completion(JSON, whole({"content": said}))
    assert done
    assert done.is_empty


def test_a_call_in_the_old_form_is_a_call() -> None:
    call = {"name": "search_captions", "arguments": "{}"}
    done = read_completion(JSON, whole({"content": None, "function_call": call}, "function_call"))
    assert done
    assert done.tool_calls[0]["function"] == call


@pytest.mark.parametrize("odd", [10**400, 2**63, -5, 1.5, "7", True, None])
def test_what_is_no_number_of_tokens_is_not_counted(odd: Any) -> None:
    told = json.loads(whole({"content": "A wall."}))
    told["usage"] = {"prompt_tokens": 9, "completion_tokens": odd}
    reply = read_completion(JSON, json.dumps(told).encode())
    assert reply is not None
    assert (reply.text, reply.tokens_in, reply.tokens_out) == ("A wall.", None, None)


def call(index: Any, id_: str | None, name: str | None, arguments: Any) -> dict[str, Any]:
    told = {"name": name, "arguments": arguments}
    held = {k: v for k, v in told.items() if v is not None}
    return {"index": index, "id": id_, "function": held}


@pytest.mark.parametrize(
    "deltas",
    [
        [call(0, "a", "look", '{"at": 1}'), call(0, "b", "look", '{"at": 2}')],
        [call(None, "a", "look", '{"at"'), call(None, None, None, ": 1}"),
         call(None, "b", "look", '{"at": 2}')],
        [call("0", "a", "look", {"at": 1}), call("1", "b", "look", {"at": 2})],
        [call(0, "a", "look", ""), call(0, "a", "look", '{"at": 1}'),
         call(1, "b", "look", '{"at": 2}')],
        [call(3, None, "look", '{"at": 1}'), call(7, None, "look", '{"at": 2}')],
    ],
    ids=["alike", "not at all", "in words", "the name once more", "with gaps"],
)  # fmt: skip
def test_calls_in_a_stream_are_told_apart_however_they_are_numbered(deltas: list[Any]) -> None:
    pieces = [piece(tool_calls=[one]) for one in deltas]
    done = read_completion(STREAM, stream(*pieces, piece("tool_calls")))
    assert done
    assert [json.loads(one["function"]["arguments"]) for one in done.tool_calls] == [
        {"at": 1},
        {"at": 2},
    ]
    assert {one["function"]["name"] for one in done.tool_calls} == {"look"}


def test_a_piece_of_a_stream_may_go_over_several_lines() -> None:
    lines = json.dumps(json.loads(piece(content="A wall.")), indent=1).split("\n")
    body = "".join(f"data: {line}\n" for line in lines) + f"\ndata: {END}\n\n"
    done = read_completion(STREAM, body.encode())
    assert done
    assert done.text == "A wall."


def test_a_stream_may_begin_with_a_mark_of_its_encoding() -> None:
    done = read_completion("text/plain", b"\xef\xbb\xbf" + stream(piece(content="A wall."), END))
    assert done
    assert done.text == "A wall."


def test_of_odd_calls_only_those_are_kept_that_can_be_carried_out() -> None:
    sound = {"id": 5, "function": {"name": "look", "arguments": {"at": 1}}}
    odd = [None, 5, {}, {"function": None}, {"function": {"name": None}}, {"function": {"name": 5}}]
    long = {"id": "a", "function": {"name": "x" * 1000, "arguments": "{"}}
    done = read_completion(JSON, whole({"content": None, "tool_calls": [*odd, long, sound]}))
    assert done
    assert done.tool_calls == done.message["tool_calls"] == [sound]
    for none in (odd, "look", {"function": {"name": "look"}}, [sound] * 0):
        done = read_completion(JSON, whole({"content": None, "tool_calls": none}))
        assert done
        assert done.is_empty
    many = read_completion(JSON, whole({"content": None, "tool_calls": [sound] * 1000}))
    assert many
    assert len(many.tool_calls) == 32


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        ("utf-8", "application/json"),
        ("utf-8-sig", "application/json"),
        ("iso-8859-1", "application/json; charset=iso-8859-1"),
        ("cp1252", 'application/json;charset="windows-1252"'),
        ("utf-16", "application/json"),
        ("utf-16", "application/json; charset=utf-16"),
    ],
)
def test_a_reply_is_read_in_the_encoding_that_it_came_in(encoding: str, content_type: str) -> None:
    told = {"choices": [{"message": {"content": "eine Tür öffnet sich"}, "finish_reason": "stop"}]}
    body = json.dumps(told, ensure_ascii=False).encode(encoding)
    with serving([Answer(body, content_type=content_type)]) as server:
        service = Service("tiny", api_key=None, base_url=server.url)
        reply = service.chat(ServiceRequest([{"role": "user", "content": "Was ist da?"}]))
    assert reply.text == "eine Tür öffnet sich"


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=no-such"])
def test_a_broken_letter_loses_no_reply(content_type: str) -> None:
    body = b'{"choices": [{"message": {"content": "a T\xfcr"}, "finish_reason": "stop"}]}'
    with serving([Answer(body, content_type=content_type)]) as server:
        service = Service("tiny", api_key=None, base_url=server.url)
        reply = service.chat(ServiceRequest([{"role": "user", "content": "Was ist da?"}]))
    assert reply.text == "a T�r"
