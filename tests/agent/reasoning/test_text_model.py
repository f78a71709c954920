"""The LLM reasoner, and the graph around it, against a real server that follows a script."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from langchain_core.tracers.langchain import wait_for_all_tracers
from langgraph.checkpoint.memory import InMemorySaver
from langsmith import Client, tracing_context

from agent.errors import ReasonerError, SettingsError
from agent.grounding import Cost, Grounding
from agent.reasoning.text_model import LLMReasoner
from tests.fakes import ChatModelOf
from tests.road import GOOD_REPLY, QUESTION, RECORD, TEXTS, ask, graph_with, stored
from tests.servers import Answer, Asked, Server, fails, not_json, rate_limited, says, serving
from tests.tiers import first_fast
from tools.llm.client import Patience
from tools.llm.prices import Price
from tools.store.store import CaptionStore

KEY = "sk-a-secret-of-the-user-0123456789"
GOOD = says(GOOD_REPLY)
NO_RETRIES = Patience(max_retries=0, backoff_s=0.001)
FEW_RETRIES = replace(NO_RETRIES, max_retries=2)
PRICES = {"tiny": Price(1.0, 10.0, "2026-01-31", "a test")}


def calls(name: str, **arguments: Any) -> Answer:
    """A reply that asks for a tool."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"id": "call_1", "type": "function", "function": function}
    return says(None, finish="tool_calls", tool_calls=[call])


