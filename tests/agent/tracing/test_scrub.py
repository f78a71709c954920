"""What may leave in a trace: no picture, no key, and no text where that is hidden."""

import base64
import dataclasses
import hashlib
import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel, SecretStr

from agent.tracing.scrub import Scrubber
from tools.timeline import Frame

JPEG = np.random.default_rng(0).bytes(3000)
BASE64 = base64.b64encode(JPEG).decode()
URL_SAFE = base64.urlsafe_b64encode(JPEG).decode()
IN_LINES = base64.encodebytes(JPEG).decode()
DIGEST = hashlib.sha256(JPEG).hexdigest()[:16]
LONG_RUN = re.compile(r"[A-Za-z0-9+/_-]{200}")

scrub = Scrubber()


def spelled(value: Any) -> str:
    return json.dumps(scrub(value), allow_nan=False)


class Shown(BaseModel):
    picture: str
    about: str = "a frame"


SHAPES: dict[str, Any] = {
    "bytes": JPEG,
    "a string": BASE64,
    "url-safe": URL_SAFE,
    "in lines": IN_LINES,
    "in lines, as JSON spells it": json.dumps(IN_LINES),
    "a data URL": f"data:image/jpeg;base64,{BASE64}",
    "a data URL with more in it": f"data:image/png;charset=utf-8;base64,{BASE64}",
    "inside other text": f"the request was {{'url': 'data:image/jpeg;base64,{BASE64}'}} and failed",
    "a block of OpenAI's": {
        "type": "image_url",
        "image_url": {"url": f"data:image/jpeg;base64,{BASE64}", "detail": "low"},
    },
    "a block of LangChain's": {"type": "image", "base64": BASE64, "mime_type": "image/jpeg"},
    "a block of Anthropic's": {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/jpeg", "data": BASE64},
    },
    "a message": HumanMessage([{"type": "image", "base64": BASE64, "mime_type": "image/jpeg"}]),
    "a message as a dict": {"kwargs": {"content": [{"image_url": f"data:;base64,{BASE64}"}]}},
    "a pydantic model": Shown(picture=BASE64),
    "deep down": {"a": [{"b": ({"c": [BASE64]},)}]},
    "an error": ValueError(f"cannot read {BASE64}"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_in_any_shape_becomes_its_hash_and_size(shape: str) -> None:
    text = spelled({"inputs": SHAPES[shape]})
    assert not LONG_RUN.search(text)
    assert f"(image sha256:{DIGEST}, {len(JPEG)} bytes" in text


def test_a_frame_becomes_its_time_and_a_placeholder_that_names_it_too() -> None:
    image = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
    luma = image[None, :36, :, 0]
    plain = scrub(Frame(12.5, image, None, None, luma, np.array([12.5])))
    digest = hashlib.sha256(image.tobytes()).hexdigest()[:16]
    assert plain["time_s"] == 12.5
    assert plain["image"] == f"(image sha256:{digest}, {48 * 64 * 3} bytes, at 12.5 s)"


def test_the_text_before_a_picture_tells_its_time() -> None:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{BASE64}"}}
    texts = ["#3 [12.0–14.0 s]", "16.25 s"]
    blocks: list[Any] = [one for text in texts for one in ({"type": "text", "text": text}, picture)]
    plain = scrub(HumanMessage(blocks))["content"]
    assert plain[1]["image_url"]["url"].endswith(", at 12 s)")
    assert plain[3]["image_url"]["url"].endswith(", at 16.25 s)")


def test_times_that_are_known_are_told_in_order() -> None:
    plain = scrub([BASE64, "and", BASE64], frame_times_s=[1.0, 2.5])
    assert plain[0].endswith(", at 1 s)")
    assert plain[2].endswith(", at 2.5 s)")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    ),
    st.text(),
    st.text(),
)
def test_whatever_stands_around_a_picture_it_does_not_travel(
    around: Any, before: str, after: str
) -> None:
    text = spelled([around, f"{before}{BASE64}{after}", {"more": around}])
    assert not LONG_RUN.search(text)


KEYS = [
    "sk-proj-abcdefghijklmnop0123456789",
    "lsv2_pt_0123456789abcdef0123456789abcdef_0123456789",
    "hf_abcdefghijklmnopqrstuv",
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "around", ["{}", "Incorrect API key provided: {}.", "{{'Authorization': 'Bearer {}'}}"]
)
def test_what_looks_like_a_key_is_left_out(key: str, around: str) -> None:
    assert key not in spelled(around.format(key))


