"""Servers of every kind on the loopback, and odd ones: which of them look at pictures."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from agent.setup.servers import DEADLINE_S, find_servers, is_loopback
from tests.listening import Handler, listening
from tests.patience import PATIENCE_S

Reply = tuple[int, Any]
Answers = Mapping[str, Reply | Callable[[Any], Reply]]


def models(*names: str, owner: str = "") -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "owned_by": owner} for name in names]}


@contextmanager
def serving(answers: Answers) -> Iterator[tuple[int, list[str]]]:
    """A server with these paths, and what it was asked; bytes are sent as they are."""
    asked: list[str] = []

    class Page(Handler):
        def do_GET(self) -> None:
            self.answer(None)

        def do_POST(self) -> None:
            self.answer(json.loads(self.body()))

        def answer(self, given: Any) -> None:
            asked.append(f"{self.command} {self.path} {self.headers.get('Authorization', '')}")
            found = answers.get(self.path, (404, {}))
            status, content = found(given) if callable(found) else found
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send(body, status)

    with listening(Page) as url:
        yield int(url.rpartition(":")[2]), asked


def seeing(answers: Answers, kind: str) -> list[tuple[str, str]]:
    with serving(answers) as (port, _):
        found = find_servers({port: kind}, deadline_s=PATIENCE_S)
    return [(one.kind, one.seeing) for one in found]


def test_llama_cpp_sees_with_its_projector_alone_whatever_the_model_is_called() -> None:
    for has_it, name in ((True, "gemma-3-4b.gguf"), (False, "gemma-3-4b.gguf"), (True, "mine")):
        capabilities = ["completion", "multimodal"] if has_it else ["completion"]
        listed = models(name, owner="llamacpp") | {
            "models": [{"name": name, "model": name, "capabilities": capabilities}]
        }
        # Its usual port is that of another server's here.
        expected = [("llama.cpp", name if has_it else "")]
        assert seeing({"/v1/models": (200, listed)}, "vLLM") == expected


def test_ollama_is_asked_which_of_its_models_sees() -> None:
    says = {"gemma3:1b": ["completion"], "llama3": ["completion"], "mine": ["vision"]}

    def show(given: Any) -> Reply:
        return 200, {"capabilities": says[given["model"]]}

    listed = models("llama3", "gemma3:1b", "mine", owner="library")
    assert seeing({"/v1/models": (200, listed), "/api/show": show}, "x") == [("Ollama", "mine")]
    # An older one says nothing of that.
    older = {"/v1/models": (200, models("llama3", "llava:7b", owner="library"))}
    assert seeing(older, "Ollama") == [("Ollama", "llava:7b")]
    # Nor is one taken that Ollama runs elsewhere: frames stay here.
    far = {"/v1/models": (200, models("qwen3-vl:235b-cloud", owner="library"))}
    assert seeing(far, "Ollama") == [("Ollama", "")]


def test_lm_studio_says_of_what_type_its_models_are() -> None:
    kinds = [{"id": "llava-text-only-tune", "type": "llm"}, {"id": "mine", "type": "vlm"}]
    listed = models(*(one["id"] for one in kinds), owner="organization_owner")
    told = {"/v1/models": (200, listed), "/api/v0/models": (200, {"data": kinds})}
    assert seeing(told, "LM Studio") == [("LM Studio", "mine")]
    assert seeing({"/v1/models": (200, models("qwen2-vl-7b"))}, "LM Studio") == [
        ("LM Studio", "qwen2-vl-7b")
    ]


@pytest.mark.parametrize(
    ("name", "sees"),
    [
        ("Qwen/Qwen2.5-VL-7B-Instruct", True),
        ("google/gemma-3-4b-it", True),
        ("mistral-small3.1", True),
        ("gemma3:270m", False),
        ("gemma3n:e4b", False),
        ("nomic-embed-vision-v1.5", False),
        ("llama3", False),
    ],
)
def test_elsewhere_names_tell(name: str, sees: bool) -> None:
    assert seeing({"/v1/models": (200, models(name))}, "vLLM") == [("vLLM", name if sees else "")]


@pytest.mark.parametrize(
    ("status", "content", "wants_key"),
    [
        (401, {"error": "Unauthorized"}, [True]),
        (403, {"error": {"code": 403}}, [True]),
        (401, b"<html>log in</html>", []),
        (500, {"error": "x"}, []),
        (200, b"<html>a web app</html>", []),
        (200, b"", []),
        (200, {"data": "x"}, []),
        (200, {"data": [], "models": 3}, [False]),
        (200, b'{"data": [{"id": "\xff"}]}', []),
    ],
)
def test_a_server_that_wants_a_key_is_told_from_what_is_no_model_server(
    status: int, content: Any, wants_key: list[bool]
) -> None:
    with serving({"/v1/models": (status, content)}) as (port, _):
        found = find_servers({port: "vLLM"}, deadline_s=PATIENCE_S)
    assert [one.wants_key for one in found] == wants_key


def test_a_server_whose_second_reply_does_not_arrive_is_known_by_its_first() -> None:
    ended = Event()

    def late(_: Any) -> Reply:
        ended.wait(PATIENCE_S)
        return 200, {}

    listed = models("llava:7b", owner="library")
    with serving({"/v1/models": (200, listed), "/api/show": late}) as (port, _):
        found = find_servers({port: "Ollama"}, deadline_s=1.0)
        ended.set()
    assert [one.seeing for one in found] == ["llava:7b"]


def test_the_configured_address_comes_first_and_a_foreign_one_is_never_asked() -> None:
    with (
        serving({"/v1/models": (200, models("a"))}) as (port, _),
        serving({"/my/models": (200, models("b"))}) as (other, asked),
    ):
        address = f"http://localhost:{other}/my/"
        found = find_servers({port: "vLLM"}, also=address, deadline_s=PATIENCE_S)
        assert [one.models for one in found] == [("b",), ("a",)]
        assert asked == ["GET /my/models "]
        # One and the same is not asked twice.
        found = find_servers(
            {port: "vLLM"}, also=f"http://localhost:{port}/v1", deadline_s=PATIENCE_S
        )
        assert [one.kind for one in found] == ["vLLM"]
    for foreign in ("http://192.0.2.1/v1", "http://localhost.example.com/v1", "http://[::2"):
        assert not is_loopback(foreign)
        assert find_servers({}, also=foreign) == []
    assert is_loopback("http://[::1]:8000/v1")
    assert DEADLINE_S == 0.3