class Traces:
    """What would go to a tracing service."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.client: Any = mock.create_autospec(Client, instance=True)
        self.client.create_run.side_effect = lambda *_, **run: self.runs.append(run)
        self.client.update_run.side_effect = lambda *_, **run: self.runs.append({"name": ""} | run)


def reasoner_at(server: Server, **options: Any) -> LLMReasoner:
    given: dict[str, Any] = {
        "api_key": KEY,
        "base_url": server.url,
        "prices": PRICES,
        "patience": NO_RETRIES,
    }
    return LLMReasoner("openai:tiny", **(given | options))


def answer_from(store: CaptionStore, *script: Answer, **parts: Any) -> tuple[Grounding, Server]:
    with serving(script) as server:
        return ask(graph_with(store, reasoner_at(server), **parts)), server


@contextmanager
def long_road(folder: Path) -> Iterator[tuple[CaptionStore, dict[str, Any]]]:
    """A video of ten minutes, of whose captions not all are shown; the dog jumps in its middle."""
    texts = ["an empty grey road"] * 300
    texts[150:153] = TEXTS[4:7]
    long = replace(RECORD, duration_s=600.0)
    with stored(folder, texts) as store:
        yield store, {"watch": lambda *_, **__: (long, Cost()), "evidence_tokens": 500}


def roles(asked: Asked) -> list[str]:
    return [message["role"] for message in asked.body["messages"]]


@pytest.mark.parametrize(
    "odd",
    [
        {"usage": {"prompt_tokens": 1.5, "completion_tokens": "x", "total_tokens": 2}},
        {"usage": {"prompt_tokens": 10**400, "completion_tokens": -(10**400), "total_tokens": 2}},
        {"finish": ["stop"]},
        {"role": "oracle"},
    ],
)
def test_a_server_that_is_not_strict_about_its_api_is_understood(
    odd: dict[str, Any], store: CaptionStore
) -> None:
    with serving([says(GOOD_REPLY, **odd)]) as server:
        answer = ask(graph_with(store, reasoner_at(server)))
    assert (answer.by, answer.verdict, answer.refusals) == ("llm", "found", ())


def test_numbers_from_a_model_become_seconds_and_its_tokens_are_counted(
    store: CaptionStore,
) -> None:
    answer, server = answer_from(store, GOOD)
    assert answer.by == "llm"
    assert [(one.start_s, one.end_s) for one in answer.intervals] == [(8.0, 14.0)]
    assert answer.reasoning == "8.0 s: the dog is there"
    assert answer.models.reasoner == "openai:tiny"
    assert {"reason", "reason_system", "refused"} <= set(answer.models.prompts)
    assert (answer.usage.tokens_in, answer.usage.tokens_out) == (100, 10)
    assert answer.usage.usd == pytest.approx((100 * 1.0 + 10 * 10.0) / 1e6)
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_several_events_and_none_are_normal_answers(store: CaptionStore) -> None:
    several = '{"found": true, "events": [{"first": 1, "last": 2}, {"first": 5, "last": 7}]}'
    answer, _ = answer_from(store, says(several))
    assert sorted((one.start_s, one.end_s) for one in answer.intervals) == [(0, 4), (8, 14)]
    answer, _ = answer_from(store, says('{"found": false}'))
    assert (answer.verdict, answer.by, answer.attempts) == ("not_found", "llm", 1)


def test_a_refused_reply_goes_back_with_its_reason_and_every_attempt_is_counted(
    store: CaptionStore,
) -> None:
    answer, server = answer_from(store, says("At about nine."), GOOD)
    assert (answer.by, answer.attempts) == ("llm", 2)
    assert [(one.kind, one.reply) for one in answer.refusals] == [("no_json", "At about nine.")]
    said, told = server.asked[1].body["messages"][-2:]
    assert (said["role"], said["content"]) == ("assistant", "At about nine.")
    assert told["role"] == "user"
    assert "holds no JSON object" in told["content"]
    assert (answer.usage.tokens_in, answer.usage.tokens_out) == (200, 20)


def test_replies_refused_to_the_end_leave_the_llm_free_answer(store: CaptionStore) -> None:
    answer, server = answer_from(store, says('{"found": true, "events": [{"first":7,"last":5}]}'))
    assert answer.by == "fallback"
    assert [one.kind for one in answer.refusals] == ["reversed"] * 3
    assert len(server.asked) == 3
    assert answer.usage.tokens_in == 300


def test_a_reply_that_was_cut_off_is_refused_even_where_it_holds_a_draft(
    store: CaptionStore,
) -> None:
    answer, server = answer_from(store, says(GOOD_REPLY + " But wait", finish="length"), GOOD)
    assert [one.kind for one in answer.refusals] == ["cut_off"]
    assert "shorter" in server.asked[1].body["messages"][-1]["content"]
    assert answer.by == "llm"


def test_a_model_that_declines_is_refused_in_its_own_words(store: CaptionStore) -> None:
    answer, _ = answer_from(store, says(None, refusal="I cannot help."), GOOD)
    assert [one.reply for one in answer.refusals] == ["I cannot help."]


def test_the_schema_goes_along_where_nothing_can_be_looked_up(
    store: CaptionStore, tmp_path: Path
) -> None:
    _, server = answer_from(store, GOOD)
    body = server.asked[0].body
    assert body["response_format"]["json_schema"]["schema"]["required"] == [
        "steps",
        "reason",
        "found",
        "events",
    ]
    assert "tools" not in body
    with long_road(tmp_path / "long") as (long, parts):
        _, server = answer_from(long, GOOD, **parts)
    assert "response_format" not in server.asked[0].body
    assert len(server.asked[0].body["tools"]) == 2


@pytest.mark.parametrize(
    ("complaint", "dropped", "max_look_ups"),
    first_fast(
        ("'response_format.type' must be 'text'", "response_format", 0),
        ("tiny does not support tools", "tools", 3),
        ('"auto" tool choice requires --enable-auto-tool-choice to be set', "tools", 3),
        ("Unsupported value: 'temperature' does not support 0", "temperature", 0),
        ("'max_tokens' is too large: 8000. Context length is 4096", "max_tokens", 0),
        fast=2,
    ),
)
def test_an_option_that_a_server_does_not_take_is_left_out_from_then_on(
    complaint: str, dropped: str, max_look_ups: int, tmp_path: Path
) -> None:
    def script(asked: Asked) -> Answer:
        return fails(400, complaint) if dropped in asked.body else GOOD

    with long_road(tmp_path) as (store, parts), serving(script) as server:
        graph = graph_with(store, reasoner_at(server), max_look_ups=max_look_ups, **parts)
        assert ask(graph).by == "llm"
        assert ask(graph).refusals == ()
    assert [dropped in asked.body for asked in server.asked] == [True, False, False]


def test_captions_are_looked_up_and_shown_with_numbers_that_stay(tmp_path: Path) -> None:
    with (
        long_road(tmp_path) as (store, parts),
        serving([calls("read_captions", start_s=0, end_s=6), GOOD]) as server,
    ):
        answer = ask(graph_with(store, reasoner_at(server), **parts))
    assert roles(server.asked[1]) == ["system", "user", "assistant", "tool"]
    opening, call, told = server.asked[1].body["messages"][1:]
    assert call["tool_calls"][0]["function"]["name"] == "read_captions"
    assert call["tool_calls"][0]["id"] == told["tool_call_id"]
    last = opening["content"].rsplit("from #1 to #", 1)[1].split(",")[0]
    assert f"#{int(last) + 1} [0.0–2.0 s]" in told["content"]
    assert (answer.attempts, len(answer.look_ups)) == (1, 1)
    assert answer.look_ups[0].arguments == {"start_s": 0, "end_s": 6}
    assert answer.usage.tokens_in == 200


def test_look_ups_are_bounded_and_a_model_that_goes_on_asking_is_refused(
    tmp_path: Path,
) -> None:
    with long_road(tmp_path) as (store, parts):
        call = calls("search_captions", text="a dog")
        answer, server = answer_from(store, call, max_look_ups=2, **parts)
    assert answer.by == "fallback"
    assert len(answer.look_ups) == 2
    assert [one.kind for one in answer.refusals] == ["no_json"] * 3
    assert len(server.asked) == 5
    assert "last look-up" in server.asked[2].body["messages"][-1]["content"]
    assert [asked.body.get("tool_choice") for asked in server.asked[1:3]] == [None, "none"]


def test_a_model_without_tool_calling_is_offered_none(store: CaptionStore) -> None:
    answer = ask(graph_with(store, LLMReasoner(ChatModelOf(answers=lambda _: GOOD_REPLY))))
    assert answer.by == "llm"


def test_nothing_is_asked_where_there_is_no_caption(tmp_path: Path) -> None:
    with stored(tmp_path, ["elsewhere"]) as store, serving([GOOD]) as server:
        store.forget("video1")
        answer = ask(graph_with(store, reasoner_at(server)))
    assert answer.verdict == "cannot_tell"
    assert server.asked == []


def test_costs_that_are_not_known_are_not_called_nothing(store: CaptionStore) -> None:
    with serving([GOOD]) as server:
        answer = ask(graph_with(store, reasoner_at(server, prices=None)))
        assert answer.usage.usd is None
    unmetered, _ = answer_from(store, says(GOOD_REPLY, usage=None))
    assert unmetered.usage.usd is None


FOR_THE_USER = {
    "key": (
        fails(401, f"Incorrect API key provided: {KEY}"),
        r"refuses the key \(401: Incorrect API key provided: …\); set OPENAI_API_KEY",
    ),
    "model": (fails(404, "The model `tiny` does not exist"), "knows no model 'tiny'"),
    "moved": (Answer(b"", 307, headers={"Location": "http://evil.example/v1"}), "evil.example"),
}


@pytest.mark.parametrize("failure", FOR_THE_USER)
def test_what_the_user_has_to_mend_is_an_error_with_advice_and_without_the_key(
    failure: str, store: CaptionStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer, expected = FOR_THE_USER[failure]
    with serving([answer]) as server, pytest.raises(ReasonerError, match=expected) as error:
        ask(graph_with(store, reasoner_at(server)))
    assert "--reasoner similarity" in str(error.value)
    assert KEY not in str(error.value)
    assert KEY not in caplog.text
    assert error.value.__cause__ is None


FOR_GOOD = {
    "limit": (rate_limited(after_s=0.01), "answers 429: slow down"),
    "server": (fails(500, f"out of memory, {KEY}"), "answers 500: out of memory"),
    "other": (not_json(), "does not answer as OpenAI's API does (Welcome to the router)"),
    "bad": (fails(400, f"cannot read this {KEY}"), "answers 400: cannot read this …"),
    "credit": (fails(429, "pay", code="insufficient_quota"), "no credit is left (pay)"),
    "inside": (Answer(b'{"error": {"message": "no GPU", "code": 502}}'), "answers 502: no GPU"),
    "nothing": (Answer(b'{"choices": []}'), "answered, but without a reply in it"),
    "groq": (fails(400, "Failed to call a function", code="tool_use_failed"), "could not use"),
    "declined": (fails(400, "inappropriate content", code="data_inspection_failed"), "inappro"),
}


@pytest.mark.parametrize("failure", first_fast(*FOR_GOOD, fast=2))
def test_a_service_that_fails_for_good_leaves_the_llm_free_answer_with_the_reason(
    failure: str, store: CaptionStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reply, expected = FOR_GOOD[failure]
    with serving([reply]) as server:
        answer = ask(graph_with(store, reasoner_at(server)))
        assert (answer.by, answer.verdict) == ("fallback", "found")
        assert expected in answer.warning
        assert KEY not in answer.warning + caplog.text
        with pytest.raises(ReasonerError) as error:
            ask(graph_with(store, reasoner_at(server, strict=True)))
    assert expected in str(error.value)


def test_a_key_that_is_refused_in_the_middle_leaves_the_llm_free_answer(
    store: CaptionStore,
) -> None:
    with serving([says("hm"), fails(401, "expired")]) as server:
        answer = ask(graph_with(store, reasoner_at(server)))
    assert (answer.by, len(answer.refusals)) == ("fallback", 1)
    assert "refuses the key (401: expired)" in answer.warning


PASSING = {
    "limit": rate_limited(),
    "later": fails(429, "Please try again in 20ms."),
    "server": fails(503),
    "inside": Answer(b'{"error": {"message": "Upstream error", "code": 429}}'),
    "nothing": Answer(b'{"choices": []}'),
    "no message": Answer(b'{"choices": [{"finish_reason": "stop"}]}'),
    "groq": fails(400, "Failed to validate JSON", code="json_validate_failed"),
    "empty": says("", finish="error"),
}


@pytest.mark.parametrize("trouble", first_fast(*PASSING, fast=2))
def test_what_passes_is_waited_for_as_with_captions(trouble: str, store: CaptionStore) -> None:
    with serving([PASSING[trouble], GOOD]) as server:
        answer = ask(graph_with(store, reasoner_at(server, patience=FEW_RETRIES)))
    assert (answer.by, answer.warning, len(server.asked)) == ("llm", "", 2)


STRICT = {
    "Gemini": Answer(
        b'[{"error": {"code": 400, "message": "missing a thought_signature in functionCall"}}]', 400
    ),
    "DeepSeek": fails(400, "Missing `reasoning_content` field in the assistant message"),
    "Gemma": fails(400, "Conversation roles must alternate user/assistant/user/assistant/..."),
    "Bedrock": fails(400, "The toolConfig field must be defined when using toolUse"),
    "llama.cpp": fails(500, "Jinja Exception: unexpected role"),
}


@pytest.mark.parametrize("service", first_fast(*STRICT))
def test_what_was_looked_up_is_retold_where_a_service_takes_no_such_history(
    service: str, tmp_path: Path
) -> None:
    def script(asked: Asked) -> Answer:
        if "tool" in roles(asked):
            return STRICT[service]
        return calls("read_captions", start_s=0, end_s=6) if asked.number == 0 else GOOD

    with long_road(tmp_path) as (store, parts), serving(script) as server:
        answer = ask(graph_with(store, reasoner_at(server), **parts))
    assert (answer.by, len(answer.look_ups), answer.warning) == ("llm", 1, "")
    last = server.asked[-1]
    assert roles(last) == ["system", "user"]
    assert "tools" not in last.body
    assert "You looked up read_captions" in last.text
    assert "[0.0–2.0 s]" in last.text


def test_a_model_is_told_what_it_said_in_its_own_words(tmp_path: Path) -> None:
    call = {
        "id": "function-call-1",
        "type": "function",
        "function": {"name": "read_captions", "arguments": '{"start_s":0,"end_s":6}'},
        "extra_content": {"google": {"thought_signature": "abc"}},
    }
    wish = says(None, finish="tool_calls", tool_calls=[call], reasoning_content="What is there?")
    with long_road(tmp_path) as (store, parts), serving([wish, GOOD]) as server:
        assert ask(graph_with(store, reasoner_at(server), **parts)).by == "llm"
    _, _, said, told = server.asked[1].body["messages"]
    assert said["tool_calls"] == [call]
    assert said["reasoning_content"] == "What is there?"
    assert told["tool_call_id"] == "function-call-1"


def test_rules_are_told_by_the_user_where_no_system_may_speak(store: CaptionStore) -> None:
    def script(asked: Asked) -> Answer:
        return fails(400, "System role not supported") if "system" in roles(asked) else GOOD

    with serving(script) as server:
        assert ask(graph_with(store, reasoner_at(server))).by == "llm"
    assert roles(server.asked[1]) == ["user"]
    assert "You find out when" in server.asked[1].text


def test_captions_are_left_out_until_a_model_can_read_them_and_that_is_told(
    store: CaptionStore,
) -> None:
    def script(asked: Asked) -> Answer:
        if asked.text.count(" s]") > 6:
            return fails(400, "the request exceeds the available context size")
        return GOOD

    with serving(script) as server:
        answer = ask(graph_with(store, reasoner_at(server)))
    assert answer.by == "llm"
    assert "was shown 6 of 12 captions" in answer.warning
    assert "#5 [8.0–10.0 s]" in server.asked[-1].text
    assert "#7 [12.0–14.0 s]" in server.asked[-1].text


def test_a_server_that_reads_a_part_only_is_noticed(tmp_path: Path) -> None:
    with long_road(tmp_path) as (store, parts):
        parts |= {"evidence_tokens": 20_000}
        answer, _ = answer_from(store, GOOD, **parts)
    assert "counted 100 tokens of about" in answer.warning
    assert "OLLAMA_CONTEXT_LENGTH" in answer.warning


def test_a_draft_among_thoughts_is_no_answer(store: CaptionStore) -> None:
    drafts = [
        f"<think>Perhaps {GOOD_REPLY}",
        f"<think>Perhaps {GOOD_REPLY}</think> I cannot tell.",
        f"{GOOD_REPLY}</think> I cannot tell.",
    ]
    answer, _ = answer_from(store, *map(says, drafts))
    assert (answer.by, [one.kind for one in answer.refusals]) == ("fallback", ["no_json"] * 3)


@pytest.mark.slow
def test_no_trace_and_no_checkpoint_holds_the_key(tmp_path: Path) -> None:
    traced = Traces()
    script = [calls("search_captions", text="a dog"), says("hm"), GOOD, fails(401, f"no: {KEY}")]
    saver = InMemorySaver()
    with (
        long_road(tmp_path) as (store, parts),
        serving(script) as server,
        tracing_context(enabled=True, client=traced.client),
    ):
        graph = graph_with(store, reasoner_at(server, strict=True), checkpointer=saver, **parts)
        ask(graph, config={"configurable": {"thread_id": "good"}})
        with pytest.raises(ReasonerError):
            ask(graph, config={"configurable": {"thread_id": "bad"}})
        wait_for_all_tracers()
    names = {run["name"] for run in traced.runs}
    assert {"reason", "look_up", "search_captions", "check", "ServiceChatModel"} <= names
    assert "401" in repr(traced.runs)
    assert "holds no JSON object" in repr(traced.runs)
    assert KEY not in repr(traced.runs)
    assert KEY not in repr((saver.storage, saver.writes, saver.blobs))


def test_a_service_that_recovers_is_asked_again_by_one_layer_only(store: CaptionStore) -> None:
    with serving([rate_limited(after_s=0.01), fails(503), GOOD]) as server:
        answer = ask(graph_with(store, reasoner_at(server, patience=FEW_RETRIES)))
    assert (answer.by, len(server.asked)) == ("llm", 3)
    with serving([rate_limited(after_s=0.01)]) as server:
        assert ask(graph_with(store, reasoner_at(server, patience=FEW_RETRIES))).by == "fallback"
    assert len(server.asked) == 3


def test_a_service_that_is_not_there_is_an_error_that_says_so(store: CaptionStore) -> None:
    with serving([GOOD]) as gone:
        reasoner = reasoner_at(gone)
    with pytest.raises(ReasonerError, match=r"no answer from .* that the server is running"):
        ask(graph_with(store, reasoner))


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("gpt", {}, "PROVIDER:MODEL"),
        ("openai:", {"api_key": KEY}, "PROVIDER:MODEL"),
        ("openai:x", {}, "it needs a key: set OPENAI_API_KEY"),
        ("openai:x", {"api_key": f"{KEY}\n…"}, "no key has"),
        ("openai:x", {"base_url": "localhost:8000"}, "http://localhost:8000/v1"),
        ("openai:x", {"base_url": f"http://me:{KEY}@there/v1"}, "OPENAI_API_KEY"),
        ("nobody:x", {}, "nobody"),
        ("ollama:x", {}, "langchain-ollama"),
    ],
)
def test_a_name_or_an_address_that_cannot_be_used_says_what_to_do(
    name: str, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(SettingsError, match=told) as error:
        LLMReasoner(name, **options)
    assert KEY not in str(error.value)


def in_parts(**times: list[tuple[int, int]]) -> Answer:
    parts = [
        {"part": letter, "events": [{"first": first, "last": last} for first, last in some]}
        for letter, some in times.items()
    ]
    return says(json.dumps({"steps": [], "parts": parts}))


@pytest.mark.slow
def test_an_order_is_asked_part_by_part_and_decided_here(store: CaptionStore) -> None:
    script = [GOOD, in_parts(A=[(2, 3), (9, 10)], B=[(5, 7)])]
    with serving(script) as server:
        graph = graph_with(store, reasoner_at(server), max_look_ups=0)
        answer = ask(graph, QUESTION.model_copy(update={"query": "a road after the dog jumps"}))
    assert [refusal.kind for refusal in answer.refusals] == ["wrong_schema"]
    assert [(one.start_s, one.end_s) for one in answer.intervals] == [(16.0, 20.0)]
    assert answer.by == "llm"
    assert "“a road” after “the dog jumps”" in answer.reasoning
    first = server.asked[0]
    assert "A: a road" in first.text
    assert "B: the dog jumps" in first.text
    schema = first.body["response_format"]["json_schema"]["schema"]
    assert set(schema["properties"]) == {"steps", "reason", "parts"}
