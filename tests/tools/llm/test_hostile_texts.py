"""Texts of strangers made to take long: each is read in linear time, and no reply is too long.

What takes quadratic time takes minutes here, so no clock is needed to see it.
"""

import json

import pytest

from tools.llm.caption_text import caption_of
from tools.llm.completion import LONGEST_TEXT, read_completion
from tools.llm.error_body import words_of
from tools.llm.event_stream import LONGEST_BODY
from tools.llm.failures import Sent, classify
from tools.llm.thoughts import without_thoughts
from tools.text import without_passwords

SENT = Sent({"tools", "temperature", "response_format"}, system=True)


@pytest.mark.parametrize("piece", ["a", "ab ", "a b", "*", "```\n", "here is ", "aaaaaaaaab"])
def test_a_model_that_repeats_itself_is_read_in_no_time(piece: str) -> None:
    assert caption_of(piece * 10_000, cut_off=True).text in {"", "*" * 7998}


@pytest.mark.parametrize(
    ("said", "caption"),
    [
        ("A cat sits. " * 60 + "A c", "A cat sits."),
        ("The end. A cat sits. A cat sits. A cat sits. A ca", "The end. A cat sits."),
        ("He runs fast.\n" * 9 + "He ru\ufffd", "He runs fast."),
        ("A man walks " * 40, ""),
        ("He goes by. He goes by. A dog", "He goes by. He goes by. A dog"),
    ],
)
def test_what_is_repeated_until_the_limit_is_said_once(said: str, caption: str) -> None:
    assert caption_of(said, cut_off=True).text == caption
    assert caption_of(said, cut_off=False).text == " ".join(said.split()) or "\n" in said


@pytest.mark.parametrize(
    ("opens", "closes"),
    [
        ("<think>", "</think>"),
        ("<|thinking|>", "<|/thinking|>"),
        ("&lt;think&gt;", "&lt;/think&gt;"),
        ("＜think＞", "＜/think＞"),
        ("<inner_monologue>", "</inner_monologue>"),
        ("<analysis>", "</analysis>"),
        ("<mm:think>", "</mm:think>"),
        ("<thought_process>", "</thought_process>"),
        ("<cot>", "</cot>"),
        ("<plan>", "</plan>"),
        ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
        ("<unused94>thought\n", "<unused95>"),
        ("<|im_start|>think\n", "<|im_end|><|im_start|>answer\n"),
        ("<思考>", "</思考>"),
        ("<мысли>", "</мысли>"),
        ("<denken>", "</denken>"),
        ("[thinking]", "[/thinking]"),
        ("【思考】", "【/思考】"),
        ("⟨think⟩", "⟨/think⟩"),
        ("<ponder>", "</ponder>"),
        ("<rationale>", "</rationale>"),
        ("<thinking_start>", "<thinking_end>"),
        ("<|thought_begin|>", "<|thought_end|>"),
        ("<|assistant_thought|>", "<|assistant_answer|>"),
        ("\\u003cthink\\u003e", "\\u003c/think\\u003e"),
        ("<think>", "<\\/think>"),
        ("Thinking...\n", "\n...done thinking.\n"),
    ],
)
def test_thoughts_are_taken_out_whatever_a_template_calls_them(opens: str, closes: str) -> None:
    assert without_thoughts(f"{opens}A cat? No.{closes}A wall.").text == "A wall."
    assert without_thoughts(f"A cat? No.{closes}A wall.").text == "A wall."
    unfinished = without_thoughts(f"{opens}A cat?")
    assert (unfinished.text, unfinished.thought) == ("", True)


@pytest.mark.parametrize(
    "said", ["A sign says <PLAN B>.", "A man thinks.", "<analysis of a wall", "A plan: a wall."]
)
def test_words_about_thinking_are_no_thoughts(said: str) -> None:
    assert without_thoughts(said).text == said


@pytest.mark.parametrize("piece", ["<", "<title>", "<style>", "<script ", "<title ", "</style>"])
def test_an_error_page_of_unclosed_tags_is_read_in_no_time(piece: str) -> None:
    assert len(words_of((b"<html>" + piece.encode() * 100_000)[:1_000_000])) < 100_001


def test_tags_are_no_words_of_an_error_page() -> None:
    page = b"<html><style>p {}</style><p>No such\n<b>model</b></p><script>x</script></html>"
    assert words_of(page) == "No such model"
    assert words_of(b"<html><title id=x>502 Bad Gateway</title><p>x") == "502 Bad Gateway"


@pytest.mark.parametrize("name", ["message", "code", "type"])
@pytest.mark.parametrize("word", ["prompt exceeds ", "retry in 1 ", "model "])
def test_an_error_of_megabytes_is_judged_by_its_beginning(name: str, word: str) -> None:
    body = json.dumps({"error": {name: word * 60_000}}).encode()
    assert classify(400, {}, body, SENT).kind in {"context", "refused"}


@pytest.mark.parametrize("piece", ["://", "://a:", "://a:b@", "?key="])
def test_addresses_without_end_are_redacted_in_no_time(piece: str) -> None:
    assert "b@" not in without_passwords(piece * 100_000)


@pytest.mark.parametrize("piece", ["<", "< ", "<t", "</", "<|channel|>", "<think>", "</think>"])
def test_marks_without_end_are_read_in_no_time(piece: str) -> None:
    assert len(without_thoughts(piece * (LONGEST_TEXT // 4 // len(piece))).text) < LONGEST_TEXT


def test_a_reply_longer_than_any_model_writes_is_none() -> None:
    def reply(text: str) -> bytes:
        return json.dumps({"choices": [{"message": {"content": text}}]}).encode()

    assert read_completion("application/json", reply("a" * (LONGEST_TEXT + 1))) is None
    assert read_completion("application/json", reply("a") + b" " * LONGEST_BODY) is None
    piece = json.dumps({"choices": [{"delta": {"content": "a" * (LONGEST_BODY + 1)}}]})
    assert read_completion("text/event-stream", f"data: {piece}\n".encode()) is None
    done = read_completion("application/json", reply("a" * LONGEST_TEXT))
    assert done is not None
    assert len(done.text) == LONGEST_TEXT


def test_a_stream_of_very_many_pieces_is_joined_once() -> None:
    text = json.dumps({"choices": [{"delta": {"content": "a" * 9}}]})
    function = {"name": "f", "arguments": "1"}
    call = json.dumps(
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": function}]}}]}
    )
    body = (f"data: {text}\n" * 10_000 + f"data: {call}\n" * 3 + "data: [DONE]\n").encode()
    done = read_completion("text/event-stream", body)
    assert done is not None
    assert done.text == "a" * 90_000
    assert done.tool_calls[0]["function"] == {"name": "f", "arguments": "111"}


def test_a_box_that_more_comes_after_does_not_hide_it() -> None:
    assert "red" in without_thoughts("<answer>blue</answer>? No.</thi nk> It is red").text
    assert without_thoughts("It is <answer>blue</answer>.").text == "blue"
