"""The OpenAI-compatible captioner against a real server on the loopback that follows a script."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.patience import PATIENCE_S
from tests.servers import (
    Answer,
    Asked,
    Script,
    cut_off,
    fails,
    malformed,
    not_json,
    rate_limited,
    refuses,
    says,
    serving,
)
from tools.captioners.looks import LookMode
from tools.captioners.openai import FAILURES_IN_A_ROW, HOPELESS, OpenAICaptioner
from tools.captioners.protocol import Captioner, Description, Metered, NoCaption
from tools.errors import CaptionerError, ServiceError
from tools.llm.client import Patience, Service
from tools.llm.negotiation import ServiceRequest
from tools.llm.prices import Price, TokenUsage
from tools.timeline import Frame

KEY = "sk-a-secret-of-the-user-0123456789"
PATIENCE = Patience(backoff_s=0.001)
Said = Description | NoCaption


def captioner_at(url: str | None, **options: Any) -> OpenAICaptioner:
    given: dict[str, Any] = {
        "prompt": "What is there?",
        "prompt_version": "v1",
        "api_key": KEY,
        "base_url": url,
        "in_flight": 4,
        "patience": PATIENCE,
    }
    return OpenAICaptioner("tiny", **(given | options))


def gray_frame(second: int) -> Frame:
    """A frame whose brightness tells its second, up to 50."""
    image = np.full((48, 64, 3), 5 * second, np.uint8)
    return Frame(float(second), image, None, None, np.zeros((1, 36, 64), np.uint8), np.zeros(1))


def gray_frames(count: int) -> Iterator[Frame]:
    return map(gray_frame, range(count))


def second_of(asked: Asked) -> int:
    return round(float(asked.images[0].mean()) / 5)


def names_second(asked: Asked) -> Answer:
    return says(f"second {second_of(asked)}")


def said_by(captioner: Captioner, count: int = 1, **options: Any) -> list[Said]:
    said = captioner.describe(gray_frames(count), seen=options.get("seen", frozenset()))
    return sorted((one for one in said if one), key=lambda one: one.time_s)


# --- what is sent, what comes back


def test_every_frame_is_described_once_and_under_its_own_time() -> None:
    with serving(names_second) as server:
        captioner = captioner_at(server.url)
        said = said_by(captioner, 40, seen={3.0, 4.0})
    assert said == [
        Description(float(n), f"second {n}", "vision", float(n))
        for n in range(40)
        if n not in (3, 4)
    ]
    assert sorted(map(second_of, server.asked)) == [n for n in range(40) if n not in (3, 4)]
    assert (captioner.model, captioner.prompt_version, captioner.mode) == (
        "openai:tiny",
        "v1",
        "frame",
    )


def test_the_request_is_what_other_servers_understand() -> None:
    with serving([says("a door")]) as server:
        said_by(captioner_at(server.url, detail="low", max_tokens=77))
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body["model"] == "tiny"
    assert asked.body["max_tokens"] == 77
    assert asked.body["temperature"] == 0
    assert "max_completion_tokens" not in asked.body
    assert [block["type"] for block in asked.blocks] == ["text", "image_url"]
    assert asked.text == "What is there?"
    assert asked.blocks[1]["image_url"]["detail"] == "low"


def test_auto_detail_is_not_sent_and_any_other_is_in_the_models_name() -> None:
    with serving([says("a door")]) as server:
        said_by(captioner_at(server.url))
        assert captioner_at(server.url, detail="high").model == "openai:tiny+high"
    assert "detail" not in server.asked[0].blocks[1]["image_url"]


def test_a_clip_is_several_pictures_each_after_its_time() -> None:
    with serving([says("a door opens")]) as server:
        captioner = captioner_at(server.url, mode=LookMode("clip", 3))
        said = said_by(captioner, 5)
    assert [(one.time_s, one.last_s) for one in said] == [(0.0, 2.0), (3.0, 4.0)]
    whole = next(asked for asked in server.asked if len(asked.images) == 3)
    assert whole.text == "What is there?\n0 s\n1 s\n2 s"
    assert captioner.mode == "clip3"


def test_pictures_keep_the_size_limit() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    frame = Frame(0.0, noise, None, None, np.zeros((1, 36, 64), np.uint8), np.zeros(1))
    with serving([says("noise")]) as server:
        list(captioner_at(server.url, max_image_kb=20).describe([frame], seen=()))
    assert len(server.asked[0].jpegs[0]) <= 20_000


def test_many_requests_are_under_way_but_never_more_than_allowed() -> None:
    all_there = threading.Barrier(4, timeout=PATIENCE_S)

    def wait_for_others(asked: Asked) -> Answer:
        # Passes in fours only: fewer in flight would wait for ever.
        all_there.wait()
        return names_second(asked)

    with serving(wait_for_others) as server:
        assert len(said_by(captioner_at(server.url, in_flight=4), 40)) == 40
    assert server.most_at_once == 4


def test_frames_are_read_only_as_fast_as_there_is_room() -> None:
    read = 0

    def counted() -> Iterator[Frame]:
        nonlocal read
        for frame in gray_frames(50):
            read += 1
            yield frame

    with serving(names_second) as server:
        said = captioner_at(server.url, in_flight=2).describe(counted(), seen=())
        received = 0
        for one in said:
            received += one is not None
            assert read - received <= 3 * 2
    assert received == 50


# --- what is no caption


@pytest.mark.parametrize(
    ("answer", "reason", "is_final"),
    [
        (refuses("I cannot describe   this."), "I cannot describe this.", True),
        (
            says("A", finish="content_filter"),
            "the service's content filter stopped the reply",
            True,
        ),
        (fails(400, "hit the policy", code="content_filter"), "hit the policy", True),
        (fails(400, "<400> Input data", code="data_inspection_failed"), "<400> Input data", True),
        (
            Answer(b'{"choices": [], "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}'),
            "declines with 200",
            True,
        ),
        (
            Answer(b'{"choices": [{"finish_reason": "content_filter"}]}'),
            "the service's content filter stopped the reply",
            True,
        ),
        (says("A man o", finish="error"), "the service broke off the reply (error)", False),
        (says(""), "the reply was empty", False),
        (says(" \n "), "the reply was empty", False),
        (says(None, reasoning_content="A door?"), "the model thought and said nothing", False),
        (says(None, finish="length"), "no caption within 1000 tokens", False),
        (says("<think>A"), "the model thought and said nothing", False),
        (
            says("<think>A cat", finish="length"),
            "the model thought and said nothing within 1000 tokens",
            False,
        ),
        (
            says("and on and on " * 30, finish="length"),
            "the model repeated itself until 1000 tokens were used",
            False,
        ),
    ],
)
def test_a_refusal_or_nothing_is_recorded_as_such(
    answer: Answer, reason: str, is_final: bool
) -> None:
    with serving([answer]) as server:
        captioner = captioner_at(server.url)
        (said,) = said_by(captioner)
        assert isinstance(said, NoCaption)
        assert (said.time_s, said.last_s, said.is_final) == (0.0, 0.0, is_final)
        assert said.reason.endswith(reason)
    # A refusal, or a limit, would be there again; what is empty may pass.
    asked_again = not is_final and "tokens" not in reason
    assert len(server.asked) == (3 if asked_again else 1)
    assert (captioner.usage.captions, captioner.usage.no_captions) == (0, 1)


def test_what_a_model_thinks_is_no_caption_and_what_it_wraps_one_in_is_none() -> None:
    replies = [
        "<think>No cat jumps here.</think>\n\nA wall.",
        "No cat jumps here.\n</think>\nA wall.",
        "◁think▷a cat◁/think▷A wall.",
        "<think>a cat</think><|begin_of_box|>A wall.<|end_of_box|>",
        "**Caption:** A wall.",
        "Here is a caption for the picture: A wall.",
        "```\nA wall.\n```",
    ]
    with serving([says(reply) for reply in replies]) as server:
        said = said_by(captioner_at(server.url, in_flight=1), len(replies))
    assert [one.text for one in said if isinstance(one, Description)] == ["A wall."] * len(replies)


def test_empties_that_pass_are_asked_for_again_and_all_that_was_paid_is_counted() -> None:
    with serving([says("", finish="error"), says("a door")]) as server:
        captioner = captioner_at(server.url)
        (said,) = said_by(captioner)
    assert said == Description(0.0, "a door", "vision", 0.0)
    assert (captioner.usage.tokens_in, captioner.usage.no_captions) == (200, 0)


NO_CHOICES = Answer(b'{"id": "c", "object": "chat.completion", "choices": []}')
GOOGLE = Answer(b'[{"error": {"code": 400, "message": "this one will not do"}}]', 400)


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (GOOGLE, "this one will not do"),
        (NO_CHOICES, "answered, but without a reply in it (no choice with a message)"),
        (fails(500, "Internal Server Error"), "500: Internal Server Error"),
        (
            Answer(b"<html><title>Too big</title></html>", 413, "text/html"),
            "the request is too long (Too big)",
        ),
    ],
)
def test_one_picture_that_a_service_cannot_be_shown_is_a_gap_and_not_the_end(
    trouble: Answer, reason: str
) -> None:
    def respond(asked: Asked) -> Answer:
        return trouble if second_of(asked) == 4 else names_second(asked)

    with serving(respond) as server:
        said = said_by(captioner_at(server.url, in_flight=1), 10)
    (gap,) = [one for one in said if isinstance(one, NoCaption)]
    assert (gap.time_s, gap.is_final) == (4.0, False)
    assert reason in gap.reason
    assert len(said) == 10


def test_a_service_that_fails_again_and_again_is_given_up() -> None:
    def respond(asked: Asked) -> Answer:
        return fails(400, "will not do") if second_of(asked) > 3 else names_second(asked)

    with serving(respond) as server, pytest.raises(CaptionerError, match="what was done is kept"):
        said_by(captioner_at(server.url, in_flight=1), 50)
    assert len(server.asked) == 4 + FAILURES_IN_A_ROW


@pytest.mark.parametrize(
    ("option", "answer"),
    [
        ("max_tokens", fails(400, "'max_tokens' is not supported. Use 'max_completion_tokens'")),
        ("temperature", fails(400, "'temperature' does not support 0 with this model")),
        ("detail", fails(422, "extra fields not permitted: detail")),
        (
            "temperature",
            Answer(b'{"detail": [{"loc": ["body", "temperature"], "msg": "not permitted"}]}', 422),
        ),
    ],
)
def test_an_option_that_a_server_refuses_is_left_out_for_all_that_ask_it(
    option: str, answer: Answer
) -> None:
    def respond(asked: Asked) -> Answer:
        there = {**asked.body, **asked.blocks[1]["image_url"]}
        return answer if option in there else names_second(asked)

    with serving(respond) as server:
        captioner = captioner_at(server.url, in_flight=1, detail="low")
        assert len(said_by(captioner, 3)) == 3
        assert len(said_by(captioner.asked("What else?", "v2"), 2)) == 2
    assert len(server.asked) == 6
    if option == "max_tokens":
        assert server.asked[1].body["max_completion_tokens"] == 1000


def test_a_model_that_only_streams_is_asked_for_a_stream() -> None:
    pieces: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}]},
        {"choices": [{"index": 0, "delta": {"reasoning_content": "A cat?"}}]},
        {"choices": [{"index": 0, "delta": {"content": "a "}}]},
        {"choices": [{"index": 0, "delta": {"content": "door"}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}},
    ]
    stream = "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces) + "data: [DONE]\n\n"

    def respond(asked: Asked) -> Answer:
        if not asked.body.get("stream"):
            return fails(400, "This model only support stream mode, please enable it.")
        return Answer(stream.encode(), content_type="text/event-stream")

    with serving(respond) as server:
        captioner = captioner_at(server.url, in_flight=1)
        assert [one.text for one in said_by(captioner, 2) if isinstance(one, Description)] == [
            "a door",
            "a door",
        ]
    assert len(server.asked) == 3
    assert captioner.usage.tokens_in == 14


def test_a_reply_is_cut_where_the_time_of_the_run_is_used() -> None:
    released = threading.Event()
    with serving([says("late").after(released)]) as server:
        try:
            captioner = captioner_at(server.url).until(time.monotonic() + 0.3)
            assert said_by(captioner, 3) == []
        finally:
            released.set()


@pytest.mark.parametrize(
    "words",
    ["I'm sorry, I can't assist with that.", "Sorry, but I am unable to describe this picture."],
)
def test_a_refusal_in_words_is_no_caption(words: str) -> None:
    with serving([says(words)]) as server:
        (said,) = said_by(captioner_at(server.url))
    assert said == NoCaption(0.0, words, 0.0)


def test_what_is_unfit_to_be_stored_or_shown_is_taken_out_of_captions() -> None:
    with serving([says("A dog \ud800 runs \u001b[31mred\u202e.")]) as server:
        (said,) = said_by(captioner_at(server.url))
    assert said == Description(0.0, "A dog ? runs [31mred.", "vision", 0.0)


def test_words_that_only_sound_like_a_refusal_are_a_caption() -> None:
    with serving([says("I'm sorry, I can't park here, says\n a sign.")]) as server:
        (said,) = said_by(captioner_at(server.url))
    assert said == Description(0.0, "I'm sorry, I can't park here, says a sign.", "vision", 0.0)


def test_a_model_that_never_captions_is_given_up() -> None:
    with (
        serving([says("")]) as server,
        pytest.raises(CaptionerError, match=r"20 replies and no caption .*takes images\?"),
    ):
        said_by(captioner_at(server.url, in_flight=1), 50)
    assert len(server.asked) == 3 * HOPELESS


# --- retries


@pytest.mark.parametrize(
    "trouble",
    [fails(500), fails(503), fails(408), rate_limited(), cut_off(), malformed(), not_json()],
)
def test_a_passing_trouble_is_tried_again(trouble: Answer) -> None:
    with serving([trouble, says("a door")]) as server:
        (said,) = said_by(captioner_at(server.url))
    assert said == Description(0.0, "a door", "vision", 0.0)
    assert len(server.asked) == 2


def test_retry_after_is_honoured() -> None:
    with serving([rate_limited(after_s=0.2), says("a door")]) as server:
        assert len(said_by(captioner_at(server.url))) == 1
    first, second = server.asked
    assert second.at_s - first.at_s >= 0.2


def test_a_limit_that_one_request_meets_holds_back_all_others() -> None:
    given_up = threading.Event()
    given_up.set()
    with serving([rate_limited(after_s=0.2), says("a door")]) as server:
        service = Service("tiny", api_key=KEY, base_url=server.url)
        one, two = (
            ServiceRequest([{"role": "user", "content": words}]) for words in ("one", "two")
        )
        with pytest.raises(ServiceError, match="stopped"):
            service.chat(one, stopping=given_up)
        assert service.chat(two).text == "a door"
    first, second = server.asked
    assert second.text == "two"
    assert second.at_s - first.at_s >= 0.2


@pytest.mark.parametrize("trouble", [fails(500, "overloaded"), rate_limited(after_s=0.001)])
def test_retries_end_and_only_one_layer_makes_them(trouble: Answer) -> None:
    with (
        serving([trouble]) as server,
        pytest.raises(CaptionerError, match=r"answers (500|429): .* \(4 times\); ask again"),
    ):
        said_by(captioner_at(server.url, patience=replace(PATIENCE, max_retries=3)))
    assert len(server.asked) == 4


def test_a_service_that_wants_hours_is_not_waited_for() -> None:
    with (
        serving([rate_limited(after_s=7200)]) as server,
        pytest.raises(CaptionerError, match="asks for a wait of 7200 s"),
    ):
        said_by(captioner_at(server.url))


def test_a_slow_reply_is_given_up_and_asked_for_again() -> None:
    released = threading.Event()

    def slow_at_first(asked: Asked) -> Answer:
        return says("late").after(released) if asked.number == 0 else says("in time")

    with serving(slow_at_first) as server:
        try:
            (said,) = said_by(captioner_at(server.url, patience=replace(PATIENCE, timeout_s=0.5)))
        finally:
            released.set()
    assert isinstance(said, Description)
    assert said.text == "in time"


# --- what ends a run, in words


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (fails(401, f"Incorrect API key provided: {KEY[:8]}***{KEY[-4:]}"), "set OPENAI_API_KEY"),
        (fails(403), r"refuses the key \(403: no\); set OPENAI_API_KEY to one that may use tiny"),
        (fails(404, "no such model"), r"knows no model 'tiny' \(.*no such model.*\); check"),
        (fails(429, "pay", code="insufficient_quota"), "no credit is left"),
    ],
)
def test_what_cannot_get_better_ends_the_run_at_once(answer: Answer, advice: str) -> None:
    with serving([answer]) as server, pytest.raises(CaptionerError, match=advice) as failure:
        said_by(captioner_at(server.url, in_flight=1), 5)
    assert len(server.asked) == 1
    assert KEY[:8] not in str(failure.value)
    assert failure.value.__suppress_context__


@pytest.mark.parametrize("answer", [not_json(), malformed(), says(5), Answer(b"[1]")])  # type: ignore[arg-type]  # what a server must not send
def test_a_server_of_something_else_is_named(answer: Answer) -> None:
    with (
        serving([answer]) as server,
        pytest.raises(CaptionerError, match=r"127.0.0.1:\d+/v1 does not answer as OpenAI's API"),
    ):
        said_by(captioner_at(server.url))
    assert len(server.asked) == 3


def test_no_server_is_told_at_once_with_the_address() -> None:
    with serving([says("a door")]) as server:
        pass
    with pytest.raises(CaptionerError, match=f"no answer from {server.url} .*that the server"):
        # With its own patience it would try for minutes.
        said_by(captioner_at(server.url, patience=Patience(max_retries=50, backoff_s=60)))


def test_what_is_missing_is_named_before_anything_is_asked() -> None:
    with pytest.raises(CaptionerError, match="needs a key: set OPENAI_API_KEY"):
        captioner_at(None, api_key=None)
    with pytest.raises(CaptionerError, match="must look like http://localhost:8000/v1"):
        captioner_at("localhost:8000/v1")
    with pytest.raises(CaptionerError, match="holds a user or password") as failure:
        captioner_at(f"http://user:{KEY}@localhost:8000/v1")
    assert KEY not in str(failure.value)
    with pytest.raises(CaptionerError, match="characters that no key has"):
        captioner_at(None, api_key="sk-\u2026")


# --- nothing paid for is lost


def broken_frames(count: int) -> Iterator[Frame]:
    yield from gray_frames(count)
    raise CaptionerError("the disk is gone")


def until_error(said: Iterator[Said | None]) -> tuple[list[Said], str]:
    """What comes before it raises, and the error; none where it does not."""
    received: list[Said] = []
    try:
        for one in said:
            received += [one] if one else []
    except CaptionerError as exc:
        return received, str(exc)
    return received, ""


def test_when_reading_fails_what_was_asked_still_comes() -> None:
    with serving(names_second) as server:
        captioner = captioner_at(server.url)
        said, error = until_error(captioner.describe(broken_frames(10), seen=()))
    assert error == "the disk is gone"
    assert sorted(one.time_s for one in said) == sorted(map(float, map(second_of, server.asked)))
    assert said


def test_when_one_request_fails_the_others_still_come() -> None:
    others_asked = threading.Event()

    def fail_one(asked: Asked) -> Answer:
        if asked.number >= 3:
            others_asked.set()
        if second_of(asked) == 0:
            return fails(404, "gone").after(others_asked)
        return names_second(asked)

    with serving(fail_one) as server:
        captioner = captioner_at(server.url, in_flight=4)
        said, error = until_error(captioner.describe(gray_frames(50), seen=()))
    assert "knows no model" in error
    assert sorted(one.time_s for one in said) == sorted(
        float(second_of(asked)) for asked in server.asked if second_of(asked) != 0
    )


# --- money


def test_tokens_and_dollars_come_from_the_replies() -> None:
    prices = {"tiny": Price(2.0, 10.0, "2026-01-01", "mine")}
    with serving(names_second) as server:
        captioner = captioner_at(server.url, prices=prices)
        assert captioner.usage == TokenUsage()
        said_by(captioner, 10)
    assert isinstance(captioner, Metered)
    assert captioner.usage.tokens_in == 1000
    assert captioner.usage.tokens_out == 100
    assert captioner.usage.usd == pytest.approx((1000 * 2 + 100 * 10) / 1e6)


def test_an_unknown_price_is_none_and_never_zero() -> None:
    with serving([says("a door")]) as server:
        captioner = captioner_at(server.url)
        said_by(captioner)
    assert captioner.usage == TokenUsage(captions=1, tokens_in=100, tokens_out=10, usd=None)


def test_openais_price_is_not_taken_for_another_servers_model() -> None:
    with serving([says("a door")]) as server:
        captioner = OpenAICaptioner(
            "gpt-5-mini", prompt="x", prompt_version="", api_key=None, base_url=server.url
        )
        said_by(captioner)
    assert captioner.usage.usd is None
    assert server.asked[0].headers["authorization"] == "Bearer none"


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}, {"total_tokens": 9}])
def test_a_reply_without_usage_makes_the_sum_unknown(usage: dict[str, Any] | None) -> None:
    prices = {"tiny": Price(2.0, 10.0, "2026-01-01", "mine")}
    with serving([says("a door", usage=usage)]) as server:
        captioner = captioner_at(server.url, prices=prices)
        assert len(said_by(captioner)) == 1
    assert (captioner.usage.unmetered, captioner.usage.usd) == (1, None)


# --- the key


@pytest.mark.parametrize(
    "script",
    [
        [fails(401, KEY)],
        [fails(400, KEY)],
        [fails(404, KEY)],
        [fails(500, KEY)],
        [fails(400, KEY, code="content_filter")],
        [Answer(f'"{KEY}"'.encode())],
        [Answer(KEY.encode(), content_type="text/plain")],
        [says("a door")],
    ],
)
def test_the_key_is_in_no_log_error_or_repr(
    script: Script, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = []
    with serving(script) as server:
        captioner = captioner_at(server.url, patience=replace(PATIENCE, max_retries=1))
        try:
            shown.append(repr(said_by(captioner)))
        except CaptionerError as exc:
            shown += [str(exc), repr(exc)]
    shown += [repr(captioner), repr(vars(captioner)), repr(vars(captioner._service)["_connection"])]
    shown += [repr(one) for one in captioner.__dict__.values()]
    shown += [record.getMessage() for record in caplog.records]
    shown += capfd.readouterr()
    assert server.asked
    assert [text for text in shown if KEY in text] == []


def test_no_picture_goes_to_a_tracing_service(monkeypatch: pytest.MonkeyPatch) -> None:
    import langsmith.utils
    from langchain_core.tracers.langchain import wait_for_all_tracers

    read_variable: Any = langsmith.utils.get_env_var
    with serving([says("a door")]) as server, socket.create_server(("127.0.0.1", 0)) as tracing:
        tracing.setblocking(False)
        address = f"http://127.0.0.1:{tracing.getsockname()[1]}"
        for name, value in {"TRACING": "true", "ENDPOINT": address, "API_KEY": "none"}.items():
            monkeypatch.setenv(f"LANGSMITH_{name}", value)
        read_variable.cache_clear()
        try:
            assert len(said_by(captioner_at(server.url), 2)) == 2
            wait_for_all_tracers()
        finally:
            monkeypatch.undo()
            read_variable.cache_clear()
        with pytest.raises(BlockingIOError):  # nobody has connected
            tracing.accept()