@pytest.mark.parametrize(
    "value",
    [
        {"api_key": "letmein"},
        {"openai_api_key": SecretStr("letmein")},
        {"headers": {"Authorization": "letmein", "x-api-key": "letmein"}},
        {"key": SecretStr("letmein")},
        "http://me:letmein@collector:4318/v1/traces",
        AIMessage("", tool_calls=[{"name": "t", "args": {"password": "letmein"}, "id": "1"}]),
    ],
)
def test_what_is_named_a_key_is_left_out_whatever_it_looks_like(value: Any) -> None:
    assert "letmein" not in spelled({"value": value})


def test_a_key_in_use_is_left_out_wherever_it_stands() -> None:
    scrub_own = Scrubber(secrets=["my-own-server-key"])
    assert "my-own" not in json.dumps(scrub_own({"error": ["401: my-own-server-key is bad"]}))


def test_words_that_only_sound_like_keys_stay() -> None:
    plain = {"tokens_in": 12, "max_tokens": 100, "caption": "a red key lies on a task-list", "n": 1}
    assert scrub(plain) == plain


def test_numbers_that_json_does_not_have_are_spelled() -> None:
    assert scrub([float("nan"), float("inf"), 0.5]) == ["nan", "inf", 0.5]


def test_where_text_is_hidden_names_and_numbers_stay() -> None:
    hide = Scrubber(hide_text=True)
    seen = {
        "query": "Alice",
        "video": "/home/alice/wedding.mp4",
        "caption": {"id": "0c58", "start_s": 1.0, "text": "Alice enters", "source": "vision"},
        "messages": [HumanMessage("When does Alice enter?")],
        "refusals": ["no_json"],
        "kind": "a sentence about Alice",
        "prompts": {"reason": "304d5f07aab7"},
    }
    plain = hide(seen)
    assert "lice" not in json.dumps(plain)
    assert plain["query"] == "(5 characters)"
    assert plain["caption"]["source"] == "vision"
    assert plain["caption"]["start_s"] == 1.0
    assert plain["messages"][0]["role"] == "user"
    assert plain["refusals"] == ["no_json"]
    assert plain["prompts"] == {"reason": "304d5f07aab7"}
    assert hide.error(ValueError("Alice")) == "ValueError"


@pytest.mark.parametrize(
    "text",
    [
        ("a" * 199 + "\n") * 2 + "." + "b" * 150,
        ("a" * 70 + " ") * 2 + "!" * 100,
        "data:" + ";a=b" * 5000,
        "data:" + "a/" * 5000 + ";base64",
        "https://" + "a:" * 5000,
        "Bearer " + "sk-" * 5000,
    ],
)
def test_a_caption_cannot_send_the_search_astray(text: str) -> None:
    assert spelled(text * 20)


def test_numbers_of_numpy_stay_numbers() -> None:
    assert scrub({"score": np.float32(0.5), "count": np.int64(3)}) == {"score": 0.5, "count": 3}


def test_things_within_things_without_end_do_not_hang() -> None:
    @dataclasses.dataclass
    class Node:
        inner: Any = None

    node = Node()
    node.inner = node
    assert "too deep" in spelled(node)


CAPTION = {
    "id": "ab12",
    "video_id": "v",
    "start_s": 2.0,
    "end_s": 4.5,
    "text": "a dog",
    "source": "vision",
    "model": "m",
    "prompt_version": "",
    "mode": "file",
}


def test_captions_in_the_state_are_a_line_each() -> None:
    shown = Scrubber()({"evidence": [CAPTION | {"relevance": 1.5}, CAPTION]})
    assert shown["evidence"] == [
        "ab12 [2.00–4.50 s] (vision) a dog (1.50)",
        "ab12 [2.00–4.50 s] (vision) a dog",
    ]


def test_what_only_looks_like_a_caption_is_scrubbed_as_anything_else() -> None:
    picture = base64.b64encode(bytes(range(256)) * 4).decode()
    for field in ("id", "source", "text"):
        shown = json.dumps(Scrubber()({"evidence": [CAPTION | {field: picture}]}))
        assert picture[:100] not in shown
        assert "(image sha256:" in shown
    odd = Scrubber()({"evidence": [CAPTION | {"start_s": None}]})["evidence"][0]
    assert odd["text"] == "a dog"
    hidden = Scrubber(hide_text=True)({"evidence": [CAPTION]})["evidence"]
    assert hidden == ["ab12 [2.00–4.50 s] (vision) (5 characters)"]
